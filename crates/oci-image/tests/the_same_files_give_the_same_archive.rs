//! The same files give the same archive, and the archive is an OCI image layout whose digests hold.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use daas_oci_image::{Definition, Error, Layer, archive};
use sha2::{Digest as _, Sha256};

const DEFINITION: &str = r#"
    names = ["docker.io/library/test:1", "registry.example.org/deep/path/test:latest"]
    entrypoint = ["/bin/program"]
    command = ["--help"]
    user = "65532:65532"
    environment = { PATH = "/bin", A = "b" }
    modes = { tmp = 0o1777 }
"#;

fn definition() -> Definition {
    Definition::parse(DEFINITION).unwrap()
}

fn fill(root: &Path, order: &[&str]) {
    for name in order {
        match *name {
            "program" => {
                fs::create_dir_all(root.join("bin")).unwrap();
                fs::write(root.join("bin/program"), b"\x7fELF").unwrap();
                fs::set_permissions(root.join("bin/program"), fs::Permissions::from_mode(0o755)).unwrap();
            }
            "link" => {
                fs::create_dir_all(root.join("bin")).unwrap();
                symlink("program", root.join("bin/link")).unwrap();
            }
            "tmp" => fs::create_dir(root.join("tmp")).unwrap(),
            _ => fs::write(root.join(name), name).unwrap(),
        }
    }
}

fn build(root: &Path) -> Vec<u8> {
    let definition = definition();
    let layer = Layer::from_folder(root, &definition.modes).unwrap();
    archive(&definition, layer).unwrap()
}

/// The files of an archive, by path.
fn unpack(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.path().unwrap().to_str().unwrap().to_owned(), content)
    });
    entries.collect()
}

fn blob(files: &BTreeMap<String, Vec<u8>>, descriptor: &serde_json::Value) -> Vec<u8> {
    let digest = descriptor["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    let bytes = &files[&format!("blobs/sha256/{digest}")];
    assert_eq!(hex::encode(Sha256::digest(bytes)), digest);
    assert_eq!(descriptor["size"], bytes.len());
    bytes.clone()
}

#[test]
fn neither_order_nor_times_nor_modes_of_the_umask_change_a_byte() {
    let first = tempfile::tempdir().unwrap();
    fill(first.path(), &["program", "link", "tmp", "a", "b"]);
    let second = tempfile::tempdir().unwrap();
    fill(second.path(), &["b", "a", "tmp", "link", "program"]);
    for (path, mode) in [("a", 0o600), ("b", 0o666), ("bin", 0o700), ("bin/program", 0o700)] {
        fs::set_permissions(second.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::File::open(second.path().join("a"))
        .unwrap()
        .set_modified(SystemTime::UNIX_EPOCH + Duration::from_hours(24))
        .unwrap();

    assert_eq!(build(first.path()), build(second.path()));
}

#[test]
fn another_byte_name_or_execute_bit_is_another_image() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["program", "tmp", "a"]);
    let original = build(root.path());

    fs::write(root.path().join("a"), "A").unwrap();
    let byte = build(root.path());
    fs::rename(root.path().join("a"), root.path().join("b")).unwrap();
    let name = build(root.path());
    fs::set_permissions(root.path().join("b"), fs::Permissions::from_mode(0o755)).unwrap();
    let mode = build(root.path());

    assert!(original != byte && byte != name && name != mode);
}

#[test]
fn every_name_leads_to_a_manifest_whose_digests_hold() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["program", "link", "tmp", "a"]);
    let files = unpack(&build(root.path()));

    assert_eq!(files["oci-layout"], br#"{"imageLayoutVersion":"1.0.0"}"#);
    let index: serde_json::Value = serde_json::from_slice(&files["index.json"]).unwrap();
    let names: Vec<_> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["annotations"]["io.containerd.image.name"])
        .collect();
    assert_eq!(names, ["docker.io/library/test:1", "registry.example.org/deep/path/test:latest"]);

    for descriptor in index["manifests"].as_array().unwrap() {
        let manifest: serde_json::Value = serde_json::from_slice(&blob(&files, descriptor)).unwrap();
        let config: serde_json::Value = serde_json::from_slice(&blob(&files, &manifest["config"])).unwrap();
        assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/bin/program"]));
        assert_eq!(config["config"]["Cmd"], serde_json::json!(["--help"]));
        assert_eq!(config["config"]["Env"], serde_json::json!(["A=b", "PATH=/bin"]));
        assert_eq!(config["config"]["User"], "65532:65532");
        // The layer is not compressed: its digest is that of the difference.
        assert_eq!(config["rootfs"]["diff_ids"][0], manifest["layers"][0]["digest"]);
        let layer = blob(&files, &manifest["layers"][0]);
        assert_eq!(unpack(&layer).keys().collect::<Vec<_>>(), ["a", "bin/", "bin/link", "bin/program", "tmp/"]);
    }
}

#[test]
fn files_belong_to_root_and_have_usual_modes() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["program", "link", "tmp", "a"]);
    let files = unpack(&build(root.path()));
    let layer =
        files.iter().filter(|(path, _)| path.starts_with("blobs/")).max_by_key(|(_, bytes)| bytes.len()).unwrap().1;
    let mut seen = BTreeMap::new();
    for entry in tar::Archive::new(layer.as_slice()).entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()), (0, 0, 0));
        seen.insert(entry.path().unwrap().to_str().unwrap().to_owned(), header.mode().unwrap());
        if let Some(target) = entry.link_name().unwrap() {
            assert_eq!(target, Path::new("program"));
        }
    }
    let expected = [("a", 0o644), ("bin/", 0o755), ("bin/link", 0o777), ("bin/program", 0o755), ("tmp/", 0o1777)];
    assert_eq!(seen, expected.into_iter().map(|(path, mode)| (path.to_owned(), mode)).collect());
}

#[test]
fn what_is_no_file_and_a_mode_of_nothing_are_refused() {
    let root = tempfile::tempdir().unwrap();
    fill(root.path(), &["program"]);
    assert!(
        matches!(Layer::from_folder(root.path(), &definition().modes), Err(Error::ModeOfNothing(path)) if path == "tmp")
    );

    let _socket = std::os::unix::net::UnixListener::bind(root.path().join("socket")).unwrap();
    assert!(
        matches!(Layer::from_folder(root.path(), &BTreeMap::new()), Err(Error::Kind(path)) if path.ends_with("socket"))
    );
    assert!(matches!(Layer::from_folder(&root.path().join("nowhere"), &BTreeMap::new()), Err(Error::Read { .. })));
}
