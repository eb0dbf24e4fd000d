//! Publishing: from module bytes to a package object, its `init` functions and its UpgradeCap.

use std::collections::BTreeMap;
use std::sync::Arc;

use daas_move_vm::{CompiledModule, LinkError, ModuleId, Passing, check_publishable};
use sui_sdk_types::{Address, ExecutionError, Identifier, MovePackage, StructTag, TypeOrigin, TypeTag, UpgradeInfo};

use super::failure::Failure;
use super::linkage::is_framework;
use super::machine::Machine;
use super::modules::Package;
use super::places::Place;

/// Policy byte of a new UpgradeCap: any compatible upgrade (`0x2::package`).
const COMPATIBLE: u8 = 0;

/// Modules of one package, parsed, with the bytes as they will be stored.
pub(super) struct ParsedModules {
    pub modules: Vec<Arc<CompiledModule>>,
    pub bytes: BTreeMap<Identifier, Vec<u8>>,
}

impl Machine<'_> {
    /// Publishes the modules as a new package; the result is its UpgradeCap.
    pub(super) fn publish(&mut self, modules: &[Vec<u8>], dependencies: &[Address]) -> Result<Vec<Place>, Failure> {
        let id = self.fresh_id()?;
        let parsed = self.parse_modules(modules, id)?;
        let linkage_table = self.linkage_table(&parsed.modules, id, dependencies)?;
        self.check_linked(&parsed.modules)?;
        let type_origin_table = origins(&parsed.modules, |_, _| id);
        let stored = MovePackage { id, version: 1, modules: parsed.bytes, type_origin_table, linkage_table };
        self.check_package_size(&stored)?;
        let by_name = parsed.modules.iter().map(|module| (module.id().name.clone(), Arc::clone(module))).collect();
        let package = Package::with_modules(&stored, by_name)
            .ok_or_else(|| Failure::new(ExecutionError::InvariantViolation, "package without modules"))?;
        self.packages.add_published(package);
        self.published.push(stored);
        for module in &parsed.modules {
            self.run_init(module)?;
        }
        let cap = self.fresh_id()?;
        let mut contents = [cap.as_bytes(), id.as_bytes(), 1u64.to_le_bytes().as_slice()].concat();
        contents.push(COMPATIBLE);
        let type_ = framework_type("package", "UpgradeCap");
        let cap = self.session.decode(&type_, &contents).map_err(|error| self.failure(&error))?;
        Ok(vec![self.keep(cap, type_)?])
    }

    /// Parses modules that carry the address 0x0 and gives them the address `original_id`.
    pub(super) fn parse_modules(
        &mut self,
        modules: &[Vec<u8>],
        original_id: Address,
    ) -> Result<ParsedModules, Failure> {
        let total: u64 = modules.iter().map(|bytes| bytes.len() as u64).sum();
        self.published_bytes += total;
        if total > self.limits.package_bytes {
            return Err(too_big(total, self.limits.package_bytes));
        }
        let mut parsed = ParsedModules { modules: Vec::new(), bytes: BTreeMap::new() };
        for bytes in modules {
            let malformed = |why: String| Failure::new(ExecutionError::VmVerificationOrDeserializationError, why);
            let module = CompiledModule::parse(bytes).map_err(|error| malformed(error.to_string()))?;
            if module.id().address != Address::ZERO {
                let account = format!("module {} must carry the address 0x0", module.id());
                return Err(Failure::new(ExecutionError::PublishErrorNonZeroAddress, account));
            }
            let (module, stored) =
                CompiledModule::with_self_address(bytes, original_id).map_err(|error| malformed(error.to_string()))?;
            if parsed.bytes.insert(module.id().name.clone(), stored).is_some() {
                return Err(malformed(format!("module {} occurs twice", module.id().name)));
            }
            parsed.modules.push(Arc::new(module));
        }
        Ok(parsed)
    }

    /// For each dependency the version that the package will use. Dependencies of dependencies must be named too, and
    /// not in an older version than they were built with.
    pub(super) fn linkage_table(
        &self,
        modules: &[Arc<CompiledModule>],
        original_id: Address,
        dependencies: &[Address],
    ) -> Result<BTreeMap<Address, UpgradeInfo>, Failure> {
        let missing = |account: String| Failure::new(ExecutionError::PublishUpgradeMissingDependency, account);
        let mut table: BTreeMap<Address, UpgradeInfo> = BTreeMap::new();
        let mut needed = Vec::new();
        for id in dependencies {
            let (original, version) = if is_framework(id) {
                (*id, 1)
            } else {
                let package =
                    self.packages.package(id).ok_or_else(|| missing(format!("dependency {id} does not exist")))?;
                needed.extend(package.linkage.iter().map(|(original, (_, version))| (*original, *version, *id)));
                (package.original_id, package.version)
            };
            if original == original_id {
                return Err(missing("a package cannot depend on itself".to_owned()));
            }
            let info = UpgradeInfo { upgraded_id: *id, upgraded_version: version };
            if table.insert(original, info).is_some() {
                return Err(missing(format!("two versions of {original} among the dependencies")));
            }
        }
        for (original, version, dependent) in needed {
            match table.get(&original) {
                None => return Err(missing(format!("{dependent} needs {original}, which is not a dependency"))),
                Some(info) if info.upgraded_version < version && !is_framework(&original) => {
                    let account = format!("{dependent} needs version {version} of {original}");
                    return Err(Failure::new(ExecutionError::PublishUpgradeDependencyDowngrade, account));
                }
                Some(_) => {}
            }
        }
        for import in modules.iter().flat_map(|module| module.dependencies()) {
            if import.address != original_id && !table.contains_key(&import.address) {
                return Err(missing(format!("module {import} is imported, its package is not a dependency")));
            }
        }
        Ok(table)
    }

    /// Everything that the modules import must exist.
    pub(super) fn check_linked(&mut self, modules: &[Arc<CompiledModule>]) -> Result<(), Failure> {
        check_publishable(modules, self.packages).map_err(|error| {
            if let LinkError::FrameworkFunction(module, function) = &error {
                self.missing_framework = Some(format!("{module}::{function}"));
            }
            Failure::new(ExecutionError::VmVerificationOrDeserializationError, error.to_string())
        })
    }

    /// Bounds the package as it is stored.
    pub(super) fn check_package_size(&self, package: &MovePackage) -> Result<(), Failure> {
        let size = bcs::serialized_size(package).unwrap_or(usize::MAX) as u64;
        if size > self.limits.package_bytes {
            return Err(too_big(size, self.limits.package_bytes));
        }
        Ok(())
    }

    /// Runs the module's `init`, if it has one: an optional one-time witness, then the context.
    fn run_init(&mut self, module: &CompiledModule) -> Result<(), Failure> {
        let name = Identifier::from_static("init");
        if module.function("init").is_none() {
            return Ok(());
        }
        let id: ModuleId = module.id().clone();
        let signature = self.session.signature(&id, &name, &[]).map_err(|error| self.failure(&error))?;
        let not_init =
            |account: &str| Failure::new(ExecutionError::SuiMoveVerificationError, format!("{id}: {account}"));
        let mut arguments = Vec::new();
        match signature.parameters.as_slice() {
            [context] if context.passing != Passing::Value => {}
            [witness, context] if witness.passing == Passing::Value && context.passing != Passing::Value => {
                // A witness is a struct without fields, which in BCS is one `bool` (Move's dummy field).
                let value = self.session.decode(&witness.type_, &[1]).map_err(|error| self.failure(&error))?;
                arguments.push(value);
            }
            _ => return Err(not_init("init takes an optional witness and the context")),
        }
        if !signature.returns.is_empty() {
            return Err(not_init("init returns nothing"));
        }
        let passing = signature.parameters.last().map_or(Passing::MutableReference, |context| context.passing);
        arguments.push(self.session.tx_context(passing).map_err(|error| self.failure(&error))?);
        self.session.call(&id, &name, &[], arguments).map_err(|error| self.failure(&error))?;
        Ok(())
    }
}

/// The table of types with the version that first defined each.
pub(super) fn origins(
    modules: &[Arc<CompiledModule>],
    first: impl Fn(&Identifier, &Identifier) -> Address,
) -> Vec<TypeOrigin> {
    let mut table = Vec::new();
    for module in modules {
        for type_ in module.structs() {
            let module_name = module.id().name.clone();
            let package = first(&module_name, &type_.name);
            table.push(TypeOrigin { module_name, struct_name: type_.name, package });
        }
    }
    table
}

/// A type of `0x2` without parameters.
pub(super) fn framework_type(module: &'static str, name: &'static str) -> TypeTag {
    StructTag::new(Address::TWO, Identifier::from_static(module), Identifier::from_static(name), Vec::new()).into()
}

fn too_big(object_size: u64, max_object_size: u64) -> Failure {
    Failure::new(
        ExecutionError::PackageTooBig { object_size, max_object_size },
        format!("the package has {object_size} bytes, at most {max_object_size} are allowed"),
    )
}
