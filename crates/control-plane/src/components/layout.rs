use std::path::{Path, PathBuf};

use super::AbsolutePath;
use crate::components::ComponentName;
use crate::pki::{PkiFolder, files::make_private};
use crate::{ControlPlaneError, Result};

/// `sun_path` of `sockaddr_un` holds 108 bytes with its end.
const LONGEST_SOCKET_PATH: usize = 107;

/// Where the files of one control plane lie.
#[derive(Debug, Clone)]
pub struct Layout {
    root: AbsolutePath,
}

impl Layout {
    /// A control plane below `root`; nothing is made yet.
    pub fn at(root: &Path) -> Result<Self> {
        let layout = Self { root: root.try_into()? };
        if layout.control_plane_egress().as_os_str().len() > LONGEST_SOCKET_PATH {
            let given = root.display().to_string();
            return Err(ControlPlaneError::Setting {
                what: "a folder of the control plane",
                given,
                rule: "at most 70 characters",
            });
        }
        Ok(layout)
    }

    /// Keys and certificates.
    pub fn pki(&self) -> PkiFolder {
        PkiFolder::at(self.path("pki"))
    }

    /// The socket of the gateway to nodes, pods and services, which the authenticator serves.
    pub fn cluster_egress(&self) -> PathBuf {
        self.path("run/cluster-egress.sock")
    }

    /// The socket through which kube-apiserver reaches its webhooks and nothing else ([`crate::egress`]).
    pub fn control_plane_egress(&self) -> PathBuf {
        self.path("run/control-plane-egress.sock")
    }

    /// Makes the folders of a new cluster, open to their owner only. A store that an earlier cluster left there is removed: its
    /// authorities and its key are gone with the process that held them.
    pub fn make_folders(&self) -> Result<()> {
        for stale in [self.etcd_data(), self.path("audit")] {
            match std::fs::remove_dir_all(&stale) {
                Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                    return Err(ControlPlaneError::File {
                        doing: "removing the earlier cluster's",
                        path: stale,
                        cause,
                    });
                }
                _ => {}
            }
        }
        ["", "config", "config/admission.d", "run", "etcd", "audit"]
            .iter()
            .try_for_each(|name| make_private(&self.path(name)))
    }

    pub(super) fn etcd_data(&self) -> PathBuf {
        self.path("etcd/data")
    }

    pub(super) fn audit_log(&self) -> PathBuf {
        self.path("audit/audit.log")
    }

    /// Admission webhooks that are in force from the start, and that no request can change.
    pub(super) fn admission_manifests(&self) -> PathBuf {
        self.path("config/admission.d")
    }

    pub(super) fn config(&self, name: &'static str) -> PathBuf {
        self.path("config").join(name)
    }

    pub(super) fn kubeconfig(&self, component: ComponentName) -> PathBuf {
        self.path("config").join(format!("{component}.kubeconfig"))
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.as_path().join(below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_cluster_does_not_find_the_store_of_an_earlier_one() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path()).unwrap();
        layout.make_folders().unwrap();
        std::fs::create_dir(layout.etcd_data()).unwrap();
        std::fs::write(layout.etcd_data().join("member"), "old").unwrap();
        std::fs::write(folder.path().join("other"), "not ours").unwrap();
        layout.make_folders().unwrap();
        assert!(!layout.etcd_data().exists());
        assert!(folder.path().join("other").exists());
    }
}
