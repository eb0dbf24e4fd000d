//! The name of a module.

use std::fmt;

use sui_sdk_types::{Address, Identifier};

/// Address of a package (its original id, the one that types carry) and the name of a module in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId {
    /// The package.
    pub address: Address,
    /// The module.
    pub name: Identifier,
}

impl ModuleId {
    /// Joins the parts.
    pub fn new(address: Address, name: Identifier) -> Self {
        Self { address, name }
    }
}

impl fmt::Display for ModuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = self.address.to_hex();
        let short = hex.trim_start_matches("0x").trim_start_matches('0');
        write!(f, "0x{}::{}", if short.is_empty() { "0" } else { short }, self.name)
    }
}
