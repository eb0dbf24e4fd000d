//! What framework functions need of their call: arguments, results, aborts.

use smallvec::{SmallVec, smallvec};
use sui_sdk_types::Address;

use super::location;
use crate::{
    Fault,
    interpreter::{Call, Machine, NativeResult, Stop},
    types::TypeId,
    value::{Reference, Repr},
};

const MISTYPED: Fault = Fault::Unverified("framework function got another type");

/// No result.
#[expect(clippy::unnecessary_wraps, reason = "the type of every framework function's outcome")]
pub(super) fn nothing() -> NativeResult {
    Ok(SmallVec::new())
}

/// One result.
#[expect(clippy::unnecessary_wraps, reason = "the type of every framework function's outcome")]
pub(super) fn one(value: Repr) -> NativeResult {
    Ok(smallvec![value])
}

pub(super) fn mistyped() -> Stop {
    MISTYPED.into()
}

/// An abort in the called function itself.
pub(super) fn abort(code: u64) -> Stop {
    Fault::Abort(code).into()
}

/// An abort in another framework function, which the called one calls in the real framework.
pub(super) fn abort_in(package: u8, module: &str, function: &str, code: u64) -> Stop {
    fault_in(package, module, function, Fault::Abort(code))
}

pub(super) fn fault_in(package: u8, module: &str, function: &str, fault: Fault) -> Stop {
    Stop { fault, at: location(package, module, function).map(Box::new) }
}

/// The bytes inside `String { bytes }` and the like.
pub(super) fn into_bytes(value: Repr) -> Result<Vec<u8>, Stop> {
    match value {
        Repr::Bytes(bytes) => Ok(bytes),
        Repr::Struct(_, _, fields) => match fields.into_vec().pop() {
            Some(Repr::Bytes(bytes)) => Ok(bytes),
            _ => Err(mistyped()),
        },
        _ => Err(mistyped()),
    }
}

pub(super) fn text(type_: TypeId, bytes: Vec<u8>) -> Repr {
    Repr::Struct(type_, 0, Box::new([Repr::Bytes(bytes)]))
}

impl Call<'_, '_> {
    pub(super) fn take(&mut self, index: usize) -> Result<Repr, Stop> {
        let value = self.arguments.get_mut(index).ok_or_else(mistyped)?;
        Ok(std::mem::replace(value, Repr::Bool(false)))
    }

    pub(super) fn u8(&self, index: usize) -> Result<u8, Stop> {
        match self.arguments.get(index) {
            Some(Repr::U8(value)) => Ok(*value),
            _ => Err(mistyped()),
        }
    }

    pub(super) fn u64(&self, index: usize) -> Result<u64, Stop> {
        match self.arguments.get(index) {
            Some(Repr::U64(value)) => Ok(*value),
            _ => Err(mistyped()),
        }
    }

    pub(super) fn address(&self, index: usize) -> Result<Address, Stop> {
        match self.arguments.get(index) {
            Some(Repr::Address(value)) => Ok(*value),
            _ => Err(mistyped()),
        }
    }

    pub(super) fn bytes(&mut self, index: usize) -> Result<Vec<u8>, Stop> {
        into_bytes(self.take(index)?)
    }

    pub(super) fn reference(&mut self, index: usize) -> Result<Reference, Stop> {
        match self.take(index)? {
            Repr::Reference(reference) => Ok(*reference),
            _ => Err(mistyped()),
        }
    }

    /// What the reference argument refers to.
    pub(super) fn referent(&self, index: usize) -> Result<&Repr, Stop> {
        match self.arguments.get(index) {
            Some(Repr::Reference(reference)) => Ok(self.machine.referent(reference)?),
            _ => Err(mistyped()),
        }
    }

    pub(super) fn referent_mut(&mut self, index: usize) -> Result<&mut Repr, Stop> {
        match self.arguments.get(index) {
            Some(Repr::Reference(reference)) => Ok(self.machine.referent_mut(reference)?),
            _ => Err(mistyped()),
        }
    }

    /// The bytes referred to, directly or inside a struct of one field.
    pub(super) fn bytes_at(&self, index: usize) -> Result<&[u8], Stop> {
        match self.referent(index)? {
            Repr::Bytes(bytes) => Ok(bytes),
            other => match other.get(&[0]) {
                Some(Repr::Bytes(bytes)) => Ok(bytes),
                _ => Err(mistyped()),
            },
        }
    }

    /// The bytes referred to, for changing.
    pub(super) fn bytes_mut(&mut self, index: usize) -> Result<&mut Vec<u8>, Stop> {
        match self.referent_mut(index)? {
            Repr::Bytes(bytes) => Ok(bytes),
            Repr::Struct(_, _, fields) => match fields.first_mut() {
                Some(Repr::Bytes(bytes)) => Ok(bytes),
                _ => Err(mistyped()),
            },
            _ => Err(mistyped()),
        }
    }

    /// A reference to a field path of the struct referred to.
    pub(super) fn part(&mut self, index: usize, path: &[u32]) -> Result<Reference, Stop> {
        let mut reference = self.reference(index)?;
        for field in path {
            let type_ = self.machine.types.field(reference.type_, *field as usize)?;
            let mutable = reference.mutable;
            reference = reference.part(*field, type_, mutable);
        }
        Ok(reference)
    }

    /// Result: a reference to a field; immutable if the signature says so.
    pub(super) fn borrow(&mut self, path: &[u32]) -> NativeResult {
        let mut reference = self.part(0, path)?;
        reference.mutable &=
            matches!(self.machine.types.get(self.returns(0)?), crate::types::Type::MutableReference(_));
        one(Repr::Reference(Box::new(reference)))
    }

    /// Result: a copy of a field of the struct referred to.
    pub(super) fn read_field(&mut self, path: &[u32]) -> NativeResult {
        let reference = self.part(0, path)?;
        one(self.machine.read(&reference)?)
    }

    pub(super) fn returns(&self, index: usize) -> Result<TypeId, Stop> {
        self.function.returns.get(index).copied().ok_or_else(mistyped)
    }

    pub(super) fn type_argument(&self, index: usize) -> Result<TypeId, Stop> {
        self.function.type_arguments.get(index).copied().ok_or_else(mistyped)
    }

    /// Uses up steps and memory for work on `bytes` bytes.
    pub(super) fn charge(&mut self, bytes: usize) -> Result<(), Stop> {
        self.machine.spend(bytes as u64 / 16)?;
        Ok(self.machine.allocate(bytes as u64 / 32 + 1)?)
    }

    /// A struct of the type of a result.
    pub(super) fn result_struct(&self, fields: Vec<Repr>) -> NativeResult {
        one(Repr::Struct(self.returns(0)?, 0, fields.into()))
    }

    /// `Option` of the type of the first result.
    pub(super) fn result_option(&self, value: Option<Repr>) -> NativeResult {
        one(self.machine.option(self.returns(0)?, value)?)
    }

    /// Whether the calling module defines the type: what the bytecode verifier proves for private generics.
    pub(super) fn require_defining_module(&self, type_: TypeId) -> Result<(), Stop> {
        match (self.machine.types.get(type_), self.caller) {
            (crate::types::Type::Datatype { module, .. }, Some(caller)) if *module == caller => Ok(()),
            _ => Err(Fault::Unverified("only the module that defines the type may call this function").into()),
        }
    }
}

impl Machine<'_> {
    /// A value of an `Option` type.
    pub(super) fn option(&self, option: TypeId, value: Option<Repr>) -> Result<Repr, Fault> {
        let vector = self.types.field(option, 0)?;
        let inner = self.make_vector(vector, value.into_iter().collect())?;
        Ok(Repr::Struct(option, 0, Box::new([inner])))
    }
}

/// The value inside an `Option`.
pub(super) fn option_into(value: Repr) -> Result<Option<Repr>, Stop> {
    match value {
        Repr::Struct(_, _, fields) => match fields.into_vec().pop() {
            Some(Repr::Bytes(bytes)) => Ok(bytes.first().map(|b| Repr::U8(*b))),
            Some(Repr::Vector(_, mut items)) => Ok(items.pop()),
            _ => Err(mistyped()),
        },
        _ => Err(mistyped()),
    }
}
