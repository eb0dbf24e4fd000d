//! The types that a transaction uses, interned: equal types have equal numbers.

mod names;

use std::{collections::HashMap, rc::Rc, sync::Arc};

use crate::{Ability, AbilitySet, CompiledModule, Fault, Limits, ModuleId, ModuleSource, TypeParameter, framework};

/// Number of a type in its [`Types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TypeId(pub(crate) u32);

/// Types that every table holds under a fixed number.
pub(crate) mod fixed {
    use super::TypeId;
    pub(crate) const BOOL: TypeId = TypeId(0);
    pub(crate) const U8: TypeId = TypeId(1);
    pub(crate) const U16: TypeId = TypeId(2);
    pub(crate) const U32: TypeId = TypeId(3);
    pub(crate) const U64: TypeId = TypeId(4);
    pub(crate) const U128: TypeId = TypeId(5);
    pub(crate) const U256: TypeId = TypeId(6);
    pub(crate) const ADDRESS: TypeId = TypeId(7);
    pub(crate) const SIGNER: TypeId = TypeId(8);
    pub(crate) const BYTES: TypeId = TypeId(9);
}

/// A type whose parts are interned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Type {
    Bool,
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
    Address,
    Signer,
    Vector(TypeId),
    Datatype { module: u32, definition: u16, arguments: Rc<[TypeId]> },
    Reference(TypeId),
    MutableReference(TypeId),
}

/// Fields of a datatype's variants, instantiated.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) is_enum: bool,
    pub(crate) variants: Vec<Vec<TypeId>>,
}

#[derive(Debug)]
struct Info {
    type_: Type,
    abilities: AbilitySet,
    /// Nesting of values of the type; `None` while its fields are being interned.
    depth: Option<usize>,
    /// Nodes of the type as written.
    nodes: usize,
    layout: Option<Rc<Layout>>,
}

const PRIMITIVE: AbilitySet = AbilitySet(Ability::Copy as u8 | Ability::Drop as u8 | Ability::Store as u8);
const REFERENCE: AbilitySet = AbilitySet(Ability::Copy as u8 | Ability::Drop as u8);
/// Types that a usual transaction uses: room for them is made at once.
const FEW: usize = 128;
/// Sui's `max_type_nodes`.
const TYPE_NODES: usize = 256;

/// What is looked up once, by module and by place in one of its tables.
type Known<T> = Vec<Box<[Option<T>]>>;

/// Loaded modules and interned types.
pub(crate) struct Types<'a> {
    source: &'a dyn ModuleSource,
    modules: Vec<Arc<CompiledModule>>,
    by_id: HashMap<ModuleId, u32>,
    /// By module and datatype handle: the definition that the handle stands for, once it has been looked up.
    handles: Known<(u32, u16)>,
    /// By module and definition: the type without type arguments, once it has been interned.
    plain: Known<TypeId>,
    no_arguments: Rc<[TypeId]>,
    infos: Vec<Info>,
    interned: HashMap<Type, TypeId>,
    max_depth: usize,
    count_limit: usize,
    /// Types whose fields are being interned. A failure leaves them unfinished for the rest of the transaction.
    unfinished: usize,
}

impl<'a> Types<'a> {
    pub(crate) fn new(source: &'a dyn ModuleSource, limits: &Limits) -> Self {
        let mut types = Self {
            source,
            modules: Vec::new(),
            by_id: HashMap::new(),
            handles: Vec::new(),
            plain: Vec::new(),
            no_arguments: Rc::from([]),
            infos: Vec::with_capacity(FEW),
            interned: HashMap::with_capacity(FEW),
            max_depth: limits.type_depth,
            count_limit: limits.types,
            unfinished: 0,
        };
        let primitives = [
            Type::Bool,
            Type::U8,
            Type::U16,
            Type::U32,
            Type::U64,
            Type::U128,
            Type::U256,
            Type::Address,
            Type::Signer,
            Type::Vector(fixed::U8),
        ];
        for type_ in primitives {
            let abilities = if type_ == Type::Signer { AbilitySet(Ability::Drop as u8) } else { PRIMITIVE };
            let depth = if type_ == Type::Vector(fixed::U8) { 2 } else { 1 };
            types.push(type_, abilities, Some(depth), depth);
        }
        types
    }

    /// The number of a module, loading it if needed.
    pub(crate) fn module_index(&mut self, id: &ModuleId) -> Result<u32, Fault> {
        if let Some(index) = self.by_id.get(id) {
            return Ok(*index);
        }
        let module = match framework::module(id) {
            Some(module) => Arc::clone(module),
            None if framework::is_framework(&id.address) => {
                return Err(Fault::MissingFramework(id.to_string()));
            }
            None => self.source.module(id).ok_or_else(|| Fault::Missing(id.to_string()))?,
        };
        let index = u32::try_from(self.modules.len()).map_err(|_| Fault::Limit("modules"))?;
        self.handles.push(vec![None; module.tables().datatype_handles.len()].into());
        self.plain.push(vec![None; module.tables().datatypes.len()].into());
        self.modules.push(module);
        self.by_id.insert(id.clone(), index);
        Ok(index)
    }

    /// A loaded module.
    pub(crate) fn module(&self, index: u32) -> &Arc<CompiledModule> {
        &self.modules[index as usize]
    }

    pub(crate) fn get(&self, id: TypeId) -> &Type {
        &self.infos[id.0 as usize].type_
    }

    pub(crate) fn abilities(&self, id: TypeId) -> AbilitySet {
        self.infos[id.0 as usize].abilities
    }

    pub(crate) fn layout(&self, id: TypeId) -> Result<&Rc<Layout>, Fault> {
        self.infos[id.0 as usize].layout.as_ref().ok_or(Fault::Unverified("type is not a struct or enum"))
    }

    /// Type of a field of a struct.
    pub(crate) fn field(&self, id: TypeId, index: usize) -> Result<TypeId, Fault> {
        let layout = self.layout(id)?;
        layout.variants.first().and_then(|f| f.get(index)).copied().ok_or(Fault::Unverified("no such field"))
    }

    /// The element type of a vector.
    pub(crate) fn element(&self, id: TypeId) -> Result<TypeId, Fault> {
        match self.get(id) {
            Type::Vector(element) => Ok(*element),
            _ => Err(Fault::Unverified("type is not a vector")),
        }
    }

    /// Interns a type and everything that its values are made of; `arguments` of datatypes are checked.
    pub(crate) fn intern(&mut self, type_: Type) -> Result<TypeId, Fault> {
        if let Some(id) = self.interned.get(&type_) {
            return if self.infos[id.0 as usize].depth.is_some() {
                Ok(*id)
            } else {
                Err(Fault::Unverified("type contains itself"))
            };
        }
        if self.infos.len() >= self.count_limit {
            return Err(Fault::Limit("number of types"));
        }
        match &type_ {
            Type::Vector(element) => {
                let info = &self.infos[element.0 as usize];
                if matches!(info.type_, Type::Reference(_) | Type::MutableReference(_)) {
                    return Err(Fault::Unverified("vector of references"));
                }
                let abilities = AbilitySet(info.abilities.0 & PRIMITIVE.0);
                let (depth, nodes) = (info.depth.unwrap_or(self.max_depth) + 1, info.nodes + 1);
                self.check_size(depth, nodes)?;
                Ok(self.push(type_, abilities, Some(depth), nodes))
            }
            Type::Reference(inner) | Type::MutableReference(inner) => {
                if matches!(self.get(*inner), Type::Reference(_) | Type::MutableReference(_)) {
                    return Err(Fault::Unverified("reference to a reference"));
                }
                let nodes = self.infos[inner.0 as usize].nodes + 1;
                Ok(self.push(type_, REFERENCE, Some(1), nodes))
            }
            Type::Datatype { module, definition, arguments } => {
                let (module, definition, arguments) = (*module, *definition, Rc::clone(arguments));
                self.intern_datatype(type_, module, definition, &arguments)
            }
            _ => Err(Fault::Unverified("unknown type")),
        }
    }

    /// The type of a definition without type arguments.
    pub(crate) fn plain(&mut self, module: u32, definition: u16) -> Result<TypeId, Fault> {
        let (place, index) = (module as usize, usize::from(definition));
        if let Some(type_) = self.plain[place].get(index).copied().flatten() {
            return Ok(type_);
        }
        let type_ = self.intern(Type::Datatype { module, definition, arguments: Rc::clone(&self.no_arguments) })?;
        self.plain[place][index] = Some(type_);
        Ok(type_)
    }

    /// Recursion ends at `max_depth`: every level adds one unfinished type.
    fn intern_datatype(
        &mut self,
        type_: Type,
        module: u32,
        definition: u16,
        arguments: &[TypeId],
    ) -> Result<TypeId, Fault> {
        let compiled = Arc::clone(self.module(module));
        let tables = compiled.tables();
        let datatype = tables.datatypes.get(usize::from(definition)).ok_or(Fault::Unverified("no such datatype"))?;
        let handle = &tables.datatype_handles[usize::from(datatype.handle)];
        let abilities = self.instantiate_abilities(handle.abilities, &handle.parameters, arguments)?;
        let nodes = 1 + arguments.iter().map(|a| self.infos[a.0 as usize].nodes).sum::<usize>();
        self.check_size(1, nodes)?;
        let id = self.push(type_, abilities, None, nodes);
        self.unfinished += 1;
        self.check_size(self.unfinished, nodes)?;
        let mut depth = 1;
        let mut variants = Vec::with_capacity(datatype.variants.len());
        for variant in &datatype.variants {
            let mut fields = Vec::with_capacity(variant.fields.len());
            for field in &variant.fields {
                let field = self.instantiate(module, &field.type_, arguments)?;
                depth = depth.max(self.infos[field.0 as usize].depth.unwrap_or(self.max_depth) + 1);
                fields.push(field);
            }
            variants.push(fields);
        }
        self.check_size(depth, nodes)?;
        let abilities = self.supported_abilities(abilities, &variants);
        if abilities.has(Ability::Key) && (datatype.is_enum || !self.begins_with_uid(&variants)) {
            return Err(Fault::Unverified("type with key does not begin with a UID"));
        }
        let info = &mut self.infos[id.0 as usize];
        info.abilities = abilities;
        info.depth = Some(depth);
        info.layout = Some(Rc::new(Layout { is_enum: datatype.is_enum, variants }));
        self.unfinished -= 1;
        Ok(id)
    }

    /// Abilities of an instance: those declared that every non-phantom argument supports (`key` asks for `store`).
    fn instantiate_abilities(
        &self,
        declared: AbilitySet,
        parameters: &[TypeParameter],
        arguments: &[TypeId],
    ) -> Result<AbilitySet, Fault> {
        if parameters.len() != arguments.len() {
            return Err(Fault::TypeArity);
        }
        let mut set = declared.0;
        for (position, (parameter, argument)) in parameters.iter().zip(arguments).enumerate() {
            if matches!(self.get(*argument), Type::Reference(_) | Type::MutableReference(_)) {
                return Err(Fault::Unverified("reference as type argument"));
            }
            let has = self.abilities(*argument);
            if !has.contains(parameter.constraints) {
                return Err(Fault::Constraint(position));
            }
            if !parameter.phantom {
                let mut allowed = has.0 & (Ability::Copy as u8 | Ability::Drop as u8 | Ability::Store as u8);
                if has.has(Ability::Store) {
                    allowed |= Ability::Key as u8;
                }
                set &= allowed;
            }
        }
        Ok(AbilitySet(set))
    }

    /// Abilities that the fields really support: a declaration may lie, as when a phantom parameter is a field's type.
    fn supported_abilities(&self, declared: AbilitySet, variants: &[Vec<TypeId>]) -> AbilitySet {
        let mut set = declared.0;
        for field in variants.iter().flatten() {
            let has = self.abilities(*field);
            let key = if has.has(Ability::Store) { Ability::Key as u8 } else { 0 };
            set &= (has.0 & PRIMITIVE.0) | key;
        }
        AbilitySet(set)
    }

    fn begins_with_uid(&self, variants: &[Vec<TypeId>]) -> bool {
        let first = variants.first().and_then(|fields| fields.first());
        first.and_then(|id| self.struct_tag(*id).ok()).is_some_and(|tag| {
            *tag.address() == framework::address(2) && tag.module() == "object" && tag.name() == "UID"
        })
    }

    fn check_size(&self, depth: usize, nodes: usize) -> Result<(), Fault> {
        if depth > self.max_depth {
            return Err(Fault::Limit("depth of a type"));
        }
        if nodes > TYPE_NODES {
            return Err(Fault::Limit("size of a type"));
        }
        Ok(())
    }

    fn push(&mut self, type_: Type, abilities: AbilitySet, depth: Option<usize>, nodes: usize) -> TypeId {
        let id = TypeId(self.infos.len() as u32);
        self.interned.insert(type_.clone(), id);
        self.infos.push(Info { type_, abilities, depth, nodes, layout: None });
        id
    }

    /// Instantiates every type that a module defines, each parameter standing for a type with all it may require, and
    /// checks that fields support the abilities that their type claims.
    pub(crate) fn check_definitions(&mut self, id: &ModuleId) -> Result<(), Fault> {
        let module = self.module_index(id)?;
        let compiled = Arc::clone(self.module(module));
        let tables = compiled.tables();
        for (number, datatype) in tables.datatypes.iter().enumerate() {
            let handle = &tables.datatype_handles[usize::from(datatype.handle)];
            // A plain number has copy, drop and store; a parameter that asks for key cannot be stood for here.
            if handle.parameters.iter().any(|p| p.constraints.has(Ability::Key)) {
                continue;
            }
            let arguments: Rc<[TypeId]> = handle.parameters.iter().map(|_| fixed::U8).collect();
            let type_ = self.intern(Type::Datatype { module, definition: number as u16, arguments })?;
            let layout = Rc::clone(self.layout(type_)?);
            if self.supported_abilities(handle.abilities, &layout.variants) != handle.abilities {
                return Err(Fault::Unverified("field lacks an ability of its type"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
