//! What keeps a crash from paying twice: a signed transaction is on disk before it is sent.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sui_sdk_types::{SignedTransaction, Transaction, UserSignature};

use crate::error::Error;
use crate::private;

/// A folder with one entry for each unfinished piece of work, named by the hash of what the work is.
#[derive(Debug, Clone)]
pub struct Journal {
    folder: PathBuf,
}

/// A signed transaction whose outcome has not been seen yet.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) transaction: Transaction,
    pub(super) signature: UserSignature,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u8,
    work: String,
    digest: String,
    transaction: String,
    signature: String,
    /// A node said that it cannot run. Its coins are free for other work, which then excludes it.
    #[serde(default)]
    refused: bool,
    /// A coin that other work spent was written by it: it has landed, whatever a node says.
    #[serde(default)]
    landed: bool,
}

impl Journal {
    /// A journal in a folder of this user, which is made (mode 0700) if it is not there.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        private::make_folder(&folder).map_err(|source| Error::Journal { path: folder.clone(), source })?;
        Ok(Self { folder })
    }

    /// Takes the lock of one piece of work, so that two processes never do it at once. Free again when dropped, also
    /// by a crash.
    pub(super) fn lock(&self, work: &str) -> Result<Locked, Error> {
        let path = self.path(work, "lock");
        let failed = |source| Error::Journal { path: path.clone(), source };
        let file = private::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Locked { entry: self.path(work, "json"), work: work.to_owned(), _file: file }),
            Err(fs::TryLockError::WouldBlock) => Err(Error::Busy { path }),
            Err(fs::TryLockError::Error(source)) => Err(Error::Journal { path, source }),
        }
    }

    /// All unfinished transactions that no node has refused: their coins are not free.
    pub(super) fn unfinished(&self) -> Result<Vec<Transaction>, Error> {
        let entries = self.entries()?.into_iter().filter(|found| !found.refused);
        Ok(entries.map(|found| found.entry.transaction).collect())
    }

    /// All transactions that a node has refused and that are not known to have landed.
    pub(super) fn refused(&self) -> Result<Vec<Found>, Error> {
        Ok(self.entries()?.into_iter().filter(|found| found.refused && !found.landed).collect())
    }

    fn entries(&self) -> Result<Vec<Found>, Error> {
        let failed = |source| Error::Journal { path: self.folder.clone(), source };
        let mut entries = Vec::new();
        for file in fs::read_dir(&self.folder).map_err(failed)? {
            let path = file.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                entries.extend(read(&path)?);
            }
        }
        Ok(entries)
    }

    fn path(&self, work: &str, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", &hex::encode(Sha256::digest(work))[..32]))
    }
}

/// One piece of work that this process alone may do.
#[derive(Debug)]
pub(super) struct Locked {
    entry: PathBuf,
    work: String,
    _file: File,
}

impl Locked {
    /// What was signed for this work and is not known to be finished.
    pub(super) fn read(&self) -> Result<Option<Found>, Error> {
        let Some(found) = read(&self.entry)? else { return Ok(None) };
        if found.work != self.work {
            return Err(self.failed(io::Error::other("the entry is of other work")));
        }
        Ok(Some(found))
    }

    /// Stores a signed transaction. When this returns it survives a crash.
    pub(super) fn write(&self, entry: &Entry) -> Result<(), Error> {
        self.store(entry, false, false)
    }

    /// Keeps a transaction that a node refused: the node may still have it run, so the next attempt must exclude it.
    pub(super) fn write_refused(&self, entry: &Entry) -> Result<(), Error> {
        self.store(entry, true, false)
    }

    /// Keeps that a refused transaction has landed. Its coins may be spent further: they no longer tell.
    pub(super) fn write_landed(&self, entry: &Entry) -> Result<(), Error> {
        self.store(entry, true, true)
    }

    fn store(&self, entry: &Entry, refused: bool, landed: bool) -> Result<(), Error> {
        let stored = Stored {
            version: 1,
            work: self.work.clone(),
            digest: entry.transaction.digest().to_string(),
            transaction: STANDARD
                .encode(bcs::to_bytes(&entry.transaction).map_err(|e| self.failed(io::Error::other(e)))?),
            signature: entry.signature.to_base64(),
            refused,
            landed,
        };
        let text = serde_json::to_vec_pretty(&stored).map_err(|error| self.failed(error.into()))?;
        write_durably(&self.entry, &text).map_err(|source| self.failed(source))
    }

    /// The work is done, or its transaction can never land.
    pub(super) fn clear(&self) -> Result<(), Error> {
        match fs::remove_file(&self.entry) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed(error)),
            _ => sync_folder(&self.entry).map_err(|source| self.failed(source)),
        }
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Journal { path: self.entry.clone(), source }
    }
}

impl Entry {
    pub(super) fn signed(&self) -> SignedTransaction {
        SignedTransaction { transaction: self.transaction.clone(), signatures: vec![self.signature.clone()] }
    }
}

/// An entry as it stands on disk.
pub(super) struct Found {
    pub(super) work: String,
    pub(super) entry: Entry,
    refused: bool,
    /// It has landed, whatever a node says.
    pub(super) landed: bool,
}

fn read(path: &Path) -> Result<Option<Found>, Error> {
    let failed = |source| Error::Journal { path: path.to_owned(), source };
    let mut text = Vec::new();
    match private::open(path).and_then(|mut file| file.read_to_end(&mut text)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    }
    // An entry appears whole or not at all (rename), so a broken one was not written by a crash: do not guess.
    let stored: Stored = serde_json::from_slice(&text).map_err(|error| failed(error.into()))?;
    let broken = |what: &'static str| failed(io::Error::other(what));
    if stored.version != 1 {
        return Err(broken("the entry is of another version of this program"));
    }
    let bytes = STANDARD.decode(&stored.transaction).map_err(|_| broken("the transaction is not base64"))?;
    let transaction: Transaction = bcs::from_bytes(&bytes).map_err(|_| broken("the transaction is malformed"))?;
    if transaction.digest().to_string() != stored.digest {
        return Err(broken("the transaction is not the one of the digest"));
    }
    let signature = UserSignature::from_base64(&stored.signature).map_err(|_| broken("the signature is malformed"))?;
    let entry = Entry { transaction, signature };
    Ok(Some(Found { work: stored.work, entry, refused: stored.refused, landed: stored.landed }))
}

/// Write beside, sync, rename, sync the folder: after any crash the old or the new file is there, whole.
fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = private::options().create(true).truncate(true).write(true).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
