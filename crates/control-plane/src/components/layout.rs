use std::path::{Path, PathBuf};

use super::AbsolutePath;
use crate::pki::{PkiFolder, files::make_private};
use crate::supervise::ComponentName;
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

    /// Makes the folders, open to their owner only.
    pub fn make_folders(&self) -> Result<()> {
        ["", "config", "run", "etcd", "audit"].iter().try_for_each(|name| make_private(&self.path(name)))
    }

    pub(super) fn etcd_data(&self) -> PathBuf {
        self.path("etcd/data")
    }

    pub(super) fn audit_log(&self) -> PathBuf {
        self.path("audit/audit.log")
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
