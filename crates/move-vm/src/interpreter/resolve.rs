//! What instructions and handles stand for: looked up at their first use.

use std::{rc::Rc, sync::Arc};

use super::{Function, Machine, step::Site};
use crate::{
    Fault, Visibility,
    types::{Type, TypeId},
};

/// What has not been looked up yet.
const UNRESOLVED: u32 = u32::MAX;

impl Machine<'_> {
    /// A type defined in the function's own module.
    pub(super) fn own_type(
        &mut self,
        function: &Function,
        definition: u16,
        arguments: Option<u16>,
    ) -> Result<TypeId, Fault> {
        let Some(arguments) = arguments else { return self.types.plain(function.module, definition) };
        let arguments = self.instance_arguments(function, arguments)?;
        self.types.intern(Type::Datatype { module: function.module, definition, arguments })
    }

    pub(super) fn instance_arguments(&mut self, function: &Function, signature: u16) -> Result<Rc<[TypeId]>, Fault> {
        function.compiled.tables().signatures[usize::from(signature)]
            .iter()
            .map(|token| self.types.instantiate(function.module, token, &function.type_arguments))
            .collect()
    }

    pub(super) fn variant_instance(&mut self, site: &Site<'_>, handle: u16) -> Result<(TypeId, u16), Fault> {
        let (instance, variant) = site.tables().variant_instances[usize::from(handle)];
        let instance = site.tables().enum_instances[usize::from(instance)];
        let type_ = self.cached_type(site, |m, f| m.own_type(f, instance.definition, Some(instance.arguments)))?;
        Ok((type_, variant))
    }

    pub(super) fn cached_type(
        &mut self,
        site: &Site<'_>,
        resolve: impl FnOnce(&mut Self, &Function) -> Result<TypeId, Fault>,
    ) -> Result<TypeId, Fault> {
        let place = site.function.resolved + self.pc;
        if self.resolved[place] != UNRESOLVED {
            return Ok(TypeId(self.resolved[place]));
        }
        let type_ = resolve(self, site.function)?;
        self.resolved[place] = type_.0;
        Ok(type_)
    }

    pub(super) fn cached_vector(&mut self, site: &Site<'_>, signature: u16) -> Result<TypeId, Fault> {
        self.cached_type(site, |m, f| {
            let token = &f.compiled.tables().signatures[usize::from(signature)][0];
            let element = m.types.instantiate(f.module, token, &f.type_arguments)?;
            m.types.intern(Type::Vector(element))
        })
    }

    pub(super) fn cached_function(
        &mut self,
        site: &Site<'_>,
        handle: u16,
        arguments: Option<u16>,
    ) -> Result<Rc<Function>, Fault> {
        let place = site.function.resolved + self.pc;
        if self.resolved[place] == UNRESOLVED {
            self.resolved[place] = match arguments {
                Some(signature) => {
                    let arguments = self.instance_arguments(site.function, signature)?;
                    self.resolve(site.function.module, handle, arguments)?
                }
                None => self.resolve_plain(site.function.module, handle)?,
            };
        }
        Ok(Rc::clone(&self.functions[self.resolved[place] as usize]))
    }

    /// The number of a function with its type arguments applied.
    pub(super) fn instantiate(&mut self, module: u32, definition: u16, arguments: Rc<[TypeId]>) -> Result<u32, Fault> {
        let key = (module, definition, arguments);
        if let Some(number) = self.functions_by_key.get(&key) {
            return Ok(*number);
        }
        if self.functions.len() >= self.limits.types {
            return Err(Fault::Limit("number of functions"));
        }
        let arguments = Rc::clone(&key.2);
        let compiled = Arc::clone(self.types.module(module));
        let tables = compiled.tables();
        let function = &tables.functions[usize::from(definition)];
        let handle = &tables.function_handles[usize::from(function.handle)];
        if handle.type_parameters.len() != arguments.len() {
            return Err(Fault::TypeArity);
        }
        for (position, (constraint, argument)) in handle.type_parameters.iter().zip(arguments.iter()).enumerate() {
            if matches!(self.types.get(*argument), Type::Reference(_) | Type::MutableReference(_)) {
                return Err(Fault::Unverified("reference as type argument"));
            }
            if !self.types.abilities(*argument).contains(*constraint) {
                return Err(Fault::Constraint(position));
            }
        }
        let native = compiled.native(definition);
        let mut types_of = |signature: u16, types: &mut Vec<TypeId>| -> Result<(), Fault> {
            let tokens = &tables.signatures[usize::from(signature)];
            types.reserve(tokens.len());
            for token in tokens {
                types.push(self.types.instantiate(module, token, &arguments)?);
            }
            Ok(())
        };
        let (mut locals, mut returns) = (Vec::new(), Vec::new());
        types_of(handle.parameters, &mut locals)?;
        types_of(handle.returns, &mut returns)?;
        let parameters = locals.clone();
        let mut length = 0;
        if let Some(code) = &function.code {
            types_of(code.locals, &mut locals)?;
            length = code.instructions.len();
        }
        let resolved = self.resolved.len();
        self.resolved.resize(resolved + length, UNRESOLVED);
        let number = self.functions.len() as u32;
        self.functions.push(Rc::new(Function {
            module,
            definition,
            native,
            type_arguments: arguments,
            parameters: parameters.into(),
            locals: locals.into(),
            returns: returns.into(),
            resolved,
            compiled,
        }));
        self.functions_by_key.insert(key, number);
        Ok(number)
    }

    /// Resolves a function handle of the calling module without type arguments.
    pub(super) fn resolve_plain(&mut self, caller: u32, handle: u16) -> Result<u32, Fault> {
        let (module, place) = (caller as usize, usize::from(handle));
        if self.functions_by_handle.len() <= module {
            self.functions_by_handle.resize(module + 1, Vec::new());
        }
        if let Some(number) = self.functions_by_handle[module].get(place).filter(|number| **number != UNRESOLVED) {
            return Ok(*number);
        }
        let number = self.resolve(caller, handle, Rc::clone(&self.no_arguments))?;
        let known = &mut self.functions_by_handle[module];
        if known.is_empty() {
            known.resize(self.types.module(caller).tables().function_handles.len(), UNRESOLVED);
        }
        known[place] = number;
        Ok(number)
    }

    /// Resolves a function handle of the calling module, with the rules of visibility.
    pub(super) fn resolve(&mut self, caller: u32, handle: u16, arguments: Rc<[TypeId]>) -> Result<u32, Fault> {
        let compiled = Arc::clone(self.types.module(caller));
        let tables = compiled.tables();
        let handle = &tables.function_handles[usize::from(handle)];
        let owner = self.types.module_index(&tables.modules[usize::from(handle.module)])?;
        let target = Arc::clone(self.types.module(owner));
        let definition = target
            .function_index(&handle.name)
            .ok_or_else(|| Fault::Missing(format!("function {}::{}", target.id(), handle.name)))?;
        if owner != caller {
            match target.tables().functions[usize::from(definition)].visibility {
                Visibility::Public => {}
                Visibility::Friend if target.tables().friends.contains(compiled.id()) => {}
                _ => return Err(Fault::Unverified("call of a function that is not visible")),
            }
        }
        self.instantiate(owner, definition, arguments)
    }
}
