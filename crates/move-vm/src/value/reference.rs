//! References as checked paths.

use smallvec::SmallVec;

use super::Repr;
use crate::types::TypeId;

/// Where a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// A local variable: position on the stack of locals, number of the frame's activation.
    Local { index: u32, activation: u32 },
    /// A slot: an object lent by the caller, or a dynamic field. Valid during one top-level call.
    Slot { index: u32, call: u32 },
}

/// A reference: root, then fields and elements. Using it walks the path and checks the type found there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reference {
    pub(crate) root: Root,
    pub(crate) mutable: bool,
    /// Type of the referent.
    pub(crate) type_: TypeId,
    pub(crate) path: SmallVec<[u32; 4]>,
}

impl Reference {
    /// A reference to a part of the referent.
    pub(crate) fn part(&self, index: u32, type_: TypeId, mutable: bool) -> Self {
        let mut path = self.path.clone();
        path.push(index);
        Self { root: self.root, mutable, type_, path }
    }
}

/// What a path leads to: bytes of a `vector<u8>` are not values of their own.
pub(crate) enum Place<'a> {
    Value(&'a Repr),
    Byte(u8),
}

/// The same for writing.
pub(crate) enum PlaceMut<'a> {
    Value(&'a mut Repr),
    Byte(&'a mut u8),
}

/// Follows a path; `None` if it leads nowhere (any more).
pub(crate) fn walk<'a>(mut value: &'a Repr, path: &[u32]) -> Option<Place<'a>> {
    for (position, index) in path.iter().enumerate() {
        let index = *index as usize;
        value = match value {
            Repr::Struct(_, _, fields) => fields.get(index)?,
            Repr::Vector(_, items) => items.get(index)?,
            Repr::Bytes(bytes) if position + 1 == path.len() => return bytes.get(index).copied().map(Place::Byte),
            _ => return None,
        };
    }
    Some(Place::Value(value))
}

/// Follows a path for writing.
pub(crate) fn walk_mut<'a>(mut value: &'a mut Repr, path: &[u32]) -> Option<PlaceMut<'a>> {
    for (position, index) in path.iter().enumerate() {
        let index = *index as usize;
        value = match value {
            Repr::Struct(_, _, fields) => fields.get_mut(index)?,
            Repr::Vector(_, items) => items.get_mut(index)?,
            Repr::Bytes(bytes) if position + 1 == path.len() => return bytes.get_mut(index).map(PlaceMut::Byte),
            _ => return None,
        };
    }
    Some(PlaceMut::Value(value))
}
