//! Names of the contract's abort constants, from the table that the Move build writes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::error::Run;

static TABLE: LazyLock<BTreeMap<String, BTreeMap<u64, Entry>>> = LazyLock::new(|| {
    // A table that cannot be read only costs the names; a test holds it readable.
    serde_json::from_str(include_str!("../../../move/aborts.json")).unwrap_or_default()
});

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Entry {
    name: String,
    doc: String,
}

/// An abort of a Move call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abort {
    /// Module that aborted.
    pub module: String,
    /// Function that aborted, where the node tells.
    pub function: Option<String>,
    /// Abort code.
    pub code: u64,
    /// Whether the module is the package's own; only then do its constants apply.
    pub own: bool,
    /// Whether the abort cost gas, or the transaction was only tried out.
    pub run: Run,
}

impl Abort {
    /// The constant's name, `EStakeTooSmall`; `None` for other packages and codes that this version does not know.
    pub fn constant(&self) -> Option<&'static str> {
        self.entry().map(|entry| entry.name.as_str())
    }

    /// What the constant's documentation says.
    pub fn meaning(&self) -> Option<&'static str> {
        self.entry().map(|entry| entry.doc.as_str())
    }

    /// Whether this is a certain constant of the package.
    pub fn is(&self, module: &str, constant: &str) -> bool {
        self.module == module && self.constant() == Some(constant)
    }

    fn entry(&self) -> Option<&'static Entry> {
        if self.own { TABLE.get(&self.module)?.get(&self.code) } else { None }
    }
}

impl fmt::Display for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.constant(), self.meaning()) {
            (Some(constant), Some(meaning)) => write!(f, "{}::{constant}: {meaning}", self.module)?,
            _ => write!(f, "{} aborted with code {}", self.module, self.code)?,
        }
        self.function.iter().try_for_each(|function| write!(f, " (in {function})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_readable() {
        type Table = BTreeMap<String, BTreeMap<u64, Entry>>;
        serde_json::from_str::<Table>(include_str!("../../../move/aborts.json")).unwrap();
    }

    #[test]
    fn another_package_has_no_names() {
        let abort = Abort { module: "staking".into(), function: None, code: 1, own: false, run: Run::Executed };
        assert_eq!(abort.constant(), None);
        assert_eq!(abort.to_string(), "staking aborted with code 1");
    }
}
