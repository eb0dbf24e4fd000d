//! Which version of each package one transaction uses, and the interpreter's view of it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use daas_move_vm::{CompiledModule, ModuleId, ModuleSource};
use sui_sdk_types::{Address, Command, ProgrammableTransaction, StructTag, TypeTag};

use super::admission::Admitted;
use super::modules::{ModuleCache, Package};
use super::{ObjectReader, Refused};

/// Whether the package is part of the interpreter itself.
pub(super) fn is_framework(id: &Address) -> bool {
    *id == Address::from_static("0x1") || *id == Address::TWO
}

/// How strongly a version is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    /// A call names exactly this version.
    Exactly,
    /// A dependency needs this version or a later one.
    AtLeast,
}

/// The packages of one transaction. Every original id resolves to one version for the whole transaction.
pub(super) struct Packages<'a> {
    cache: &'a ModuleCache,
    objects: &'a dyn ObjectReader,
    chosen: RefCell<BTreeMap<Address, (Address, u64, Want)>>,
    fresh: RefCell<HashMap<Address, Arc<Package>>>,
}

/// Two commands need different versions of one package.
pub(super) struct LinkageConflict;

impl<'a> Packages<'a> {
    /// Loads what the commands name. A package that does not exist keeps the transaction out of the chain, as
    /// `check_transaction_input` does (sui-transaction-checks).
    pub(super) fn load(
        transaction: &ProgrammableTransaction,
        inputs: &[Admitted],
        cache: &'a ModuleCache,
        objects: &'a dyn ObjectReader,
    ) -> Result<(Self, Result<(), LinkageConflict>), Refused> {
        let packages =
            Self { cache, objects, chosen: RefCell::new(BTreeMap::new()), fresh: RefCell::new(HashMap::new()) };
        let mut linked = Ok(());
        for id in named_packages(transaction) {
            if !is_framework(&id) {
                packages.require(&id)?;
            }
        }
        for command in &transaction.commands {
            let conflict = match command {
                Command::MoveCall(call) if !is_framework(&call.package) => packages.link(&call.package, Want::Exactly),
                Command::Publish(publish) => packages.link_all(&publish.dependencies),
                Command::Upgrade(upgrade) => packages.link_all(&upgrade.dependencies),
                _ => Ok(()),
            };
            linked = linked.and(conflict);
        }
        // Types may come from packages that no command calls. Where a call fixes a version, that one serves.
        for id in type_packages(transaction, inputs) {
            if !is_framework(&id) {
                let _ = packages.link(&id, Want::AtLeast);
            }
        }
        Ok((packages, linked))
    }

    /// The package with this storage id.
    pub(super) fn package(&self, id: &Address) -> Option<Arc<Package>> {
        if let Some(package) = self.fresh.borrow().get(id) {
            return Some(Arc::clone(package));
        }
        self.cache.package(id, self.objects)
    }

    /// Adds a package that this transaction publishes, so that its `init` functions can run.
    pub(super) fn add_published(&self, package: Package) {
        let package = Arc::new(package);
        self.chosen.borrow_mut().insert(package.original_id, (package.id, package.version, Want::Exactly));
        self.fresh.borrow_mut().insert(package.id, package);
    }

    /// Storage id of the version that the transaction uses.
    pub(super) fn storage_id(&self, original: &Address) -> Address {
        self.chosen.borrow().get(original).map_or(*original, |(id, _, _)| *id)
    }

    /// The type with every address replaced by that of the version which first defined it; `None` when a part of it
    /// does not exist.
    pub(super) fn canonical(&self, type_: &TypeTag) -> Option<TypeTag> {
        Some(match type_ {
            TypeTag::Vector(inner) => TypeTag::Vector(Box::new(self.canonical(inner)?)),
            TypeTag::Struct(tag) => TypeTag::Struct(Box::new(self.canonical_struct(tag)?)),
            plain => plain.clone(),
        })
    }

    fn canonical_struct(&self, tag: &StructTag) -> Option<StructTag> {
        let address = if is_framework(tag.address()) {
            *tag.address()
        } else {
            let package = self.package(tag.address())?;
            *package.type_origins.get(&(tag.module().clone(), tag.name().clone()))?
        };
        let parameters = tag.type_params().iter().map(|inner| self.canonical(inner)).collect::<Option<_>>()?;
        Some(StructTag::new(address, tag.module().clone(), tag.name().clone(), parameters))
    }

    fn require(&self, id: &Address) -> Result<Arc<Package>, Refused> {
        self.package(id).ok_or_else(|| match self.objects.object(id) {
            Some(_) => Refused::NotAPackage { id: *id },
            None => Refused::MissingObject { id: *id },
        })
    }

    fn link_all(&self, dependencies: &[Address]) -> Result<(), LinkageConflict> {
        dependencies.iter().filter(|id| !is_framework(id)).try_for_each(|id| self.link(id, Want::AtLeast))
    }

    fn link(&self, id: &Address, want: Want) -> Result<(), LinkageConflict> {
        let Some(package) = self.package(id) else { return Err(LinkageConflict) };
        self.choose(package.original_id, (package.id, package.version, want))?;
        for (original, (id, version)) in &package.linkage {
            if !is_framework(original) {
                self.choose(*original, (*id, *version, Want::AtLeast))?;
            }
        }
        Ok(())
    }

    fn choose(&self, original: Address, new: (Address, u64, Want)) -> Result<(), LinkageConflict> {
        let mut chosen = self.chosen.borrow_mut();
        let Some(old) = chosen.get(&original).copied() else {
            chosen.insert(original, new);
            return Ok(());
        };
        let winner = match (old.2, new.2) {
            (Want::Exactly, Want::Exactly) if old.0 != new.0 => return Err(LinkageConflict),
            (Want::Exactly, Want::AtLeast) if old.1 < new.1 => return Err(LinkageConflict),
            (Want::AtLeast, Want::Exactly) if new.1 < old.1 => return Err(LinkageConflict),
            (Want::Exactly, _) => old,
            (Want::AtLeast, Want::Exactly) => new,
            (Want::AtLeast, Want::AtLeast) => {
                if new.1 > old.1 {
                    new
                } else {
                    old
                }
            }
        };
        chosen.insert(original, winner);
        Ok(())
    }
}

impl ModuleSource for Packages<'_> {
    fn module(&self, id: &ModuleId) -> Option<Arc<CompiledModule>> {
        let package = self.package(&self.storage_id(&id.address))?;
        package.modules.get(&id.name).map(Arc::clone)
    }

    fn defining_id(&self, module: &ModuleId, type_name: &str) -> Address {
        self.package(&self.storage_id(&module.address))
            .and_then(|package| {
                let name = sui_sdk_types::Identifier::new(type_name).ok()?;
                package.type_origins.get(&(module.name.clone(), name)).copied()
            })
            .unwrap_or(module.address)
    }

    fn original_id(&self, package: Address) -> Address {
        if is_framework(&package) {
            return package;
        }
        self.package(&package).map_or(package, |package| package.original_id)
    }
}

/// The packages that the commands name: of calls, of their type arguments, and as dependencies.
pub(super) fn named_packages(transaction: &ProgrammableTransaction) -> Vec<Address> {
    let mut ids = Vec::new();
    for command in &transaction.commands {
        match command {
            Command::MoveCall(call) => {
                ids.push(call.package);
                call.type_arguments.iter().for_each(|type_| packages_of(type_, &mut ids));
            }
            Command::MakeMoveVector(vector) => vector.type_.iter().for_each(|type_| packages_of(type_, &mut ids)),
            Command::Publish(publish) => ids.extend(&publish.dependencies),
            Command::Upgrade(upgrade) => {
                ids.extend(&upgrade.dependencies);
                ids.push(upgrade.package);
            }
            _ => {}
        }
    }
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The packages of the types of input objects and type arguments.
fn type_packages(transaction: &ProgrammableTransaction, inputs: &[Admitted]) -> Vec<Address> {
    let mut ids = Vec::new();
    for input in inputs {
        if let Admitted::Object { object, .. } = input
            && let Some(stored) = object.as_struct()
        {
            packages_of(&TypeTag::from(stored.object_type().clone()), &mut ids);
        }
    }
    for command in &transaction.commands {
        match command {
            Command::MoveCall(call) => call.type_arguments.iter().for_each(|type_| packages_of(type_, &mut ids)),
            Command::MakeMoveVector(vector) => vector.type_.iter().for_each(|type_| packages_of(type_, &mut ids)),
            _ => {}
        }
    }
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn packages_of(type_: &TypeTag, ids: &mut Vec<Address>) {
    match type_ {
        TypeTag::Vector(inner) => packages_of(inner, ids),
        TypeTag::Struct(tag) => {
            ids.push(*tag.address());
            tag.type_params().iter().for_each(|inner| packages_of(inner, ids));
        }
        _ => {}
    }
}
