//! Places outside of calls: each holds one value and can be lent to a call.

use sui_sdk_types::TypeTag;

use super::{Passing, Session, Slot};
use crate::{
    ExecutionError, Fault, Value, codec,
    interpreter::Machine,
    value::{Reference, Repr, Root},
};

impl Session<'_> {
    /// Puts a value in a new slot.
    pub fn hold(&mut self, value: Value) -> Result<Slot, ExecutionError> {
        if value.is_reference() {
            return Err(Fault::Slot("a reference cannot be held").into());
        }
        Ok(Slot(self.machine.new_slot(value.0)?))
    }

    /// A reference to the slot's value for the next call only; a slot lent mutably is lent once, and references end
    /// when the call returns.
    pub fn lend(&mut self, slot: Slot, passing: Passing) -> Result<Value, ExecutionError> {
        // The number that the next call will have.
        let next = self.machine.call_number + 1;
        let mutable = passing == Passing::MutableReference;
        let cell = self.machine.slots.get_mut(slot.0 as usize).ok_or(Fault::Slot("unknown"))?;
        let value = cell.value.as_ref().ok_or(Fault::Slot("empty"))?;
        let type_ = Machine::type_of(&value.0);
        match cell.lent {
            Some((lent, exclusive)) if lent == next && (exclusive || mutable) => {
                return Err(Fault::Slot("already lent").into());
            }
            _ => cell.lent = Some((next, mutable)),
        }
        let root = Root::Slot { index: slot.0, call: next };
        Ok(Value(Repr::Reference(Box::new(Reference { root, mutable, type_, path: smallvec::SmallVec::new() }))))
    }

    /// Takes the value out of the slot, which is empty afterwards.
    pub fn take(&mut self, slot: Slot) -> Result<Value, ExecutionError> {
        let cell = self.machine.slots.get_mut(slot.0 as usize).ok_or(Fault::Slot("unknown"))?;
        Ok(cell.value.take().ok_or(Fault::Slot("empty"))?)
    }

    /// Puts a value back into a slot that is empty.
    pub fn put(&mut self, slot: Slot, value: Value) -> Result<(), ExecutionError> {
        let cell = self.machine.slots.get_mut(slot.0 as usize).ok_or(Fault::Slot("unknown"))?;
        if cell.value.is_some() || value.is_reference() {
            return Err(Fault::Slot("full").into());
        }
        cell.value = Some(value);
        Ok(())
    }

    /// Looks at the slot's value.
    pub fn peek(&self, slot: Slot) -> Result<&Value, ExecutionError> {
        let cell = self.machine.slots.get(slot.0 as usize).ok_or(Fault::Slot("unknown"))?;
        Ok(cell.value.as_ref().ok_or(Fault::Slot("empty"))?)
    }

    /// A copy of the slot's value, whose type must have `copy`.
    pub fn copy(&mut self, slot: Slot) -> Result<Value, ExecutionError> {
        let cell = self.machine.slots.get_mut(slot.0 as usize).ok_or(Fault::Slot("unknown"))?;
        let value = cell.value.take().ok_or(Fault::Slot("empty"))?;
        let copy = self.machine.copy(&value.0);
        self.machine.slots[slot.0 as usize].value = Some(value);
        Ok(Value(copy?))
    }

    /// BCS of the slot's value.
    pub fn encode_slot(&self, slot: Slot) -> Result<Vec<u8>, ExecutionError> {
        let cell = self.machine.slots.get(slot.0 as usize).ok_or(Fault::Slot("unknown"))?;
        let value = cell.value.as_ref().ok_or(Fault::Slot("empty"))?;
        Ok(codec::encode(&self.machine, &value.0, self.machine.limits.object_bytes)?)
    }

    /// The type of the slot's value.
    pub fn slot_type(&self, slot: Slot) -> Result<TypeTag, ExecutionError> {
        let cell = self.machine.slots.get(slot.0 as usize).ok_or(Fault::Slot("unknown"))?;
        let value = cell.value.as_ref().ok_or(Fault::Slot("empty"))?;
        Ok(self.machine.types.tag(Machine::type_of(&value.0))?)
    }
}
