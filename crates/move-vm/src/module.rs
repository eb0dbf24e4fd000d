//! A parsed module and what callers ask about it.

use std::{collections::HashMap, fmt, fmt::Write as _};

use sui_sdk_types::{Address, Identifier};

use crate::{
    LoadError, ModuleId,
    format::{
        Datatype, Field, FunctionDefinition, FunctionHandle, Instruction, Tables, Token, Variant, parse,
        with_self_address,
    },
    interpreter::Native,
};

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
pub struct CompiledModule {
    id: ModuleId,
    tables: Tables,
    functions_by_name: HashMap<Identifier, u16>,
    datatypes_by_name: HashMap<Identifier, u16>,
    /// Implementations of the functions, for framework modules.
    natives: Vec<Option<Native>>,
}

impl fmt::Debug for CompiledModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CompiledModule").field(&self.id).finish()
    }
}

impl CompiledModule {
    /// Parses the bytes of a compiled module.
    pub fn parse(bytes: &[u8]) -> Result<Self, LoadError> {
        Self::from_tables(parse(bytes)?, Vec::new())
    }

    /// Parses a module as compiled and gives its own address, 0x0 before publishing, the id of the package.
    ///
    /// Returns the module with its bytes as they are stored.
    pub fn with_self_address(bytes: &[u8], package: Address) -> Result<(Self, Vec<u8>), LoadError> {
        let bytes = with_self_address(bytes, package)?;
        Ok((Self::parse(&bytes)?, bytes))
    }

    pub(crate) fn from_tables(tables: Tables, natives: Vec<Option<Native>>) -> Result<Self, LoadError> {
        let id = tables.modules[usize::from(tables.self_module)].clone();
        let mut functions_by_name = HashMap::new();
        for (index, function) in tables.functions.iter().enumerate() {
            let name = &tables.function_handles[usize::from(function.handle)].name;
            if functions_by_name.insert(name.clone(), index as u16).is_some() {
                return Err(LoadError::Malformed("two functions of one name"));
            }
        }
        let mut datatypes_by_name = HashMap::new();
        for (index, datatype) in tables.datatypes.iter().enumerate() {
            let name = &tables.datatype_handles[usize::from(datatype.handle)].name;
            if datatypes_by_name.insert(name.clone(), index as u16).is_some() {
                return Err(LoadError::Malformed("two types of one name"));
            }
        }
        Ok(Self { id, tables, functions_by_name, datatypes_by_name, natives })
    }

    /// Its name.
    pub fn id(&self) -> &ModuleId {
        &self.id
    }

    /// Its functions, in the order of definition.
    pub fn functions(&self) -> Vec<FunctionInfo> {
        self.tables.functions.iter().map(|f| self.function_info(f)).collect()
    }

    /// One of its functions with its index.
    pub fn function(&self, name: &str) -> Option<(u16, FunctionInfo)> {
        let index = *self.functions_by_name.get(&Identifier::new(name).ok()?)?;
        Some((index, self.function_info(&self.tables.functions[usize::from(index)])))
    }

    /// Its structs and enums.
    pub fn structs(&self) -> Vec<StructInfo> {
        let fields = |variant: &Variant| {
            let field = |f: &Field| FieldInfo { name: f.name.clone(), type_: self.type_signature(&f.type_) };
            variant.fields.iter().map(field).collect()
        };
        let info = |datatype: &Datatype| {
            let handle = &self.tables.datatype_handles[usize::from(datatype.handle)];
            let variants = datatype.is_enum.then(|| {
                let variant = |v: &Variant| VariantInfo { name: v.name.clone(), fields: fields(v) };
                datatype.variants.iter().map(variant).collect()
            });
            StructInfo {
                name: handle.name.clone(),
                abilities: handle.abilities,
                type_parameters: handle.parameters.clone(),
                fields: if datatype.is_enum { Vec::new() } else { fields(&datatype.variants[0]) },
                variants,
            }
        };
        self.tables.datatypes.iter().map(info).collect()
    }

    /// The modules that it names, itself not among them.
    pub fn dependencies(&self) -> Vec<ModuleId> {
        self.tables.modules.iter().filter(|id| **id != self.id).cloned().collect()
    }

    /// The modules that it names as friends.
    pub fn friends(&self) -> Vec<ModuleId> {
        self.tables.friends.clone()
    }

    /// A listing of its code, for people.
    pub fn listing(&self) -> String {
        let mut out = String::new();
        for (index, function) in self.tables.functions.iter().enumerate() {
            let name = self.function_name(index as u16);
            let _ = writeln!(out, "{index} {name}");
            for (offset, instruction) in function.code.iter().flat_map(|c| &c.instructions).enumerate() {
                let _ = writeln!(out, "    {offset} {instruction:?}{}", self.operand(instruction));
            }
        }
        out
    }

    fn operand(&self, instruction: &Instruction) -> String {
        let called = |handle: u16| {
            let handle = &self.tables.function_handles[usize::from(handle)];
            format!(" {}::{}", self.tables.modules[usize::from(handle.module)], handle.name)
        };
        match instruction {
            Instruction::Call(handle) => called(*handle),
            Instruction::CallGeneric(instance) => called(self.tables.function_instances[usize::from(*instance)].0),
            Instruction::LoadConstant(index) => format!(" {:?}", self.tables.constants[usize::from(*index)]),
            _ => String::new(),
        }
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    pub(crate) fn function_index(&self, name: &Identifier) -> Option<u16> {
        self.functions_by_name.get(name).copied()
    }

    pub(crate) fn datatype_index(&self, name: &Identifier) -> Option<u16> {
        self.datatypes_by_name.get(name).copied()
    }

    pub(crate) fn native(&self, function: u16) -> Option<Native> {
        self.natives.get(usize::from(function)).copied().flatten()
    }

    pub(crate) fn function_name(&self, function: u16) -> &Identifier {
        &self.tables.function_handles[usize::from(self.tables.functions[usize::from(function)].handle)].name
    }

    pub(crate) fn function_info(&self, function: &FunctionDefinition) -> FunctionInfo {
        let handle = &self.tables.function_handles[usize::from(function.handle)];
        FunctionInfo {
            name: handle.name.clone(),
            visibility: function.visibility,
            is_entry: function.is_entry,
            type_parameters: type_parameters(handle),
            parameters: self.signature(handle.parameters),
            returns: self.signature(handle.returns),
        }
    }

    pub(crate) fn signature(&self, index: u16) -> Vec<TypeSignature> {
        self.tables.signatures[usize::from(index)].iter().map(|t| self.type_signature(t)).collect()
    }

    /// Recursion is bounded by the parser.
    fn type_signature(&self, token: &Token) -> TypeSignature {
        let boxed = |t: &Token| Box::new(self.type_signature(t));
        match token {
            Token::Bool => TypeSignature::Bool,
            Token::U8 => TypeSignature::U8,
            Token::U16 => TypeSignature::U16,
            Token::U32 => TypeSignature::U32,
            Token::U64 => TypeSignature::U64,
            Token::U128 => TypeSignature::U128,
            Token::U256 => TypeSignature::U256,
            Token::Address => TypeSignature::Address,
            Token::Signer => TypeSignature::Signer,
            Token::Vector(element) => TypeSignature::Vector(boxed(element)),
            Token::Parameter(index) => TypeSignature::Parameter(*index),
            Token::Reference(inner) => TypeSignature::Reference(boxed(inner)),
            Token::MutableReference(inner) => TypeSignature::MutableReference(boxed(inner)),
            Token::Datatype(handle, arguments) => {
                let handle = &self.tables.datatype_handles[usize::from(*handle)];
                let module = self.tables.modules[usize::from(handle.module)].clone();
                let arguments = arguments.iter().map(|t| self.type_signature(t)).collect();
                TypeSignature::Datatype(module, handle.name.clone(), arguments)
            }
        }
    }
}

pub(crate) fn type_parameters(handle: &FunctionHandle) -> Vec<TypeParameter> {
    let parameter = |constraints: &AbilitySet| TypeParameter { constraints: *constraints, phantom: false };
    handle.type_parameters.iter().map(parameter).collect()
}
