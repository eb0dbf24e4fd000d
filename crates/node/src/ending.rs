//! Ends what a node runs, whatever state its programs are in: processes by their cgroups, mounts by their folders, devices and tables by
//! their names. containerd is not asked: it may be the one that hangs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use crate::cgroup::Cgroups;
use crate::config::Layout;
use crate::{NodeError, Plan, PodNetwork, Result, mounts, network};

/// How long a stop may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);
/// What is kept for mounts, devices and cgroups after the processes.
const FOR_THE_REST: Duration = Duration::from_millis(1200);

/// Ends all pods and removes what was made for them; images and containers' records stay.
pub(crate) async fn end_pods(plan: &Plan, by: Instant) -> Result<()> {
    let layout = Layout::of(plan);
    let cgroups = Cgroups::find(&mounts::all()?, &plan.cgroup_root)?;
    let mut left = Vec::new();
    if let Err(processes) = cgroups.kill(by - FOR_THE_REST).await {
        left.push(format!("processes {processes:?}"));
    }
    let network = async {
        if plan.pod_network == PodNetwork::Vxlan {
            network::remove(plan.proxy_mode).await;
        }
    };
    let removal = tokio::task::spawn_blocking(move || remove(&layout, &cgroups));
    match tokio::time::timeout_at(by, async { tokio::join!(removal, network) }).await {
        Ok((Ok(also_left), ())) => left.extend(also_left),
        Ok((Err(cause), ())) => left.push(cause.to_string()),
        Err(_) => left.push("mounts or devices".into()),
    }
    if left.is_empty() { Ok(()) } else { Err(NodeError::NotEnded { limit: LIMIT, left: left.join(", ") }) }
}

/// Unmounts, then removes files and cgroups; says what is left.
fn remove(layout: &Layout, cgroups: &Cgroups) -> Vec<String> {
    let mut left = Vec::new();
    match mounts::unmount_below(&layout.mounted_below()) {
        Err(error) => left.push(error.to_string()),
        // Never while something is mounted there: it might be a volume with somebody's data.
        Ok(()) => left.extend(layout.made_for_pods().iter().filter_map(|folder| remove_folder(folder))),
    }
    left.extend(cgroups.remove().into_iter().map(|group| format!("cgroup {}", group.display())));
    left
}

fn remove_folder(folder: &Path) -> Option<String> {
    match std::fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Some(format!("{}: {cause}", PathBuf::from(folder).display()))
        }
        _ => None,
    }
}
