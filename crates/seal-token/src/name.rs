use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::ids::StakeId;

/// Longest node id: with the stake's suffix it still fits a DNS label.
const MAX_NODE_ID: usize = 54;
/// A dash and eight hex digits.
const SUFFIX: usize = 9;

/// Why a node id or node name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Empty or too long.
    #[error("a node id is 1 to 54 characters long")]
    Length,
    /// A character outside `[a-z0-9-]`.
    #[error("a node id consists of a-z, 0-9 and dashes")]
    Character,
    /// A dash at an end.
    #[error("a node id neither begins nor ends with a dash")]
    Dash,
    /// Nothing but digits and dashes: could be read as an address.
    #[error("a node id has at least one letter")]
    NoLetter,
    /// `localhost`.
    #[error("localhost is no node id")]
    Localhost,
    /// The dash and eight hex digits of the stake are missing.
    #[error("a node name ends with a dash and eight lower-case hex digits of its stake's id")]
    Suffix,
}

/// What a staker calls its node: a DNS label that cannot be taken for an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(Box<str>);

impl NodeId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NodeId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        check(text)?;
        Ok(Self(text.into()))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a node in Kubernetes: node id, dash, first eight hex digits of its stake's id.
///
/// The suffix cannot be chosen, so a name is neither squatted nor used twice. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(Arc<str>);

impl NodeName {
    /// The name that the contract gives to this node id and stake.
    pub fn new(node_id: &NodeId, stake: &StakeId) -> Self {
        let [a, b, c, d, ..] = stake.0;
        Self(format!("{node_id}-{a:02x}{b:02x}{c:02x}{d:02x}").into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name carries the suffix of this stake.
    pub fn belongs_to(&self, stake: &StakeId) -> bool {
        let (_, suffix) = self.0.split_at(self.0.len() - SUFFIX);
        let [a, b, c, d, ..] = stake.0;
        suffix == format!("-{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

impl FromStr for NodeName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let split = text.len().checked_sub(SUFFIX).ok_or(NameError::Suffix)?;
        let (node_id, suffix) = text.split_at_checked(split).ok_or(NameError::Character)?;
        let digits = suffix.strip_prefix('-').ok_or(NameError::Suffix)?;
        if !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(NameError::Suffix);
        }
        check(node_id)?;
        Ok(Self(text.into()))
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(node_id: &str) -> Result<(), NameError> {
    if node_id.is_empty() || node_id.len() > MAX_NODE_ID {
        return Err(NameError::Length);
    }
    if !node_id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
        return Err(NameError::Character);
    }
    if node_id.starts_with('-') || node_id.ends_with('-') {
        return Err(NameError::Dash);
    }
    if !node_id.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Err(NameError::NoLetter);
    }
    if node_id == "localhost" {
        return Err(NameError::Localhost);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_like_addresses_or_escape_a_label_are_refused() {
        let cases = [
            ("", NameError::Length),
            ("10.42.3.7", NameError::Character),
            ("10-42-3-7", NameError::NoLetter),
            ("localhost", NameError::Localhost),
            ("-a", NameError::Dash),
            ("a-", NameError::Dash),
            ("Worker", NameError::Character),
            ("a/../b", NameError::Character),
            ("nøde", NameError::Character),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<NodeId>(), Err(error), "{text}");
        }
        assert!("a".repeat(54).parse::<NodeId>().is_ok());
        assert_eq!("a".repeat(55).parse::<NodeId>(), Err(NameError::Length));
    }

    #[test]
    fn a_name_carries_its_stake() {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&[0xde, 0xad, 0x00, 0x0f]);
        let name = NodeName::new(&"worker-1".parse().unwrap(), &StakeId(id));
        assert_eq!(name.as_str(), "worker-1-dead000f");
        assert_eq!(name.as_str().parse(), Ok(name.clone()));
        assert!(name.belongs_to(&StakeId(id)) && !name.belongs_to(&StakeId([0; 32])));
        for wrong in ["worker-1", "worker-1-DEAD000f", "-dead000f", "10-dead000f", "worker-1-dead000é", "dead000f", "é"]
        {
            assert!(wrong.parse::<NodeName>().is_err(), "{wrong}");
        }
    }
}
