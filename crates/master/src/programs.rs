//! The files of the enclave's programs.

use std::path::{Path, PathBuf};

/// The folder in which the enclave's programs lie, by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs(PathBuf);

impl Programs {
    /// Programs in this folder.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// The multi-call binary of Kubernetes.
    pub fn kube(&self) -> PathBuf {
        self.0.join("kube")
    }

    /// `daas-authenticator`.
    pub fn authenticator(&self) -> PathBuf {
        self.0.join("daas-authenticator")
    }

    /// `daas-launch`.
    pub fn launch(&self) -> PathBuf {
        self.0.join("daas-launch")
    }

    /// What a sandbox measures, in place of an image: name and file of each program.
    pub fn measured(&self) -> [(&'static str, PathBuf); 4] {
        ["daas-authenticator", "daas-launch", "daas-master", "kube"].map(|name| (name, self.0.join(name)))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }
}
