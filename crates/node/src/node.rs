use std::time::Duration;

use daas_supervise::{States, Supervisor, Timing};
use tokio::sync::watch;

use crate::{Ending, Plan, Result};

/// How long a node may take until its programs are ready; loading images is in it.
const READY_LIMIT: Duration = Duration::from_mins(2);

/// A running worker. Dropping it kills containerd, kubelet and kube-proxy, and leaves pods running.
pub struct Node {
    supervisor: Supervisor,
}

impl Node {
    /// Writes the node's files and starts its programs. It is not ready yet: see [`Node::ready`].
    #[expect(clippy::unused_async, reason = "it will")]
    pub async fn start(plan: Plan) -> Result<Self> {
        plan.check()?;
        Ok(Self { supervisor: Supervisor::start(&plan.programs.launcher, Vec::new(), Timing::default())? })
    }

    /// Waits until all programs are ready, two minutes at most.
    pub async fn ready(&self) -> Result<()> {
        Ok(self.supervisor.ready(READY_LIMIT).await?)
    }

    /// The programs' states, now and as they change.
    pub fn states(&self) -> watch::Receiver<States> {
        self.supervisor.states()
    }

    /// The states as Prometheus text.
    pub fn metrics(&self) -> String {
        self.supervisor.metrics()
    }

    /// Ends the programs, and with [`Ending::EndPods`] the pods, within five seconds. An error says what is left.
    pub async fn stop(self, ending: Ending) -> Result<()> {
        let _ = ending;
        self.supervisor.stop().await;
        Ok(())
    }
}
