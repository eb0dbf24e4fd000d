//! Whether everything that a package imports exists as it expects.

use std::sync::Arc;

use crate::{
    CompiledModule, Fault, Limits, LinkError, ModuleId, ModuleSource, Visibility, framework, module::type_parameters,
    types::Types,
};

/// Checks that everything that the modules import exists with the signature that they expect: in the package itself,
/// in `deps`, or in the built-in framework. A framework function without an implementation is refused by name.
pub fn check_publishable(modules: &[Arc<CompiledModule>], deps: &dyn ModuleSource) -> Result<(), LinkError> {
    let package = Package { modules, deps };
    for (position, module) in modules.iter().enumerate() {
        let ill_formed = |why| LinkError::IllFormed(module.id().clone(), why);
        if modules[..position].iter().any(|other| other.id() == module.id()) {
            return Err(ill_formed("two modules of one name"));
        }
        if modules.iter().any(|other| other.id().address != module.id().address) {
            return Err(ill_formed("modules of two packages"));
        }
        if module.friends().iter().any(|friend| friend.address != module.id().address) {
            return Err(ill_formed("friend in another package"));
        }
        if module.tables().functions.iter().any(|f| f.code.is_none()) {
            return Err(ill_formed("native function"));
        }
        check_types(module, &package)?;
        check_functions(module, &package)?;
    }
    check_cycles(modules)
}

/// The package before its dependencies.
struct Package<'a> {
    modules: &'a [Arc<CompiledModule>],
    deps: &'a dyn ModuleSource,
}

impl ModuleSource for Package<'_> {
    fn module(&self, id: &ModuleId) -> Option<Arc<CompiledModule>> {
        let own = self.modules.iter().find(|m| m.id() == id).cloned();
        own.or_else(|| self.deps.module(id))
    }
}

impl Package<'_> {
    fn find(&self, id: &ModuleId) -> Option<Arc<CompiledModule>> {
        framework::module(id)
            .cloned()
            .or_else(|| if framework::is_framework(&id.address) { None } else { self.module(id) })
    }
}

fn check_types(module: &CompiledModule, package: &Package<'_>) -> Result<(), LinkError> {
    let tables = module.tables();
    for handle in &tables.datatype_handles {
        let owner = &tables.modules[usize::from(handle.module)];
        let name = || handle.name.to_string();
        let found = if owner == module.id() { None } else { Some(package.find(owner)) };
        let found = match found {
            None => None,
            Some(Some(found)) => Some(found),
            Some(None) if framework::is_framework(&owner.address) => {
                return Err(LinkError::FrameworkFunction(owner.clone(), name()));
            }
            Some(None) => return Err(LinkError::MissingModule(owner.clone())),
        };
        let target = found.as_deref().unwrap_or(module);
        let Some(index) = target.datatype_index(&handle.name) else {
            return Err(LinkError::MissingType(owner.clone(), name()));
        };
        let definition = &target.tables().datatypes[usize::from(index)];
        let actual = &target.tables().datatype_handles[usize::from(definition.handle)];
        if actual.abilities != handle.abilities || actual.parameters != handle.parameters {
            return Err(LinkError::TypeMismatch(owner.clone(), name()));
        }
    }
    check_layouts(module, package)
}

/// Field types exist, do not contain themselves and have the abilities that the type claims.
fn check_layouts(module: &CompiledModule, package: &Package<'_>) -> Result<(), LinkError> {
    let mut types = Types::new(package, &Limits::default());
    types.check_definitions(module.id()).map_err(|fault| match fault {
        Fault::Unverified(why) | Fault::Limit(why) => LinkError::IllFormed(module.id().clone(), why),
        _ => LinkError::IllFormed(module.id().clone(), "type of a field is not valid"),
    })
}

fn check_functions(module: &CompiledModule, package: &Package<'_>) -> Result<(), LinkError> {
    let tables = module.tables();
    for handle in &tables.function_handles {
        let owner = &tables.modules[usize::from(handle.module)];
        let name = || handle.name.to_string();
        if owner == module.id() {
            if module.function_index(&handle.name).is_none() {
                return Err(LinkError::MissingFunction(owner.clone(), name()));
            }
            continue;
        }
        let is_framework = framework::is_framework(&owner.address);
        let missing = || {
            if is_framework {
                LinkError::FrameworkFunction(owner.clone(), name())
            } else {
                LinkError::MissingFunction(owner.clone(), name())
            }
        };
        let Some(target) = package.find(owner) else {
            return Err(if is_framework { missing() } else { LinkError::MissingModule(owner.clone()) });
        };
        let Some(index) = target.function_index(&handle.name) else { return Err(missing()) };
        if is_framework && target.native(index).is_none() {
            return Err(missing());
        }
        let definition = &target.tables().functions[usize::from(index)];
        let actual = target.function_info(definition);
        let visible = match definition.visibility {
            Visibility::Public => true,
            Visibility::Friend => target.tables().friends.contains(module.id()),
            Visibility::Private => false,
        };
        let same = actual.parameters == module.signature(handle.parameters)
            && actual.returns == module.signature(handle.returns)
            && actual.type_parameters == type_parameters(handle);
        if !visible || !same {
            return Err(LinkError::FunctionMismatch(owner.clone(), name()));
        }
    }
    Ok(())
}

/// Modules of a package must not depend on each other in a cycle (`cyclic_dependencies.rs`).
fn check_cycles(modules: &[Arc<CompiledModule>]) -> Result<(), LinkError> {
    let mut remaining: Vec<(&ModuleId, Vec<ModuleId>)> = modules.iter().map(|m| (m.id(), m.dependencies())).collect();
    loop {
        let open: Vec<&ModuleId> = remaining.iter().map(|m| m.0).collect();
        let before = open.len();
        remaining.retain(|(_, needs)| needs.iter().any(|n| open.contains(&n)));
        match remaining.first() {
            None => return Ok(()),
            Some((id, _)) if remaining.len() == before => {
                return Err(LinkError::IllFormed((*id).clone(), "modules depend on each other in a cycle"));
            }
            Some(_) => {}
        }
    }
}
