//! The programs: those beside `daas`, those of Kubernetes, and the ones that the sandbox measures.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::UNIX_EPOCH;

use daas_diagnostics::{Diagnostic, codes};
use daas_measure::{MeasuredKind, Provenance, artifact_sha256, measure_sandbox, measurement_file};
use serde::{Deserialize, Serialize};

use crate::places::{Places, file_failed, private_folder, read_if_there, write_private};

/// A program of this project: beside this one, or on the path.
pub fn find(name: &str, english: &str, korean: &str) -> Result<PathBuf, Diagnostic> {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(name)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    beside
        .into_iter()
        .chain(std::env::split_paths(&path).map(|folder| folder.join(name)))
        .find(|file| file.is_file())
        .ok_or_else(|| {
            Diagnostic::new(codes::TOOL_MISSING)
                .with("tool", name)
                .with_words("purpose", english, korean)
                .technical(format!("{name} is looked up beside daas and on PATH; make up builds it"))
        })
}

/// Those of the folders that a sandbox does not see unless they are bound in: /tmp and /run are its own.
pub(super) fn hidden<'a>(folders: impl IntoIterator<Item = &'a Path>) -> impl Iterator<Item = &'a Path> {
    folders.into_iter().filter(|folder| ["/tmp", "/run"].iter().any(|own| folder.starts_with(own)))
}

/// Removes the control groups that killed sandboxes left; that there are none is no error.
pub async fn sweep() {
    let Ok(sandbox) = find("daas-sandbox", "the sandboxes", "샌드박스") else { return };
    let mut command = tokio::process::Command::new(sandbox);
    command.arg("sweep").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let _ = command.status().await;
}

/// What a cluster runs, as `scripts/kubernetes-folder` lays it out.
#[derive(Debug, Clone)]
pub struct Kubernetes(PathBuf);

impl Kubernetes {
    /// A folder that holds everything.
    pub fn open(folder: &Path) -> Result<Self, Diagnostic> {
        let found = Self(std::path::absolute(folder).map_err(|error| file_failed("find the folder", folder, &error))?);
        let programs =
            ["kube", "containerd", "containerd-shim-runc-v2", "runc"].map(|name| found.programs().join(name));
        match programs.into_iter().chain([found.cni(), found.images()]).find(|path| !path.exists()) {
            Some(missing) => Err(Diagnostic::new(codes::KUBERNETES_MISSING).with("path", missing.display())),
            None => Ok(found),
        }
    }

    /// `kube`, containerd and its shim, runc.
    pub fn programs(&self) -> PathBuf {
        self.0.join("bin")
    }

    /// The multi-call binary; called as `kubectl` it is kubectl.
    pub fn kube(&self) -> PathBuf {
        self.programs().join("kube")
    }

    /// The CNI plug-ins.
    pub fn cni(&self) -> PathBuf {
        self.0.join("cni")
    }

    /// The OCI archives.
    pub fn images(&self) -> PathBuf {
        self.0.join("images")
    }

    /// The folders that these links lead to, and the folder of the links.
    pub fn real_folders(&self) -> Vec<PathBuf> {
        let within = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let files = within(self.programs()).chain([self.cni(), self.images()]);
        let real = files.filter_map(|file| fs::canonicalize(file).ok());
        let mut folders: Vec<_> = real
            .filter_map(|path| if path.is_dir() { Some(path) } else { path.parent().map(Path::to_owned) })
            .collect();
        folders.push(self.0.clone());
        folders.sort();
        folders.dedup();
        folders
    }
}

/// What a sandbox measures: copies, so that a build changes nothing that runs.
#[derive(Debug)]
pub struct Measured {
    /// The folder with the four programs.
    pub programs: PathBuf,
    /// Their measurement file.
    pub measurements: PathBuf,
}

/// Where a copy came from: enough to see that it is still the same file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Origin {
    path: PathBuf,
    length: u64,
    modified_ns: u128,
}

impl Measured {
    /// Whether the copies are those of these programs.
    pub fn is_current(places: &Places, kubernetes: &Kubernetes) -> Result<bool, Diagnostic> {
        let measured = Self::at(places);
        let kept = read_if_there(&origins_file(&measured.programs))?;
        let kept: Option<BTreeMap<String, Origin>> = kept.and_then(|text| serde_json::from_str(&text).ok());
        Ok(kept.is_some_and(|kept| origins(kubernetes).is_ok_and(|now| now == kept)) && measured.measurements.exists())
    }

    /// Copies and measures the programs anew. Nothing may run from the old ones.
    pub fn take(places: &Places, kubernetes: &Kubernetes) -> Result<Self, Diagnostic> {
        let measured = Self::at(places);
        let origins = origins(kubernetes)?;
        let draft = measured.programs.with_extension("new");
        for folder in [&draft, &measured.programs] {
            if folder.exists() {
                fs::remove_dir_all(folder).map_err(|error| file_failed("remove", folder, &error))?;
            }
        }
        private_folder(&draft)?;
        let mut binaries = BTreeMap::new();
        for (name, origin) in &origins {
            let copy = draft.join(name);
            let bytes = fs::read(&origin.path).map_err(|error| file_failed("read", &origin.path, &error))?;
            fs::write(&copy, &bytes).map_err(|error| file_failed("write", &copy, &error))?;
            fs::set_permissions(&copy, fs::Permissions::from_mode(0o755))
                .map_err(|error| file_failed("write", &copy, &error))?;
            binaries.insert(name.clone(), bytes);
        }
        let sha256 = artifact_sha256(binaries.values().map(Vec::as_slice));
        let provenance = Provenance {
            source_revision: "development".to_owned(),
            provider: "daas up".to_owned(),
            provider_lock_sha256: [0; 32],
        };
        let internal = |error: &dyn std::error::Error| Diagnostic::new(codes::INTERNAL).technical(error);
        let text = measurement_file(MeasuredKind::Sandbox, &measure_sandbox(&binaries), &sha256, &provenance)
            .map_err(|error| internal(&error))?;
        let json = serde_json::to_vec(&origins).map_err(|error| internal(&error))?;
        write_private(&draft.join("measurements.json"), text.as_bytes())?;
        write_private(&origins_file(&draft), &json)?;
        fs::rename(&draft, &measured.programs).map_err(|error| file_failed("rename", &draft, &error))?;
        Ok(measured)
    }

    /// Where they are.
    pub fn at(places: &Places) -> Self {
        let programs = places.programs();
        Self { measurements: programs.join("measurements.json"), programs }
    }
}

fn origins_file(programs: &Path) -> PathBuf {
    programs.join("origins.json")
}

fn origins(kubernetes: &Kubernetes) -> Result<BTreeMap<String, Origin>, Diagnostic> {
    let purpose = ("the enclave", "엔클레이브");
    let own = ["daas-authenticator", "daas-launch", "daas-master"];
    let files = own.map(|name| Ok((name.to_owned(), find(name, purpose.0, purpose.1)?)));
    files
        .into_iter()
        .chain([Ok(("kube".to_owned(), kubernetes.kube()))])
        .map(|file| {
            let (name, path) = file?;
            let failed = |error| file_failed("read", &path, &error);
            let path = fs::canonicalize(&path).map_err(failed)?;
            let status = fs::metadata(&path).map_err(failed)?;
            let modified = status.modified().map_err(failed)?;
            let modified_ns = modified.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
            Ok((name, Origin { length: status.len(), modified_ns, path }))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_all_of_kubernetes_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let missing = |expected: &str| {
            let error = Kubernetes::open(folder.path()).unwrap_err();
            assert_eq!((error.code(), error.unfilled()), (codes::KUBERNETES_MISSING, vec![]));
            assert!(format!("{error:?}").contains(expected), "{error:?}");
        };
        missing("bin/kube");
        fs::create_dir_all(folder.path().join("bin")).unwrap();
        for name in ["kube", "containerd", "containerd-shim-runc-v2"] {
            fs::write(folder.path().join("bin").join(name), "").unwrap();
        }
        missing("bin/runc");
        fs::write(folder.path().join("bin/runc"), "").unwrap();
        fs::create_dir(folder.path().join("cni")).unwrap();
        missing("images");
        fs::create_dir(folder.path().join("images")).unwrap();
        assert_eq!(Kubernetes::open(folder.path()).unwrap().real_folders().len(), 4);
    }
}
