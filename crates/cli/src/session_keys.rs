//! Session keys: made here, kept in files that only this user can read, never printed.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use daas_chain::private;
use daas_diagnostics::{Diagnostic, codes};
use daas_seal_token::SigningKey;
use zeroize::Zeroizing;

use crate::places::{file_failed, private_folder, write_private};

/// The session keys of one user, by stake.
#[derive(Debug)]
pub(crate) struct SessionKeys(PathBuf);

impl SessionKeys {
    /// Those below the state folder of `daas`.
    pub(crate) fn below(state: &Path) -> Self {
        Self(state.join("session-keys"))
    }

    /// The key of a stake; `None` if there is none yet.
    pub(crate) fn read(&self, stake: &str) -> Result<Option<SigningKey>, Diagnostic> {
        let path = self.path(stake);
        match private::open(&path) {
            Ok(file) => read(&path, file).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&path).with_io("reason", &error)),
        }
    }

    /// A key that no stake has yet, for what `purpose` names. It is on disk before the chain learns its public half; one
    /// that an interrupted attempt left is taken again.
    pub(crate) fn draft(&self, purpose: &str) -> Result<SigningKey, Diagnostic> {
        let path = self.draft_path(purpose);
        if !path.exists() {
            let secret = random_secret()?;
            private_folder(&self.0)?;
            // Two at once: the first link stands, and both read it.
            let unique = hex::encode(&random_secret()?[..8]);
            let own = path.with_extension(unique);
            write_private(&own, Zeroizing::new(hex::encode(*secret)).as_bytes())?;
            let linked = fs::hard_link(&own, &path);
            let _ = fs::remove_file(&own);
            match linked {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Err(file_failed("write", &path, &error));
                }
                _ => {}
            }
        }
        let file = private::open(&path).map_err(|error| file_failed("read", &path, &error))?;
        read(&path, file)
    }

    /// Makes a draft the key of a stake.
    pub(crate) fn adopt(&self, purpose: &str, stake: &str) -> Result<(), Diagnostic> {
        let (from, to) = (self.draft_path(purpose), self.path(stake));
        fs::rename(&from, &to).map_err(|error| file_failed("rename", &from, &error))
    }

    /// Keeps a key that was made elsewhere, as its file has it.
    pub(crate) fn keep(&self, stake: &str, text: &Zeroizing<String>) -> Result<(), Diagnostic> {
        private_folder(&self.0)?;
        write_private(&self.path(stake), text.as_bytes())
    }

    /// Removes a draft that nobody needs.
    pub(crate) fn discard(&self, purpose: &str) {
        let _ = fs::remove_file(self.draft_path(purpose));
    }

    /// Where the key of a stake is.
    pub(crate) fn path(&self, stake: &str) -> PathBuf {
        self.0.join(format!("{stake}.key"))
    }

    fn draft_path(&self, purpose: &str) -> PathBuf {
        self.0.join(format!("draft-{purpose}.key"))
    }
}

/// 32 bytes of the kernel's random source.
pub(crate) fn random_secret() -> Result<Zeroizing<[u8; 32]>, Diagnostic> {
    let mut secret = Zeroizing::new([0; 32]);
    let source = Path::new("/dev/urandom");
    fs::File::open(source)
        .and_then(|mut file| file.read_exact(secret.as_mut()))
        .map_err(|error| file_failed("read", source, &error))?;
    Ok(secret)
}

fn read(path: &Path, mut file: fs::File) -> Result<SigningKey, Diagnostic> {
    let mode = file.metadata().map_err(|error| unreadable(path).with_io("reason", &error))?.permissions().mode();
    if mode & 0o077 != 0 {
        let mode = format!("{:o}", mode & 0o777);
        return Err(Diagnostic::new(codes::KEY_FILE_EXPOSED).with("path", path.display()).with("mode", mode));
    }
    let mut text = Zeroizing::new(String::new());
    file.by_ref().take(65).read_to_string(&mut text).map_err(|error| unreadable(path).with_io("reason", &error))?;
    let mut secret = Zeroizing::new([0; 32]);
    // What is wrong with the text is not said: it could be most of a key.
    hex::decode_to_slice(text.trim_end(), secret.as_mut()).map_err(|_| {
        unreadable(path).with_words("reason", "it does not hold 64 hex digits", "16진수 64자리가 아닙니다")
    })?;
    Ok(SigningKey::from_bytes(&secret))
}

fn unreadable(path: &Path) -> Diagnostic {
    Diagnostic::new(codes::SESSION_KEY_UNREADABLE).with("path", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_made_once_is_private_and_becomes_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let keys = SessionKeys::below(folder.path());
        assert!(keys.read("0x1").unwrap().is_none());
        let made = keys.draft("stake-a").unwrap().public();
        assert_eq!(keys.draft("stake-a").unwrap().public(), made);
        assert_ne!(keys.draft("stake-b").unwrap().public(), made);
        keys.adopt("stake-a", "0x1").unwrap();
        assert_eq!(keys.read("0x1").unwrap().unwrap().public(), made);
        assert_ne!(keys.draft("stake-a").unwrap().public(), made);
        let bits = fs::metadata(keys.path("0x1")).unwrap().permissions().mode();
        assert_eq!(bits & 0o777, 0o600);
        fs::set_permissions(keys.path("0x1"), fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(keys.read("0x1").unwrap_err().code(), codes::KEY_FILE_EXPOSED);
    }

    #[test]
    fn two_at_once_make_one_draft() {
        let folder = tempfile::tempdir().unwrap();
        let keys = SessionKeys::below(folder.path());
        let made: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| keys.draft("stake").map(|key| key.public()))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
        });
        assert!(made.iter().all(|key| *key == made[0]));
    }

    #[test]
    fn a_damaged_key_is_refused_without_quoting_it() {
        let folder = tempfile::tempdir().unwrap();
        let keys = SessionKeys::below(folder.path());
        private_folder(&keys.0).unwrap();
        for text in [String::new(), "ab".repeat(31), "zz".repeat(32), "ab".repeat(40)] {
            write_private(&keys.path("0x1"), text.as_bytes()).unwrap();
            let error = keys.read("0x1").unwrap_err();
            assert_eq!((error.code(), error.unfilled()), (codes::SESSION_KEY_UNREADABLE, vec![]));
            assert!(text.is_empty() || !format!("{error:?}").contains(&text));
        }
    }
}
