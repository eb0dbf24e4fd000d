//! Upgrading a package with an UpgradeTicket: digest and policy checked, a new storage id, the same original id.

use std::sync::Arc;

use daas_move_vm::{CompiledModule, FunctionInfo, StructInfo, TypeParameter, Visibility};
use sui_sdk_types::hash::Hasher;
use sui_sdk_types::{Address, CommandArgumentError, Digest, ExecutionError, MovePackage, PackageUpgradeError, Upgrade};

use super::arguments::{GasCoin, Loans};
use super::failure::Failure;
use super::linkage::is_framework;
use super::machine::Machine;
use super::modules::Package;
use super::places::Place;
use super::publish::{framework_type, origins};

/// What a ticket allows (`0x2::package`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    /// Public functions and all types stay; code may change.
    Compatible,
    /// What is there stays as it is, more may come.
    Additive,
    /// Only dependencies change.
    DependenciesOnly,
}

/// `0x2::package::UpgradeTicket`.
#[derive(serde::Deserialize)]
struct Ticket {
    cap: Address,
    package: Address,
    policy: u8,
    digest: Vec<u8>,
}

impl Machine<'_> {
    /// Publishes the modules as the next version of a package; the result is the UpgradeReceipt.
    pub(super) fn upgrade(&mut self, upgrade: &Upgrade) -> Result<Vec<Place>, Failure> {
        let ticket = self.take_ticket(upgrade)?;
        if ticket.package != upgrade.package {
            return Err(refused(PackageUpgradeError::PackageIdDoesNotMatch {
                package_id: upgrade.package,
                ticket_id: ticket.package,
            }));
        }
        let digest = package_digest(&upgrade.modules, &upgrade.dependencies);
        if ticket.digest != digest.as_bytes() {
            return Err(refused(PackageUpgradeError::DigestDoesNotMatch { digest }));
        }
        if is_framework(&upgrade.package) {
            return Err(refused(PackageUpgradeError::UnableToFetchPackage { package_id: upgrade.package }));
        }
        let current = self
            .packages
            .package(&upgrade.package)
            .ok_or_else(|| refused(PackageUpgradeError::UnableToFetchPackage { package_id: upgrade.package }))?;
        let parsed = self.parse_modules(&upgrade.modules, current.original_id)?;
        let id = self.fresh_id()?;
        let linkage_table = self.linkage_table(&parsed.modules, current.original_id, &upgrade.dependencies)?;
        self.check_linked(&parsed.modules)?;
        let policy = Policy::of(ticket.policy)
            .ok_or_else(|| refused(PackageUpgradeError::UnknownUpgradePolicy { policy: ticket.policy }))?;
        if let Some(account) = policy.violation(&current, &parsed.modules) {
            let error = ExecutionError::PackageUpgradeError { kind: PackageUpgradeError::IncompatibleUpgrade };
            return Err(Failure::new(error, account));
        }
        let new_init = parsed
            .modules
            .iter()
            .find(|module| !current.modules.contains_key(&module.id().name) && module.function("init").is_some());
        if let Some(module) = new_init {
            let account = format!("{}: init in a new module of an upgrade", module.id());
            return Err(Failure::new(ExecutionError::FeatureNotYetSupported, account));
        }
        let type_origin_table = origins(&parsed.modules, |module, name| {
            current.type_origins.get(&(module.clone(), name.clone())).copied().unwrap_or(id)
        });
        let version = current.version + 1;
        let stored = MovePackage { id, version, modules: parsed.bytes, type_origin_table, linkage_table };
        self.check_package_size(&stored)?;
        self.published.push(stored);
        let receipt = [ticket.cap.as_bytes(), id.as_bytes()].concat();
        let type_ = framework_type("package", "UpgradeReceipt");
        let receipt = self.session.decode(&type_, &receipt).map_err(|error| self.failure(&error))?;
        Ok(vec![self.keep(receipt, type_)?])
    }

    fn take_ticket(&mut self, upgrade: &Upgrade) -> Result<Ticket, Failure> {
        let location = self.single(0, upgrade.ticket)?;
        let type_ = framework_type("package", "UpgradeTicket");
        let value = self.take(0, location, &type_, GasCoin::Stays, &Loans::new())?;
        let bytes = self.session.encode(&value, &type_).map_err(|error| self.failure(&error))?;
        bcs::from_bytes(&bytes).map_err(|_| Failure::argument(0, CommandArgumentError::InvalidBcsBytes))
    }
}

/// Digest of a package as an UpgradeTicket names it: of the sorted digests of its modules and ids of its dependencies
/// (`compute_digest_for_modules_and_deps`, sui-types/src/move_package.rs).
pub fn package_digest(modules: &[Vec<u8>], dependencies: &[Address]) -> Digest {
    let mut parts: Vec<[u8; 32]> = modules.iter().map(|bytes| Hasher::digest(bytes).into_inner()).collect();
    parts.extend(dependencies.iter().map(|id| id.into_inner()));
    parts.sort_unstable();
    let mut hasher = Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

impl Policy {
    fn of(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Compatible),
            128 => Some(Self::Additive),
            192 => Some(Self::DependenciesOnly),
            _ => None,
        }
    }

    /// What the policy forbids about the new modules; code itself is not compared.
    fn violation(self, current: &Package, modules: &[Arc<CompiledModule>]) -> Option<String> {
        if self == Self::DependenciesOnly && modules.len() != current.modules.len() {
            return Some("modules were added or removed, only dependencies may change".to_owned());
        }
        for (name, old) in &current.modules {
            let Some(new) = modules.iter().find(|module| module.id().name == *name) else {
                return Some(format!("module {name} is missing"));
            };
            if let Some(account) = self.module_violation(old, new) {
                return Some(format!("module {name}: {account}"));
            }
        }
        None
    }

    fn module_violation(self, old: &CompiledModule, new: &CompiledModule) -> Option<String> {
        let (old_types, new_types) = (old.structs(), new.structs());
        let (old_functions, new_functions) = (old.functions(), new.functions());
        if self == Self::DependenciesOnly
            && (old_types.len() != new_types.len() || old_functions.len() != new_functions.len())
        {
            return Some("something was added or removed, only dependencies may change".to_owned());
        }
        for old in &old_types {
            match new_types.iter().find(|new| new.name == old.name) {
                None => return Some(format!("type {} is missing", old.name)),
                Some(new) if !self.keeps_type(old, new) => return Some(format!("type {} has changed", old.name)),
                Some(_) => {}
            }
        }
        for old in &old_functions {
            if self == Self::Compatible && old.visibility != Visibility::Public {
                continue;
            }
            match new_functions.iter().find(|new| new.name == old.name) {
                None => return Some(format!("function {} is missing", old.name)),
                Some(new) if !self.keeps_function(old, new) => {
                    return Some(format!("the signature of function {} has changed", old.name));
                }
                Some(_) => {}
            }
        }
        None
    }

    fn keeps_type(self, old: &StructInfo, new: &StructInfo) -> bool {
        old.abilities == new.abilities
            && old.fields == new.fields
            && old.variants == new.variants
            && self.keeps_type_parameters(&old.type_parameters, &new.type_parameters)
            && old.type_parameters.iter().zip(&new.type_parameters).all(|(old, new)| old.phantom == new.phantom)
    }

    fn keeps_function(self, old: &FunctionInfo, new: &FunctionInfo) -> bool {
        let same_entry = self == Self::Compatible || old.is_entry == new.is_entry;
        old.visibility == new.visibility
            && same_entry
            && old.parameters == new.parameters
            && old.returns == new.returns
            && self.keeps_type_parameters(&old.type_parameters, &new.type_parameters)
    }

    /// A compatible upgrade may ask less of type arguments, never more.
    fn keeps_type_parameters(self, old: &[TypeParameter], new: &[TypeParameter]) -> bool {
        old.len() == new.len()
            && old.iter().zip(new).all(|(old, new)| match self {
                Self::Compatible => old.constraints.contains(new.constraints),
                _ => old.constraints == new.constraints,
            })
    }
}

fn refused(kind: PackageUpgradeError) -> Failure {
    let account = format!("{kind:?}");
    Failure::new(ExecutionError::PackageUpgradeError { kind }, account)
}
