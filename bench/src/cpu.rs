//! CPU time of this process' threads, by their names.

use std::fs;
use std::time::Duration;

/// Threads of the runtime that serves the development chain.
pub(crate) const SERVER: &str = "bench-server";
/// Threads of the runtime that the clients run on.
pub(crate) const CLIENTS: &str = "bench-clients";
/// The development chain's threads that execute and that make durable.
const LEDGER: &str = "ledger-";

/// CPU time used so far.
#[derive(Clone, Copy)]
pub(crate) struct Cpu {
    /// By what serves the requests.
    pub(crate) server: Duration,
    /// By what executes, seals and stores.
    pub(crate) ledger: Duration,
    /// By what asks.
    pub(crate) clients: Duration,
}

impl Cpu {
    pub(crate) fn now() -> Self {
        Self { server: used_by(SERVER), ledger: used_by(LEDGER), clients: used_by(CLIENTS) }
    }

    /// What was used since, per run.
    pub(crate) fn since(self, earlier: Self, runs: usize) -> Self {
        let runs = u32::try_from(runs).unwrap_or(u32::MAX).max(1);
        let per_run = |now: Duration, then: Duration| now.saturating_sub(then) / runs;
        Self {
            server: per_run(self.server, earlier.server),
            ledger: per_run(self.ledger, earlier.ledger),
            clients: per_run(self.clients, earlier.clients),
        }
    }
}

/// The time on CPU of all threads whose name begins so (Linux, Documentation/scheduler/sched-stats.rst).
fn used_by(name: &str) -> Duration {
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return Duration::ZERO };
    let nanoseconds = threads.flatten().filter_map(|thread| {
        let thread = thread.path();
        let is_named = fs::read_to_string(thread.join("comm")).is_ok_and(|comm| comm.starts_with(name));
        let used = fs::read_to_string(thread.join("schedstat")).ok()?;
        is_named.then(|| used.split(' ').next().and_then(|used| used.parse::<u64>().ok())).flatten()
    });
    Duration::from_nanos(nanoseconds.sum())
}
