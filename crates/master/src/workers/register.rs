use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use daas_join::Network;
use daas_join::master_api::{
    ErrorCode, HEARTBEAT_SECONDS, Heartbeat, HeartbeatAnswer, RegisterWorker, RegisteredWorker, is_timely,
};
use daas_seal_token::{NodeIdentity, NodeName, Refusal, SealToken};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::book::{Book, BookError};
use super::kube::{NodeApi, NodeApiError};
use crate::authenticator::{ControlError, Gate};
use crate::chain::ChainView;

/// The controller manager gives addresses within a second; it may just have been started anew.
const ADDRESSES_WITHIN: Duration = Duration::from_secs(25);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Registrations at once.
const AT_ONCE: usize = 32;

/// What is the same for all workers.
#[derive(Debug, Clone)]
pub struct ClusterFacts {
    /// Addresses of pods.
    pub cluster_cidr: Network,
    /// Addresses of services.
    pub service_cidr: Network,
    /// The name server.
    pub cluster_dns: IpAddr,
    /// The domain.
    pub cluster_domain: String,
    /// Port of kube-apiserver.
    pub api_port: u16,
    /// Port of the join gateway.
    pub join_port: u16,
}

/// Why a worker is not let in, or not heard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    /// For programs.
    pub code: ErrorCode,
    /// For people; never quotes a secret.
    pub why: String,
}

/// Lets workers in and hears their heartbeats.
pub struct Workers {
    /// What is remembered of them.
    pub book: Arc<Book>,
    /// The chain's word.
    pub view: Arc<dyn ChainView>,
    /// Nodes.
    pub nodes: Arc<dyn NodeApi>,
    /// The join gateway.
    pub gate: Arc<dyn Gate>,
    /// What is the same for all.
    pub facts: ClusterFacts,
    /// Whether Nodes can be made.
    pub serves: Arc<AtomicBool>,
    permits: Semaphore,
    busy: Mutex<HashSet<NodeName>>,
    /// Nodes that are nobody's, and since when.
    strangers: Mutex<HashMap<NodeName, u64>>,
    heartbeats: AtomicU64,
}

impl Workers {
    /// Nobody yet.
    pub fn new(
        book: Arc<Book>,
        view: Arc<dyn ChainView>,
        nodes: Arc<dyn NodeApi>,
        gate: Arc<dyn Gate>,
        facts: ClusterFacts,
        serves: Arc<AtomicBool>,
    ) -> Self {
        let (permits, busy, heartbeats) = (Semaphore::new(AT_ONCE), Mutex::default(), AtomicU64::new(0));
        let strangers = Mutex::default();
        Self { book, view, nodes, gate, facts, serves, permits, busy, strangers, heartbeats }
    }

    /// Those of these Nodes, none of which is anybody's, that were nobody's for longer than `grace_ms`: looked at again and again, and not
    /// while they register.
    pub(super) fn abandoned(&self, strangers: &[NodeName], grace_ms: u64, now_ms: u64) -> Vec<NodeName> {
        let registering = |name: &NodeName| self.busy.lock().unwrap_or_else(PoisonError::into_inner).contains(name);
        let mut since = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = strangers.iter().filter(|name| !registering(name));
        *since = seen.map(|name| (name.clone(), since.get(name).copied().unwrap_or(now_ms))).collect();
        let over = since.iter().filter(|(_, first)| now_ms.saturating_sub(**first) > grace_ms);
        over.map(|(name, _)| name.clone()).collect()
    }

    /// How many heartbeats counted.
    pub fn heartbeats(&self) -> u64 {
        self.heartbeats.load(Ordering::Relaxed)
    }

    /// Makes the Node of a worker, waits for the addresses of its pods, and tells the join gateway.
    pub async fn register(
        &self,
        token: &SealToken,
        request: &RegisterWorker,
        now_ms: u64,
    ) -> Result<RegisteredWorker, Refused> {
        let name = &request.node_name;
        let who = self.prove(token, name, request.timestamp_ms, now_ms)?;
        if !self.serves.load(Ordering::Relaxed) {
            return Err(refused(ErrorCode::NotReady, "the control plane does not serve yet"));
        }
        let busy = |_| refused(ErrorCode::Busy, "too many workers register at once: come again in a second");
        let _permit = self.permits.try_acquire().map_err(busy)?;
        let _turn = Turn::take(&self.busy, name)
            .ok_or_else(|| refused(ErrorCode::Busy, "this node is just being registered: wait for the answer"))?;
        self.gate.verify_join(token, name).await.map_err(|error| match error {
            // Two views of one chain: this one may be a checkpoint ahead.
            ControlError::Refused(why) => refused(ErrorCode::Unauthenticated, why),
            away @ ControlError::Away(_) => not_ready(&away),
        })?;
        self.book.claim(&who, request.address, request.resources, now_ms)?;
        self.nodes.make(&who).await?;
        let pods = self.addresses_of_pods(name).await?;
        self.gate.put_node(name, request.address.ip(), Some(pods)).await.map_err(|error| match error {
            ControlError::Refused(why) => refused(ErrorCode::Conflict, why),
            away @ ControlError::Away(_) => not_ready(&away),
        })?;
        // While that went on the identity may have ended, and its Node been removed before it was made.
        let has_left = !self.book.set_pods(name, pods);
        match self.view.is_alive(&who.token, crate::clock::now_ms()) {
            Ok(()) | Err(Refusal::Stale(_)) if has_left => {
                self.book.leave(name);
                return Err(BookError::Leaving.into());
            }
            // Nobody can judge now; whoever puts out judges again.
            Ok(()) | Err(Refusal::Stale(_)) => {}
            Err(refusal) => {
                self.book.leave(name);
                return Err(judged(&refusal));
            }
        }
        tracing::info!(%name, address = %request.address, %pods, "worker registered");
        let facts = &self.facts;
        Ok(RegisteredWorker {
            node_name: name.clone(),
            pod_cidr: pods,
            cluster_dns: facts.cluster_dns,
            cluster_domain: facts.cluster_domain.clone(),
            cluster_cidr: facts.cluster_cidr,
            service_cidr: facts.service_cidr,
            api_port: facts.api_port,
            join_port: facts.join_port,
            heartbeat_seconds: HEARTBEAT_SECONDS,
        })
    }

    /// Hears a heartbeat.
    pub fn heartbeat(&self, token: &SealToken, beat: &Heartbeat, now_ms: u64) -> Result<HeartbeatAnswer, Refused> {
        let who = self.prove(token, &beat.node_name, beat.timestamp_ms, now_ms)?;
        self.book.beat(&who.token, beat, now_ms)?;
        self.heartbeats.fetch_add(1, Ordering::Relaxed);
        Ok(HeartbeatAnswer { accepted: true, heartbeat_seconds: HEARTBEAT_SECONDS })
    }

    /// The live verdict: who sends this, and that it was sent now.
    fn prove(
        &self,
        token: &SealToken,
        name: &NodeName,
        timestamp_ms: u64,
        now_ms: u64,
    ) -> Result<NodeIdentity, Refused> {
        let who = self.view.joining(token, name, now_ms).map_err(|refusal| judged(&refusal))?;
        if is_timely(timestamp_ms, now_ms) {
            return Ok(who);
        }
        let apart = timestamp_ms.abs_diff(now_ms) / 1000;
        Err(refused(ErrorCode::Untimely, format!("the request's time is {apart} s from the enclave's, 30 are allowed")))
    }

    async fn addresses_of_pods(&self, name: &NodeName) -> Result<Network, Refused> {
        let by = Instant::now() + ADDRESSES_WITHIN;
        loop {
            if let Some(pods) = self.nodes.pods_of(name).await? {
                return Ok(pods);
            }
            if Instant::now() >= by {
                return Err(refused(
                    ErrorCode::NotReady,
                    "the controller manager gives the node no addresses for pods",
                ));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// One registration of a node at a time.
struct Turn<'a> {
    busy: &'a Mutex<HashSet<NodeName>>,
    name: NodeName,
}

impl<'a> Turn<'a> {
    fn take(busy: &'a Mutex<HashSet<NodeName>>, name: &NodeName) -> Option<Self> {
        let free = busy.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        free.then(|| Self { busy, name: name.clone() })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

fn refused(code: ErrorCode, why: impl Into<String>) -> Refused {
    Refused { code, why: why.into() }
}

fn not_ready(why: &impl ToString) -> Refused {
    refused(ErrorCode::NotReady, why.to_string())
}

fn judged(refusal: &Refusal) -> Refused {
    refused(code_of(refusal), refusal.to_string())
}

/// Who is it, may it, is it over: what the worker does next depends on it.
pub(super) fn code_of(refusal: &Refusal) -> ErrorCode {
    match refusal {
        Refusal::Stale(_) => ErrorCode::Stale,
        Refusal::WrongPurpose { .. } | Refusal::NotAWorker(_) | Refusal::WrongNode(_) | Refusal::TierNotGranted(_) => {
            ErrorCode::Forbidden
        }
        Refusal::Revoked
        | Refusal::ExpiredOnChain
        | Refusal::StakeNotActive(_)
        | Refusal::Suspended
        | Refusal::StakeTooSmall { .. } => ErrorCode::IdentityOver,
        _ => ErrorCode::Unauthenticated,
    }
}

impl From<BookError> for Refused {
    fn from(error: BookError) -> Self {
        let code = match error {
            BookError::AddressReserved => ErrorCode::Malformed,
            BookError::Leaving | BookError::AddressChanged => ErrorCode::Busy,
            BookError::NotRegistered => ErrorCode::NotRegistered,
            BookError::Full => ErrorCode::Forbidden,
            _ => ErrorCode::Conflict,
        };
        refused(code, error.to_string())
    }
}

impl From<NodeApiError> for Refused {
    fn from(error: NodeApiError) -> Self {
        tracing::warn!(%error, "a worker could not be registered");
        not_ready(&"the control plane could not make the Node")
    }
}
