//! A worker's life: stake, verify, register, join, serve, leave. Decisions are [`Life`]'s and [`Judge`]'s; here they are carried out.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use daas_join::master_api::ErrorCode;
use daas_supervise::Backoff;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::api::{Command, Snapshot};
use crate::balancer::Balancer;
use crate::credentials::CredentialFolder;
use crate::enclave::verify_enclave;
use crate::error::Error;
use crate::judge::{ChainWord, Judge, Ruling};
use crate::life::{Cause, Life, Tokened};
use crate::master;
use crate::node::{Ending, NodePlan, Programs, RunningNode};
use crate::session::{Parts, SessionEnd, establish};
use crate::state_file::{Owner, StateFolder};

pub(crate) const FIRST: Duration = Duration::from_secs(1);
/// Who waits longer than the enclave's own start takes comes back late.
pub(crate) const LONGEST: Duration = Duration::from_secs(8);
/// A session that lasted so long was a good one.
pub(crate) const SETTLED: Duration = Duration::from_secs(30);
/// A master that serves no workers yet says so; most wait for its control plane to come up.
const NOT_YET: Duration = Duration::from_millis(700);
/// So often; then as for other errors.
const NOT_YET_TIMES: u32 = 60;
/// Whoever was expelled may be let in again, not at once.
const EXPELLED: Duration = Duration::from_mins(1);
/// A master that says "over" is asked again after this, up to three times: all within the five seconds that a slashed worker has.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// The chain's word is not waited for longer.
const CHAIN_WORD: Duration = Duration::from_secs(2);

/// How a worker's run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// It was told to stop; its life goes on at the next start.
    Stopped,
    /// Its stake is over.
    Ended(Cause),
}

/// The loopback ports to the cluster.
pub(crate) struct Balancers {
    pub(crate) api: Balancer,
    pub(crate) join: Balancer,
}

/// A worker with everything that it works with.
pub(crate) struct Worker<P: Programs> {
    pub(crate) parts: Parts,
    pub(crate) state: StateFolder,
    pub(crate) owner: Owner,
    pub(crate) life: Life,
    pub(crate) balancers: Balancers,
    pub(crate) programs: P,
    pub(crate) node: Option<(P::Node, NodePlan)>,
    pub(crate) judge: Judge,
    pub(crate) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) stop: CancellationToken,
}

/// What a pause ended with.
enum Woken {
    Time,
    Stop,
    Command(Command),
}

impl<P: Programs> Worker<P> {
    /// Goes on until it is told to stop or its stake is over.
    pub(crate) async fn live(mut self) -> Result<Finish, Error> {
        if let Life::Ended(ended) = &self.life {
            let cause = ended.cause;
            self.forget()?;
            return Err(Error::Ended(cause.to_string()));
        }
        let mut backoff = Backoff::new(FIRST, LONGEST, SETTLED);
        let mut not_yet = 0;
        loop {
            let started = Instant::now();
            let step = match self.life.clone() {
                Life::Unstaked | Life::Staked(_) => self.stake().await,
                Life::Tokened(tokened) => self.serve(tokened).await,
                Life::Draining(draining) => self.leave(&draining.staked).await,
                Life::Ended(ended) => return Ok(Finish::Ended(ended.cause)),
                // `serve` goes through these; they are never where a step begins.
                other => self.keep(other.resumed()).map(|()| Next::AtOnce),
            };
            let wait = match step {
                Ok(Next::AtOnce) => continue,
                Ok(Next::Soon) => ASK_AGAIN,
                Ok(Next::Later) => EXPELLED,
                Ok(Next::Stop) => return self.stopped().await,
                Err(error) if error.is_final() => {
                    self.stop_node(Ending::LeavePods).await;
                    return Err(error);
                }
                Err(error) => {
                    tracing::warn!(%error, stage = self.life.stage(), "not yet");
                    self.show(Some(error.to_string()));
                    let is_early = matches!(error, Error::Master { code: ErrorCode::NotReady | ErrorCode::Busy, .. });
                    not_yet = if is_early { not_yet + 1 } else { 0 };
                    if (1..=NOT_YET_TIMES).contains(&not_yet) { NOT_YET } else { backoff.after(started.elapsed()) }
                }
            };
            match self.pause(wait).await {
                Woken::Time | Woken::Command(Command::Register) => {}
                Woken::Stop => return self.stopped().await,
                Woken::Command(Command::Unstake) => self.begin_to_leave()?,
            }
        }
    }

    async fn stake(&mut self) -> Result<Next, Error> {
        let staked = {
            let stake = self.parts.chain.stake();
            tokio::select! {
                () = self.stop.cancelled() => return Ok(Next::Stop),
                staked = stake => staked?,
            }
        };
        self.keep(Life::Tokened(staked))?;
        Ok(Next::AtOnce)
    }

    /// From a Seal token to a node that serves, until something ends it.
    async fn serve(&mut self, tokened: Tokened) -> Result<Next, Error> {
        let stop = self.stop.clone();
        let served = tokio::select! {
            () = stop.cancelled() => return Ok(Next::Stop),
            served = self.session(tokened.clone()) => served,
        };
        // Whatever was proven has to be proven again.
        let life = std::mem::replace(&mut self.life, Life::Unstaked).resumed();
        self.keep(life)?;
        match served {
            Ok(SessionEnd::Again) => Ok(Next::AtOnce),
            Ok(SessionEnd::Lost(error)) => Err(error),
            Ok(SessionEnd::Unstake) => self.begin_to_leave().map(|()| Next::AtOnce),
            Ok(SessionEnd::Over(cause)) => self.end(cause).await,
            Ok(SessionEnd::AskAgain) => Ok(Next::Soon),
            Err(error) => {
                let word = self.parts.chain.word(tokened.staked.stake, CHAIN_WORD).await;
                match self.judge.rule(master::word(&error), word) {
                    Ruling::Over(cause) => self.end(cause).await,
                    Ruling::AskAgain => Ok(Next::Soon),
                    Ruling::Contradicted => {
                        contradicted(word);
                        Err(error)
                    }
                    Ruling::GoOn => Err(error),
                }
            }
        }
    }

    async fn session(&mut self, tokened: Tokened) -> Result<SessionEnd, Error> {
        let tokened = self.parts.chain.keep_token(&tokened).await?;
        self.keep(Life::Tokened(tokened.clone()))?;
        let endpoints = self.parts.chain.read_cluster().await?.endpoints;
        let master_at = match &self.parts.settings.nautilus_endpoint {
            Some(endpoint) => format!("{}:{}", endpoint.host(), endpoint.port()),
            None => endpoints.master.clone(),
        };
        let enclave = verify_enclave(&self.parts.chain, &self.parts.roots, &master_at).await?;
        tracing::info!(instance = %enclave.instance, simulated = enclave.is_simulated, "the enclave is verified");
        let mut verified = tokened.verified(enclave);
        self.keep(Life::Verified(verified.clone()))?;
        if !verified.continues() {
            self.another_cluster().await?;
            verified.tokened.membership = None;
            self.keep(Life::Verified(verified.clone()))?;
        }
        self.balancers.api.lead_to(std::slice::from_ref(&endpoints.api))?;
        self.balancers.join.lead_to(std::slice::from_ref(&endpoints.join))?;
        let address = self.address(&master_at).await?;
        let established =
            establish(&self.parts, verified, &master_at, &endpoints.join, address, self.balancers.api.address())
                .await?;
        self.keep(Life::Joined(established.joined.clone()))?;
        self.start_node(&established.plan).await?;
        let session = established.run(
            &self.parts,
            self.node.as_ref().map(|(node, _)| node),
            &mut self.judge,
            &mut self.commands,
            &self.snapshot,
        );
        session.await
    }

    /// The enclave is a new one with a new CA: the node's pods and certificates are those of a cluster that is gone.
    async fn another_cluster(&mut self) -> Result<(), Error> {
        tracing::warn!("the cluster's enclave is a new one, with new authorities: this node begins anew");
        self.end_pods().await;
        self.parts.credentials.remove()?;
        self.parts.credentials = CredentialFolder::below(&self.parts.settings.state_dir)?;
        Ok(())
    }

    async fn start_node(&mut self, plan: &NodePlan) -> Result<(), Error> {
        if let Some((_, running)) = &self.node {
            if running.place.is_same_node(&plan.place)
                && running.server_ca == plan.server_ca
                && running.client_ca == plan.client_ca
            {
                return Ok(());
            }
            self.stop_node(Ending::LeavePods).await;
        }
        let node = self.programs.start(plan).await?;
        tracing::info!(node = %plan.name, pods = %plan.place.pod_cidr, "the node is starting");
        self.node = Some((node, plan.clone()));
        Ok(())
    }

    async fn stop_node(&mut self, ending: Ending) {
        if let Some((node, _)) = self.node.take()
            && let Err(error) = node.stop(ending).await
        {
            tracing::error!(%error, "the node did not end as it should");
        }
    }

    /// The one of the settings, or the one from which the master is reached.
    async fn address(&self, master: &str) -> Result<IpAddr, Error> {
        if let Some(address) = self.parts.settings.address {
            return Ok(address);
        }
        let (host, port) = crate::http_client::split(master)?;
        let failed = |error: std::io::Error| Error::exchange("finding this machine's address", error);
        let probe = tokio::net::TcpStream::connect((host.as_str(), port)).await.map_err(failed)?;
        Ok(probe.local_addr().map_err(failed)?.ip())
    }

    /// Ends pods first: that is what cannot wait. Then nothing is left that the node could show.
    async fn end(&mut self, cause: Cause) -> Result<Next, Error> {
        tracing::error!(%cause, "this worker's stake is over: its pods end");
        self.end_pods().await;
        let Some(staked) = self.life.staked().cloned() else { return Ok(Next::AtOnce) };
        if cause == Cause::Expelled {
            // The stake may still be good, and the token may count again: suspended, revoked, or a master that errs.
            self.parts.credentials.remove()?;
            self.parts.credentials = CredentialFolder::below(&self.parts.settings.state_dir)?;
            self.keep(Life::Staked(staked))?;
            self.judge = Judge::default();
            return Ok(Next::Later);
        }
        // Kept before the keys go: a worker that stops in between knows that it is over.
        self.keep(Life::Ended(staked.ended(cause)))?;
        self.forget()?;
        Ok(Next::AtOnce)
    }

    /// Nothing is left that anybody could show.
    fn forget(&self) -> Result<(), Error> {
        self.parts.credentials.remove()?;
        self.parts.chain.forget_keys()
    }

    /// Also those that an earlier run left.
    async fn end_pods(&mut self) {
        if self.node.is_some() {
            self.stop_node(Ending::EndPods).await;
        } else if let Some(plan) = self.last_plan()
            && let Err(error) = self.programs.end_left_pods(&plan).await
        {
            tracing::error!(%error, "pods of an earlier run cannot be ended");
        }
    }

    /// The plan of the node that ran before this start.
    fn last_plan(&self) -> Option<NodePlan> {
        let (staked, membership) = self.life.staked().zip(self.life.membership())?;
        let [server_ca, client_ca] = self.parts.credentials.authorities().ok()??;
        Some(NodePlan {
            name: staked.name.clone(),
            place: membership.place,
            api: self.balancers.api.address(),
            server_ca,
            client_ca,
            credentials: self.parts.credentials.clone(),
        })
    }

    fn begin_to_leave(&mut self) -> Result<(), Error> {
        match self.life.draining() {
            Some(draining) => self.keep(Life::Draining(draining)),
            None => Ok(()),
        }
    }

    /// Drains, takes the stake back, ends.
    async fn leave(&mut self, staked: &crate::life::Staked) -> Result<Next, Error> {
        let within = self.parts.settings.drain_timeout;
        if let Some((_, plan)) = &self.node {
            let stop = self.stop.clone();
            let drained = tokio::select! {
                () = stop.cancelled() => return Ok(Next::Stop),
                drained = crate::session::drain_node(plan, within) => drained,
            };
            match drained {
                Ok(0) => tracing::info!("all pods have left"),
                Ok(left) => tracing::warn!(left, "pods did not leave in time; they end now"),
                Err(error) => tracing::warn!(%error, "the node could not be drained; its pods end now"),
            }
        }
        self.parts.chain.unstake(staked).await?;
        self.end(Cause::Unstaked).await
    }

    async fn stopped(mut self) -> Result<Finish, Error> {
        let ending = if self.parts.settings.stop_pods_on_exit { Ending::EndPods } else { Ending::LeavePods };
        self.stop_node(ending).await;
        let life = std::mem::replace(&mut self.life, Life::Unstaked).resumed();
        self.keep(life)?;
        Ok(Finish::Stopped)
    }

    async fn pause(&mut self, wait: Duration) -> Woken {
        tokio::select! {
            () = self.stop.cancelled() => Woken::Stop,
            () = tokio::time::sleep(wait) => Woken::Time,
            Some(command) = self.commands.recv() => Woken::Command(command),
        }
    }

    fn keep(&mut self, life: Life) -> Result<(), Error> {
        if self.life != life {
            self.state.write(&self.owner, &life)?;
            self.life = life;
        }
        self.show(None);
        Ok(())
    }

    fn show(&self, problem: Option<String>) {
        let before = self.snapshot.load();
        let enclave = self.life.enclave();
        self.snapshot.store(Arc::new(Snapshot {
            stage: self.life.stage(),
            name: self.life.staked().map(|staked| staked.name.to_string()),
            stake: self.life.staked().map(|staked| staked.stake.to_string()),
            token: self.life.tokened().map(|tokened| tokened.token.to_string()),
            wallet: Some(self.owner.wallet.clone()),
            healthy: problem.is_none() && matches!(self.life, Life::Joined(_)) && before.healthy,
            last_heartbeat_ms: before.last_heartbeat_ms,
            problem,
            development: enclave.map_or(before.development, |enclave| enclave.is_simulated),
        }));
    }
}

/// What follows a step.
enum Next {
    AtOnce,
    Soon,
    Later,
    Stop,
}

/// One node of the chain says what the attested master does not: nothing is ended for it.
pub(crate) fn contradicted(word: ChainWord) {
    tracing::warn!(
        ?word,
        "a single node of the chain says that the stake is over, the attested master does not: going on"
    );
}
