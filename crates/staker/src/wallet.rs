//! The wallet that owns the stake.

use std::path::PathBuf;

use daas_chain::wallet::{Account, check_address, open};
use daas_settings::{Environment, StakerSettings};
use sui_sdk_types::Address;

use crate::error::Error;

/// The account that the settings name; inline keys come from the environment alone (`daas-settings` sees to that).
pub fn account(settings: &StakerSettings, environment: &Environment) -> Result<Account, Error> {
    let keystore = settings.keystore_path.clone().or_else(|| default_keystore(environment)).unwrap_or_default();
    let account = open(&settings.sui_private_key, &keystore)?;
    if let Some(expected) = settings.sui_wallet_address {
        check_address(&account, Address::new(expected.0))?;
    }
    Ok(account)
}

/// Where the sui CLI keeps its keys.
fn default_keystore(environment: &Environment) -> Option<PathBuf> {
    environment.expand("~/.sui/sui_config/sui.keystore").map(PathBuf::from)
}
