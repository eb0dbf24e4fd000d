//! Functions with their type arguments, frames, and how framework functions are called.

use std::{rc::Rc, sync::Arc};

use smallvec::SmallVec;

use super::Machine;
use crate::{
    CompiledModule, Fault, Location,
    format::Code,
    types::TypeId,
    value::{Repr, Value},
};

/// A function with its type arguments applied.
pub(crate) struct Function {
    pub(crate) module: u32,
    pub(crate) definition: u16,
    pub(crate) compiled: Arc<CompiledModule>,
    pub(crate) native: Option<Native>,
    pub(crate) type_arguments: Rc<[TypeId]>,
    pub(crate) parameters: Box<[TypeId]>,
    /// Parameters first.
    pub(crate) locals: Box<[TypeId]>,
    pub(crate) returns: Box<[TypeId]>,
    /// Where the machine keeps what each instruction resolved to.
    pub(crate) resolved: usize,
}

impl Function {
    pub(crate) fn code(&self) -> Option<&Code> {
        self.compiled.tables().functions[usize::from(self.definition)].code.as_ref()
    }

    pub(crate) fn name(&self) -> String {
        format!("{}::{}", self.compiled.id(), self.compiled.function_name(self.definition))
    }
}

pub(super) struct Frame {
    pub(super) function: Rc<Function>,
    /// Where to go on after the call that this frame waits for.
    pub(super) pc: usize,
    pub(super) locals_base: usize,
    pub(super) activation: u32,
    pub(super) stack_base: usize,
}

pub(super) struct LocalCell {
    pub(super) activation: u32,
    pub(super) value: Option<Repr>,
}

/// A place outside frames: an object lent by the caller, or a dynamic field.
pub(crate) struct SlotCell {
    pub(crate) value: Option<Value>,
    /// Number of the call that it is lent for, and whether mutably.
    pub(crate) lent: Option<(u32, bool)>,
}

/// What a framework function gives back.
pub(crate) type Returns = SmallVec<[Repr; 2]>;
pub(crate) type NativeResult = Result<Returns, Stop>;
/// A framework function.
pub(crate) type Native = for<'m, 'a> fn(&mut Call<'m, 'a>) -> NativeResult;

/// The call of a framework function. Its arguments have been checked against the parameters' types.
pub(crate) struct Call<'m, 'a> {
    pub(crate) machine: &'m mut Machine<'a>,
    pub(crate) function: &'m Rc<Function>,
    /// The calling module; `None` for a call from outside.
    pub(crate) caller: Option<u32>,
    pub(crate) arguments: SmallVec<[Repr; 4]>,
}

/// Why execution stopped, and where if not at the current instruction.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) fault: Fault,
    pub(crate) at: Option<Box<Location>>,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self { fault, at: None }
    }
}
