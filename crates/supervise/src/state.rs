use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::SystemTime;

/// How a program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Another one must be ready first.
    Waiting,
    /// Started, not ready yet.
    Starting,
    /// Doing its work.
    Ready,
    /// Was ready; its probe fails now.
    NotReady,
    /// Ended; will be started again.
    BackingOff,
    /// Ended, as asked.
    Stopped,
}

impl Phase {
    const ALL: [Self; 6] =
        [Self::Waiting, Self::Starting, Self::Ready, Self::NotReady, Self::BackingOff, Self::Stopped];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::NotReady => "not-ready",
            Self::BackingOff => "backing-off",
            Self::Stopped => "stopped",
        }
    }
}

/// What is known of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// How it is.
    pub phase: Phase,
    /// Its process, while it runs.
    pub process: Option<u32>,
    /// How often it was started after the first time.
    pub restarts: u64,
    /// When it was last started.
    pub started: Option<SystemTime>,
    /// Why it ended last, or what its probe said last.
    pub detail: String,
}

impl State {
    pub(crate) fn new() -> Self {
        Self { phase: Phase::Waiting, process: None, restarts: 0, started: None, detail: String::new() }
    }
}

/// All programs, by name.
pub type States = BTreeMap<&'static str, State>;

/// The states as Prometheus text (exposition format 0.0.4).
pub fn metrics(states: &States, dropped_lines: u64) -> String {
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, rows: Vec<(String, String)>| {
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for (labels, value) in rows {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    let by_phase = states.iter().flat_map(|(name, state)| {
        Phase::ALL.map(|phase| {
            let labels = format!("{{component=\"{name}\",phase=\"{}\"}}", phase.as_str());
            (labels, u8::from(state.phase == phase).to_string())
        })
    });
    family("daas_component_phase", "gauge", "1 for the phase that the program is in", by_phase.collect());
    let each = |value: fn(&State) -> String| -> Vec<_> {
        states.iter().map(|(name, state)| (format!("{{component=\"{name}\"}}"), value(state))).collect()
    };
    family(
        "daas_component_restarts_total",
        "counter",
        "starts after the first",
        each(|state| state.restarts.to_string()),
    );
    let started = each(|state| {
        let since = state.started.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        since.map_or(0, |since| since.as_secs()).to_string()
    });
    family("daas_component_start_time_seconds", "gauge", "when the program was last started", started);
    let dropped = vec![(String::new(), dropped_lines.to_string())];
    family("daas_component_log_lines_dropped_total", "counter", "lines that nobody wrote in time", dropped);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_name_every_component_and_its_phase_once() {
        let ready = State { phase: Phase::Ready, restarts: 3, ..State::new() };
        let text = metrics(&States::from([("etcd", ready)]), 7);
        assert!(text.contains("daas_component_phase{component=\"etcd\",phase=\"ready\"} 1\n"));
        assert!(text.contains("daas_component_phase{component=\"etcd\",phase=\"waiting\"} 0\n"));
        assert_eq!(text.matches("} 1\n").count(), 1);
        assert!(text.contains("daas_component_restarts_total{component=\"etcd\"} 3\n"));
        assert!(text.contains("daas_component_log_lines_dropped_total 7\n"));
    }
}
