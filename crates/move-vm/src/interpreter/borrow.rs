//! Using references: every use walks the path from its root and checks what it finds.

use super::Machine;
use crate::{
    Ability, Fault,
    types::{TypeId, fixed},
    value::{Place, PlaceMut, Reference, Repr, Root, walk, walk_mut},
};

const DANGLING: Fault = Fault::Unverified("reference to a place that is gone");

impl Machine<'_> {
    fn root(&self, root: Root) -> Result<&Repr, Fault> {
        match root {
            Root::Local { index, activation } => self
                .locals
                .get(index as usize)
                .filter(|cell| cell.activation == activation)
                .and_then(|cell| cell.value.as_ref()),
            Root::Slot { index, call } if call == self.call_number => {
                self.slots.get(index as usize).and_then(|cell| cell.value.as_ref()).map(|value| &value.0)
            }
            Root::Slot { .. } => None,
        }
        .ok_or(DANGLING)
    }

    fn root_mut(&mut self, root: Root) -> Result<&mut Repr, Fault> {
        match root {
            Root::Local { index, activation } => self
                .locals
                .get_mut(index as usize)
                .filter(|cell| cell.activation == activation)
                .and_then(|cell| cell.value.as_mut()),
            Root::Slot { index, call } if call == self.call_number => {
                self.slots.get_mut(index as usize).and_then(|cell| cell.value.as_mut()).map(|value| &mut value.0)
            }
            Root::Slot { .. } => None,
        }
        .ok_or(DANGLING)
    }

    /// The referent, which is not a single byte of a `vector<u8>`.
    pub(crate) fn referent(&self, reference: &Reference) -> Result<&Repr, Fault> {
        match walk(self.root(reference.root)?, &reference.path) {
            Some(Place::Value(value)) if Self::type_of(value) == reference.type_ => Ok(value),
            _ => Err(DANGLING),
        }
    }

    /// The referent for writing. The caller must leave a value of the same type.
    pub(crate) fn referent_mut(&mut self, reference: &Reference) -> Result<&mut Repr, Fault> {
        if !reference.mutable {
            return Err(Fault::Unverified("write through an immutable reference"));
        }
        match walk_mut(self.root_mut(reference.root)?, &reference.path) {
            Some(PlaceMut::Value(value)) if Self::type_of(value) == reference.type_ => Ok(value),
            _ => Err(DANGLING),
        }
    }

    /// A copy of the referent.
    pub(crate) fn read(&mut self, reference: &Reference) -> Result<Repr, Fault> {
        match walk(self.root(reference.root)?, &reference.path) {
            Some(Place::Byte(byte)) if reference.type_ == fixed::U8 => Ok(Repr::U8(byte)),
            Some(Place::Value(value)) if Self::type_of(value) == reference.type_ => {
                if !self.has(value, Ability::Copy) {
                    return Err(Fault::Unverified("copy of a value without the ability"));
                }
                let weight = value.weight();
                let copy = value.clone();
                self.allocate(weight)?;
                Ok(copy)
            }
            _ => Err(DANGLING),
        }
    }

    /// Replaces the referent by a value of the same type; the old value must have `drop`.
    pub(crate) fn write(&mut self, reference: &Reference, new: Repr) -> Result<(), Fault> {
        if !reference.mutable {
            return Err(Fault::Unverified("write through an immutable reference"));
        }
        if matches!(new, Repr::Reference(_)) || Self::type_of(&new) != reference.type_ {
            return Err(Fault::Unverified("write of another type"));
        }
        if !self.types.abilities(reference.type_).has(Ability::Drop) {
            return Err(Fault::Unverified("drop of a value without the ability"));
        }
        match (walk_mut(self.root_mut(reference.root)?, &reference.path), new) {
            (Some(PlaceMut::Byte(byte)), Repr::U8(new)) => *byte = new,
            (Some(PlaceMut::Value(value)), new) if Self::type_of(value) == reference.type_ => *value = new,
            _ => return Err(DANGLING),
        }
        Ok(())
    }

    /// A reference to an element; the index must be in range (sub-status 1 otherwise).
    pub(crate) fn element(
        &mut self,
        vector: &Reference,
        index: u64,
        element: TypeId,
        mutable: bool,
    ) -> Result<Reference, Fault> {
        if mutable && !vector.mutable {
            return Err(Fault::Unverified("mutable borrow through an immutable reference"));
        }
        if index >= self.length(vector)? as u64 {
            return Err(Fault::Vector(1));
        }
        let index = u32::try_from(index).map_err(|_| Fault::Vector(1))?;
        Ok(vector.part(index, element, mutable))
    }

    /// Length of the vector referred to.
    pub(crate) fn length(&self, vector: &Reference) -> Result<usize, Fault> {
        match self.referent(vector)? {
            Repr::Bytes(bytes) => Ok(bytes.len()),
            Repr::Vector(_, items) => Ok(items.len()),
            _ => Err(Fault::Unverified("not a vector")),
        }
    }
}
