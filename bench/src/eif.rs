//! An enclave image of 43 MB built and described, files included, beside AWS' own tools on the same inputs.
//!
//! AWS' side is a program of its own (`scripts/oracle-eif --bench` builds it and prints its path): its crate brings an SDK and OpenSSL. It
//! times itself, so that starting it does not count. Both sides read from and write to the page cache.

use std::fs::{self, File};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use daas_measure::Description;
use daas_measure::eif::{Contents, Eif};

use crate::latencies::Latencies;

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
    let build = Latencies::of(RUNS, |_| build(&inputs, &ours));
    let describe = Latencies::of(RUNS, |_| describe(&ours));
    println!("  build     ours   p50 {:?}", build.percentile(50));
    println!("  describe  ours   p50 {:?}", describe.percentile(50));

    let Some(peer) = peer() else {
        println!("  AWS' side is left out: build it with scripts/oracle-eif --bench and name it in DAAS_ORACLE_EIF");
        return;
    };
    let [kernel, boot, application] = inputs.each_ref().map(|path| path.display().to_string());
    let out = theirs.display().to_string();
    let aws_build = peer_latencies(&peer, &["build", &kernel, CMDLINE, &out, &boot, &application]);
    let aws_describe = peer_latencies(&peer, &["describe", &out]);
    for (name, ours, theirs) in [("build", &build, &aws_build), ("describe", &describe, &aws_describe)] {
        let (ours, theirs) = (ours.percentile(50), theirs.percentile(50));
        println!("  {name:<9} AWS'   p50 {theirs:?}");
        println!("  {name:<9} ours / AWS' {:.2}   (goal: 0.40)", ours.as_secs_f64() / theirs.as_secs_f64());
    }
}

fn build([kernel, boot, application]: &[PathBuf; 3], out: &Path) {
    let read = |path: &Path| fs::read(path).expect("an input");
    let (kernel, boot, application) = (read(kernel), read(boot), read(application));
    let image = Contents::new(&kernel, CMDLINE, vec![&boot, &application]).build().expect("an image");
    image.write_to(&mut File::create(out).expect("the image's file")).expect("the image's file");
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

/// What the peer's own clock says.
fn peer_latencies(peer: &Path, arguments: &[&str]) -> Latencies {
    let begin = Instant::now();
    let durations = (0..RUNS).map(|_| {
        let output = Command::new(peer).args(arguments).output().expect("AWS' side runs");
        assert!(output.status.success(), "AWS' side failed: {}", String::from_utf8_lossy(&output.stderr));
        // {"micros":285000,"pcrs":{..}}
        let text = String::from_utf8_lossy(&output.stdout);
        let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        Duration::from_micros(digits[..end].parse().expect("microseconds"))
    });
    Latencies::from_parts(durations.collect(), begin.elapsed())
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
