//! What the machine has and how much of it is in use: `/proc/stat`, `/proc/meminfo` (proc(5)), the file system of the pods.

use std::fs;
use std::num::NonZero;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use daas_join::master_api::{NodeResources, Percent, ResourceUse};

use crate::error::Error;

/// Reads the machine's figures; use of processors is that since the reading before.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Ticks>);

/// Time of all processors, in ticks.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Ticks {
    busy: u64,
    total: u64,
}

impl Meter {
    /// How much is in use now.
    pub fn used(&self, disk: &Path) -> ResourceUse {
        let now = fs::read_to_string("/proc/stat").ok().and_then(|text| Ticks::parse(&text)).unwrap_or_default();
        let before = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), now);
        let memory = fs::read_to_string("/proc/meminfo").ok().and_then(|text| memory(&text)).unwrap_or_default();
        ResourceUse {
            cpu_percent: now.since(before),
            memory_percent: Percent::of(memory.0.saturating_sub(memory.1), memory.0),
            disk_percent: disk_use(disk),
        }
    }
}

/// What the machine has.
pub fn machine() -> Result<NodeResources, Error> {
    let path = Path::new("/proc/meminfo");
    let text = fs::read_to_string(path).map_err(Error::file("read", path))?;
    let (total, _) = memory(&text).unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let millis = u32::try_from(processors).unwrap_or(1).saturating_mul(1000).min(NodeResources::MAX_CPU_MILLIS);
    NodeResources::new(millis, total).map_err(|error| Error::Node(error.to_string()))
}

/// Pods that the kubelet keeps: a folder each below its own.
pub fn pods(kubelet: &Path) -> u32 {
    let entries = fs::read_dir(kubelet.join("pods")).map_or(0, |entries| entries.flatten().count());
    u32::try_from(entries).unwrap_or(u32::MAX)
}

impl Ticks {
    /// The first line: user, nice, system, idle, iowait, irq, softirq, steal; guests are in user already.
    fn parse(text: &str) -> Option<Self> {
        let numbers = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> = numbers.split_ascii_whitespace().take(8).map_while(|word| word.parse().ok()).collect();
        let [_, _, _, idle, iowait, ..] = ticks[..] else { return None };
        let total = ticks.iter().fold(0_u64, |sum, part| sum.saturating_add(*part));
        Some(Self { busy: total.saturating_sub(idle).saturating_sub(iowait), total })
    }

    fn since(self, before: Self) -> Percent {
        Percent::of(self.busy.saturating_sub(before.busy), self.total.saturating_sub(before.total))
    }
}

/// Total and available, in bytes.
fn memory(text: &str) -> Option<(u64, u64)> {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
    };
    Some((field("MemTotal:")?, field("MemAvailable:")?))
}

fn disk_use(path: &Path) -> Percent {
    // A folder that is not there yet lies on the file system of the nearest one above it.
    let there = path.ancestors().find_map(|path| nix::sys::statvfs::statvfs(path).ok());
    there.map_or(Percent::of(0, 1), |disk| {
        let total: u64 = disk.blocks();
        Percent::of(total.saturating_sub(disk.blocks_free()), total)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_measured_between_two_readings() {
        let first = Ticks::parse("cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1 2 3\n").unwrap();
        assert_eq!(first, Ticks { busy: 200, total: 1000 });
        let second = Ticks::parse("cpu  150 0 100 720 130 0 0 0 50 0\n").unwrap();
        assert_eq!(second.since(first).get(), 50);
        assert_eq!(first.since(first).get(), 0);
        assert_eq!(first.since(second).get(), 0);
        for text in ["", "cpu", "cpu a b c d e", "cpu 1 2 3 4"] {
            assert_eq!(Ticks::parse(text), None, "{text}");
        }
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let text = "MemTotal:        1000 kB\nMemFree:  1 kB\nMemAvailable:     250 kB\n";
        assert_eq!(memory(text), Some((1_024_000, 256_000)));
        assert_eq!(memory("MemTotal: 1000 kB\n"), None);
        assert_eq!(memory(&format!("MemTotal: {} kB\nMemAvailable: 1 kB", u64::MAX)), None);
    }

    #[test]
    fn this_machine_has_figures() {
        assert!(machine().unwrap().memory_bytes() > 1 << 20);
        let meter = Meter::default();
        meter.used(Path::new("/no/such/folder"));
        let used = meter.used(Path::new("/"));
        assert!(used.memory_percent.get() > 0);
    }

    #[test]
    fn pods_are_counted_by_their_folders() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(pods(folder.path()), 0);
        for pod in ["a", "b"] {
            fs::create_dir_all(folder.path().join("pods").join(pod)).unwrap();
        }
        assert_eq!(pods(folder.path()), 2);
    }
}
