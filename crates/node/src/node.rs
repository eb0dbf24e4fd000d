use std::path::Path;
use std::time::Duration;

use daas_supervise::{ChildSpec, Limits, States, Supervisor, Timing};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::cgroup::Cgroups;
use crate::config::{Configuration, Layout, Machine, ports};
use crate::network::Network;
use crate::preload::Preload;
use crate::{Ending, NetworkState, NodeError, Plan, PodNetwork, Result, command, ending, files, mounts, probe};

/// How long a node may take until its programs are ready; loading images is in it.
const READY_LIMIT: Duration = Duration::from_mins(2);
/// How long the programs have to end by themselves: a stop has five seconds in all, and none of them loses anything.
const STOP: Duration = Duration::from_secs(2);

const CONTAINERD: &str = "containerd";
const KUBELET: &str = "kubelet";
const KUBE_PROXY: &str = "kube-proxy";

/// A running worker. Dropping it kills containerd, kubelet and kube-proxy, and leaves pods running.
pub struct Node {
    plan: Plan,
    supervisor: Supervisor,
    network: Option<Network>,
    _preload: Preload,
}

impl Node {
    /// Writes the node's files, makes its cgroups and its network, and starts its programs. It is not ready yet: see [`Node::ready`].
    /// Pods of an earlier start with the same folders are taken up.
    pub async fn start(plan: Plan) -> Result<Self> {
        let layout = Layout::of(&plan);
        plan.check()?;
        layout.check()?;
        if !nix::unistd::geteuid().is_root() {
            return Err(NodeError::Lacking { what: "the rights of root", hint: "containers are made by root".into() });
        }
        command::find("mount", "mount")?;
        layout.folders().iter().try_for_each(|folder| files::make_folder(folder))?;
        let cgroups = Cgroups::find(&mounts::all()?, &plan.cgroup_root)?;
        cgroups.make()?;
        let machine = machine(&plan, &layout)?;
        let configuration = Configuration::of(&plan, &machine);
        for file in &configuration.files {
            files::write(&file.path, &file.content)?;
        }
        let network = match plan.pod_network {
            PodNetwork::Vxlan => Some(Network::start(&plan).await?),
            PodNetwork::None => None,
        };
        let preload = Preload::of(&plan, &layout);
        let specs = specs(&plan, &configuration, &cgroups, &preload);
        let timing = Timing { stop: STOP, ..Timing::default() };
        let supervisor = Supervisor::start(&plan.programs.launcher, specs, timing)?;
        Ok(Self { plan, supervisor, network, _preload: preload })
    }

    /// Waits until all programs are ready and the pod network was in step with the Nodes once, two minutes at most.
    pub async fn ready(&self) -> Result<()> {
        let by = Instant::now() + READY_LIMIT;
        self.supervisor.ready(READY_LIMIT).await?;
        let Some(mut state) = self.network() else { return Ok(()) };
        let in_step = matches!(tokio::time::timeout_at(by, state.wait_for(|state| state.in_step)).await, Ok(Ok(_)));
        if in_step {
            return Ok(());
        }
        let cause = state.borrow().detail.clone();
        Err(NodeError::Command { doing: "bringing the pod network in step".into(), cause })
    }

    /// The programs' states, now and as they change.
    pub fn states(&self) -> watch::Receiver<States> {
        self.supervisor.states()
    }

    /// The pod network's state, unless the user has one of their own.
    pub fn network(&self) -> Option<watch::Receiver<NetworkState>> {
        self.network.as_ref().map(Network::state)
    }

    /// The states as Prometheus text.
    pub fn metrics(&self) -> String {
        self.supervisor.metrics()
    }

    /// Ends the programs, and with [`Ending::EndPods`] the pods, within five seconds. An error says what is left.
    pub async fn stop(self, ending: Ending) -> Result<()> {
        let by = Instant::now() + ending::LIMIT;
        self.supervisor.stop().await;
        drop(self.network);
        match ending {
            Ending::LeavePods => Ok(()),
            Ending::EndPods => ending::end_pods(&self.plan, by).await,
        }
    }

    /// Ends the pods that an earlier start with this plan left running, without starting anything.
    pub async fn end_left_pods(plan: &Plan) -> Result<()> {
        ending::end_pods(plan, Instant::now() + ending::LIMIT).await
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("name", &self.plan.name).finish_non_exhaustive()
    }
}

/// The shim is told where runc is, but looks for it in PATH, too, when it is asked what it can do
/// (containerd `cmd/containerd-shim-runc-v2/manager/manager_linux.go`).
fn path_with_runc(plan: &Plan) -> String {
    let folder = plan.programs.runc.parent().and_then(Path::to_str).unwrap_or("/");
    format!("{folder}:{}", command::search_path())
}

/// Looks at the machine.
fn machine(plan: &Plan, layout: &Layout) -> Result<Machine> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resolv_conf = match files::name_servers(&plan.resolv_conf) {
        None => plan.resolv_conf.clone(),
        Some(own) => {
            files::write(&layout.resolv_conf(), &own)?;
            layout.resolv_conf()
        }
    };
    Ok(Machine { may_lower_oom_score: has_capability(&status, CAP_SYS_RESOURCE), resolv_conf })
}

/// capabilities(7), `linux/capability.h`.
const CAP_SYS_RESOURCE: u32 = 24;

fn has_capability(status: &str, number: u32) -> bool {
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask >> number & 1 == 1)
}

fn specs(plan: &Plan, configuration: &Configuration, cgroups: &Cgroups, preload: &Preload) -> Vec<ChildSpec> {
    let kube = &plan.programs.kube;
    // Files that pods see (their resolv.conf, their logs) are for all their users to read.
    let limits = Limits { umask: Some(0o022), ..Limits::default() };
    let spec = |name, arguments: &[String], ready, alive| ChildSpec {
        name,
        program: kube.clone(),
        arguments: arguments.to_vec(),
        environment: vec![("PATH", command::search_path()), ("HOME", "/root".into())],
        limits: limits.clone(),
        after: None,
        ready,
        alive,
        start_limit: READY_LIMIT,
    };
    vec![
        ChildSpec {
            program: plan.programs.containerd.clone(),
            // Shims are its children and stay in its group: that is how they are found when pods end.
            limits: Limits { cgroups: cgroups.runtime(), ..limits.clone() },
            environment: vec![("PATH", path_with_runc(plan)), ("HOME", "/root".into())],
            ..spec(CONTAINERD, &configuration.containerd, preload.ready(), preload.alive())
        },
        ChildSpec {
            after: Some(CONTAINERD),
            ..spec(
                KUBELET,
                &configuration.kubelet,
                probe::http(ports::KUBELET_HEALTH, "/healthz"),
                probe::http(ports::KUBELET_HEALTH, "/healthz"),
            )
        },
        spec(
            KUBE_PROXY,
            &configuration.kube_proxy,
            probe::http(ports::PROXY_HEALTH, "/healthz"),
            probe::http(ports::PROXY_HEALTH, "/livez"),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_from_the_effective_mask() {
        let status = "CapPrm:\t000001ffffffffff\nCapEff:\t000001fffeffffff\n";
        assert!(!has_capability(status, CAP_SYS_RESOURCE));
        assert!(has_capability(status, 23));
        assert!(!has_capability("", 23));
    }
}
