//! Judges `daas-measure` against AWS' own builder and reader: each reads what the other wrote, and the registers are equal.
//!
//! `daas-oracle-eif judge SIGNER_FOLDER` compares generated images; `build KERNEL CMDLINE OUT RAMDISK...` and `describe FILE` run AWS' side alone
//! and print how long it took, for the benchmark.

mod aws;
mod images;
mod judge;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use cpu_time::ProcessTime;

const USAGE: &str = "usage: daas-oracle-eif judge SIGNER_FOLDER | build KERNEL CMDLINE OUT RAMDISK... | describe FILE";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["judge", signers] => judge::run(Path::new(signers)),
        ["build", kernel, cmdline, out, ramdisks @ ..] if !ramdisks.is_empty() => {
            let ramdisks: Vec<PathBuf> = ramdisks.iter().map(PathBuf::from).collect();
            let begin = Begin::now();
            let pcrs = aws::build(Path::new(kernel), cmdline, &ramdisks, None, Path::new(out));
            timed(&begin, &pcrs);
            Ok(())
        }
        ["describe", file] => {
            let begin = Begin::now();
            aws::describe(Path::new(file)).map(|seen| timed(&begin, &seen.pcrs)).map_err(Into::into)
        }
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("oracle-eif: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Begin {
    wall: Instant,
    processor: ProcessTime,
}

impl Begin {
    fn now() -> Self {
        Self { wall: Instant::now(), processor: ProcessTime::now() }
    }
}

/// One line of JSON: microseconds on the clock and on the processor, and registers.
fn timed(begin: &Begin, pcrs: &aws::Pcrs) {
    let micros = |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let (wall, processor) = (micros(begin.wall.elapsed()), micros(begin.processor.elapsed()));
    println!("{}", serde_json::json!({ "micros": wall, "processor_micros": processor, "pcrs": pcrs }));
}
