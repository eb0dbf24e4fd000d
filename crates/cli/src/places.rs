//! Where the development setup keeps its files (docs/development.md).

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use daas_chain::private;
use daas_diagnostics::{Diagnostic, codes};
use daas_settings::Environment;

/// The folders of one development setup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    state: PathBuf,
    runtime: PathBuf,
}

/// A part of the development setup with a folder of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The development chain.
    Devnet,
    /// The simulated attestation hardware: its root and its key.
    Hardware,
    /// Who runs the cluster.
    Operator,
    /// Who may administer Kubernetes.
    Admin,
    /// Who stakes for a worker.
    Staker,
    /// The settings, session keys and journal of `daas` for this setup.
    Client,
}

impl Role {
    const fn folder(self) -> &'static str {
        match self {
            Self::Devnet => "devnet",
            Self::Hardware => "simulated-hardware",
            Self::Operator => "operator",
            Self::Admin => "admin",
            Self::Staker => "staker",
            // Not "client": that is where `daas` keeps keys and unfinished work of other networks, which `down --purge` must not touch.
            Self::Client => "development",
        }
    }
}

impl Places {
    /// The places of this user, or those below `chosen` if it is given. Without a runtime folder (`XDG_RUNTIME_DIR`)
    /// pids lie in the state folder.
    pub fn choose(chosen: Option<&Path>, environment: &Environment) -> Result<Self, Diagnostic> {
        if let Some(state) = chosen {
            let state = std::path::absolute(state).map_err(|error| file_failed("find the folder", state, &error))?;
            return Ok(Self { runtime: state.join("run"), state });
        }
        let home_missing =
            || Diagnostic::new(codes::MISSING_SETTING).with("name", "state_dir").with("how", "--state-dir, HOME");
        let state = environment.state_folder().ok_or_else(home_missing)?;
        let runtime = match environment.get("XDG_RUNTIME_DIR").map(Path::new).filter(|path| path.is_absolute()) {
            _ if environment.is_root() => PathBuf::from("/run/k3s-daas"),
            Some(folder) => folder.join("k3s-daas"),
            None => state.join("run"),
        };
        Ok(Self { state, runtime })
    }

    /// The root of all state.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Sockets and pid files; emptied by a reboot.
    pub fn runtime(&self) -> &Path {
        &self.runtime
    }

    /// The folder of one role.
    pub fn of(&self, role: Role) -> PathBuf {
        self.state.join(role.folder())
    }

    /// The pid file of one role.
    pub fn pid_file(&self, role: Role) -> PathBuf {
        self.runtime.join(format!("{}.pid", role.folder()))
    }

    /// The log of one role.
    pub fn log_file(&self, role: Role) -> PathBuf {
        self.of(role).join("log")
    }

    /// The logs of the cluster's parts.
    pub fn logs(&self) -> PathBuf {
        self.state.join("logs")
    }

    /// What the sandbox measures.
    pub fn programs(&self) -> PathBuf {
        self.state.join("programs")
    }

    /// Programs for people: kubectl.
    pub fn bin(&self) -> PathBuf {
        self.state.join("bin")
    }

    /// The folder that stands for the enclave: its sockets are its vsock ports.
    pub fn enclave(&self) -> PathBuf {
        self.runtime.join("enclave")
    }

    /// The private key of one role.
    pub fn key_file(&self, role: Role) -> PathBuf {
        self.of(role).join("wallet.key")
    }

    /// The root certificate of the simulated hardware.
    pub fn attestation_root(&self) -> PathBuf {
        self.of(Role::Hardware).join("attestation-root.pem")
    }

    /// The settings that `daas up` writes and every other command reads.
    pub fn client_settings(&self) -> PathBuf {
        self.of(Role::Client).join("daas.toml")
    }

    /// What `daas up` has made so far.
    pub fn development_file(&self) -> PathBuf {
        self.of(Role::Client).join("development.json")
    }

    /// The lock that keeps two of `up` and `down` from running at once.
    pub fn lock_file(&self) -> PathBuf {
        self.state.join("lock")
    }
}

/// Makes a folder that only this user can enter; one that is there already must be this user's own and no link.
pub fn private_folder(path: &Path) -> Result<(), Diagnostic> {
    private::make_folder(path).map_err(|error| file_failed("make the folder", path, &error))
}

static DRAFTS: AtomicU64 = AtomicU64::new(0);

/// Writes a file that only this user can read, whole or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Diagnostic> {
    use std::io::Write as _;

    // Threads of one process write, too; the name is added, not replaced, so that no two files share a draft.
    let count = DRAFTS.fetch_add(1, Ordering::Relaxed);
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}-{count}.new", std::process::id()));
    let draft = PathBuf::from(draft);
    let write = || -> io::Result<()> {
        let mut file = private::options().write(true).create(true).truncate(true).open(&draft)?;
        // The mode above counts for new files only.
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        // The new name survives a power cut once its folder is on disk.
        path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&draft);
        file_failed("write", path, &error)
    })
}

/// Reads a file; `None` if there is none.
pub fn read_if_there(path: &Path) -> Result<Option<String>, Diagnostic> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_failed("read", path, &error)),
    }
}

/// The diagnostic of a failed file operation.
pub fn file_failed(action: &str, path: &Path, error: &io::Error) -> Diagnostic {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => codes::DISK_FULL,
        _ => codes::FILE_ACCESS_FAILED,
    };
    let diagnostic = Diagnostic::new(code).with("path", path.display()).caused_by(error);
    if code == codes::FILE_ACCESS_FAILED { diagnostic.with("action", action) } else { diagnostic }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(chosen: Option<&str>, root: bool, env: &[(&str, &str)]) -> Places {
        let environment = Environment::of(env.iter().copied()).as_root(root);
        Places::choose(chosen.map(Path::new), &environment).unwrap()
    }

    #[test]
    fn root_and_users_keep_their_files_where_the_interface_says() {
        let root = choose(None, true, &[("XDG_STATE_HOME", "/x")]);
        assert_eq!((root.state(), root.runtime()), (Path::new("/var/lib/k3s-daas"), Path::new("/run/k3s-daas")));
        let user = choose(None, false, &[("HOME", "/home/a"), ("XDG_RUNTIME_DIR", "/run/user/7")]);
        assert_eq!(user.state(), Path::new("/home/a/.local/state/k3s-daas"));
        assert_eq!(user.runtime(), Path::new("/run/user/7/k3s-daas"));
        let bare = choose(None, false, &[("HOME", "/home/a"), ("XDG_STATE_HOME", "relative")]);
        assert_eq!(bare.pid_file(Role::Devnet), Path::new("/home/a/.local/state/k3s-daas/run/devnet.pid"));
        assert!(Places::choose(None, &Environment::default()).is_err());
    }

    #[test]
    fn the_setup_shares_no_folder_with_the_keys_of_real_networks() {
        let environment = Environment::of([("HOME", "/home/a")]);
        let places = Places::choose(None, &environment).unwrap();
        let sources = daas_settings::Sources { environment, ..Default::default() };
        let keys = daas_settings::ClientSettings::load(&sources).unwrap().settings.state_dir;
        assert!(keys.starts_with(places.state()));
        for role in [Role::Devnet, Role::Operator, Role::Staker, Role::Client] {
            assert!(!keys.starts_with(places.of(role)), "purge would remove {}", keys.display());
        }
    }

    #[test]
    fn a_chosen_folder_holds_everything() {
        let places = choose(Some("/tmp/t"), true, &[]);
        assert_eq!(places.runtime(), Path::new("/tmp/t/run"));
        assert_eq!(places.log_file(Role::Devnet), Path::new("/tmp/t/devnet/log"));
    }

    #[test]
    fn private_files_are_private_even_if_they_were_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write_private(&path, b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
