//! The binary format of compiled modules (`move-binary-format`: `file_format.rs`, `deserializer.rs`), versions 5 to 7.

mod bounds;
mod code;
mod layout;
mod parse;
mod reader;
mod relocate;
mod tables;

#[cfg(test)]
pub(crate) use bounds::check;
pub(crate) use code::Instruction;
#[cfg(test)]
pub(crate) use code::every_instruction;
pub(crate) use parse::parse;
pub(crate) use relocate::with_self_address;
pub(crate) use tables::{
    Code, Datatype, DatatypeHandle, Field, FunctionDefinition, FunctionHandle, Tables, Token, Variant,
};
#[cfg(test)]
pub(crate) use tables::{DatatypeInstance, JumpTable};
