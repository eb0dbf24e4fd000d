//! Wallets: the key that owns stakes and pays for gas. Keys are wiped when dropped and never printed.

mod account;
mod client_yaml;
mod keystore;

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use daas_settings::KeySource;
use sui_sdk_types::Address;
use zeroize::Zeroizing;

pub use account::Account;
pub use client_yaml::{ClientYaml, Env};
pub use keystore::Keystore;

use crate::error::Error;

/// Key files and keystores are small; anything larger is a mistake.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// The account that the `sui` program would use: keystore and active address from its `client.yaml`.
///
/// `wanted` is an address or an alias; without it, the active address counts, or the only key.
pub fn open_sui_wallet(config: &Path, wanted: Option<&str>) -> Result<Account, Error> {
    let yaml = ClientYaml::read(config)?;
    let path = yaml.keystore.clone().ok_or_else(|| Error::WalletConfigUnreadable {
        path: config.to_owned(),
        reason: "it names no keystore file".to_owned(),
    })?;
    let keystore = Keystore::read(&path)?;
    match (wanted, yaml.active_address) {
        (Some(wanted), _) => keystore.find(wanted),
        (None, Some(active)) => keystore.find(&active.to_string()),
        (None, None) => keystore.only(),
    }
}

/// The account of one key in a file of its own: `suiprivkey1…`, base64 or hex.
pub fn open_key_file(path: &Path) -> Result<Account, Error> {
    let text = read_secret(path)?;
    Account::from_text(&text, &path.display().to_string())
}

/// The account of a configured key. `keystore` is where aliases are looked up.
pub fn open(source: &KeySource, keystore: &Path) -> Result<Account, Error> {
    match source {
        KeySource::File(path) => open_key_file(path),
        KeySource::Alias(alias) => Keystore::read(keystore)?.find(alias),
        KeySource::Inline(secret) => Account::from_text(secret.expose(), "the environment"),
        KeySource::Kms(reference) => Err(Error::KeyReferenceUnsupported { reference: format!("kms:{reference}") }),
    }
}

/// Checks that the key is the one of the configured address.
pub fn check_address(account: &Account, expected: Address) -> Result<(), Error> {
    if account.address() == expected {
        Ok(())
    } else {
        Err(Error::AddressMismatch { expected, actual: account.address() })
    }
}

/// Reads a file that holds keys, refusing one that others can read, as ssh does.
fn read_secret(path: &Path) -> Result<Zeroizing<String>, Error> {
    let unreadable = |reason: String| Error::KeystoreUnreadable { path: path.to_owned(), reason };
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let metadata = file.metadata().map_err(|error| unreadable(error.to_string()))?;
    if !metadata.is_file() {
        return Err(unreadable("it is not a file".to_owned()));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(Error::KeyFileExposed { path: path.to_owned(), mode });
    }
    if metadata.len() > MAX_FILE {
        return Err(unreadable(format!("it is larger than {MAX_FILE} bytes")));
    }
    let length = usize::try_from(metadata.len()).unwrap_or_default();
    // Room for all of it at once: growing would leave copies behind that nobody wipes.
    let mut text = Zeroizing::new(String::with_capacity(length + 1));
    file.take(MAX_FILE).read_to_string(&mut text).map_err(|error| unreadable(error.to_string()))?;
    Ok(text)
}
