//! Images that come with the node: OCI archives that are loaded before the kubelet starts, those that are missing only.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::config::Layout;
use crate::{NodeError, Programs, Result, command};

/// containerd's namespace of the kubelet's images and containers.
const NAMESPACE: &str = "k8s.io";
/// An image with this label is not removed by the kubelet when disk runs short (containerd `internal/cri/labels`).
const PINNED: &str = "io.cri-containerd.pinned=pinned";
/// Loading an archive of a gigabyte from a slow disk.
const LONGEST_IMPORT: Duration = Duration::from_mins(2);
const LONGEST_LIST: Duration = Duration::from_secs(20);
const LONGEST_INDEX: u64 = 4 << 20;

/// An image as an archive holds it, and as containerd lists it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Image {
    name: String,
    digest: String,
}

/// What is to be loaded.
#[derive(Debug, Clone)]
pub(crate) struct Images {
    folder: PathBuf,
    ctr: PathBuf,
    socket: PathBuf,
}

impl Images {
    pub(crate) fn of(folder: &Path, programs: &Programs, layout: &Layout) -> Self {
        Self { folder: folder.into(), ctr: programs.ctr.clone(), socket: layout.containerd_socket() }
    }

    /// Loads the archives whose images containerd does not have, and tells of each before it does. An archive that cannot be loaded is
    /// logged and left out: a pod that needs it will say so. An error means that containerd does not answer.
    pub(crate) async fn load(&self, mut telling: impl FnMut(String)) -> Result<()> {
        let present = listed(&self.ctr(&["images", "list"], LONGEST_LIST).await?);
        let archives = archives(&self.folder).unwrap_or_else(|error| {
            tracing::warn!(%error, "no images are loaded");
            Vec::new()
        });
        for archive in archives {
            let read = tokio::task::spawn_blocking({
                let archive = archive.clone();
                move || inside(&archive)
            });
            let images = match read.await {
                Ok(Ok(images)) => images,
                Ok(Err(error)) => {
                    tracing::warn!(archive = %archive.display(), %error, "an image archive cannot be read");
                    continue;
                }
                Err(_) => continue,
            };
            if images.is_subset(&present) {
                continue;
            }
            telling(format!("loading {}", archive.display()));
            let path = archive.to_string_lossy();
            let arguments = ["images", "import", "--label", PINNED, path.as_ref()];
            match self.ctr(&arguments, LONGEST_IMPORT).await {
                Ok(_) => tracing::info!(archive = %archive.display(), "images loaded"),
                Err(error) => tracing::warn!(archive = %archive.display(), %error, "images could not be loaded"),
            }
        }
        Ok(())
    }

    async fn ctr(&self, arguments: &[&str], limit: Duration) -> Result<String> {
        let socket = self.socket.to_string_lossy();
        let mut all = vec!["--address", socket.as_ref(), "--namespace", NAMESPACE];
        all.extend(arguments);
        command::run("asking containerd for images", &self.ctr, &all, "", limit).await
    }
}

/// The archives of a folder, by name.
fn archives(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(NodeError::file("reading the folder of images", folder))?;
    let mut archives: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    archives.retain(|path| path.extension().is_some_and(|extension| extension == "tar") && path.is_file());
    archives.sort();
    Ok(archives)
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Manifest>,
}

#[derive(Deserialize)]
struct Manifest {
    digest: String,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

/// The images in an archive, from its index (OCI image layout; the full name is containerd's annotation).
fn inside(archive: &Path) -> Result<BTreeSet<Image>> {
    let fault = |cause| NodeError::File { doing: "reading the image archive", path: archive.into(), cause };
    let invalid = |text: &str| fault(std::io::Error::new(std::io::ErrorKind::InvalidData, text.to_owned()));
    let mut tar = tar::Archive::new(File::open(archive).map_err(fault)?);
    for entry in tar.entries_with_seek().map_err(fault)? {
        let entry = entry.map_err(fault)?;
        if entry.path().map_err(fault)?.as_os_str() != "index.json" {
            continue;
        }
        let mut text = Vec::new();
        entry.take(LONGEST_INDEX).read_to_end(&mut text).map_err(fault)?;
        let index: Index = serde_json::from_slice(&text).map_err(|cause| invalid(&cause.to_string()))?;
        let named = index.manifests.into_iter().filter_map(|mut manifest| {
            let name = manifest.annotations.remove("io.containerd.image.name")?;
            Some(Image { name, digest: manifest.digest })
        });
        let images: BTreeSet<_> = named.collect();
        return if images.is_empty() { Err(invalid("its index names no image")) } else { Ok(images) };
    }
    Err(invalid("it has no index.json"))
}

/// `ctr images list`: a line of headings, then `REF TYPE DIGEST …`.
fn listed(text: &str) -> BTreeSet<Image> {
    let image = |line: &str| {
        let mut columns = line.split_whitespace();
        Some(Image { name: columns.next()?.into(), digest: columns.nth(1)?.into() })
    };
    text.lines().skip(1).filter_map(image).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(folder: &Path, files: &[(&str, &str)]) -> PathBuf {
        let path = folder.join("a.tar");
        let mut tar = tar::Builder::new(File::create(&path).unwrap());
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        tar.finish().unwrap();
        path
    }

    #[test]
    fn an_archive_says_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let index = r#"{"manifests":[{"digest":"sha256:1","annotations":{"io.containerd.image.name":"r/a:1"}},{"digest":"sha256:2"}]}"#;
        let path = archive(folder.path(), &[("blobs/x", "y"), ("index.json", index)]);
        let image = Image { name: "r/a:1".into(), digest: "sha256:1".into() };
        assert_eq!(inside(&path).unwrap(), BTreeSet::from([image]));
    }

    #[test]
    fn what_is_no_archive_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for files in [&[][..], &[("x", "y")], &[("index.json", "{")], &[("index.json", r#"{"manifests":[]}"#)]] {
            assert!(inside(&archive(folder.path(), files)).is_err(), "{files:?}");
        }
        std::fs::write(folder.path().join("b.tar"), "no archive").unwrap();
        assert!(inside(&folder.path().join("b.tar")).is_err());
        assert!(inside(&folder.path().join("missing.tar")).is_err());
        assert!(archives(&folder.path().join("missing")).is_err());
        assert_eq!(archives(folder.path()).unwrap().len(), 2);
    }

    #[test]
    fn an_image_of_the_same_name_and_another_digest_is_missing() {
        let text = "REF TYPE DIGEST SIZE PLATFORMS LABELS \nr/a:1 application/x sha256:1 2.0 MiB linux/amd64 -\n";
        let present = listed(text);
        assert!(present.contains(&Image { name: "r/a:1".into(), digest: "sha256:1".into() }));
        assert!(!present.contains(&Image { name: "r/a:1".into(), digest: "sha256:2".into() }));
        assert_eq!(present.len(), 1);
        assert!(listed("").is_empty());
    }

    /// A `ctr` that has `r/a:1` and writes down what it is told to import.
    fn images(folder: &Path, ctr: &str) -> Images {
        let (text, path) = (folder.join("ctr.sh"), folder.join("ctr"));
        std::fs::write(&text, format!("#!/bin/sh\n{ctr}\n")).unwrap();
        // By another process: a file that one of this process' children still has open for writing is not run.
        let installed = std::process::Command::new("install").args(["-m", "755"]).args([&text, &path]).status();
        assert!(installed.unwrap().success());
        Images { folder: folder.join("images"), ctr: path, socket: "/s".into() }
    }

    #[tokio::test]
    async fn what_is_missing_is_loaded_and_what_is_broken_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let told = folder.path().join("told");
        let script = format!(
            "case \"$*\" in *list) printf 'REF TYPE DIGEST\\nr/a:1 t sha256:1\\n';; *) echo \"$*\" >> {}; case \"$*\" in *refused*) exit 1;; esac;; esac",
            told.display()
        );
        let images = images(folder.path(), &script);
        // A folder that is not there stops nobody.
        images.load(|_| ()).await.unwrap();
        std::fs::create_dir(&images.folder).unwrap();
        let put = |name: &str, image: &str, digest: &str| {
            let index = format!(
                r#"{{"manifests":[{{"digest":"{digest}","annotations":{{"io.containerd.image.name":"{image}"}}}}]}}"#
            );
            std::fs::rename(archive(folder.path(), &[("index.json", &index)]), images.folder.join(name)).unwrap();
        };
        put("there.tar", "r/a:1", "sha256:1");
        put("new.tar", "r/a:1", "sha256:2");
        put("refused.tar", "r/b:1", "sha256:3");
        put("with space.tar", "r/c:1", "sha256:4");
        std::fs::write(images.folder.join("broken.tar"), "no archive").unwrap();
        let mut said = Vec::new();
        images.load(|what| said.push(what)).await.unwrap();
        assert_eq!(said.len(), 3, "{said:?}");
        let lines = std::fs::read_to_string(told).unwrap();
        let names: Vec<_> = lines.lines().map(|line| line.rsplit('/').next().unwrap()).collect();
        assert_eq!(names, ["new.tar", "refused.tar", "with space.tar"]);
        assert!(
            lines
                .starts_with("--address /s --namespace k8s.io images import --label io.cri-containerd.pinned=pinned /")
        );
    }

    #[tokio::test]
    async fn a_containerd_that_does_not_answer_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let said = images(folder.path(), "echo gone >&2; exit 1").load(|_| ()).await.unwrap_err().to_string();
        assert!(said.contains("gone"), "{said}");
    }
}
