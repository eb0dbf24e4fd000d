//! Holds what a parser takes against its bounds, input by input.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use cpu_time::ThreadTime;
use peak_alloc::PeakAlloc;

/// Counts what Rust code allocates. The input, the fuzzer and AWS-LC (some kilobytes a signature) allocate elsewhere; a growing vector
/// counts with its old and its new place.
#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What an input of at most [`INPUT`] may take beyond itself.
const MEMORY: usize = 16 << 20;
const INPUT: usize = 1 << 20;
/// An input is too slow if it is so each time: a cold cache is no finding.
const TRIES: usize = 5;

static MOST_BYTES: AtomicUsize = AtomicUsize::new(0);
static MOST_MICROS: AtomicU64 = AtomicU64::new(0);

/// Runs a parser on an input; panics if it takes more than 16 MB of memory, or more than `time` on the processor five times in a row.
pub fn run(input: &[u8], time: Duration, parse: impl Fn(&[u8])) {
    assert!(input.len() <= INPUT, "the bounds are those of a megabyte");
    let mut quickest = Duration::MAX;
    for _ in 0..TRIES {
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let begin = ThreadTime::now();
        parse(input);
        quickest = quickest.min(begin.elapsed());
        let bytes = ALLOCATOR.peak_usage().saturating_sub(before);
        assert!(bytes <= MEMORY, "{} bytes of input take {bytes} bytes of memory", input.len());
        if quickest <= time {
            return record(bytes, quickest);
        }
    }
    panic!("{} bytes of input take {quickest:?}", input.len());
}

/// Says so when an input takes more than any before it; `scripts/fuzz` prints the last such line.
fn record(bytes: usize, time: Duration) {
    let micros = time.as_micros() as u64;
    let grew = MOST_BYTES.fetch_max(bytes, Ordering::Relaxed) < bytes;
    if MOST_MICROS.fetch_max(micros, Ordering::Relaxed) < micros || grew {
        let (bytes, micros) = (MOST_BYTES.load(Ordering::Relaxed), MOST_MICROS.load(Ordering::Relaxed));
        eprintln!("bounded: at most {} KB and {micros} microseconds an input", bytes.div_ceil(1024));
    }
}
