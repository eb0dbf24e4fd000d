//! What must outlive this process while the enclave lives: who had which service-account token made, and which password a
//! node's name has. A file of lines in the enclave's memory file system, which only this user may read. It holds no token
//! and no password: credential ids name tokens, passwords are salted hashes.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daas_seal_token::{NodeName, TokenId};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::verdicts::Standing;

/// Lines beyond what lives after which the file is written anew.
const SLACK: usize = 4096;

/// The file, or none: then a restart forgets.
#[derive(Debug, Default)]
pub struct Journal(Mutex<Option<Open>>);

#[derive(Debug)]
struct Open {
    path: PathBuf,
    file: File,
    lines: usize,
}

/// What a journal remembers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// The salt of the passwords' hashes.
    pub salt: Option<[u8; 32]>,
    /// The hash of each node's password.
    pub passwords: Vec<(NodeName, [u8; 32])>,
    /// Credential, maker, and when it was noted.
    pub makers: Vec<(String, Standing, u64)>,
}

/// A line. What is in it is never a secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Entry {
    Salt(String),
    Password { node: String, hash: String },
    Forgotten(String),
    Maker { credential: String, maker: Maker, at_ms: u64 },
}

/// The makers that are remembered; all others answer for themselves.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Maker {
    ControlPlane,
    Bearer { token: String, key_generation: u64, user: String, tiers: Vec<String> },
}

impl Journal {
    /// Reads what an earlier process left and goes on in the same file. A last line that was cut short is left out; any
    /// other that cannot be read is an error.
    pub fn open(path: &Path) -> Result<(Self, Remembered), Error> {
        let remembered = match fs::read_to_string(path) {
            Ok(text) => Remembered::parse(&text)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Remembered::default(),
            Err(error) => return Err(Error::io("reading what was remembered")(error)),
        };
        let open = Open::anew(path, &remembered)?;
        Ok((Self(Mutex::new(Some(open))), remembered))
    }

    /// Notes the salt of passwords' hashes.
    pub fn salt(&self, salt: [u8; 32]) {
        self.note(&Entry::Salt(BASE64.encode(salt)));
    }

    /// Notes the hash of a node's password.
    pub fn password(&self, node: &NodeName, hash: [u8; 32]) {
        self.note(&Entry::Password { node: node.to_string(), hash: BASE64.encode(hash) });
    }

    /// Notes that a node is forgotten.
    pub fn forgotten(&self, node: &NodeName) {
        self.note(&Entry::Forgotten(node.to_string()));
    }

    /// Notes who had a credential made.
    pub fn maker(&self, credential: &str, maker: &Standing, at_ms: u64) {
        if let Some(maker) = Maker::of(maker) {
            self.note(&Entry::Maker { credential: credential.to_owned(), maker, at_ms });
        }
    }

    /// Writes the file anew if most of it is about what is over. `now` is asked while nothing else is noted, so that what is
    /// noted meanwhile stands behind it.
    pub fn tidy(&self, now: impl FnOnce() -> Remembered) {
        let mut journal = self.lock();
        let Some(open) = journal.as_mut().filter(|open| open.lines > SLACK) else { return };
        let remembered = now();
        if open.lines < 2 * remembered.lines() + SLACK {
            return;
        }
        match Open::anew(&open.path, &remembered) {
            Ok(fresh) => *open = fresh,
            Err(error) => tracing::warn!(%error, "what was remembered could not be written anew"),
        }
    }

    /// A line of a few hundred bytes into memory: nothing that would have to wait.
    fn note(&self, entry: &Entry) {
        let mut journal = self.lock();
        let Some(open) = journal.as_mut() else { return };
        if let Err(error) = open.write(entry) {
            tracing::error!(%error, "this will not be known after a restart");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn anew(path: &Path, remembered: &Remembered) -> Result<Self, Error> {
        let fault = || Error::io("writing what is to be remembered");
        let fresh = path.with_extension("new");
        let _ = fs::remove_file(&fresh);
        let file = OpenOptions::new().create_new(true).append(true).mode(0o600).open(&fresh).map_err(fault())?;
        let mut open = Self { path: path.to_owned(), file, lines: 0 };
        for entry in remembered.entries() {
            open.write(&entry).map_err(fault())?;
        }
        fs::rename(&fresh, path).map_err(fault())?;
        Ok(open)
    }

    fn write(&mut self, entry: &Entry) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        self.lines += 1;
        // In one call: a process that is killed leaves whole lines, or one that is cut short at the end.
        self.file.write_all(&line)
    }
}

impl Remembered {
    fn parse(text: &str) -> Result<Self, Error> {
        let unreadable = || Error::Configuration("what was remembered cannot be read".to_owned());
        let mut remembered = Self::default();
        let whole = text.rfind('\n').map_or("", |end| text.split_at(end).0);
        for line in whole.lines() {
            match serde_json::from_str(line).map_err(|_| unreadable())? {
                Entry::Salt(salt) => remembered.salt = Some(bytes(&salt).ok_or_else(unreadable)?),
                Entry::Password { node, hash } => {
                    let node = node.parse().map_err(|_| unreadable())?;
                    remembered.passwords.push((node, bytes(&hash).ok_or_else(unreadable)?));
                }
                Entry::Forgotten(node) => remembered.passwords.retain(|(name, _)| name.as_str() != node),
                Entry::Maker { credential, maker, at_ms } => {
                    let maker = maker.standing().ok_or_else(unreadable)?;
                    remembered.makers.push((credential, maker, at_ms));
                }
            }
        }
        Ok(remembered)
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        let salt = self.salt.map(|salt| Entry::Salt(BASE64.encode(salt)));
        let passwords = self.passwords.iter();
        let passwords =
            passwords.map(|(node, hash)| Entry::Password { node: node.to_string(), hash: BASE64.encode(hash) });
        let makers = self.makers.iter().filter_map(|(credential, maker, at_ms)| {
            let credential = credential.clone();
            Some(Entry::Maker { credential, maker: Maker::of(maker)?, at_ms: *at_ms })
        });
        salt.into_iter().chain(passwords).chain(makers)
    }

    fn lines(&self) -> usize {
        self.passwords.len() + self.makers.len() + 1
    }
}

impl Maker {
    fn of(standing: &Standing) -> Option<Self> {
        match standing {
            Standing::ControlPlane => Some(Self::ControlPlane),
            Standing::Bearer { token, key_generation, user, tiers } => Some(Self::Bearer {
                token: token.to_string(),
                key_generation: *key_generation,
                user: user.clone(),
                tiers: tiers.clone(),
            }),
            Standing::Node(_) | Standing::OnNode(_) | Standing::Minted(_) | Standing::Impersonated => None,
        }
    }

    fn standing(self) -> Option<Standing> {
        match self {
            Self::ControlPlane => Some(Standing::ControlPlane),
            Self::Bearer { token, key_generation, user, tiers } => {
                let token: TokenId = token.parse().ok()?;
                Some(Standing::Bearer { token, key_generation, user, tiers })
            }
        }
    }
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    BASE64.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn bearer(number: u8) -> Standing {
        let tiers = vec!["seal:tier:admin".to_owned()];
        Standing::Bearer { token: TokenId([number; 32]), key_generation: 3, user: "seal:0x7".into(), tiers }
    }

    fn node(name: &str) -> NodeName {
        name.parse().unwrap()
    }

    #[test]
    fn makers_and_passwords_are_known_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (journal, nothing) = Journal::open(&path).unwrap();
        assert_eq!(nothing, Remembered::default());
        journal.salt([9; 32]);
        journal.password(&node("one-dead000f"), [1; 32]);
        journal.password(&node("two-dead000f"), [2; 32]);
        journal.maker("JTI=1", &bearer(7), 5);
        journal.maker("JTI=2", &Standing::ControlPlane, 6);
        // Whoever answers for himself is not noted.
        journal.maker("JTI=3", &Standing::OnNode(node("one-dead000f")), 7);
        journal.forgotten(&node("one-dead000f"));
        drop(journal);
        let expected = Remembered {
            salt: Some([9; 32]),
            passwords: vec![(node("two-dead000f"), [2; 32])],
            makers: vec![("JTI=1".into(), bearer(7), 5), ("JTI=2".into(), Standing::ControlPlane, 6)],
        };
        // Twice: opening writes it anew.
        for _ in 0..2 {
            assert_eq!(Journal::open(&path).unwrap().1, expected);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_line_that_was_cut_short_is_left_out_and_a_false_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        Journal::open(&path).unwrap().0.password(&node("one-dead000f"), [1; 32]);
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("{\"password\":{\"node\":\"two-de");
        fs::write(&path, &text).unwrap();
        assert_eq!(Journal::open(&path).unwrap().1.passwords.len(), 1);
        fs::write(&path, text + "\n").unwrap();
        assert!(Journal::open(&path).is_err());
    }

    #[test]
    fn what_is_over_does_not_fill_the_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (journal, _) = Journal::open(&path).unwrap();
        for number in 0..3 * SLACK {
            journal.maker(&format!("JTI={number}"), &Standing::ControlPlane, 0);
            journal.tidy(|| Remembered { salt: Some([9; 32]), ..Remembered::default() });
        }
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= SLACK + 2, "{lines}");
        // What is noted afterwards stands in the new file.
        journal.password(&node("one-dead000f"), [1; 32]);
        let remembered = Journal::open(&path).unwrap().1;
        assert_eq!((remembered.salt, remembered.passwords.len()), (Some([9; 32]), 1));
    }
}
