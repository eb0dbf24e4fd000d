//! `daas image`: images are built, described, measured and compared through the real program.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use daas_cli::measurements::{Kind, Measurements};
use serde_json::Value;

/// Inputs of an image in a folder of their own.
struct Workshop(tempfile::TempDir);

impl Workshop {
    fn new() -> Self {
        let workshop = Self(tempfile::tempdir().unwrap());
        for (name, content) in [
            ("kernel", "MZ not really"),
            ("lock", "{}"),
            ("cmdline", "console=ttyS0 quiet\n"),
            ("boot/init", "#!/bin/sh"),
            ("app/rootfs/etc/hosts", "127.0.0.1 localhost"),
        ] {
            fs::create_dir_all(workshop.path(name).parent().unwrap()).unwrap();
            fs::write(workshop.path(name), content).unwrap();
        }
        workshop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `daas image` inside the folder: exit status, answer or error.
    fn run(&self, arguments: &[&str]) -> (i32, Value) {
        let output = Command::new(env!("CARGO_BIN_EXE_daas"))
            .args(["--output", "json", "--state-dir", "state", "image"])
            .args(arguments)
            .current_dir(self.0.path())
            .env_clear()
            .env("HOME", self.0.path())
            .output()
            .unwrap();
        let text = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
        (output.status.code().unwrap(), serde_json::from_slice(text).unwrap_or_default())
    }

    fn build(&self, out: &str, more: &[&str]) -> Value {
        let inputs = ["build", "--kernel", "kernel", "--cmdline-file", "cmdline", "--boot", "boot", "--app", "app"];
        let (code, answer) = self.run(&[&inputs, &["--out", out][..], more].concat());
        assert_eq!(code, 0, "{answer}");
        answer
    }
}

#[test]
fn a_build_is_repeated_byte_for_byte_in_another_folder() {
    let (here, there) = (Workshop::new(), Workshop::new());
    let devices = ["--device", "dev/console:c:5:1:600"];
    assert_eq!(here.build("a.eif", &devices)["pcrs"], there.build("b.eif", &devices)["pcrs"]);
    assert_eq!(fs::read(here.path("a.eif")).unwrap(), fs::read(there.path("b.eif")).unwrap());
    let (code, described) = here.run(&["describe", "a.eif"]);
    assert_eq!(code, 0);
    assert_eq!(described["cmdline"], "console=ttyS0 quiet", "the file's line break is left out");
    assert_eq!(described["sections"].as_array().unwrap().len(), 5);
    assert_eq!(described["metadata"]["ImageName"], "k3s-daas");
}

#[test]
fn the_measurement_file_is_what_a_release_is_published_from() {
    let workshop = Workshop::new();
    let provenance = ["--measurements", "m.json", "--source-revision", "0123abc", "--provider-lock", "lock"];
    let built = workshop.build("a.eif", &provenance);
    let written = Measurements::read(&workshop.path("m.json")).unwrap();
    assert_eq!(written.kind, Kind::Eif);
    assert_eq!(built["pcrs"]["0"], hex::encode(written.pcrs[&0]));
    assert_eq!(written.pcrs.keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
    fs::rename(workshop.path("m.json"), workshop.path("first.json")).unwrap();
    let (code, _) = workshop.run(&[&["pcrs", "a.eif"], &provenance[..]].concat());
    assert_eq!(code, 0);
    assert_eq!(fs::read(workshop.path("m.json")).unwrap(), fs::read(workshop.path("first.json")).unwrap());
}

#[test]
fn differences_are_named_and_the_exit_status_tells() {
    let workshop = Workshop::new();
    workshop.build("a.eif", &[]);
    workshop.build("renamed.eif", &["--name", "another"]);
    fs::write(workshop.path("app/rootfs/etc/hosts"), "127.0.0.1 localhorst").unwrap();
    workshop.build("changed.eif", &[]);
    let (code, same) = workshop.run(&["diff", "a.eif", "renamed.eif"]);
    assert_eq!((code, same["meaning"].as_str().unwrap()), (0, "unmeasured"));
    let (code, other) = workshop.run(&["diff", "a.eif", "changed.eif"]);
    assert_eq!((code, other["meaning"].as_str().unwrap()), (1, "measured"));
    let change = &other["changes"][0];
    assert_eq!((change["section"].as_str(), change["kind"].as_str()), (Some("ramdisk 1"), Some("content")));
    assert_eq!(change["file"], "rootfs/etc/hosts");
}

#[test]
fn a_signed_image_has_a_register_for_its_signer() {
    let workshop = Workshop::new();
    let signers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../measure/tests/signer");
    let file = |what: &str| signers.join(format!("secp384r1.{what}.pem")).display().to_string();
    let (certificate, key) = (file("certificate"), file("key"));
    let built = workshop.build("a.eif", &["--signing-certificate", &certificate, "--signing-key", &key]);
    let (_, described) = workshop.run(&["describe", "a.eif"]);
    assert_eq!(described["pcrs"]["8"], built["pcrs"]["8"]);
    assert_eq!(described["signature"]["valid"], true);
}

#[test]
fn damaged_images_and_bad_inputs_are_refused_by_code() {
    let workshop = Workshop::new();
    workshop.build("a.eif", &[]);
    let mut image = fs::read(workshop.path("a.eif")).unwrap();
    *image.last_mut().unwrap() ^= 1;
    fs::write(workshop.path("damaged.eif"), image).unwrap();
    let (code, error) = workshop.run(&["describe", "damaged.eif"]);
    assert_eq!((code, error["error"]["code"].as_str().unwrap()), (1, "DAAS-1607"), "{error}");
    let nothing = ["build", "--kernel", "kernel", "--cmdline", "x", "--boot", "boot", "--out"];
    let (code, error) = workshop.run(&[&nothing, &["b.eif", "--name", ""][..]].concat());
    assert_eq!((code, error["error"]["code"].as_str().unwrap()), (1, "DAAS-1608"), "{error}");
    assert!(!workshop.path("b.eif").exists());
    let (code, _) = workshop.run(&nothing[..7]);
    assert_eq!(code, 2, "no place to write to");
}
