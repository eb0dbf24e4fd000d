//! The workers, from their wallets to nodes that are ready.

use std::path::Path;
use std::time::{Duration, Instant};

use daas_chain::types::Stake;
use daas_chain::types::staking::Terms;
use daas_diagnostics::Diagnostic;
use daas_seal_token::{StakeStatus, Tier};
use daas_settings::Mist;
use sui_sdk_types::Address;

use super::setup::Setup;
use crate::connection::ClusterLink;
use crate::development::{self, Kubernetes, KubernetesNode, Lan, Part, Starting, Worker};
use crate::output::Stage;
use crate::places::private_folder;

/// Two workers on a busy machine unpack their images in less.
const PATIENCE: Duration = Duration::from_mins(3);
const AGAIN: Duration = Duration::from_millis(500);

/// A worker that was started, or ran already.
pub(super) struct Started {
    starting: Starting,
    owner: Address,
}

impl Setup<'_> {
    /// Starts the workers 1 to `count` that do not run, and ends those beyond.
    pub(super) async fn workers(
        &self,
        link: &ClusterLink,
        lan: &Lan,
        kubernetes: &Kubernetes,
        count: u32,
    ) -> Result<Vec<Started>, Diagnostic> {
        for part in Part::known(self.places) {
            if matches!(part, Part::Worker(number) if number > count) {
                part.stop(self.places).await?;
            }
        }
        let (package, cluster) = (link.package.id.to_string(), link.cluster.to_string());
        let stake = Mist(Terms::of(&link.read().await?.settings, Tier::Worker).minimum_stake);
        let stakes = link.stakes().await?;
        let mut started = Vec::new();
        for number in 1..=count {
            let worker =
                Worker { number, chain_id: &self.record.chain_id, package: &package, cluster: &cluster, stake };
            private_folder(&worker.part().folder(self.places))?;
            let owner = self.wallet_in(&worker.key_file(self.places)).await?.address();
            if is_over(&stakes, owner) {
                // A worker never stakes a second time by itself; whoever types `up` wants it to. It may still be ending its pods.
                worker.part().stop(self.places).await?;
                worker.forget(self.places)?;
            }
            let starting = match worker.part().running(self.places)? {
                Some(process) => Starting::before(&worker.part(), process, self.places),
                None => worker.start(self.places, lan, kubernetes)?,
            };
            started.push(Started { starting, owner });
        }
        Ok(started)
    }

    /// Waits until each worker's node is ready.
    pub(super) async fn nodes_ready(
        &self,
        link: &ClusterLink,
        workers: &mut [Started],
        kubeconfig: &Path,
        stage: &Stage,
    ) -> Result<Vec<KubernetesNode>, Diagnostic> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let stakes = link.stakes().await?;
            let answer = development::nodes(self.places, kubeconfig).await;
            let nodes = answer.as_deref().unwrap_or_default();
            let why = answer.as_ref().err();
            let is_ready = |worker: &Started| {
                let mut own =
                    stakes.iter().filter(|stake| stake.owner == worker.owner && stake.status == StakeStatus::Active);
                own.any(|stake| nodes.iter().any(|node| node.name == stake.name && node.is_ready))
            };
            let ready = workers.iter().filter(|worker| is_ready(worker)).count();
            if ready == workers.len() {
                return Ok(answer.unwrap_or_default());
            }
            stage.say(&format!("{ready}/{}", workers.len()));
            let late = Instant::now() >= deadline;
            for worker in workers.iter_mut() {
                if is_ready(worker) {
                    continue;
                }
                worker.starting.check()?;
                if late {
                    let error = worker.starting.timed_out(PATIENCE);
                    return Err(why.map_or(error.clone(), |why| error.technical(why)));
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// Whether a wallet's stakes were slashed, or taken back.
fn is_over(stakes: &[Stake], owner: Address) -> bool {
    let mut own = stakes.iter().filter(|stake| stake.owner == owner).peekable();
    own.peek().is_some() && own.all(|stake| stake.status != StakeStatus::Active)
}
