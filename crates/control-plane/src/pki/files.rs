use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{AuthorityName, Keeper, Leaf, LeafName, Pki, Place, ServiceAccountKeys};
use crate::{ControlPlaneError, Result};

/// The folder that programs read keys and certificates from: memory-backed where the system has it, 0700, files 0600.
#[derive(Debug, Clone)]
pub struct PkiFolder {
    root: PathBuf,
}

/// Where one program finds its certificate. Certificate and key share one file, so that one rename replaces both and no
/// reader ever sees the halves of two pairs (the kubelet keeps its rotated pair in one file for the same reason).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles(PathBuf);

impl CertificateFiles {
    /// The file with both.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl PkiFolder {
    /// A folder at `root`; nothing is made yet.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder of one program: with the authenticator's, its configuration names all that it reads.
    pub fn of(&self, keeper: Keeper) -> PathBuf {
        self.root.join(keeper.folder())
    }

    /// Where the certificate of `name` is, or would be.
    pub fn certificate(&self, name: LeafName) -> CertificateFiles {
        let keeper = match name.place() {
            Place::Files(keeper) => keeper.folder(),
            Place::Memory => "nowhere",
        };
        CertificateFiles(self.root.join(keeper).join(format!("{}.pem", name.as_str())))
    }

    /// Where `keeper` finds the certificate of an authority.
    pub fn trust(&self, keeper: Keeper, authority: AuthorityName) -> PathBuf {
        self.root.join(keeper.folder()).join(format!("{}.crt", authority.as_str()))
    }

    /// Where `keeper` finds the key of an authority that it signs with.
    pub fn authority_key(&self, keeper: Keeper, authority: AuthorityName) -> PathBuf {
        self.root.join(keeper.folder()).join(format!("{}.key", authority.as_str()))
    }

    /// The key that signs service-account tokens.
    pub fn service_account_key(&self) -> PathBuf {
        self.root.join(Keeper::ApiServer.folder()).join("service-account.key")
    }

    /// The keys that verify them.
    pub fn service_account_public(&self) -> PathBuf {
        self.root.join(Keeper::ApiServer.folder()).join("service-account.pub")
    }

    /// Writes everything that programs read. The keys of the server, front-proxy, etcd and loopback authorities stay in memory.
    pub fn write(&self, pki: &Pki) -> Result<()> {
        make_private(&self.root)?;
        for keeper in Keeper::ALL {
            make_private(&self.root.join(keeper.folder()))?;
            for authority in trusted_by(keeper) {
                write_private(&self.trust(keeper, *authority), pki.authority(*authority).pem().as_bytes())?;
            }
        }
        for authority in [AuthorityName::Client, AuthorityName::KubeletServing] {
            let path = self.authority_key(Keeper::Authenticator, authority);
            write_private(&path, pki.authority(authority).key().to_pem().as_bytes())?;
        }
        self.write_service_account(pki.service_account())?;
        LeafName::ALL.into_iter().try_for_each(|name| self.write_leaf(name, pki.leaf(name)))
    }

    /// Writes one certificate anew, if programs read it from a file.
    pub fn write_leaf(&self, name: LeafName, leaf: &Leaf) -> Result<()> {
        if name.place() == Place::Memory {
            return Ok(());
        }
        let both = Zeroizing::new(format!("{}{}", leaf.pem(), leaf.key().to_pem().as_str()));
        write_private(self.certificate(name).path(), both.as_bytes())
    }

    /// Writes the service-account keys anew.
    pub fn write_service_account(&self, keys: &ServiceAccountKeys) -> Result<()> {
        write_private(&self.service_account_public(), keys.verifying_pem().as_bytes())?;
        write_private(&self.service_account_key(), keys.signing().to_pem().as_bytes())
    }
}

/// Which authorities' certificates each program reads.
const fn trusted_by(keeper: Keeper) -> &'static [AuthorityName] {
    match keeper {
        Keeper::Etcd => &[AuthorityName::Etcd],
        Keeper::ApiServer => &[
            AuthorityName::Client,
            AuthorityName::KubeletServing,
            AuthorityName::FrontProxy,
            AuthorityName::Etcd,
            AuthorityName::Loopback,
        ],
        Keeper::ControllerManager | Keeper::Scheduler => &[AuthorityName::Server],
        Keeper::Authenticator => {
            &[AuthorityName::Server, AuthorityName::Client, AuthorityName::KubeletServing, AuthorityName::Loopback]
        }
    }
}

/// Makes a folder that only its owner may enter, or makes an existing one so.
pub(crate) fn make_private(path: &Path) -> Result<()> {
    let fault = |cause| ControlPlaneError::File { doing: "making the folder", path: path.into(), cause };
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(fault)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(fault)
}

/// Replaces a file in one step; only its owner may ever read it.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let fault = |cause| ControlPlaneError::File { doing: "writing", path: path.into(), cause };
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    match fs::remove_file(&fresh) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => return Err(fault(cause)),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).map_err(fault)?;
    file.write_all(bytes).map_err(fault)?;
    drop(file);
    fs::rename(&fresh, path).map_err(fault)
}
