//! From names to types and back.

use std::sync::Arc;

use sui_sdk_types::{Identifier, StructTag, TypeTag};

use super::{Type, TypeId, Types, fixed};
use crate::{
    Fault, ModuleId,
    format::{Tables, Token},
    framework,
};

impl Types<'_> {
    /// Resolves a datatype handle of a module.
    fn datatype(&mut self, module: u32, handle: u16) -> Result<(u32, u16), Fault> {
        if let Some(definition) = self.handles[module as usize][usize::from(handle)] {
            return Ok(definition);
        }
        let compiled = Arc::clone(self.module(module));
        let tables = compiled.tables();
        let named = &tables.datatype_handles[usize::from(handle)];
        let owner = self.module_index(&tables.modules[usize::from(named.module)])?;
        let definition = self.datatype_by_name(owner, &named.name)?;
        self.handles[module as usize][usize::from(handle)] = Some(definition);
        Ok(definition)
    }

    fn datatype_by_name(&self, module: u32, name: &Identifier) -> Result<(u32, u16), Fault> {
        let compiled = self.module(module);
        match compiled.datatype_index(name) {
            Some(definition) => Ok((module, definition)),
            None => Err(Fault::Missing(format!("type {}::{name}", compiled.id()))),
        }
    }

    /// Instantiates a type written in a module. Recursion is bounded by the parser's bound on tokens.
    pub(crate) fn instantiate(&mut self, module: u32, token: &Token, arguments: &[TypeId]) -> Result<TypeId, Fault> {
        let type_ = match token {
            Token::Bool => return Ok(fixed::BOOL),
            Token::U8 => return Ok(fixed::U8),
            Token::U16 => return Ok(fixed::U16),
            Token::U32 => return Ok(fixed::U32),
            Token::U64 => return Ok(fixed::U64),
            Token::U128 => return Ok(fixed::U128),
            Token::U256 => return Ok(fixed::U256),
            Token::Address => return Ok(fixed::ADDRESS),
            Token::Signer => return Ok(fixed::SIGNER),
            Token::Parameter(index) => {
                return arguments
                    .get(usize::from(*index))
                    .copied()
                    .ok_or(Fault::Unverified("type parameter out of range"));
            }
            Token::Vector(element) => Type::Vector(self.instantiate(module, element, arguments)?),
            Token::Reference(inner) => Type::Reference(self.instantiate(module, inner, arguments)?),
            Token::MutableReference(inner) => Type::MutableReference(self.instantiate(module, inner, arguments)?),
            Token::Datatype(handle, parts) if parts.is_empty() => {
                let (owner, definition) = self.datatype(module, *handle)?;
                return self.plain(owner, definition);
            }
            Token::Datatype(handle, parts) => {
                let (owner, definition) = self.datatype(module, *handle)?;
                let mut arguments_of = Vec::with_capacity(parts.len());
                for part in parts {
                    arguments_of.push(self.instantiate(module, part, arguments)?);
                }
                Type::Datatype { module: owner, definition, arguments: arguments_of.into() }
            }
        };
        self.intern(type_)
    }

    /// Interns a type given from outside. `TypeTag` of untrusted origin is bounded here before recursing.
    pub(crate) fn resolve(&mut self, tag: &TypeTag) -> Result<TypeId, Fault> {
        self.resolve_at(tag, 0)
    }

    fn resolve_at(&mut self, tag: &TypeTag, depth: usize) -> Result<TypeId, Fault> {
        self.check_size(depth, 0)?;
        let type_ = match tag {
            TypeTag::Bool => return Ok(fixed::BOOL),
            TypeTag::U8 => return Ok(fixed::U8),
            TypeTag::U16 => return Ok(fixed::U16),
            TypeTag::U32 => return Ok(fixed::U32),
            TypeTag::U64 => return Ok(fixed::U64),
            TypeTag::U128 => return Ok(fixed::U128),
            TypeTag::U256 => return Ok(fixed::U256),
            TypeTag::Address => return Ok(fixed::ADDRESS),
            TypeTag::Signer => return Ok(fixed::SIGNER),
            TypeTag::Vector(element) => Type::Vector(self.resolve_at(element, depth + 1)?),
            TypeTag::Struct(tag) => {
                let address = self.source.original_id(*tag.address());
                let module = self.module_index(&ModuleId::new(address, tag.module().clone()))?;
                let (module, definition) = self.datatype_by_name(module, tag.name())?;
                let mut arguments = Vec::with_capacity(tag.type_params().len());
                for argument in tag.type_params() {
                    arguments.push(self.resolve_at(argument, depth + 1)?);
                }
                Type::Datatype { module, definition, arguments: arguments.into() }
            }
        };
        self.intern(type_)
    }

    /// The tag of a type; references have none. Bounded by the size checked when interning.
    pub(crate) fn tag(&self, id: TypeId) -> Result<TypeTag, Fault> {
        Ok(match self.get(id) {
            Type::Bool => TypeTag::Bool,
            Type::U8 => TypeTag::U8,
            Type::U16 => TypeTag::U16,
            Type::U32 => TypeTag::U32,
            Type::U64 => TypeTag::U64,
            Type::U128 => TypeTag::U128,
            Type::U256 => TypeTag::U256,
            Type::Address => TypeTag::Address,
            Type::Signer => TypeTag::Signer,
            Type::Vector(element) => TypeTag::Vector(Box::new(self.tag(*element)?)),
            Type::Datatype { .. } => TypeTag::Struct(Box::new(self.struct_tag(id)?)),
            Type::Reference(_) | Type::MutableReference(_) => return Err(Fault::Unverified("type of a reference")),
        })
    }

    /// The tag of a struct or enum, with the defining id of its package.
    pub(crate) fn struct_tag(&self, id: TypeId) -> Result<StructTag, Fault> {
        let Type::Datatype { module, definition, arguments } = self.get(id) else {
            return Err(Fault::Unverified("type is not a struct or enum"));
        };
        let compiled = self.module(*module);
        let tables: &Tables = compiled.tables();
        let name = &tables.datatype_handles[usize::from(tables.datatypes[usize::from(*definition)].handle)].name;
        let address = if framework::is_framework(&compiled.id().address) {
            compiled.id().address
        } else {
            self.source.defining_id(compiled.id(), name)
        };
        let arguments = arguments.iter().map(|a| self.tag(*a)).collect::<Result<Vec<_>, _>>()?;
        Ok(StructTag::new(address, compiled.id().name.clone(), name.clone(), arguments))
    }
}
