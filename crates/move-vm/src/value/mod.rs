//! Move values: owned trees. References are paths into a place, never pointers, so nothing can dangle or form a cycle.

pub(crate) mod number;
mod reference;

use sui_sdk_types::Address;

pub(crate) use number::U256;
pub(crate) use reference::{Place, PlaceMut, Reference, Root, walk, walk_mut};

use crate::types::TypeId;

/// A Move value. A [`crate::Session`] decodes, encodes and types it; it is only valid in the session that made it.
///
/// `Clone` is for values whose type has `copy`; the caller asks [`crate::Session::abilities`] first.
#[derive(Clone, Debug, PartialEq)]
pub struct Value(pub(crate) Repr);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Repr {
    Bool(bool),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    U128(u128),
    U256(Box<U256>),
    Address(Address),
    /// `vector<u8>`
    Bytes(Vec<u8>),
    /// Every other vector, with the type of the vector.
    Vector(TypeId, Vec<Repr>),
    /// A struct or enum with its type, the number of its variant (0 for a struct) and its fields.
    Struct(TypeId, u16, Box<[Repr]>),
    Reference(Box<Reference>),
}

impl Value {
    /// A `bool`.
    pub fn bool(value: bool) -> Self {
        Self(Repr::Bool(value))
    }

    /// A `u64`.
    pub fn u64(value: u64) -> Self {
        Self(Repr::U64(value))
    }

    /// An `address`.
    pub fn address(value: Address) -> Self {
        Self(Repr::Address(value))
    }

    /// A `vector<u8>`.
    pub fn bytes(value: Vec<u8>) -> Self {
        Self(Repr::Bytes(value))
    }

    /// The number, if it is a `u64`.
    pub fn as_u64(&self) -> Option<u64> {
        match self.0 {
            Repr::U64(value) => Some(value),
            _ => None,
        }
    }

    /// The address, if it is one.
    pub fn as_address(&self) -> Option<Address> {
        match self.0 {
            Repr::Address(value) => Some(value),
            _ => None,
        }
    }

    /// Whether it is a reference, which only the next call may use.
    pub fn is_reference(&self) -> bool {
        matches!(self.0, Repr::Reference(_))
    }
}

impl Repr {
    /// Nodes in the tree, long byte vectors counted by 32: what copying or comparing costs.
    pub(crate) fn weight(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => 1 + bytes.len() as u64 / 32,
            Self::Vector(_, items) => 1 + items.iter().map(Self::weight).sum::<u64>(),
            Self::Struct(_, _, fields) => 1 + fields.iter().map(Self::weight).sum::<u64>(),
            _ => 1,
        }
    }

    /// Follows field and element numbers.
    pub(crate) fn get(&self, path: &[u32]) -> Option<&Self> {
        match walk(self, path) {
            Some(Place::Value(value)) => Some(value),
            _ => None,
        }
    }
}
