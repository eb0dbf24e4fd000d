//! The worker's memory between starts: one JSON file, written by rename, and a lock that keeps two stakers out of one folder.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use daas_chain::private;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::life::Life;

/// The state is a few kilobytes.
const MAX_BYTES: u64 = 64 * 1024;
const VERSION: u32 = 1;

/// Whose state it is: a worker never takes up another's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The chain identifier.
    pub chain: String,
    /// The cluster.
    pub cluster: String,
    /// The wallet.
    pub wallet: String,
    /// What the staker calls the node.
    pub node_id: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    owner: Owner,
    life: Life,
}

/// The folder of one worker; nobody else works in it while this lives.
#[derive(Debug)]
pub struct StateFolder {
    folder: PathBuf,
    _lock: File,
}

impl StateFolder {
    /// Makes the folder and locks it.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        private::make_folder(folder).map_err(Error::file("make the folder", folder))?;
        let path = folder.join("lock");
        let lock = private::options().write(true).create(true).truncate(false).open(&path);
        let lock = lock.map_err(Error::file("open", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse(folder.to_owned())),
            Err(TryLockError::Error(source)) => Err(Error::File { action: "lock", path, source }),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// What was kept, as far as it still counts after a start; [`Life::Unstaked`] if nothing was.
    pub fn read(&self, owner: &Owner) -> Result<Life, Error> {
        let path = self.file();
        let file = match private::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Life::Unstaked),
            Err(error) => return Err(Error::file("read", &path)(error)),
        };
        let mut text = String::new();
        file.take(MAX_BYTES).read_to_string(&mut text).map_err(Error::file("read", &path))?;
        let malformed = |reason: String| Error::StateMalformed { path: path.clone(), reason };
        let stored: Stored = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        if stored.version != VERSION {
            return Err(malformed(format!("its version is {}, this program knows {VERSION}", stored.version)));
        }
        for (what, found, expected) in [
            ("chain", &stored.owner.chain, &owner.chain),
            ("cluster", &stored.owner.cluster, &owner.cluster),
            ("wallet", &stored.owner.wallet, &owner.wallet),
            ("node_id", &stored.owner.node_id, &owner.node_id),
        ] {
            if found != expected {
                let (found, expected) = (found.clone(), expected.clone());
                return Err(Error::StateOfAnother { path, what, found, expected });
            }
        }
        Ok(stored.life.resumed())
    }

    /// Keeps a stage; on disk when this returns.
    pub fn write(&self, owner: &Owner, life: &Life) -> Result<(), Error> {
        let stored = Stored { version: VERSION, owner: owner.clone(), life: life.clone() };
        let json = serde_json::to_vec_pretty(&stored)
            .map_err(|error| Error::StateMalformed { path: self.file(), reason: error.to_string() })?;
        write_private(&self.file(), &json)
    }

    fn file(&self) -> PathBuf {
        self.folder.join("state.json")
    }
}

/// Writes a file that only this user can read, whole or not at all, and in the place of one that was there.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    let write = || -> io::Result<()> {
        // A draft that a crash left may have another mode.
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private::options().write(true).create_new(true).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        // The new name survives a power cut once its folder is on disk.
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&draft);
        Error::file("write", path)(error)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::life::tests::{draining, enclave, staked};

    fn owner() -> Owner {
        let text = str::to_owned;
        Owner { chain: text("c"), cluster: text("0x1"), wallet: text("0x2"), node_id: text("worker-1") }
    }

    #[test]
    fn a_stage_is_kept_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(&folder.path().join("worker")).unwrap();
        assert_eq!(state.read(&owner()).unwrap(), Life::Unstaked);
        state.write(&owner(), &Life::Staked(staked())).unwrap();
        state.write(&owner(), &Life::Draining(draining())).unwrap();
        assert_eq!(state.read(&owner()).unwrap(), Life::Draining(draining()));
        let mode = fs::metadata(state.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_was_proven_before_a_start_is_not_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(&folder.path().join("worker")).unwrap();
        let tokened = staked().tokened(sui_sdk_types::Address::new([7; 32]));
        state.write(&owner(), &Life::Verified(tokened.clone().verified(enclave(1)))).unwrap();
        assert_eq!(state.read(&owner()).unwrap(), Life::Tokened(tokened));
    }

    #[test]
    fn two_stakers_do_not_share_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker");
        let first = StateFolder::open(&path).unwrap();
        assert!(matches!(StateFolder::open(&path), Err(Error::InUse(_))));
        drop(first);
        StateFolder::open(&path).unwrap();
    }

    #[test]
    fn a_state_of_another_worker_is_not_taken_up() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(&folder.path().join("worker")).unwrap();
        state.write(&owner(), &Life::Staked(staked())).unwrap();
        for other in [
            Owner { chain: "d".into(), ..owner() },
            Owner { cluster: "0x9".into(), ..owner() },
            Owner { wallet: "0x9".into(), ..owner() },
            Owner { node_id: "worker-2".into(), ..owner() },
        ] {
            assert!(matches!(state.read(&other), Err(Error::StateOfAnother { .. })), "{other:?}");
        }
    }

    #[test]
    fn a_crash_while_writing_leaves_the_stage_before() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(&folder.path().join("worker")).unwrap();
        state.write(&owner(), &Life::Staked(staked())).unwrap();
        fs::write(folder.path().join("worker/state.json.new"), "{\"half\":").unwrap();
        assert_eq!(state.read(&owner()).unwrap(), Life::Staked(staked()));
        state.write(&owner(), &Life::Unstaked).unwrap();
        assert_eq!(state.read(&owner()).unwrap(), Life::Unstaked);
    }

    #[test]
    fn a_damaged_state_is_an_error_and_never_a_fresh_start() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(&folder.path().join("worker")).unwrap();
        for text in ["", "{}", "{\"version\": 2}", "null", "[]"] {
            write_private(&state.file(), text.as_bytes()).unwrap();
            assert!(matches!(state.read(&owner()), Err(Error::StateMalformed { .. })), "{text}");
        }
    }
}
