//! Ends what a node runs, whatever state its programs are in: processes by their cgroups, mounts by their folders, devices and tables by
//! their names. containerd is not asked: it may be the one that hangs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use crate::cgroup::Cgroups;
use crate::config::Layout;
use crate::value::PlainPath;
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
    remove_sockets(&layout.containerd_state());
    match mounts::unmount_below(&layout.mounted_below()) {
        Err(error) => left.push(error.to_string()),
        // Never while something is mounted there: it might be a volume with somebody's data.
        Ok(()) => left.extend(layout.made_for_pods().iter().filter_map(|folder| remove_folder(folder))),
    }
    left.extend(cgroups.remove().into_iter().map(|group| format!("cgroup {}", group.display())));
    left
}

/// Shims listen in a folder that containerd names (`defaults.DefaultStateDir`); a killed shim leaves its socket there. Each bundle says
/// which is its own (`core/runtime/v2/shim.go`).
fn remove_sockets(containerd_state: &PlainPath) {
    let entries = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let tasks = containerd_state.as_path().join("io.containerd.runtime.v2.task");
    for bundle in entries(&tasks).flat_map(|namespace| entries(&namespace).collect::<Vec<_>>()) {
        let text = std::fs::read_to_string(bundle.join("bootstrap.json")).unwrap_or_default();
        if let Some(socket) = shim_socket(&text) {
            let _ = std::fs::remove_file(socket);
        }
    }
}

/// The socket of a shim, if it is where shims' sockets are.
fn shim_socket(bootstrap: &str) -> Option<PathBuf> {
    let bootstrap: serde_json::Value = serde_json::from_str(bootstrap).ok()?;
    let name = bootstrap["address"].as_str()?.strip_prefix("unix:///run/containerd/s/")?;
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| Path::new("/run/containerd/s").join(name))
}

fn remove_folder(folder: &Path) -> Option<String> {
    match std::fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Some(format!("{}: {cause}", PathBuf::from(folder).display()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_socket_of_a_shim_is_removed() {
        let socket = |address: &str| shim_socket(&serde_json::json!({"version": 3, "address": address}).to_string());
        let known = "unix:///run/containerd/s/9abfa22a6b15";
        assert_eq!(socket(known).unwrap(), Path::new("/run/containerd/s/9abfa22a6b15"));
        for other in
            ["", "unix:///etc/passwd", "unix:///run/containerd/s/../../../etc/passwd", "unix:///run/containerd/s/"]
        {
            assert_eq!(socket(other), None, "{other}");
        }
        assert_eq!(shim_socket(""), None);
    }
}
