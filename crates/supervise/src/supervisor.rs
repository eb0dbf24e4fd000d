use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::time::{Duration, SystemTime};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::logs::LogSink;
use crate::spawner::Spawner;
use crate::state::State;
use crate::{Backoff, ChildSpec, Launcher, MemoryBound, Phase, States, memory, metrics};
use crate::{Error, Result};

/// How often programs are asked, and how patient one is with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Between two questions to a program that is starting.
    pub starting: Duration,
    /// Between two questions to a program that is ready.
    pub ready: Duration,
    /// How many times in a row the probe for sanity may fail.
    pub insane_after: u32,
    /// The first wait before a restart, and the longest.
    pub backoff: (Duration, Duration),
    /// All programs together have this long to end by themselves.
    pub stop: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            starting: Duration::from_millis(100),
            ready: Duration::from_secs(5),
            insane_after: 6,
            backoff: (Duration::from_millis(100), Duration::from_secs(5)),
            stop: Duration::from_secs(9),
        }
    }
}

/// Keeps programs running until it is told to stop them.
pub struct Supervisor {
    children: Vec<Kept>,
    states: watch::Sender<States>,
    sink: LogSink,
    timing: Timing,
}

struct Kept {
    name: &'static str,
    after: Option<&'static str>,
    order: watch::Sender<Order>,
    task: JoinHandle<()>,
}

/// What a program's task should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Keep it running; another number means: start it anew.
    Run(u64),
    /// End it, by force from then on.
    Stop(Instant),
}

impl Supervisor {
    /// Starts the programs, each when the one it comes after is ready.
    pub fn start(launcher: &Launcher, specs: Vec<ChildSpec>, timing: Timing) -> Result<Self> {
        let fault = |cause: std::io::Error| Error::Start { component: "a thread", cause: cause.to_string() };
        let spawner = Spawner::start().map_err(fault)?;
        let sink = LogSink::start().map_err(fault)?;
        let (states, _) = watch::channel(specs.iter().map(|spec| (spec.name, State::new())).collect());
        let children = specs.into_iter().map(|spec| {
            let (order, orders) = watch::channel(Order::Run(0));
            let (name, after) = (spec.name, spec.after);
            let keeper = Keeper {
                spec,
                launcher: launcher.clone(),
                spawner: spawner.clone(),
                sink: sink.clone(),
                states: states.clone(),
                orders,
                timing,
            };
            Kept { name, after, order, task: tokio::spawn(keeper.keep()) }
        });
        Ok(Self { children: children.collect(), states: states.clone(), sink, timing })
    }

    /// The programs' states, now and as they change.
    pub fn states(&self) -> watch::Receiver<States> {
        self.states.subscribe()
    }

    /// The states as Prometheus text.
    pub fn metrics(&self) -> String {
        metrics(&self.states.borrow(), self.sink.dropped())
    }

    /// Waits until all programs are ready at once.
    pub async fn ready(&self, limit: Duration) -> Result<()> {
        let mut states = self.states.subscribe();
        let all = |states: &States| states.values().all(|state| state.phase == Phase::Ready);
        if let Ok(Ok(_)) = tokio::time::timeout(limit, states.wait_for(all)).await {
            return Ok(());
        }
        let states = self.states.borrow();
        // The first in start order is the one the others wait for.
        let late = self.children.iter().find(|child| states[child.name].phase != Phase::Ready);
        match late {
            None => Ok(()),
            Some(late) => Err(Error::NotReady { component: late.name, limit, last: states[late.name].detail.clone() }),
        }
    }

    /// Ends a program in its own time and starts it again, for it to read what it reads at its start only.
    pub fn restart(&self, name: &str) {
        if let Some(child) = self.children.iter().find(|child| child.name == name) {
            child.order.send_modify(|order| {
                if let Order::Run(number) = order {
                    *number += 1;
                }
            });
        }
    }

    /// Ends all programs, the last started first, by force when their time is over.
    pub async fn stop(&self) {
        let by = Instant::now() + self.timing.stop;
        // Those that nothing waits for end at once and together; then those that they came after.
        let mut stages: BTreeMap<usize, Vec<&Kept>> = BTreeMap::new();
        for child in &self.children {
            stages.entry(self.depth(child)).or_default().push(child);
        }
        let mut left = u32::try_from(stages.len()).unwrap_or(u32::MAX);
        for stage in stages.values().rev() {
            // What one stage does not use is left for the next.
            let share = by.saturating_duration_since(Instant::now()) / left.max(1);
            left -= 1;
            for child in stage {
                child.order.send_replace(Order::Stop(Instant::now() + share));
            }
            for child in stage {
                let stopped = |states: &States| states[child.name].phase == Phase::Stopped;
                let mut changes = self.states.subscribe();
                let _ = tokio::time::timeout(share + Duration::from_secs(1), changes.wait_for(stopped)).await;
            }
        }
    }

    /// How many programs come before this one.
    fn depth(&self, child: &Kept) -> usize {
        let before = child.after.and_then(|after| self.children.iter().find(|other| other.name == after));
        before.map_or(0, |before| self.depth(before) + 1)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // Children are killed as their tasks are dropped.
        self.children.iter().for_each(|child| child.task.abort());
    }
}

/// One program's task.
struct Keeper {
    spec: ChildSpec,
    launcher: Launcher,
    spawner: Spawner,
    sink: LogSink,
    states: watch::Sender<States>,
    orders: watch::Receiver<Order>,
    timing: Timing,
}

/// Why a run ended.
enum Ended {
    Exited(String),
    Replaced,
    Stopped,
}

impl Keeper {
    async fn keep(mut self) {
        let (first, longest) = self.timing.backoff;
        let mut backoff = Backoff::new(first, longest, longest * 2);
        let mut first_run = true;
        loop {
            self.set(|state| state.phase = if first_run { Phase::Waiting } else { Phase::BackingOff });
            if self.predecessor_ready().await.is_err() {
                break;
            }
            let began = Instant::now();
            let ended = match self.run(first_run).await {
                Ok(ended) => ended,
                Err(cause) => Ended::Exited(format!("could not be started: {cause}")),
            };
            first_run = false;
            match ended {
                Ended::Stopped => break,
                Ended::Replaced => {}
                Ended::Exited(why) => {
                    let wait = backoff.after(began.elapsed());
                    tracing::warn!(component = self.spec.name, %why, wait_ms = wait.as_millis(), "a program ended and will be started again");
                    self.set(|state| {
                        (state.phase, state.process, state.detail) = (Phase::BackingOff, None, why);
                    });
                    if self.wait_or_stop(wait).await.is_err() {
                        break;
                    }
                }
            }
        }
        self.set(|state| (state.phase, state.process) = (Phase::Stopped, None));
    }

    /// Waits for the program that this one comes after; an error means that this one is not wanted any more.
    async fn predecessor_ready(&mut self) -> Result<(), ()> {
        let Some(after) = self.spec.after else { return self.wait_or_stop(Duration::ZERO).await };
        let mut states = self.states.subscribe();
        let ready = |states: &States| states.get(after).is_none_or(|state| state.phase == Phase::Ready);
        tokio::select! {
            biased;
            () = stopped(&mut self.orders) => Err(()),
            _ = states.wait_for(ready) => Ok(()),
        }
    }

    async fn wait_or_stop(&mut self, wait: Duration) -> Result<(), ()> {
        tokio::select! {
            biased;
            () = stopped(&mut self.orders) => Err(()),
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }

    /// One life of the program.
    async fn run(&mut self, first: bool) -> Result<Ended, String> {
        if let Some(MemoryBound::Cgroup(folder, bytes)) = &self.spec.limits.memory {
            memory::make_cgroup(folder, *bytes).map_err(|cause| cause.to_string())?;
        }
        let mut command =
            self.launcher.command(&self.spec.limits, &self.spec.program, self.spec.name, &self.spec.arguments);
        command.env_clear().envs(self.spec.environment.iter().map(|(name, value)| (*name, value)));
        let mut child = self.spawner.spawn(command).await.map_err(|cause| cause.to_string())?;
        let process = child.id();
        self.set(|state| {
            (state.phase, state.process, state.started) = (Phase::Starting, process, Some(SystemTime::now()));
            state.restarts += u64::from(!first);
        });
        tracing::info!(component = self.spec.name, process, "started");
        let readers = [
            child.stdout.take().map(|pipe| tokio::spawn(self.sink.clone().read(self.spec.name, pipe))),
            child.stderr.take().map(|pipe| tokio::spawn(self.sink.clone().read(self.spec.name, pipe))),
        ];
        let mut orders = self.orders.clone();
        let ended = tokio::select! {
            status = child.wait() => Ended::Exited(outcome(status)),
            why = self.watch_over() => {
                let _ = child.kill().await;
                Ended::Exited(why)
            }
            (ended, by) = new_order(&mut orders) => {
                terminate(&mut child, by).await;
                ended
            }
        };
        self.orders = orders;
        // The child may have left a process behind that holds the pipes open: its last lines have a moment to arrive.
        for reader in readers.into_iter().flatten() {
            let abort = reader.abort_handle();
            if tokio::time::timeout(Duration::from_millis(200), reader).await.is_err() {
                abort.abort();
            }
        }
        Ok(ended)
    }

    /// Asks the program how it is, for as long as the answers are good enough; returns why they are not.
    async fn watch_over(&self) -> String {
        let begun = Instant::now();
        while let Err(answer) = (self.spec.ready)().await {
            if begun.elapsed() >= self.spec.start_limit {
                return format!("not ready within {} s: {answer}", self.spec.start_limit.as_secs());
            }
            self.set(|state| state.detail = answer);
            tokio::time::sleep(self.timing.starting).await;
        }
        let took = begun.elapsed().as_millis();
        tracing::info!(component = self.spec.name, took_ms = took, "ready");
        self.set(|state| (state.phase, state.detail) = (Phase::Ready, String::new()));
        let mut insane = 0;
        loop {
            tokio::time::sleep(if insane == 0 {
                self.timing.ready
            } else {
                self.timing.ready.min(Duration::from_secs(5))
            })
            .await;
            match (self.spec.ready)().await {
                Ok(()) => self.set(|state| (state.phase, state.detail) = (Phase::Ready, String::new())),
                Err(answer) => self.set(|state| (state.phase, state.detail) = (Phase::NotReady, answer)),
            }
            match (self.spec.alive)().await {
                Ok(()) => insane = 0,
                Err(answer) => {
                    insane += 1;
                    if insane >= self.timing.insane_after {
                        return format!("did not answer {insane} times: {answer}");
                    }
                }
            }
        }
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        self.states.send_if_modified(|states| {
            let Some(state) = states.get_mut(self.spec.name) else { return false };
            let before = state.clone();
            change(state);
            *state != before
        });
    }
}

async fn stopped(orders: &mut watch::Receiver<Order>) {
    // A closed channel means that the supervisor is gone.
    let _ = orders.wait_for(|order| matches!(order, Order::Stop(_))).await;
}

async fn new_order(orders: &mut watch::Receiver<Order>) -> (Ended, Instant) {
    let current = *orders.borrow_and_update();
    match orders.wait_for(|order| *order != current || matches!(order, Order::Stop(_))).await.map(|order| *order) {
        Ok(Order::Stop(by)) => (Ended::Stopped, by),
        Ok(Order::Run(_)) => (Ended::Replaced, Instant::now() + Duration::from_secs(5)),
        Err(_) => (Ended::Stopped, Instant::now()),
    }
}

async fn terminate(child: &mut Child, by: Instant) {
    // Its id is its own until it has been waited for.
    if let Some(process) = child.id().and_then(|id| i32::try_from(id).ok()) {
        let _ = kill(Pid::from_raw(process), Signal::SIGTERM);
    }
    if tokio::time::timeout_at(by, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

fn outcome(status: std::io::Result<ExitStatus>) -> String {
    status.map_or_else(|cause| format!("could not be waited for: {cause}"), |status| status.to_string())
}
