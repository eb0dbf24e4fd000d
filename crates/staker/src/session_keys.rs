//! The session key of the worker's Seal token: made here, on disk before the chain learns its public half, never printed.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use daas_chain::private;
use daas_seal_token::SigningKey;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::random;
use crate::state_file::write_private;

/// The keys in a worker's state folder: one of each stake, and one that no stake has yet.
#[derive(Debug)]
pub struct SessionKeys(PathBuf);

impl SessionKeys {
    /// Those below a worker's state folder.
    pub fn below(state: &Path) -> Self {
        Self(state.join("session-keys"))
    }

    /// The key of a stake; `None` if this machine has none.
    pub fn read(&self, stake: &str) -> Result<Option<SigningKey>, Error> {
        read(&self.path(stake))
    }

    /// A key that no stake has yet; one that an interrupted attempt left is taken again.
    pub fn draft(&self) -> Result<SigningKey, Error> {
        let path = self.path("draft");
        if let Some(key) = read(&path)? {
            return Ok(key);
        }
        private::make_folder(&self.0).map_err(Error::file("make the folder", &self.0))?;
        let secret = Zeroizing::new(random::<32>()?);
        write_private(&path, Zeroizing::new(hex::encode(*secret)).as_bytes())?;
        Ok(SigningKey::from_bytes(&secret))
    }

    /// Makes the draft the key of a stake.
    pub fn adopt(&self, stake: &str) -> Result<(), Error> {
        let (from, to) = (self.path("draft"), self.path(stake));
        fs::rename(&from, &to).map_err(Error::file("rename", &from))
    }

    /// Removes every key: the stake is over.
    pub fn remove(&self) -> Result<(), Error> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file("remove", &self.0)(error)),
            _ => Ok(()),
        }
    }

    fn path(&self, stake: &str) -> PathBuf {
        self.0.join(format!("{stake}.key"))
    }
}

fn read(path: &Path) -> Result<Option<SigningKey>, Error> {
    let mut file = match private::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::file("read", path)(error)),
    };
    let refused = |reason| Error::SessionKey { path: path.to_owned(), reason };
    let mode = file.metadata().map_err(Error::file("look at", path))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(refused("others can read it"));
    }
    let mut text = Zeroizing::new(String::new());
    file.by_ref().take(65).read_to_string(&mut text).map_err(Error::file("read", path))?;
    let mut secret = Zeroizing::new([0; 32]);
    // What is wrong with the text is not said: it could be most of a key.
    hex::decode_to_slice(text.trim_end(), secret.as_mut()).map_err(|_| refused("it does not hold 64 hex digits"))?;
    Ok(Some(SigningKey::from_bytes(&secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_made_once_and_becomes_the_key_of_a_stake() {
        let folder = tempfile::tempdir().unwrap();
        let keys = SessionKeys::below(folder.path());
        assert!(keys.read("0x1").unwrap().is_none());
        let made = keys.draft().unwrap().public();
        assert_eq!(keys.draft().unwrap().public(), made);
        keys.adopt("0x1").unwrap();
        assert_eq!(keys.read("0x1").unwrap().unwrap().public(), made);
        assert_ne!(keys.draft().unwrap().public(), made);
        keys.remove().unwrap();
        keys.remove().unwrap();
        assert!(keys.read("0x1").unwrap().is_none());
    }

    #[test]
    fn an_exposed_or_damaged_key_is_refused_without_quoting_it() {
        let folder = tempfile::tempdir().unwrap();
        let keys = SessionKeys::below(folder.path());
        keys.draft().unwrap();
        keys.adopt("0x1").unwrap();
        let path = keys.path("0x1");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(keys.read("0x1"), Err(Error::SessionKey { .. })));
        for text in ["", "zz", &"ab".repeat(31), &"zz".repeat(32), &"ab".repeat(40)] {
            write_private(&path, text.as_bytes()).unwrap();
            let error = keys.read("0x1").unwrap_err();
            assert!(text.is_empty() || !format!("{error:?} {error}").contains(text), "{error:?}");
        }
    }
}
