//! Why something was refused: at loading, at linking, or while running.

use std::fmt;

use sui_sdk_types::Identifier;

use crate::module_id::ModuleId;

/// Why bytes are not a module that this crate executes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The bytes end inside an item, or hold more than they should.
    #[error("module is truncated or malformed: {0}")]
    Malformed(&'static str),
    /// A table entry points outside its table.
    #[error("module points outside its {0} table")]
    IndexOutOfBounds(&'static str),
    /// Not a version that this crate reads.
    #[error("bytecode version {0} is not supported (supported: 5 to 7)")]
    UnsupportedVersion(u32),
    /// Deprecated or unknown instruction.
    #[error("opcode {0:#04x} is not supported")]
    UnsupportedOpcode(u8),
    /// A bound of the format is exceeded.
    #[error("module exceeds the bound on {0}")]
    TooLarge(&'static str),
}

/// Why a package cannot be published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// A framework function that is not in the list of this crate.
    #[error("{0}::{1} is not available on the development chain")]
    FrameworkFunction(ModuleId, String),
    /// A module that is neither in the package, its dependencies nor the framework.
    #[error("module {0} does not exist")]
    MissingModule(ModuleId),
    /// A function that the module does not have.
    #[error("function {0}::{1} does not exist")]
    MissingFunction(ModuleId, String),
    /// A type that the module does not have.
    #[error("type {0}::{1} does not exist")]
    MissingType(ModuleId, String),
    /// The imported function has another signature, or may not be called from there.
    #[error("function {0}::{1} has another signature or is not visible to the importing module")]
    FunctionMismatch(ModuleId, String),
    /// The imported type has other abilities or type parameters.
    #[error("type {0}::{1} has other abilities or type parameters")]
    TypeMismatch(ModuleId, String),
    /// Two modules of one name, or an entry that contradicts itself.
    #[error("module {0} is not well formed: {1}")]
    IllFormed(ModuleId, &'static str),
}

/// Where execution stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The module whose function was executing.
    pub module: ModuleId,
    /// Index of the function definition in its module.
    pub function_index: u16,
    /// Name of the function.
    pub function: Identifier,
    /// Offset of the instruction in the function (0 in a framework function, which has no bytecode here).
    pub instruction: u16,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}::{} (function {}, instruction {})",
            self.module, self.function, self.function_index, self.instruction
        )
    }
}

/// Why a call failed. Each carries where, when execution had begun.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}{}", .location.as_ref().map(|l| format!(" at {l}")).unwrap_or_default())]
pub struct ExecutionError {
    /// What happened.
    pub fault: Fault,
    /// Where it happened; `None` before the first instruction of a call.
    pub location: Option<Box<Location>>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The `abort` instruction, or an abort of a framework function.
    #[error("aborted with code {0}")]
    Abort(u64),
    /// Overflow, underflow, division by zero, a shift or a cast out of range.
    #[error("arithmetic error")]
    Arithmetic,
    /// Vector index out of bounds (1), pop from an empty vector (2), unpack of another length (3).
    #[error("vector operation error, sub-status {0}")]
    Vector(u64),
    /// Unpacked an enum value as another of its variants.
    #[error("enum value is of another variant")]
    VariantMismatch,
    /// The step bound of the session.
    #[error("out of steps")]
    OutOfSteps,
    /// A bound other than steps.
    #[error("limit exceeded: {0}")]
    Limit(&'static str),
    /// The framework function is not implemented here.
    #[error("{0} is not available on the development chain")]
    MissingFramework(String),
    /// No such module, function or type.
    #[error("{0} does not exist")]
    Missing(String),
    /// Bytecode that the real bytecode verifier would have refused (or a wrong argument of the caller).
    #[error("invariant of the bytecode broken: {0}")]
    Unverified(&'static str),
    /// Bytes that are not a value of the type, or a value that is not of the type.
    #[error("value does not fit its type: {0}")]
    BadValue(&'static str),
    /// The function cannot be called with these type arguments.
    #[error("type argument {0} does not satisfy the constraint")]
    Constraint(usize),
    /// A wrong number of type arguments.
    #[error("wrong number of type arguments")]
    TypeArity,
    /// A wrong number of arguments.
    #[error("wrong number of arguments")]
    Arity,
    /// A slot is lent, empty or of another session.
    #[error("slot is not available: {0}")]
    Slot(&'static str),
    /// `load_nitro_attestation` without a verifier.
    #[error("no attestation verifier installed")]
    NoAttestationVerifier,
    /// The store could not give a child object.
    #[error("child object could not be loaded: {0}")]
    Store(String),
}

impl From<Fault> for ExecutionError {
    fn from(fault: Fault) -> Self {
        Self { fault, location: None }
    }
}

impl ExecutionError {
    /// The abort code and where, when this is an abort.
    pub fn abort(&self) -> Option<(&Location, u64)> {
        match (&self.fault, &self.location) {
            (Fault::Abort(code), Some(location)) => Some((location, *code)),
            _ => None,
        }
    }
}
