//! Control groups `k3s-daas/<name>`, in every hierarchy that the machine has mounted: version 1, version 2, or both.
//!
//! The sandbox's own processes are in `k3s-daas/<name>/sandbox`: in version 2 a group that passes controllers on to groups below it (pods')
//! may hold no process itself. Who holds the lock of a name's folder uses it; a folder without is left over and removed. A worker that
//! is installed on this machine has its groups at the same place (`cgroup_root` of its settings): what has no `sandbox` in it is none of ours.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{Error, Name, Result};

const BASE: &str = "k3s-daas";
const LEAF: &str = "sandbox";
/// Killed processes leave their group within milliseconds, as a rule.
const PATIENCE: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(20);

/// A mounted hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hierarchy {
    root: PathBuf,
    version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// A sandbox's groups, in use until they are removed.
#[derive(Debug)]
pub struct Cgroup {
    hierarchies: Vec<Hierarchy>,
    name: Name,
    /// Dropped last.
    _lock: File,
}

impl Cgroup {
    /// Makes the groups anew; what a killed sandbox of this name has left is removed.
    pub fn make(name: &Name) -> Result<Self> {
        Self::make_in(mounted()?, name)
    }

    fn make_in(hierarchies: Vec<Hierarchy>, name: &Name) -> Result<Self> {
        let base = Locked::base(&hierarchies[0])?;
        if is_anothers(&hierarchies, name.as_str()) {
            return Err(Error::Anothers(hierarchies[0].of(name.as_str())));
        }
        remove_unused(&hierarchies, name.as_str())?
            .then_some(())
            .ok_or_else(|| Error::Running(name.as_str().into()))?;
        for hierarchy in &hierarchies {
            hierarchy.make(name.as_str())?;
        }
        let lock = lock(&hierarchies[0].of(name.as_str()))?.ok_or_else(|| Error::Running(name.as_str().into()))?;
        drop(base);
        Ok(Self { hierarchies, name: name.clone(), _lock: lock })
    }

    /// Puts a process in.
    pub(crate) fn take_in(&self, process: u32) -> Result<()> {
        for hierarchy in &self.hierarchies {
            write(&hierarchy.of(self.name.as_str()).join(LEAF).join("cgroup.procs"), &process.to_string())?;
        }
        Ok(())
    }

    /// Ends what is left in the groups and removes them.
    pub(crate) fn remove(self) -> Result<()> {
        for hierarchy in &self.hierarchies {
            remove_tree(&hierarchy.of(self.name.as_str()))?;
        }
        let Ok(_base) = Locked::base(&self.hierarchies[0]) else { return Ok(()) };
        remove_empty_bases(&self.hierarchies);
        Ok(())
    }
}

/// Removes the groups of all sandboxes that are not running.
pub fn sweep() -> Result<()> {
    crate::run::require_root()?;
    sweep_in(&mounted()?)
}

fn sweep_in(hierarchies: &[Hierarchy]) -> Result<()> {
    let _base = Locked::base(&hierarchies[0])?;
    let mut names = std::collections::BTreeSet::new();
    for hierarchy in hierarchies {
        names.extend(
            folders(&hierarchy.root.join(BASE))
                .into_iter()
                .filter_map(|path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned)),
        );
    }
    for name in names {
        if is_sandboxes(hierarchies, &name) {
            remove_unused(hierarchies, &name)?;
        }
    }
    remove_empty_bases(hierarchies);
    Ok(())
}

/// The leaf is made right after the group, and goes last.
fn is_sandboxes(hierarchies: &[Hierarchy], name: &str) -> bool {
    hierarchies.iter().any(|hierarchy| hierarchy.of(name).join(LEAF).exists())
}

/// Somebody else's groups, with something in them.
fn is_anothers(hierarchies: &[Hierarchy], name: &str) -> bool {
    let busy = |folder: &Path| {
        !folders(folder).is_empty()
            || fs::read_to_string(folder.join("cgroup.procs")).is_ok_and(|found| !found.is_empty())
    };
    !is_sandboxes(hierarchies, name) && hierarchies.iter().any(|hierarchy| busy(&hierarchy.of(name)))
}

/// Whether the name was unused and is removed.
fn remove_unused(hierarchies: &[Hierarchy], name: &str) -> Result<bool> {
    let first = hierarchies[0].of(name);
    let unused = !first.exists() || lock(&first)?.is_some();
    if unused {
        for hierarchy in hierarchies {
            remove_tree(&hierarchy.of(name))?;
        }
    }
    Ok(unused)
}

fn remove_empty_bases(hierarchies: &[Hierarchy]) {
    for hierarchy in hierarchies {
        // Not empty: another sandbox is running.
        let _ = fs::remove_dir(hierarchy.root.join(BASE));
    }
}

impl Hierarchy {
    fn of(&self, name: &str) -> PathBuf {
        self.root.join(BASE).join(name)
    }

    fn make(&self, name: &str) -> Result<()> {
        let mut parent = self.root.clone();
        for part in [BASE, name, LEAF] {
            if self.version == Version::Two {
                pass_controllers_on(&parent);
            }
            let folder = parent.join(part);
            match fs::create_dir(&folder) {
                Err(cause) if cause.kind() != ErrorKind::AlreadyExists => {
                    return Err(Error::path("making the control group", folder)(cause));
                }
                _ => {}
            }
            inherit_cpus(&parent, &folder);
            parent = folder;
        }
        Ok(())
    }
}

/// Version 2: a group's controllers are those that its parent passes on. One that cannot be passed on is not there for pods.
fn pass_controllers_on(folder: &Path) {
    let controllers = fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
    for controller in controllers.split_whitespace() {
        let _ = fs::write(folder.join("cgroup.subtree_control"), format!("+{controller}"));
    }
}

/// Version 1: a new group of `cpuset` has no processors and takes no process.
fn inherit_cpus(parent: &Path, folder: &Path) {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let here = fs::read_to_string(folder.join(file));
        if here.is_ok_and(|here| here.trim().is_empty())
            && let Ok(value) = fs::read_to_string(parent.join(file))
        {
            let _ = fs::write(folder.join(file), value.trim());
        }
    }
}

/// All hierarchies, in the order of their folders.
fn mounted() -> Result<Vec<Hierarchy>> {
    let path = "/proc/self/mountinfo";
    let text = fs::read_to_string(path).map_err(Error::path("reading", path))?;
    let found = parse_mounts(&text);
    if found.is_empty() { Err(Error::NoCgroups) } else { Ok(found) }
}

/// proc(5): `36 35 98:0 /root /mount/point options - type source options`.
fn parse_mounts(text: &str) -> Vec<Hierarchy> {
    let mut found: Vec<_> = text
        .lines()
        .filter_map(|line| {
            let (left, right) = line.split_once(" - ")?;
            let version = match right.split(' ').next()? {
                "cgroup" => Version::One,
                "cgroup2" => Version::Two,
                _ => return None,
            };
            let root = PathBuf::from(left.split(' ').nth(4)?);
            root.starts_with("/sys/fs/cgroup").then_some(Hierarchy { root, version })
        })
        .collect();
    found.sort_by(|left, right| left.root.cmp(&right.root));
    found.dedup();
    found
}

/// The lock of all sandboxes, while groups are made or removed.
struct Locked(#[allow(dead_code)] File);

impl Locked {
    fn base(first: &Hierarchy) -> Result<Self> {
        let path = first.root.join(BASE);
        loop {
            match fs::create_dir(&path) {
                Err(cause) if cause.kind() != ErrorKind::AlreadyExists => {
                    return Err(Error::path("making the control group", path)(cause));
                }
                _ => {}
            }
            let Ok(file) = File::open(&path) else { continue };
            file.lock().map_err(Error::path("locking", &path))?;
            // Whoever had it before may have removed the folder.
            if same(&file, &path) {
                return Ok(Self(file));
            }
        }
    }
}

fn same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    matches!((file.metadata(), fs::metadata(path)), (Ok(held), Ok(there)) if (held.dev(), held.ino()) == (there.dev(), there.ino()))
}

/// The lock of a folder, unless somebody has it.
fn lock(folder: &Path) -> Result<Option<File>> {
    let file = File::open(folder).map_err(Error::path("opening", folder))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(cause)) => Err(Error::path("locking", folder)(cause)),
    }
}

/// Removes a group and those below it, once nothing is in them any more; what stays too long is killed.
fn remove_tree(folder: &Path) -> Result<()> {
    let begun = Instant::now();
    loop {
        match try_remove(folder) {
            Ok(()) => return Ok(()),
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(()),
            Err(cause) if begun.elapsed() > PATIENCE => {
                return Err(Error::path("removing the control group", folder)(cause));
            }
            Err(_) => {
                if begun.elapsed() > PATIENCE / 2 {
                    kill_all(folder);
                }
                std::thread::sleep(AGAIN);
            }
        }
    }
}

fn try_remove(folder: &Path) -> io::Result<()> {
    let mut below = folders(folder);
    // Who is interrupted leaves what shows whose the rest is.
    below.sort_by_key(|folder| folder.ends_with(LEAF));
    for below in below {
        try_remove(&below)?;
    }
    fs::remove_dir(folder)
}

fn kill_all(folder: &Path) {
    for below in folders(folder) {
        kill_all(&below);
    }
    let processes = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    // Zero stands for a process of another PID namespace that this one cannot see.
    for process in processes.lines().filter_map(|line| line.parse().ok()).filter(|process| *process > 1) {
        let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
    }
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(Error::path("writing to", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hierarchies_of_both_versions_are_found_once() {
        let text = "\
25 20 0:22 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755
26 25 0:23 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw
27 25 0:24 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
28 25 0:25 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
28 25 0:25 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
29 25 0:26 / /mnt/elsewhere rw - cgroup cgroup rw,pids
30 25 0:27 / /home rw - ext4 cgroup rw
";
        let of = |root: &str, version| Hierarchy { root: root.into(), version };
        let expected = [
            of("/sys/fs/cgroup/cpu,cpuacct", Version::One),
            of("/sys/fs/cgroup/systemd", Version::One),
            of("/sys/fs/cgroup/unified", Version::Two),
        ];
        assert_eq!(parse_mounts(text), expected);
        assert_eq!(parse_mounts("30 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n").len(), 1);
    }

    /// Two hierarchies that are folders, with these groups in each.
    fn machine(groups: &[&str]) -> (tempfile::TempDir, Vec<Hierarchy>) {
        let folder = tempfile::tempdir().unwrap();
        let hierarchies: Vec<_> =
            ["a", "b"].map(|name| Hierarchy { root: folder.path().join(name), version: Version::One }).into();
        for hierarchy in &hierarchies {
            fs::create_dir(&hierarchy.root).unwrap();
            for group in groups {
                fs::create_dir_all(hierarchy.of(group)).unwrap();
            }
        }
        (folder, hierarchies)
    }

    #[test]
    fn sweeping_leaves_the_groups_of_an_installed_worker() {
        let (_folder, hierarchies) =
            machine(&["left/sandbox", "left/kubepods/pod1", "worker/kubepods/pod1", "worker/runtime"]);
        // Removed in one hierarchy, when whoever did it was killed.
        fs::create_dir_all(hierarchies[1].of("half").join(LEAF)).unwrap();
        sweep_in(&hierarchies).unwrap();
        for hierarchy in &hierarchies {
            assert!(!hierarchy.of("left").exists() && !hierarchy.of("half").exists());
            assert!(hierarchy.of("worker/kubepods/pod1").exists() && hierarchy.of("worker/runtime").exists());
        }
    }

    #[test]
    fn a_sandbox_does_not_take_the_name_of_an_installed_worker() {
        let (_folder, hierarchies) = machine(&["worker/kubepods/pod1", "left/sandbox", "begun"]);
        let make = |name: &str| Cgroup::make_in(hierarchies.clone(), &name.parse().unwrap());
        assert!(matches!(make("worker"), Err(Error::Anothers(_))));
        assert!(hierarchies[1].of("worker/kubepods/pod1").exists());
        // What was killed between group and leaf, and later.
        for name in ["begun", "left"] {
            let cgroup = make(name).unwrap();
            assert!(hierarchies[1].of(name).join(LEAF).exists());
            cgroup.remove().unwrap();
            assert!(!hierarchies[0].of(name).exists());
        }
    }
}
