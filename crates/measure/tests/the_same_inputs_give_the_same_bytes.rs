//! Folder, times, umask, hard links and the order of files leave no trace in a ramdisk.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use daas_measure::cpio::{Device, Node, Tree};
use daas_measure::eif::Contents;
use daas_measure::{Error, MeasuredKind, Packing, Provenance, measurement_file, pack, read_folder};
use support::{application, boot, file};

struct Look<'a> {
    names: &'a [&'a str],
    plain: u32,
    runnable: u32,
    folder: u32,
    modified: u64,
}

fn fill(root: &Path, look: &Look<'_>) {
    for name in look.names {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if *name == "lib" {
            symlink("usr/lib", &path).unwrap();
            continue;
        }
        fs::write(&path, format!("content of {name}")).unwrap();
        let mode = if name.starts_with("bin/") { look.runnable } else { look.plain };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(look.modified);
        fs::File::open(&path).unwrap().set_modified(modified).unwrap();
    }
    fs::create_dir_all(root.join("empty")).unwrap();
    for folder in ["bin", "empty"] {
        fs::set_permissions(root.join(folder), fs::Permissions::from_mode(look.folder)).unwrap();
    }
}

#[test]
fn folders_with_the_same_files_give_the_same_ramdisk() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir_in(std::env::temp_dir()).unwrap());
    let names = ["bin/a", "bin/b", "etc/x.conf", "lib", "z"];
    let backwards: Vec<_> = names.iter().rev().copied().collect();
    fill(one.path(), &Look { names: &names, plain: 0o644, runnable: 0o755, folder: 0o755, modified: 1 });
    let deeper = two.path().join("some/where/else");
    fs::create_dir_all(&deeper).unwrap();
    fill(&deeper, &Look { names: &backwards, plain: 0o600, runnable: 0o700, folder: 0o700, modified: 1_700_000_000 });
    let (first, second) = (read_folder(one.path()).unwrap(), read_folder(&deeper).unwrap());
    assert_eq!(first, second);
    for packing in [Packing::Plain, Packing::Gzip] {
        assert_eq!(pack(&first, packing).unwrap(), pack(&second, packing).unwrap());
    }
    fs::set_permissions(deeper.join("z"), fs::Permissions::from_mode(0o700)).unwrap();
    assert_ne!(read_folder(&deeper).unwrap().to_archive(), first.to_archive(), "what can be run is kept");
}

#[test]
fn the_order_of_insertion_leaves_no_trace() {
    let files = [("b/c", "1"), ("a", "2"), ("b-", "3"), ("b/a/x", "4")];
    let tree = |order: &[usize]| {
        let mut tree = Tree::default();
        for (path, content) in order.iter().map(|index| files[*index]) {
            tree.insert(path, file(content.as_bytes(), false)).unwrap();
        }
        tree.to_archive()
    };
    assert_eq!(tree(&[0, 1, 2, 3]), tree(&[3, 2, 1, 0]));
    assert_eq!(tree(&[0, 1, 2, 3]), tree(&[2, 0, 3, 1]));
}

#[test]
fn hard_links_become_files_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), "same").unwrap();
    fs::hard_link(folder.path().join("a"), folder.path().join("b")).unwrap();
    let linked = read_folder(folder.path()).unwrap();
    fs::remove_file(folder.path().join("b")).unwrap();
    fs::write(folder.path().join("b"), "same").unwrap();
    assert_eq!(linked, read_folder(folder.path()).unwrap());
}

#[test]
fn sockets_of_the_building_machine_are_refused_and_devices_are_declared() {
    let folder = tempfile::tempdir().unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("s")).unwrap();
    assert!(matches!(read_folder(folder.path()), Err(Error::SpecialFile { kind: "socket", .. })));
    let mut tree = Tree::default();
    let console = Device { block: false, major: 5, minor: 1, permissions: 0o600 };
    tree.insert("dev/console", Node::Device(console)).unwrap();
    assert_eq!(tree.nodes().count(), 2);
}

#[test]
fn paths_that_could_mean_two_things_are_refused() {
    for path in ["", "/a", "a/", "a//b", "./a", "a/../b", "..", "a\0b", "TRAILER!!!", &"x/".repeat(2100)] {
        let inserted = Tree::default().insert(path, file(b"", false));
        assert!(matches!(inserted, Err(Error::Path { .. })), "{path:?}");
    }
    let mut tree = boot();
    assert!(matches!(tree.insert("init", file(b"", false)), Err(Error::Path { .. })), "twice");
    assert!(matches!(tree.insert("init/x", file(b"", false)), Err(Error::Path { .. })), "below a file");
}

#[test]
fn two_builds_are_one_image() {
    let (first, second) = (boot().to_archive(), application().to_archive());
    let build = || Contents::new(b"kernel", "quiet", vec![&first, &second]).build().unwrap().to_bytes();
    assert_eq!(build(), build());
}

#[test]
fn the_measurement_file_is_what_the_schema_asks_for() {
    let ramdisk = boot().to_archive();
    let image = Contents::new(b"kernel", "quiet", vec![&ramdisk]).build().unwrap();
    let provenance =
        Provenance { source_revision: "0123abc".into(), provider: "offline".into(), provider_lock_sha256: [0xab; 32] };
    let text = measurement_file(MeasuredKind::Eif, image.registers(), &[1; 32], &provenance).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../attestation/measurements.schema.json");
    let schema: serde_json::Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let object = value.as_object().unwrap();
    for required in schema["required"].as_array().unwrap() {
        assert!(object.contains_key(required.as_str().unwrap()), "{required}");
    }
    assert!(object.keys().all(|key| schema["properties"].get(key).is_some()));
    assert_eq!(value["kind"], "eif");
    assert_eq!(value["pcrs"]["0"], image.registers().pcr0.to_string());
    assert_eq!(value["pcrs"].as_object().unwrap().len(), 3);
    assert_eq!(value["artifact_sha256"], "01".repeat(32));
    let empty = Provenance { provider: String::new(), ..provenance };
    assert!(measurement_file(MeasuredKind::Eif, image.registers(), &[1; 32], &empty).is_err());
}
