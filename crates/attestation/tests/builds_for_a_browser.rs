//! The verifier has no dependency that stops a build for WebAssembly; skipped, with the reason, where the compiler lacks the target.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Command;

#[test]
fn the_verifier_builds_for_a_browser() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/wasm-check");
    let output = Command::new(script).output().unwrap();
    print!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
