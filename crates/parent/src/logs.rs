//! The enclave's logs: lines from any number of connections, in files of bounded length and number.
//!
//! Whoever writes them may be hostile: a line has a longest length, control characters are taken out (a terminal that shows the file obeys
//! none), and a writer that is faster than the disk waits.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc;

use crate::configuration::Logs;
use crate::{Error, Result};

/// A longer line is cut into several.
const LONGEST_LINE: usize = 16 * 1024;
/// Pieces of lines that wait for the disk, of at most [`LONGEST_LINE`] each.
const WAITING: usize = 64;

/// Where the lines go.
#[derive(Clone)]
pub struct LogSink {
    pieces: mpsc::Sender<Vec<u8>>,
    lost: Arc<AtomicU64>,
}

impl LogSink {
    /// Opens the file, behind what is in it, and starts its writer.
    pub fn open(logs: &Logs) -> Result<Self> {
        let mut files = Rotated::open(logs.clone()).map_err(Error::file("opening", &logs.file))?;
        let (pieces, mut waiting) = mpsc::channel::<Vec<u8>>(WAITING);
        let lost = Arc::<AtomicU64>::default();
        let counted = Arc::clone(&lost);
        let writer = std::thread::Builder::new().name("daas-logs".into());
        let write = move || {
            while let Some(piece) = waiting.blocking_recv() {
                if files.write(&piece).is_err() {
                    counted.fetch_add(piece.len() as u64, Ordering::Relaxed);
                }
            }
        };
        writer.spawn(write).map_err(Error::file("starting the writer of", &logs.file))?;
        Ok(Self { pieces, lost })
    }

    /// Bytes that could not be written, for want of space as a rule.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Takes lines until the stream ends.
    pub async fn take(&self, mut from: impl AsyncRead + Unpin) {
        let mut line = Vec::with_capacity(LONGEST_LINE);
        let mut chunk = vec![0; LONGEST_LINE];
        while let Ok(count @ 1..) = from.read(&mut chunk).await {
            for byte in &chunk[..count] {
                line.push(*byte);
                let whole = *byte == b'\n' || line.len() + 1 == LONGEST_LINE;
                if whole {
                    let begun = line.split_off(line.len() - begun_character(&line));
                    if self.hand_over(&line).await.is_err() {
                        return;
                    }
                    line = begun;
                }
            }
        }
        if !line.is_empty() {
            let _ = self.hand_over(&line).await;
        }
    }

    /// Waits while the disk is slow: the stream is not read meanwhile.
    async fn hand_over(&self, line: &[u8]) -> Result<(), ()> {
        let mut piece = harmless(line);
        if !piece.ends_with('\n') {
            piece.push('\n');
        }
        self.pieces.send(piece.into_bytes()).await.map_err(drop)
    }
}

/// The text, never longer than the bytes. Of control characters it has line ends and tabs: those above ASCII (C1, ECMA-48 section 5.3)
/// command a terminal as well.
fn harmless(line: &[u8]) -> String {
    let plain = |character: char| match character {
        '\n' | '\t' => character,
        _ if character.is_control() => '?',
        _ => character,
    };
    let mut text = String::with_capacity(line.len() + 1);
    for chunk in line.utf8_chunks() {
        text.extend(chunk.valid().chars().map(plain));
        if !chunk.invalid().is_empty() {
            text.push('?');
        }
    }
    text
}

/// How many bytes at the end are the beginning of a character.
fn begun_character(line: &[u8]) -> usize {
    let last = line.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
    match std::str::from_utf8(last) {
        Err(cause) if cause.error_len().is_none() => last.len(),
        _ => 0,
    }
}

/// A file that is put aside when it is long enough.
struct Rotated {
    logs: Logs,
    file: File,
    length: u64,
}

impl Rotated {
    fn open(logs: Logs) -> io::Result<Self> {
        let file = append(&logs.file)?;
        let length = file.metadata()?.len();
        Ok(Self { logs, file, length })
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        if self.length > 0 && self.length + piece.len() as u64 > self.logs.max_bytes {
            self.put_aside()?;
        }
        self.file.write_all(piece)?;
        self.length += piece.len() as u64;
        Ok(())
    }

    fn put_aside(&mut self) -> io::Result<()> {
        let older = |number: u32| match number {
            0 => self.logs.file.clone(),
            number => PathBuf::from(format!("{}.{number}", self.logs.file.display())),
        };
        let last = self.logs.files - 1;
        remove(&older(last))?;
        for number in (0..last).rev() {
            match fs::rename(older(number), older(number + 1)) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
                _ => {}
            }
        }
        self.file = append(&self.logs.file)?;
        self.length = 0;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt as _;

    use super::*;

    fn logs(folder: &Path, max_bytes: u64, files: u32) -> Logs {
        Logs { file: folder.join("log"), max_bytes, files }
    }

    async fn until(what: &str, condition: impl Fn() -> bool) {
        let begun = std::time::Instant::now();
        while !condition() {
            assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn lines_arrive_whole_and_harmless_behind_those_that_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let logs = logs(folder.path(), 1 << 20, 2);
        fs::write(&logs.file, "earlier\n").unwrap();
        let sink = LogSink::open(&logs).unwrap();
        sink.take(&b"one\n\x1b[2Jtwo\r\nthree \xc3\xa4"[..]).await;
        let expected = "earlier\none\n?[2Jtwo?\nthree \u{e4}\n";
        until("all lines are written", || fs::read(&logs.file).unwrap().len() >= expected.len()).await;
        assert_eq!(fs::read_to_string(&logs.file).unwrap(), expected);
    }

    #[test]
    fn control_characters_beyond_ascii_are_taken_out() {
        // CSI and OSC: as UTF-8, and as the bare bytes that a terminal of eight bits obeys.
        assert_eq!(harmless(b"a\xc2\x9b2J\xc2\x9dx\xc2\x85b\n"), "a?2J?x?b\n");
        assert_eq!(harmless(b"a\x9b2J\x9dx\xff\xfe\t\x7f\n"), "a?2J?x??\t?\n");
        assert_eq!(harmless("\u{a0}\u{e4}\u{20ac}\u{1f600}".as_bytes()), "\u{a0}\u{e4}\u{20ac}\u{1f600}");
        for byte in 0..=u8::MAX {
            let text = harmless(&[b'a', byte]);
            assert!(text.len() <= 2 && text.chars().all(|of| matches!(of, '\n' | '\t') || !of.is_control()), "{byte}");
        }
    }

    #[tokio::test]
    async fn a_line_is_not_cut_within_a_character() {
        let folder = tempfile::tempdir().unwrap();
        let logs = logs(folder.path(), 1 << 20, 2);
        let sink = LogSink::open(&logs).unwrap();
        let line = "\u{20ac}".repeat(LONGEST_LINE);
        sink.take(line.as_bytes()).await;
        until("all is written", || fs::metadata(&logs.file).unwrap().len() >= line.len() as u64 + 4).await;
        assert_eq!(fs::read_to_string(&logs.file).unwrap().replace('\n', ""), line);
    }

    #[test]
    fn files_are_bounded_in_length_and_number() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Rotated::open(logs(folder.path(), 100, 3)).unwrap();
        for number in 0..100 {
            files.write(format!("line {number:04}\n").as_bytes()).unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        assert!(read("log").ends_with("line 0099\n") && read("log").len() <= 100);
        assert!(read("log.2").len() <= 100 && read("log.1").len() <= 100);
        assert!(read("log.1") > read("log.2"), "the older has the higher number");
        let mut one = Rotated::open(Logs { files: 1, ..logs(folder.path(), 100, 1) }).unwrap();
        one.write(&[b'x'; 100]).unwrap();
        assert_eq!(read("log"), "x".repeat(100));
    }

    #[tokio::test]
    async fn an_endless_line_is_cut_and_costs_no_memory() {
        let folder = tempfile::tempdir().unwrap();
        let logs = logs(folder.path(), 1 << 30, 2);
        let sink = LogSink::open(&logs).unwrap();
        sink.take(tokio::io::repeat(b'a').take(1 << 20)).await;
        until("all is written", || fs::metadata(&logs.file).unwrap().len() > 1 << 20).await;
        let text = fs::read_to_string(&logs.file).unwrap();
        assert!(text.lines().all(|line| line.len() < LONGEST_LINE));
        assert_eq!(text.matches('a').count(), 1 << 20);
    }

    #[tokio::test]
    async fn a_writer_faster_than_the_disk_waits() {
        let (pieces, mut disk) = mpsc::channel(2);
        let sink = LogSink { pieces, lost: Arc::default() };
        let (mut enclave, parent) = tokio::io::duplex(64);
        let taken = tokio::spawn(async move { sink.take(parent).await });
        let mut written = 0;
        while tokio::time::timeout(Duration::from_millis(100), enclave.write_all(b"line\n")).await.is_ok() {
            written += 1;
            // The pipe, one chunk that was read, and three lines: two wait, one is being handed over.
            assert!(written < 64, "nothing holds it up");
        }
        drop(enclave);
        let mut read = 0;
        while disk.recv().await.is_some() {
            read += 1;
        }
        taken.await.unwrap();
        assert!(read >= written);
    }
}
