//! A parsed module and what callers ask about it.

use std::sync::Arc;

use sui_sdk_types::{Address, Identifier};

use crate::{LinkError, LoadError, ModuleId, ModuleSource};

/// One of the four abilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    /// Values may be copied.
    Copy = 1,
    /// Values may be dropped.
    Drop = 2,
    /// Values may be stored in objects.
    Store = 4,
    /// Values are objects.
    Key = 8,
}

/// A set of abilities, in the encoding of the binary format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AbilitySet(pub(crate) u8);

impl AbilitySet {
    /// Whether the ability is in the set.
    pub fn has(self, ability: Ability) -> bool {
        self.0 & ability as u8 != 0
    }

    /// Whether every ability of `other` is in the set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Who may call a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// The module itself.
    Private,
    /// Modules of the same package that it names as friends (`public(package)`).
    Friend,
    /// Everyone.
    Public,
}

/// A type parameter of a function or a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeParameter {
    /// Abilities that an argument must have.
    pub constraints: AbilitySet,
    /// Whether the parameter is phantom (types only).
    pub phantom: bool,
}

/// A type as written in a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeSignature {
    /// `bool`
    Bool,
    /// `u8`
    U8,
    /// `u16`
    U16,
    /// `u32`
    U32,
    /// `u64`
    U64,
    /// `u128`
    U128,
    /// `u256`
    U256,
    /// `address`
    Address,
    /// `signer`
    Signer,
    /// `vector<T>`
    Vector(Box<TypeSignature>),
    /// A struct or an enum with its type arguments.
    Datatype(ModuleId, Identifier, Vec<TypeSignature>),
    /// The n-th type parameter.
    Parameter(u16),
    /// `&T`
    Reference(Box<TypeSignature>),
    /// `&mut T`
    MutableReference(Box<TypeSignature>),
}

/// A function of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionInfo {
    /// Its name.
    pub name: Identifier,
    /// Who may call it.
    pub visibility: Visibility,
    /// Whether it is an `entry` function.
    pub is_entry: bool,
    /// Type parameters.
    pub type_parameters: Vec<TypeParameter>,
    /// Types of the parameters.
    pub parameters: Vec<TypeSignature>,
    /// Types of the results.
    pub returns: Vec<TypeSignature>,
}

/// A field of a struct or of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    /// Its name.
    pub name: Identifier,
    /// Its type.
    pub type_: TypeSignature,
}

/// A variant of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariantInfo {
    /// Its name.
    pub name: Identifier,
    /// Its fields.
    pub fields: Vec<FieldInfo>,
}

/// A struct or an enum of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructInfo {
    /// Its name.
    pub name: Identifier,
    /// Its abilities (of a generic type: when all arguments have them).
    pub abilities: AbilitySet,
    /// Type parameters.
    pub type_parameters: Vec<TypeParameter>,
    /// Fields of a struct; empty for an enum.
    pub fields: Vec<FieldInfo>,
    /// Variants of an enum; `None` for a struct.
    pub variants: Option<Vec<VariantInfo>>,
}

/// A parsed module. Every index in it is in bounds; nothing else is promised about its code.
#[derive(Debug)]
pub struct CompiledModule {
    id: ModuleId,
}

impl CompiledModule {
    /// Parses the bytes of a compiled module.
    pub fn parse(_bytes: &[u8]) -> Result<Self, LoadError> {
        Err(LoadError::Malformed("not yet"))
    }

    /// Parses the module and gives the address 0x0 (its own, before publishing) the id of the package.
    ///
    /// Returns the module with the bytes as they are stored.
    pub fn with_self_address(bytes: &[u8], _package: Address) -> Result<(Self, Vec<u8>), LoadError> {
        Ok((Self::parse(bytes)?, bytes.to_vec()))
    }

    /// Its name.
    pub fn id(&self) -> &ModuleId {
        &self.id
    }

    /// Its functions, in the order of definition.
    pub fn functions(&self) -> Vec<FunctionInfo> {
        Vec::new()
    }

    /// One of its functions with its index.
    pub fn function(&self, _name: &str) -> Option<(u16, FunctionInfo)> {
        None
    }

    /// Its structs and enums.
    pub fn structs(&self) -> Vec<StructInfo> {
        Vec::new()
    }

    /// The modules that it names, itself not among them.
    pub fn dependencies(&self) -> Vec<ModuleId> {
        Vec::new()
    }

    /// The modules that it names as friends.
    pub fn friends(&self) -> Vec<ModuleId> {
        Vec::new()
    }
}

/// Checks that everything that the modules import exists with the signature that they expect, in the package itself,
/// in `deps` or in the built-in framework.
pub fn check_publishable(_modules: &[Arc<CompiledModule>], _deps: &dyn ModuleSource) -> Result<(), LinkError> {
    Ok(())
}
