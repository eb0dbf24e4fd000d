use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sui_sdk_types::Address;
use zeroize::Zeroizing;

use super::{Account, MAX_FILE, read_secret};
use crate::error::Error;

/// The `sui` program's `sui.keystore`: a JSON array of base64 of scheme flag and secret, with the aliases beside it.
#[derive(Debug)]
pub struct Keystore {
    path: PathBuf,
    accounts: Vec<Account>,
    aliases: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Alias {
    alias: String,
    public_key_base64: String,
}

impl Keystore {
    /// Reads `sui.keystore` and, where it exists, `sui.aliases`.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = read_secret(path)?;
        let unreadable = |reason: &str| Error::KeystoreUnreadable { path: path.to_owned(), reason: reason.to_owned() };
        // The parser's own message could quote a key.
        let entries: Vec<String> =
            serde_json::from_str(&text).map_err(|_| unreadable("it is not a JSON array of keys"))?;
        let mut accounts = Vec::with_capacity(entries.len());
        for (index, entry) in entries.into_iter().map(Zeroizing::new).enumerate() {
            accounts.push(Account::from_text(&entry, &format!("{} (key {index})", path.display()))?);
        }
        let aliases = read_aliases(&path.with_extension("aliases"));
        Ok(Self { path: path.to_owned(), accounts, aliases })
    }

    /// The key of an address or an alias.
    pub fn find(&self, wanted: &str) -> Result<Account, Error> {
        let by_alias = self.aliases.iter().find(|(alias, _)| alias == wanted).map(|(_, key)| key.as_str());
        let by_address = wanted.parse::<Address>().ok();
        self.accounts
            .iter()
            .find(|account| {
                Some(account.address()) == by_address || by_alias.is_some_and(|key| account.has_public_key(key))
            })
            .cloned()
            .ok_or_else(|| Error::KeyNotFound { wanted: wanted.to_owned(), path: self.path.clone() })
    }

    /// The key, if there is just one.
    pub fn only(&self) -> Result<Account, Error> {
        match self.accounts.as_slice() {
            [account] => Ok(account.clone()),
            [] => Err(Error::KeyNotFound { wanted: "any address".to_owned(), path: self.path.clone() }),
            several => {
                let candidates: Vec<_> = several.iter().map(|account| account.address().to_string()).collect();
                Err(Error::WalletAmbiguous { path: self.path.clone(), candidates: candidates.join(", ") })
            }
        }
    }

    /// All addresses.
    pub fn addresses(&self) -> impl Iterator<Item = Address> {
        self.accounts.iter().map(Account::address)
    }
}

/// Aliases are a convenience: a missing or odd file means that there are none.
fn read_aliases(path: &Path) -> Vec<(String, String)> {
    let small = fs::metadata(path).is_ok_and(|metadata| metadata.len() <= MAX_FILE);
    let text = if small { fs::read_to_string(path).unwrap_or_default() } else { String::new() };
    let aliases: Vec<Alias> = serde_json::from_str(&text).unwrap_or_default();
    aliases.into_iter().map(|alias| (alias.alias, alias.public_key_base64)).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn write(folder: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn entry(flag: u8, fill: u8) -> String {
        STANDARD.encode([&[flag][..], &[fill; 32]].concat())
    }

    #[test]
    fn keys_are_found_by_address_and_alias() {
        let folder = tempfile::tempdir().unwrap();
        let keys = serde_json::to_string(&[entry(0, 1), entry(1, 2)]).unwrap();
        let path = write(folder.path(), "sui.keystore", &keys, 0o600);
        let first = Account::from_ed25519([1; 32]);
        let aliases = format!(r#"[{{"alias":"brave-opal","public_key_base64":"{}"}}]"#, first.public_key_base64());
        write(folder.path(), "sui.aliases", &aliases, 0o644);
        let keystore = Keystore::read(&path).unwrap();
        assert_eq!(keystore.find("brave-opal").unwrap().address(), first.address());
        assert_eq!(keystore.find(&first.address().to_string()).unwrap().address(), first.address());
        assert!(matches!(keystore.find("timid-onyx"), Err(Error::KeyNotFound { .. })));
        assert!(matches!(keystore.only(), Err(Error::WalletAmbiguous { .. })));
    }

    #[test]
    fn a_keystore_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o644, 0o640, 0o604, 0o620] {
            let path = write(folder.path(), "sui.keystore", "[]", mode);
            assert!(matches!(Keystore::read(&path), Err(Error::KeyFileExposed { .. })), "{mode:o}");
        }
    }

    #[test]
    fn a_broken_keystore_is_refused_without_quoting_it() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "{}", "[1]", "[\"c2VjcmV0\"]", "[\"c2VjcmV0"] {
            let path = write(folder.path(), "sui.keystore", text, 0o600);
            let error = Keystore::read(&path).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("c2VjcmV0"), "{text}");
        }
        assert!(matches!(Keystore::read(&folder.path().join("none")), Err(Error::KeystoreUnreadable { .. })));
    }
}
