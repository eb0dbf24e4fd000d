//! What the enclave wants on chain: it has no coins, so its parent asks what there is and submits it with the operator's wallet.
//!
//! The contract believes signatures and attestation documents, not who submits; a parent that submits nothing lets the registration end. What an
//! enclave gone wrong can cost is bounded in transactions of an hour and gas of each.

mod attempts;
pub mod master;
mod submit;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use daas_chain::wallet;
use daas_join::master_api::{ClusterAnswer, Offered, RegistrationState, Submission, path};
use daas_transport::Link;
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::configuration::Chain;
use crate::{Error, Result};
use attempts::Attempts;
use submit::Wallet;

/// One question to the master.
const ASK_TIME: Duration = Duration::from_secs(10);
/// Submissions of one answer that are looked at.
const MAX_OFFERED: usize = 64;
const MAX_LIST: usize = 4 * 1024 * 1024;

/// How submitting does.
#[derive(Debug, Clone, Default, Serialize)]
pub struct View {
    /// Who pays.
    pub wallet: String,
    /// Where the enclave says it is with the chain.
    pub registration: Option<RegistrationState>,
    /// Transactions that succeeded.
    pub submitted: u64,
    /// The last one: what for, and its digest.
    pub last: Option<String>,
    /// What went wrong last, until something goes right.
    pub problem: Option<String>,
}

/// Submits until it is told to stop.
pub struct Submitter {
    link: Link,
    chain: Chain,
    wallet: Wallet,
    attempts: Attempts,
    view: Arc<Mutex<View>>,
}

impl Submitter {
    /// Reads the wallet's key; nothing else is asked yet.
    pub fn new(link: Link, chain: Chain) -> Result<Self> {
        let account = wallet::open_key_file(&chain.key_file).map_err(Error::Wallet)?;
        let view = View { wallet: account.address().to_string(), ..View::default() };
        Ok(Self {
            link,
            wallet: Wallet::new(chain.clone(), account),
            attempts: Attempts::new(chain.transactions_per_hour),
            chain,
            view: Arc::new(Mutex::new(view)),
        })
    }

    /// How it does, from now on.
    pub fn view(&self) -> Arc<Mutex<View>> {
        Arc::clone(&self.view)
    }

    /// Asks and submits until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let pause = Duration::from_secs(self.chain.poll_seconds);
        loop {
            let round = async {
                if let Err(problem) = self.round().await {
                    self.note(|view| view.problem = Some(problem));
                }
                tokio::time::sleep(pause).await;
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = round => {}
            }
        }
    }

    /// One question, and what follows from it. The error is for people.
    async fn round(&mut self) -> Result<(), String> {
        let asked = async {
            let cluster = master::get(&self.link, path::CLUSTER, daas_join::master_api::MAX_ANSWER_BYTES).await?;
            let offered = master::get(&self.link, path::SUBMISSIONS, MAX_LIST).await?;
            Ok::<_, String>((cluster, offered))
        };
        let late = |_| format!("the enclave did not answer within {} s", ASK_TIME.as_secs());
        let (cluster, offered) = tokio::time::timeout(ASK_TIME, asked).await.map_err(late)??;
        let unread = |what: &str, cause: serde_json::Error| format!("the enclave's {what}: {cause}");
        let cluster: ClusterAnswer = serde_json::from_slice(&cluster).map_err(|cause| unread("state", cause))?;
        let mut offered: Vec<Offered> =
            serde_json::from_slice(&offered).map_err(|cause| unread("submissions", cause))?;
        offered.truncate(MAX_OFFERED);
        self.note(|view| view.registration = Some(cluster.instance.registration));
        self.attempts.keep(offered.iter().map(|one| one.id.as_str()).chain([ACTIVATION]));
        for one in &offered {
            self.submit(one).await?;
        }
        if self.chain.activate && cluster.instance.registration == RegistrationState::Registered {
            self.activate(cluster.instance.key).await?;
        }
        if offered.is_empty() {
            self.note(|view| view.problem = None);
        }
        Ok(())
    }

    async fn submit(&mut self, offered: &Offered) -> Result<(), String> {
        if !self.attempts.may(&offered.id, Instant::now())? {
            return Ok(());
        }
        let done = self.wallet.submit(offered).await;
        self.record(&offered.id, offered.submission.kind(), done)?;
        // The chain knows it already; the enclave will see so a moment later.
        if self.chain.activate && matches!(offered.submission, Submission::Register { .. }) {
            self.activate(offered.instance).await?;
        }
        Ok(())
    }

    async fn activate(&mut self, instance: [u8; 32]) -> Result<(), String> {
        if !self.attempts.may(ACTIVATION, Instant::now())? {
            return Ok(());
        }
        let done = self.wallet.activate(instance).await;
        self.record(ACTIVATION, "activate", done)
    }

    fn record(&mut self, id: &str, kind: &str, done: Result<String, String>) -> Result<(), String> {
        self.attempts.tried(id, done.is_ok(), Instant::now());
        match done {
            Ok(digest) => {
                tracing::info!(kind, %digest, "submitted");
                self.note(|view| {
                    view.submitted += 1;
                    view.last = Some(format!("{kind} {digest}"));
                    view.problem = None;
                });
                Ok(())
            }
            Err(cause) => {
                tracing::warn!(kind, %cause, "not submitted");
                Err(format!("{kind}: {cause}"))
            }
        }
    }

    fn note(&self, change: impl FnOnce(&mut View)) {
        change(&mut self.view.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Under which name making the enclave the active one is remembered; the enclave's own names for submissions are never used alike.
const ACTIVATION: &str = "\0activate";
