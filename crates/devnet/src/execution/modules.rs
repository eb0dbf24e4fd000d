//! Parsed packages by storage id, shared between executions.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use daas_move_vm::CompiledModule;
use sui_sdk_types::{Address, Identifier, MovePackage, ObjectData};

use super::ObjectReader;

/// Packages that stay parsed. Beyond that the cache starts anew: parsing is cheap, memory is not.
const CAPACITY: usize = 256;

/// Parsed packages, shared between executions and bounded. Packages never change, so an entry is never stale.
#[derive(Default)]
pub struct ModuleCache {
    packages: Mutex<HashMap<Address, Arc<Package>>>,
}

impl std::fmt::Debug for ModuleCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModuleCache").finish_non_exhaustive()
    }
}

impl ModuleCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// The package with this storage id, from the cache or parsed from its object.
    pub(super) fn package(&self, id: &Address, objects: &dyn ObjectReader) -> Option<Arc<Package>> {
        if let Some(package) = self.packages.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            return Some(Arc::clone(package));
        }
        let object = objects.object(id)?;
        let ObjectData::Package(stored) = object.data() else { return None };
        let package = Arc::new(Package::parse(stored)?);
        let mut packages = self.packages.lock().unwrap_or_else(PoisonError::into_inner);
        if packages.len() >= CAPACITY {
            packages.clear();
        }
        packages.insert(*id, Arc::clone(&package));
        Some(package)
    }
}

/// A published package: its modules parsed, its tables as lookups.
#[derive(Debug)]
pub(super) struct Package {
    /// Storage id.
    pub id: Address,
    /// Id of the first version; the address that modules carry.
    pub original_id: Address,
    /// 1 when published, one more with each upgrade.
    pub version: u64,
    /// Modules by name.
    pub modules: BTreeMap<Identifier, Arc<CompiledModule>>,
    /// Which version first defined each type.
    pub type_origins: HashMap<(Identifier, Identifier), Address>,
    /// Original id of each dependency: storage id and version that this package uses.
    pub linkage: BTreeMap<Address, (Address, u64)>,
}

impl Package {
    /// Parses a stored package; `None` when its bytes are not modules of one package.
    pub(super) fn parse(stored: &MovePackage) -> Option<Self> {
        let mut modules = BTreeMap::new();
        for (name, bytes) in &stored.modules {
            let module = CompiledModule::parse(bytes).ok()?;
            modules.insert(name.clone(), Arc::new(module));
        }
        Self::with_modules(stored, modules)
    }

    /// The package with its modules parsed already.
    pub(super) fn with_modules(
        stored: &MovePackage,
        modules: BTreeMap<Identifier, Arc<CompiledModule>>,
    ) -> Option<Self> {
        let original_id = modules.values().next()?.id().address;
        if modules.values().any(|module| module.id().address != original_id) {
            return None;
        }
        let type_origins = stored
            .type_origin_table
            .iter()
            .map(|origin| ((origin.module_name.clone(), origin.struct_name.clone()), origin.package))
            .collect();
        let linkage = stored
            .linkage_table
            .iter()
            .map(|(original, info)| (*original, (info.upgraded_id, info.upgraded_version)))
            .collect();
        Some(Self { id: stored.id, original_id, version: stored.version, modules, type_origins, linkage })
    }
}
