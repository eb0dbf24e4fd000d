//! A bounded loader and interpreter of compiled Move (Sui) bytecode for the development chain.
//!
//! There is **no bytecode verifier**: everything it would prove is checked while running instead, so that arbitrary
//! bytes end in an error, never in a crash, a hang or unbounded memory. The framework (`0x1`, `0x2`) is implemented in
//! Rust from a list; see the crate's README.

#[cfg(test)]
mod attacks;
mod codec;
mod error;
mod format;
mod framework;
mod interpreter;
#[cfg(test)]
mod lab;
mod limits;
mod link;
mod module;
mod module_id;
mod object_runtime;
#[cfg(test)]
mod opcodes;
mod session;
mod source;
mod types;
mod value;

pub use error::{ExecutionError, Fault, LinkError, LoadError, Location};
pub use limits::Limits;
pub use link::check_publishable;
pub use module::{
    Ability, AbilitySet, CompiledModule, FieldInfo, FunctionInfo, StructInfo, TypeParameter, TypeSignature,
    VariantInfo, Visibility,
};
pub use module_id::ModuleId;
pub use session::{
    CallSignature, Changes, ChildChange, Event, LoadedChild, ObjectChange, Parameter, Passing, Recipient, Session,
    Slot, TxContext,
};
pub use source::{AttestationDocument, AttestationError, AttestationVerifier, ChildSource, ModuleSource, StoredObject};
pub use value::Value;
