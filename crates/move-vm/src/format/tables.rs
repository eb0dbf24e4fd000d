//! The tables of a module after parsing. Every index in them is in bounds.

use sui_sdk_types::{Address, Identifier};

use super::Instruction;
use crate::{AbilitySet, ModuleId, TypeParameter, Visibility};

/// A type in a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Bool,
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
    Address,
    Signer,
    Vector(Box<Token>),
    /// Datatype handle and type arguments (empty if not generic).
    Datatype(u16, Vec<Token>),
    Parameter(u16),
    Reference(Box<Token>),
    MutableReference(Box<Token>),
}

#[derive(Clone, Debug)]
pub(crate) struct DatatypeHandle {
    pub(crate) module: u16,
    pub(crate) name: Identifier,
    pub(crate) abilities: AbilitySet,
    pub(crate) parameters: Vec<TypeParameter>,
}

#[derive(Clone, Debug)]
pub(crate) struct FunctionHandle {
    pub(crate) module: u16,
    pub(crate) name: Identifier,
    pub(crate) parameters: u16,
    pub(crate) returns: u16,
    pub(crate) type_parameters: Vec<AbilitySet>,
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: Identifier,
    pub(crate) type_: Token,
}

#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) name: Identifier,
    pub(crate) fields: Vec<Field>,
}

/// A struct has one variant without a tag, an enum at least one with its tag.
#[derive(Clone, Debug)]
pub(crate) struct Datatype {
    pub(crate) handle: u16,
    pub(crate) is_enum: bool,
    pub(crate) variants: Vec<Variant>,
}

/// A struct or enum definition with type arguments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DatatypeInstance {
    pub(crate) definition: u16,
    pub(crate) arguments: u16,
}

#[derive(Clone, Debug)]
pub(crate) struct JumpTable {
    /// Index in `datatypes`.
    pub(crate) head: u16,
    pub(crate) targets: Vec<u16>,
}

#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) locals: u16,
    pub(crate) instructions: Vec<Instruction>,
    pub(crate) jump_tables: Vec<JumpTable>,
}

#[derive(Clone, Debug)]
pub(crate) struct FunctionDefinition {
    pub(crate) handle: u16,
    pub(crate) visibility: Visibility,
    pub(crate) is_entry: bool,
    /// `None` for a native function.
    pub(crate) code: Option<Code>,
}

/// All tables. Structs come first in `datatypes`, enums after them (`struct_count` splits them).
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) self_module: u16,
    pub(crate) modules: Vec<ModuleId>,
    pub(crate) datatype_handles: Vec<DatatypeHandle>,
    pub(crate) function_handles: Vec<FunctionHandle>,
    /// Function handle, signature of the type arguments.
    pub(crate) function_instances: Vec<(u16, u16)>,
    pub(crate) signatures: Vec<Vec<Token>>,
    pub(crate) constants: Vec<(Token, Vec<u8>)>,
    pub(crate) identifiers: Vec<Identifier>,
    pub(crate) addresses: Vec<Address>,
    pub(crate) datatypes: Vec<Datatype>,
    pub(crate) struct_count: usize,
    pub(crate) struct_instances: Vec<DatatypeInstance>,
    pub(crate) enum_instances: Vec<DatatypeInstance>,
    /// Struct definition and field number.
    pub(crate) field_handles: Vec<(u16, u16)>,
    /// Field handle, signature of the type arguments.
    pub(crate) field_instances: Vec<(u16, u16)>,
    /// Index in `datatypes` and variant number.
    pub(crate) variant_handles: Vec<(u16, u16)>,
    /// Enum instance and variant number.
    pub(crate) variant_instances: Vec<(u16, u16)>,
    pub(crate) functions: Vec<FunctionDefinition>,
    pub(crate) friends: Vec<ModuleId>,
}
