//! Node passwords: the first to use a node's name ties it to a password (k3s' `pkg/nodepassword`).
//!
//! The name already belongs to a stake, so this is a second line: somebody who holds a copy of a token, but was never the
//! node, cannot ask for the node's certificates once the node has.

use std::collections::HashMap;
use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use daas_seal_token::NodeName;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::error::Error;

/// k3s makes 32 hex digits of 16 random bytes; shorter ones could be guessed.
const MIN_LENGTH: usize = 32;
const MAX_LENGTH: usize = 128;
/// More names than a cluster has workers are not remembered.
const MAX_NAMES: usize = 100_000;

/// A node's password. Never prints itself.
#[derive(Clone)]
pub struct NodePassword(Zeroizing<String>);

impl NodePassword {
    /// 32 to 128 printable characters.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (MIN_LENGTH..=MAX_LENGTH).contains(&text.len());
        (fits && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The text: a secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NodePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The password of each name, as a salted hash. The passwords have 128 random bits, so a fast hash is enough.
#[derive(Debug)]
pub struct PasswordBook {
    salt: [u8; 32],
    hashes: HashMap<NodeName, [u8; 32]>,
}

impl PasswordBook {
    /// An empty book. The salt is random.
    pub fn new(salt: [u8; 32]) -> Self {
        Self { salt, hashes: HashMap::new() }
    }

    /// Whether this is the password of the node; the first one that is shown becomes it.
    pub fn check(&mut self, name: &NodeName, password: &NodePassword) -> Result<(), Error> {
        let hash = self.hash(name, password);
        match self.hashes.get(name) {
            Some(known) => verify_slices_are_equal(known, &hash).map_err(|_| Error::WrongPassword),
            None if self.hashes.len() >= MAX_NAMES => Err(Error::PasswordBookFull),
            None => {
                self.hashes.insert(name.clone(), hash);
                Ok(())
            }
        }
    }

    /// What is remembered of a node's password: its hash with this book's salt.
    pub fn hash_of(&self, name: &NodeName) -> Option<[u8; 32]> {
        self.hashes.get(name).copied()
    }

    /// All names with what is remembered of their passwords.
    pub fn hashes(&self) -> impl Iterator<Item = (&NodeName, &[u8; 32])> {
        self.hashes.iter()
    }

    /// The salt of its hashes.
    pub fn salt(&self) -> [u8; 32] {
        self.salt
    }

    /// A book that was written down: its salt and what it remembered.
    pub fn restore(salt: [u8; 32], hashes: impl IntoIterator<Item = (NodeName, [u8; 32])>) -> Self {
        Self { salt, hashes: hashes.into_iter().take(MAX_NAMES).collect() }
    }

    /// Forgets a name: its stake is over, and the name is never given again.
    pub fn forget(&mut self, name: &NodeName) {
        self.hashes.remove(name);
    }

    fn hash(&self, name: &NodeName, password: &NodePassword) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.salt)
            .chain_update(name.as_str())
            .chain_update([0])
            .chain_update(password.expose())
            .finalize()
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_password_of_a_name_is_its_password() {
        let mut book = PasswordBook::new([9; 32]);
        let name: NodeName = "worker-1-dead000f".parse().unwrap();
        let first = NodePassword::parse(&"a".repeat(32)).unwrap();
        let second = NodePassword::parse(&"b".repeat(32)).unwrap();
        assert_eq!(book.check(&name, &first), Ok(()));
        assert_eq!(book.check(&name, &first), Ok(()));
        assert_eq!(book.check(&name, &second), Err(Error::WrongPassword));
        assert_eq!(book.check(&"worker-2-dead000f".parse().unwrap(), &second), Ok(()));
        // Written down and read again it knows the same.
        let hashes: Vec<_> = book.hashes().map(|(name, hash)| (name.clone(), *hash)).collect();
        let mut again = PasswordBook::restore(book.salt(), hashes);
        assert_eq!(again.check(&name, &second), Err(Error::WrongPassword));
        assert_eq!(again.check(&name, &first), Ok(()));
        book.forget(&name);
        assert_eq!(book.check(&name, &second), Ok(()));
    }

    #[test]
    fn guessable_and_unprintable_passwords_are_none_and_none_prints() {
        for wrong in ["", &"a".repeat(31), &"a".repeat(129), &format!("{} ", "a".repeat(40)), &"é".repeat(20)] {
            assert!(NodePassword::parse(wrong).is_none(), "{wrong}");
        }
        let password = NodePassword::parse(&"a".repeat(128)).unwrap();
        assert!(!format!("{password:?}").contains('a'));
    }
}
