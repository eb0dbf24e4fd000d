//! Move values.

use sui_sdk_types::Address;

/// A Move value. Structs, vectors and references are opaque; a [`crate::Session`] decodes and encodes them.
///
/// `Clone` is for values whose type has `copy`; the caller asks [`crate::Session::abilities`] first.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Value {
    /// `bool`
    Bool(bool),
    /// `u64`
    U64(u64),
    /// `address`
    Address(Address),
}

impl Value {
    /// The number, if it is a `u64`.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::U64(value) => Some(*value),
            _ => None,
        }
    }
}
