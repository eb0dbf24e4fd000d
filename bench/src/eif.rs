//! An enclave image of 43 MB built and described, files included, beside AWS' own tools on the same inputs.
//!
//! AWS' side is a program of its own (`scripts/oracle-eif --bench` builds it and prints its path): its crate brings an SDK and OpenSSL. It
//! times itself, so that starting it does not count. Both sides read from and write to the page cache, and take turns. Where the machine
//! is busy the processor time says more than the clock; ours hashes on two threads, whose time is added up there.

use std::fs::{self, File};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use daas_measure::Description;
use daas_measure::eif::{Contents, Eif, Layout};

const RUNS: usize = 20;
const CMDLINE: &str = "reboot=k panic=30 nomodules console=ttyS0";
/// Bytes of kernel, boot ramdisk and application: 43.7 MB, as an image of AWS' tools with a small application has.
const SIZES: [usize; 3] = [6_200_000, 1_500_000, 36_000_000];

pub(crate) fn run() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let inputs = [at("kernel"), at("boot"), at("application")];
    for (path, size) in inputs.iter().zip(SIZES) {
        fs::write(path, noise(size)).expect("an input");
    }
    let (ours, theirs) = (at("ours.eif"), at("theirs.eif"));
    let peer = peer();
    let [kernel, boot, application] = inputs.each_ref().map(|path| path.display().to_string());
    let out = theirs.display().to_string();
    // Builds and descriptions, ours and AWS'.
    let mut spent: [[Vec<Spent>; 2]; 2] = Default::default();
    for _ in 0..RUNS {
        spent[0][0].push(Spent::by(|| build(&inputs, &ours)));
        spent[1][0].push(Spent::by(|| describe(&ours)));
        if let Some(peer) = &peer {
            spent[0][1].push(Spent::by_peer(peer, &["build", &kernel, CMDLINE, &out, &boot, &application]));
            spent[1][1].push(Spent::by_peer(peer, &["describe", &out]));
        }
    }
    for (name, [ours, theirs]) in ["build", "describe"].into_iter().zip(&spent) {
        let ours = Spent::median(ours);
        println!("  {name:<9} ours   p50 {:?}, processor {:?}", ours.wall, ours.processor);
        if peer.is_some() {
            let theirs = Spent::median(theirs);
            println!("  {name:<9} AWS'   p50 {:?}, processor {:?}", theirs.wall, theirs.processor);
            let ratio = |ours: Duration, theirs: Duration| ours.as_secs_f64() / theirs.as_secs_f64();
            let (wall, processor) = (ratio(ours.wall, theirs.wall), ratio(ours.processor, theirs.processor));
            println!("  {name:<9} ours / AWS' {wall:.2}, processor {processor:.2}   (goal: 0.40)");
        }
    }
    if peer.is_none() {
        println!("  AWS' side is left out: build it with scripts/oracle-eif --bench and name it in DAAS_ORACLE_EIF");
    }
}

/// What one run took.
#[derive(Clone, Copy)]
struct Spent {
    wall: Duration,
    processor: Duration,
}

impl Spent {
    fn by(run: impl FnOnce()) -> Self {
        let (wall, processor) = (Instant::now(), ProcessTime::now());
        run();
        Self { wall: wall.elapsed(), processor: processor.elapsed() }
    }

    /// What the peer's own clocks say: `{"micros":285000,"processor_micros":284000,"pcrs":{..}}`.
    fn by_peer(peer: &Path, arguments: &[&str]) -> Self {
        let output = Command::new(peer).args(arguments).output().expect("AWS' side runs");
        assert!(output.status.success(), "AWS' side failed: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout);
        let micros = |name: &str| {
            let (_, after) = text.split_once(&format!("\"{name}\":")).expect("a figure");
            let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            Duration::from_micros(after[..end].parse().expect("microseconds"))
        };
        Self { wall: micros("micros"), processor: micros("processor_micros") }
    }

    fn median(runs: &[Self]) -> Self {
        let middle = |of: fn(&Self) -> Duration| {
            let mut times: Vec<_> = runs.iter().map(of).collect();
            times.sort_unstable();
            times[times.len() / 2]
        };
        Self { wall: middle(|run| run.wall), processor: middle(|run| run.processor) }
    }
}

fn build([kernel, boot, application]: &[PathBuf; 3], out: &Path) {
    let read = |path: &Path| fs::read(path).expect("an input");
    let (kernel, boot, application) = (read(kernel), read(boot), read(application));
    let write = |layout: &Layout<'_>| layout.write_to(&mut File::create(out)?);
    let contents = Contents::new(&kernel, CMDLINE, vec![&boot, &application]);
    let (image, written) = contents.build_while(write).expect("an image");
    written.expect("the image's file");
    black_box(image.registers());
}

fn describe(path: &Path) {
    let file = fs::read(path).expect("the image");
    let eif = Eif::parse(&file).expect("an image");
    black_box(Description::of(&eif).expect("an image"));
}

fn peer() -> Option<PathBuf> {
    let named = std::env::var_os("DAAS_ORACLE_EIF").map(PathBuf::from);
    let built = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    named.into_iter().chain([built.join("oracle-eif/debug/daas-oracle-eif")]).find(|path| path.is_file())
}

/// Bytes that do not repeat (xorshift64).
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ size as u64;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}
