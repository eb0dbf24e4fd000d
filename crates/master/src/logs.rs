//! Log lines go to the parent, which keeps them: the enclave has no disk. What the parent does not take in time is dropped and counted; nothing
//! here waits for it.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use daas_transport::{Link, ports};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tracing_subscriber::fmt::MakeWriter;

/// Lines that wait for the parent.
const WAITING: usize = 4096;
const AGAIN: Duration = Duration::from_secs(1);
/// A parent that takes nothing for so long has its connection cut, and lines are dropped until it takes another.
const PATIENCE: Duration = Duration::from_secs(10);

/// Writes lines for the parent.
#[derive(Debug, Clone)]
pub struct Logs {
    lines: mpsc::Sender<Vec<u8>>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    waiting: AtomicU64,
    dropped: AtomicU64,
}

/// The other end: runs as a task.
#[derive(Debug)]
pub struct Shipper {
    lines: mpsc::Receiver<Vec<u8>>,
    counts: Arc<Counts>,
}

/// Both ends.
pub fn pipe() -> (Logs, Shipper) {
    let (lines, written) = mpsc::channel(WAITING);
    let counts = Arc::<Counts>::default();
    (Logs { lines, counts: Arc::clone(&counts) }, Shipper { lines: written, counts })
}

impl Logs {
    /// Waits until every line has left, or for so long: before the process ends.
    pub async fn drain(&self, at_most: Duration) {
        let all = async {
            while self.counts.waiting.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = tokio::time::timeout(at_most, all).await;
    }
}

impl Shipper {
    /// Sends lines until the last writer is gone. Where the parent takes none, they go to standard error.
    pub async fn run(mut self, link: Link) {
        let mut parent = None;
        let mut tried = None;
        while let Some(line) = self.lines.recv().await {
            let due = tried.is_none_or(|tried: tokio::time::Instant| tried.elapsed() >= AGAIN);
            if parent.is_none() && due {
                tried = Some(tokio::time::Instant::now());
                parent = link.connect(ports::LOGS).await.ok();
            }
            let taken = match &mut parent {
                Some(stream) => {
                    matches!(tokio::time::timeout(PATIENCE, stream.write_all(&line)).await, Ok(Ok(())))
                }
                // A terminal or a pipe may be slow, too.
                None => matches!(spawn_blocking(move || io::stderr().write_all(&line)).await, Ok(Ok(()))),
            };
            if !taken {
                parent = None;
                self.counts.dropped.fetch_add(1, Ordering::Relaxed);
            }
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl io::Write for Logs {
    /// The formatter writes an event at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // Counted first: the other end counts down as soon as it has it.
        self.counts.waiting.fetch_add(1, Ordering::Relaxed);
        if self.lines.try_send(line.to_vec()).is_err() {
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use daas_transport::accept::Accept as _;
    use tokio::io::{AsyncBufReadExt as _, BufReader};

    use super::*;

    #[tokio::test]
    async fn lines_reach_the_parent_and_one_that_reads_nothing_holds_up_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let link = Link::Folder(folder.path().into());
        let mut parent = link.listen(ports::LOGS).unwrap();
        let (mut logs, shipper) = pipe();
        tokio::spawn(shipper.run(link));
        logs.write_all(b"{\"a\":1}\n").unwrap();
        let (stream, _) = parent.accept().await.unwrap();
        let mut read = String::new();
        BufReader::new(stream).read_line(&mut read).await.unwrap();
        assert_eq!(read, "{\"a\":1}\n");
        logs.drain(Duration::from_secs(5)).await;
        assert_eq!(logs.counts.waiting.load(Ordering::Relaxed), 0);
        // Far more than socket and queue hold, and nobody reads: writing does not wait.
        let begun = std::time::Instant::now();
        for _ in 0..3 * WAITING {
            logs.write_all(&[b'x'; 1024]).unwrap();
        }
        assert!(begun.elapsed() < Duration::from_secs(2));
        assert!(logs.counts.dropped.load(Ordering::Relaxed) > 0);
    }
}
