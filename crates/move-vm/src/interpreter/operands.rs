//! The operand stack.

use super::{Machine, step::Site};
use crate::{
    Fault,
    types::TypeId,
    value::{Reference, Repr},
};

const UNDERFLOW: Fault = Fault::Unverified("operand stack underflow");
const NOT_BOOL: Fault = Fault::Unverified("operand is not a bool");
const NOT_REFERENCE: Fault = Fault::Unverified("operand is not a reference");

impl Machine<'_> {
    pub(super) fn push(&mut self, value: Repr) -> Result<(), Fault> {
        if self.stack.len() >= self.limits.operand_stack {
            return Err(Fault::Limit("operand stack"));
        }
        self.stack.push(value);
        Ok(())
    }

    pub(super) fn push_reference(&mut self, reference: Reference) -> Result<(), Fault> {
        self.push(Repr::Reference(Box::new(reference)))
    }

    pub(super) fn pop(&mut self, site: &Site<'_>) -> Result<Repr, Fault> {
        if self.stack.len() <= site.base {
            return Err(UNDERFLOW);
        }
        self.stack.pop().ok_or(UNDERFLOW)
    }

    pub(super) fn pop_many(&mut self, site: &Site<'_>, count: usize) -> Result<Vec<Repr>, Fault> {
        let first = self.stack.len().checked_sub(count).filter(|first| *first >= site.base).ok_or(UNDERFLOW)?;
        self.allocate(count as u64)?;
        Ok(self.stack.drain(first..).collect())
    }

    pub(super) fn pop_bool(&mut self, site: &Site<'_>) -> Result<bool, Fault> {
        match self.pop(site)? {
            Repr::Bool(value) => Ok(value),
            _ => Err(NOT_BOOL),
        }
    }

    pub(super) fn pop_u64(&mut self, site: &Site<'_>) -> Result<u64, Fault> {
        match self.pop(site)? {
            Repr::U64(value) => Ok(value),
            _ => Err(Fault::Unverified("operand is not a u64")),
        }
    }

    pub(super) fn pop_reference(&mut self, site: &Site<'_>) -> Result<Box<Reference>, Fault> {
        match self.pop(site)? {
            Repr::Reference(reference) => Ok(reference),
            _ => Err(NOT_REFERENCE),
        }
    }

    pub(super) fn pop_vector(
        &mut self,
        site: &Site<'_>,
        vector: TypeId,
        mutable: bool,
    ) -> Result<Box<Reference>, Fault> {
        let reference = self.pop_reference(site)?;
        if reference.type_ != vector || (mutable && !reference.mutable) {
            return Err(Fault::Unverified("operand is not a reference to the vector"));
        }
        Ok(reference)
    }
}
