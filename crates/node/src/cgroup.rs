//! The node's cgroups, in version 1, version 2 and machines that mix both.
//!
//! `<root>` is given in every hierarchy; below it `runtime` holds containerd and the shims, `kubepods` (made by the kubelet) the pods: these
//! two are what ends with pods, and nobody else below `<root>` is touched. In version 2 a group with members cannot give controllers to
//! groups below (cgroups(7), "no internal processes"), so whoever is in `<root>` itself (this process) is moved to `agent` there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::Instant;

use crate::mounts::Mount;
use crate::value::PlainPath;
use crate::{NodeError, Result};

const RUNTIME: &str = "runtime";
/// As the kubelet calls it (`pkg/kubelet/cm/node_container_manager_linux.go`).
const PODS: &str = "kubepods";
const AGENT: &str = "agent";

/// A node's folders in all hierarchies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cgroups {
    hierarchies: Vec<Hierarchy>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Hierarchy {
    mount: PathBuf,
    root: PathBuf,
    version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    /// The hierarchy that has the controllers.
    Two,
    /// Version 2 beside version 1: it has no controllers that matter.
    TwoBesideOne,
}

impl Cgroups {
    /// The folders of `root` below each mounted hierarchy.
    pub(crate) fn find(mounts: &[Mount], root: &PlainPath) -> Result<Self> {
        let one = mounts.iter().any(|mount| mount.kind == "cgroup");
        let mut hierarchies: Vec<Hierarchy> = Vec::new();
        for mount in mounts {
            let version = match mount.kind.as_str() {
                "cgroup" => Version::One,
                "cgroup2" if one => Version::TwoBesideOne,
                "cgroup2" => Version::Two,
                _ => continue,
            };
            let folder = mount.point.join(root.as_str().trim_start_matches('/'));
            // A hierarchy may be mounted in several places; kubelet and runc look below /sys/fs/cgroup.
            if mount.point.starts_with("/sys/fs/cgroup") && !hierarchies.iter().any(|known| known.mount == mount.point)
            {
                hierarchies.push(Hierarchy { mount: mount.point.clone(), root: folder, version });
            }
        }
        if hierarchies.is_empty() {
            let hint = "no cgroups are mounted below /sys/fs/cgroup".into();
            return Err(NodeError::Lacking { what: "control groups", hint });
        }
        Ok(Self { hierarchies })
    }

    /// Makes the folders.
    pub(crate) fn make(&self) -> Result<()> {
        self.hierarchies.iter().try_for_each(Hierarchy::make)
    }

    /// Where containerd belongs.
    pub(crate) fn runtime(&self) -> Vec<PathBuf> {
        self.hierarchies.iter().map(|hierarchy| hierarchy.root.join(RUNTIME)).collect()
    }

    /// Kills containerd, shims and pods until none is left; says who is, when the time is over.
    pub(crate) async fn kill(&self, by: Instant) -> Result<(), BTreeSet<i32>> {
        loop {
            for hierarchy in &self.hierarchies {
                hierarchy.let_die();
            }
            let left = self.processes();
            if left.is_empty() {
                return Ok(());
            }
            for process in &left {
                let _ = kill(Pid::from_raw(*process), Signal::SIGKILL);
            }
            if Instant::now() >= by {
                return Err(left);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Who runs in the groups of pods and of containerd, in any hierarchy.
    pub(crate) fn processes(&self) -> BTreeSet<i32> {
        let groups = self.hierarchies.iter().flat_map(Hierarchy::of_pods).flat_map(|group| with_all_below(&group));
        let own = i32::try_from(std::process::id()).unwrap_or_default();
        groups.flat_map(|group| members(&group)).filter(|process| *process > 0 && *process != own).collect()
    }

    /// Removes the groups; `<root>` itself only where nobody is in it. Says what could not be removed.
    pub(crate) fn remove(&self) -> Vec<PathBuf> {
        let mut left = Vec::new();
        for hierarchy in &self.hierarchies {
            for group in hierarchy.of_pods() {
                for folder in with_all_below(&group).iter().rev() {
                    if std::fs::remove_dir(folder).is_err() && folder.exists() {
                        left.push(folder.clone());
                    }
                }
            }
            let _ = std::fs::remove_dir(hierarchy.root.join(AGENT));
            let _ = std::fs::remove_dir(&hierarchy.root);
        }
        left
    }
}

impl Hierarchy {
    fn make(&self) -> Result<()> {
        for folder in self.root_and_above().into_iter().chain([self.root.join(RUNTIME)]) {
            std::fs::create_dir_all(&folder).map_err(NodeError::file("making the cgroup", &folder))?;
            if self.version == Version::One {
                inherit_cpuset(&folder);
            }
        }
        if self.version == Version::Two {
            self.empty_root()?;
            for folder in [&self.mount].into_iter().chain(&self.root_and_above()) {
                delegate(folder);
            }
        }
        Ok(())
    }

    /// The folders from below the mount to `<root>`.
    fn root_and_above(&self) -> Vec<PathBuf> {
        let below = self.root.strip_prefix(&self.mount).unwrap_or(Path::new(""));
        below
            .iter()
            .scan(self.mount.clone(), |folder, part| {
                folder.push(part);
                Some(folder.clone())
            })
            .collect()
    }

    /// Moves whoever is in `<root>` to `<root>/agent`.
    fn empty_root(&self) -> Result<()> {
        let agent = self.root.join(AGENT);
        std::fs::create_dir_all(&agent).map_err(NodeError::file("making the cgroup", &agent))?;
        for process in members(&self.root) {
            let procs = agent.join("cgroup.procs");
            // One that has ended meanwhile is no fault.
            if let Err(cause) = std::fs::write(&procs, process.to_string())
                && cause.raw_os_error() != Some(nix::errno::Errno::ESRCH as i32)
            {
                return Err(NodeError::file("moving this process to", procs)(cause));
            }
        }
        Ok(())
    }

    /// The groups below `<root>` that belong to pods.
    fn of_pods(&self) -> Vec<PathBuf> {
        [RUNTIME, PODS].map(|group| self.root.join(group)).into_iter().filter(|group| group.is_dir()).collect()
    }

    /// Makes the groups killable: a frozen process of version 1 takes no signal. Version 2 kills by itself.
    fn let_die(&self) {
        for group in self.of_pods() {
            match self.version {
                Version::One => {
                    for folder in with_all_below(&group) {
                        let state = folder.join("freezer.state");
                        if state.exists() {
                            let _ = std::fs::write(state, "THAWED");
                        }
                    }
                }
                Version::Two | Version::TwoBesideOne => {
                    let _ = std::fs::write(group.join("cgroup.kill"), "1");
                }
            }
        }
    }
}

/// A new group of the cpuset controller has no processors and takes no members (cpuset(7)).
fn inherit_cpuset(folder: &Path) {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let read = |folder: &Path| std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        let above = folder.parent().map(read).unwrap_or_default();
        if !above.trim().is_empty() && read(folder).trim().is_empty() {
            let _ = std::fs::write(folder.join(file), above.trim());
        }
    }
}

/// Gives a group's controllers to the groups below it. One that cannot be given (it is threaded, or busy) is the kubelet's to miss.
fn delegate(folder: &Path) {
    let controllers = std::fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
    for controller in controllers.split_whitespace() {
        if let Err(cause) = std::fs::write(folder.join("cgroup.subtree_control"), format!("+{controller}")) {
            tracing::debug!(group = %folder.display(), controller, %cause, "a controller is not given to groups below");
        }
    }
}

fn members(folder: &Path) -> Vec<i32> {
    let text = std::fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// A folder and all below, each after the one it is in.
fn with_all_below(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(folder) = all.get(next) {
        let inside = folders_in(folder);
        all.extend(inside);
        next += 1;
    }
    all
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(point: &str, kind: &str) -> Mount {
        Mount { point: point.into(), kind: kind.into(), options: String::new() }
    }

    fn find(mounts: &[Mount]) -> Vec<(PathBuf, Version)> {
        let found = Cgroups::find(mounts, &"/k3s-daas/w1".parse().unwrap()).unwrap();
        found.hierarchies.into_iter().map(|hierarchy| (hierarchy.root, hierarchy.version)).collect()
    }

    #[test]
    fn both_versions_and_their_mixture_are_found() {
        let two = [mount("/sys/fs/cgroup", "cgroup2"), mount("/", "ext4")];
        assert_eq!(find(&two), [("/sys/fs/cgroup/k3s-daas/w1".into(), Version::Two)]);
        let mixed = [
            mount("/sys/fs/cgroup", "tmpfs"),
            mount("/sys/fs/cgroup/cpu,cpuacct", "cgroup"),
            mount("/sys/fs/cgroup/unified", "cgroup2"),
            mount("/sys/fs/cgroup/unified", "cgroup2"),
            mount("/mnt/cgroup", "cgroup"),
        ];
        assert_eq!(
            find(&mixed),
            [
                ("/sys/fs/cgroup/cpu,cpuacct/k3s-daas/w1".into(), Version::One),
                ("/sys/fs/cgroup/unified/k3s-daas/w1".into(), Version::TwoBesideOne)
            ]
        );
        assert!(Cgroups::find(&[mount("/", "ext4")], &"/x".parse().unwrap()).is_err());
    }

    /// A tree of plain folders that looks like version 2.
    fn tree(version: Version) -> (tempfile::TempDir, Cgroups) {
        let folder = tempfile::tempdir().unwrap();
        let mount = folder.path().to_owned();
        let root = mount.join("k3s-daas/w1");
        std::fs::create_dir_all(&root).unwrap();
        (folder, Cgroups { hierarchies: vec![Hierarchy { mount, root, version }] })
    }

    #[test]
    fn in_version_2_controllers_are_given_down_and_the_root_is_emptied() {
        let (folder, groups) = tree(Version::Two);
        let file = |name: &str| folder.path().join(name);
        let own = std::process::id().to_string();
        for above in ["", "k3s-daas", "k3s-daas/w1"] {
            std::fs::write(file(above).join("cgroup.controllers"), "memory\n").unwrap();
        }
        std::fs::write(file("k3s-daas/w1/cgroup.procs"), format!("{own}\n")).unwrap();
        groups.make().unwrap();
        let read = |name: &str| std::fs::read_to_string(file(name)).unwrap();
        for above in ["cgroup.subtree_control", "k3s-daas/cgroup.subtree_control", "k3s-daas/w1/cgroup.subtree_control"]
        {
            assert_eq!(read(above), "+memory");
        }
        assert_eq!(read("k3s-daas/w1/agent/cgroup.procs"), own);
        assert_eq!(groups.runtime(), [file("k3s-daas/w1/runtime")]);
    }

    #[test]
    fn a_cpuset_of_version_1_gets_the_processors_of_the_one_above() {
        let (folder, groups) = tree(Version::One);
        for file in ["cpuset.cpus", "cpuset.mems"] {
            std::fs::write(folder.path().join(file), "0-1\n").unwrap();
        }
        groups.make().unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("k3s-daas/w1/runtime/cpuset.cpus")).unwrap(), "0-1");
    }

    #[test]
    fn pods_and_shims_are_ended_and_nobody_else() {
        let (folder, groups) = tree(Version::One);
        for (group, process) in
            [("", 6), ("sandbox", 7), ("agent", 8), ("runtime", 9), ("kubepods/burstable/pod1/c", 10)]
        {
            let group = folder.path().join("k3s-daas/w1").join(group);
            std::fs::create_dir_all(&group).unwrap();
            std::fs::write(group.join("cgroup.procs"), format!("{process}\n0\n{}\n", std::process::id())).unwrap();
        }
        assert_eq!(groups.processes(), BTreeSet::from([9, 10]));
    }

    #[test]
    fn version_2_is_told_to_kill_the_groups_of_pods_alone() {
        let (folder, groups) = tree(Version::Two);
        let file = |group: &str| folder.path().join("k3s-daas/w1").join(group).join("cgroup.kill");
        for group in ["", "sandbox", "runtime", "kubepods"] {
            std::fs::create_dir_all(file(group).parent().unwrap()).unwrap();
        }
        groups.hierarchies[0].let_die();
        assert!(!file("").exists() && !file("sandbox").exists());
        assert_eq!(std::fs::read_to_string(file("runtime")).unwrap(), "1");
        assert_eq!(std::fs::read_to_string(file("kubepods")).unwrap(), "1");
    }

    #[tokio::test]
    async fn groups_are_killed_until_nobody_is_left_and_then_removed() {
        let (folder, groups) = tree(Version::One);
        groups.make().unwrap();
        let procs = folder.path().join("k3s-daas/w1/runtime/cgroup.procs");
        let mut child = tokio::process::Command::new("sleep").arg("100").spawn().unwrap();
        std::fs::write(&procs, child.id().unwrap().to_string()).unwrap();
        let late = groups.kill(Instant::now()).await;
        assert_eq!(late, Err(BTreeSet::from([i32::try_from(child.id().unwrap()).unwrap()])));
        assert!(!child.wait().await.unwrap().success());
        std::fs::remove_file(procs).unwrap();
        groups.kill(Instant::now()).await.unwrap();
        assert!(groups.remove().is_empty());
        assert!(!folder.path().join("k3s-daas/w1").exists());
    }
}
