use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt};

/// A longer line is cut; Kubernetes' own are below it but for stack traces.
const LONGEST_LINE: usize = 8 * 1024;
/// Lines that wait to be written. More are dropped and counted: a reader of logs that is slow must not slow the cluster.
const WAITING_LINES: usize = 4096;

/// Where the lines of all children go: a thread that hands them to `tracing`, so that neither a child nor the runtime ever
/// waits for whoever writes logs.
#[derive(Clone)]
pub(crate) struct LogSink {
    lines: mpsc::SyncSender<Line>,
    dropped: Arc<AtomicU64>,
}

struct Line {
    component: &'static str,
    text: Vec<u8>,
    cut: bool,
}

impl LogSink {
    pub(crate) fn start() -> std::io::Result<Self> {
        let (lines, read) = mpsc::sync_channel::<Line>(WAITING_LINES);
        // The thread that starts a supervisor may have a subscriber of its own (tests do): take it along.
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        std::thread::Builder::new().name("daas-logs".into()).spawn(move || {
            tracing::dispatcher::with_default(&dispatch, || read.iter().for_each(|line| line.tell()));
        })?;
        Ok(Self { lines, dropped: Arc::default() })
    }

    /// Lines that were dropped since the start.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Reads lines until the child closes its end. Memory is bounded whatever the child writes.
    pub(crate) async fn read(self, component: &'static str, mut from: impl AsyncRead + Unpin) {
        let mut chunk = vec![0; 16 * 1024];
        let mut splitter = Splitter::default();
        while let Ok(count) = from.read(&mut chunk).await {
            if count == 0 {
                break;
            }
            splitter.feed(&chunk[..count], |text, cut| self.send(Line { component, text, cut }));
        }
        splitter.finish(|text, cut| self.send(Line { component, text, cut }));
    }

    fn send(&self, line: Line) {
        if self.lines.try_send(line).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Cuts a stream of bytes into lines of bounded length.
#[derive(Default)]
struct Splitter {
    line: Vec<u8>,
    cut: bool,
}

impl Splitter {
    fn feed(&mut self, mut bytes: &[u8], mut line: impl FnMut(Vec<u8>, bool)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.keep(&bytes[..end]);
            self.finish(&mut line);
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes);
    }

    fn finish(&mut self, mut line: impl FnMut(Vec<u8>, bool)) {
        if !self.line.is_empty() {
            line(std::mem::take(&mut self.line), self.cut);
        }
        self.cut = false;
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LONGEST_LINE - self.line.len();
        self.cut |= bytes.len() > room;
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

impl Line {
    fn tell(&self) {
        let component = self.component;
        let cut = self.cut;
        match Told::of(&self.text) {
            Told { severity: Severity::Error, message, rest } => {
                tracing::error!(target: "component", component, %rest, cut, "{message}");
            }
            Told { severity: Severity::Warn, message, rest } => {
                tracing::warn!(target: "component", component, %rest, cut, "{message}");
            }
            Told { severity: Severity::Info, message, rest } => {
                tracing::info!(target: "component", component, %rest, cut, "{message}");
            }
            Told { severity: Severity::Debug, message, rest } => {
                tracing::debug!(target: "component", component, %rest, cut, "{message}");
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Severity {
    Error,
    Warn,
    Info,
    Debug,
}

/// A line's parts: Kubernetes writes `{"ts", "caller", "msg", "v" or "err", …}`, etcd `{"level", "ts", "caller", "msg", …}`, containerd
/// the same with `time` and the level `warning`; anything else (a panic's stack) is a message.
struct Told {
    severity: Severity,
    message: String,
    rest: String,
}

impl Told {
    fn of(line: &[u8]) -> Self {
        let Ok(Value::Object(mut fields)) = serde_json::from_slice(line) else {
            return Self {
                severity: Severity::Warn,
                message: String::from_utf8_lossy(line).into_owned(),
                rest: String::new(),
            };
        };
        let message = match fields.remove("msg") {
            Some(Value::String(message)) => message,
            _ => String::new(),
        };
        let severity =
            match (fields.remove("level").as_ref().and_then(Value::as_str), fields.get("v").and_then(Value::as_u64)) {
                // Kubernetes' errors alone have no verbosity.
                (Some("error" | "panic" | "fatal" | "dpanic"), _) | (None, None) => Severity::Error,
                (Some("warn" | "warning"), _) => Severity::Warn,
                (Some("debug"), _) => Severity::Debug,
                (Some(_), _) | (None, Some(0..=1)) => Severity::Info,
                (None, Some(_)) => Severity::Debug,
            };
        fields.remove("ts");
        fields.remove("v");
        let rest = if fields.is_empty() { String::new() } else { Value::Object(fields).to_string() };
        Self { severity, message, rest }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_of_kubernetes_and_etcd_keep_their_severity() {
        let of = |line: &str| {
            let told = Told::of(line.as_bytes());
            (told.severity, told.message, told.rest)
        };
        let kube = r#"{"ts":1.5,"caller":"a.go:1","msg":"Serving","v":0,"address":"[::]:6443"}"#;
        assert_eq!(of(kube), (Severity::Info, "Serving".into(), r#"{"address":"[::]:6443","caller":"a.go:1"}"#.into()));
        assert_eq!(of(r#"{"msg":"No","err":"refused"}"#).0, Severity::Error);
        assert_eq!(of(r#"{"msg":"x","v":4}"#).0, Severity::Debug);
        assert_eq!(of(r#"{"level":"warn","msg":"slow"}"#), (Severity::Warn, "slow".into(), String::new()));
        assert_eq!(of(r#"{"level":"warning","msg":"slow"}"#).0, Severity::Warn);
        assert_eq!(of("panic: boom"), (Severity::Warn, "panic: boom".into(), String::new()));
    }

    #[tokio::test]
    async fn a_full_sink_drops_lines_instead_of_making_the_child_wait() {
        let (lines, _kept_unread) = mpsc::sync_channel(2);
        let sink = LogSink { lines, dropped: Arc::default() };
        sink.clone().read("x", &b"1\n2\n3\n4\n5\n"[..]).await;
        assert_eq!(sink.dropped(), 3);
    }

    proptest! {
        /// However the bytes arrive, the lines are the same, and none is longer than the limit.
        #[test]
        fn lines_do_not_depend_on_how_they_arrive(text in "[a\n]{0,200}", at in 0_usize..200, long in 0_usize..20_000) {
            let text = format!("{text}{}\nend", "b".repeat(long));
            let lines = |parts: &[&[u8]]| {
                let (mut splitter, mut lines) = (Splitter::default(), Vec::new());
                for part in parts {
                    splitter.feed(part, |line, cut| lines.push((line, cut)));
                }
                splitter.finish(|line, cut| lines.push((line, cut)));
                lines
            };
            let (left, right) = text.as_bytes().split_at(at.min(text.len()));
            let whole = lines(&[text.as_bytes()]);
            prop_assert_eq!(&whole, &lines(&[left, right]));
            prop_assert!(whole.iter().all(|(line, _)| line.len() <= LONGEST_LINE));
            prop_assert_eq!(whole.iter().any(|(_, cut)| *cut), text.lines().any(|line| line.len() > LONGEST_LINE));
        }
    }
}
