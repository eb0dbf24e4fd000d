//! What a transaction changed: every object that it wrote, deleted or wrapped, each exactly once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use daas_move_vm::{Changes, Recipient};
use sui_sdk_types::{
    Address, Event, ExecutionError, Identifier, MoveLocation, MovePackage, Object, Owner, StructTag, TypeTag, Version,
};

use super::admission::{Admitted, coin_balance};
use super::failure::Failure;
use super::machine::Machine;
use super::{Limits, ObjectReader};

/// Abort code of `0x2::transfer::share_object` for an object that was not made in this transaction.
const SHARED_NON_NEW_OBJECT: u64 = 0;

/// An object as it will be, before version and storage cost are known.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub type_: StructTag,
    pub has_public_transfer: bool,
    pub contents: Vec<u8>,
    pub owner: NewOwner,
}

/// The owner to be; one that is shared from now on is shared since the version that is being written.
#[derive(Debug, Clone, Copy)]
pub(super) enum NewOwner {
    Is(Owner),
    NewlyShared,
}

/// Everything that a transaction changed.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub writes: BTreeMap<Address, Write>,
    pub packages: Vec<MovePackage>,
    pub created: BTreeSet<Address>,
    pub deleted: BTreeSet<Address>,
    pub wrapped: BTreeSet<Address>,
    pub events: Vec<Event>,
    /// Objects as they were before: gas coins, mutable inputs, children that were changed.
    pub before: BTreeMap<Address, Arc<Object>>,
    /// The highest version among children that were read.
    pub loaded_version: Version,
}

impl Outcome {
    /// What every transaction does, whatever its commands do: the gas coins become one, and every object that it could
    /// have changed gets a new version (`ensure_active_inputs_mutated`, sui-adapter/temporary_store.rs).
    pub(super) fn of_nothing(gas: &Object, coins: &[Arc<Object>], inputs: &[Admitted]) -> Self {
        let mut outcome = Self::default();
        let gas_id = gas.object_id();
        for coin in coins {
            outcome.before.insert(coin.object_id(), Arc::clone(coin));
            if coin.object_id() != gas_id {
                outcome.deleted.insert(coin.object_id());
            }
        }
        outcome.write_unchanged(gas);
        for input in inputs {
            if let Admitted::Object { object, mutable: true } = input {
                outcome.before.insert(object.object_id(), Arc::clone(object));
                outcome.write_unchanged(object);
            }
        }
        outcome
    }

    /// What the commands did, on top of that.
    pub(super) fn of_machine(mut self, mut machine: Machine<'_>, objects: &dyn ObjectReader) -> Result<Self, Failure> {
        let places: Vec<_> = std::iter::once(&machine.gas).chain(&machine.inputs).cloned().collect();
        let mut taken = Vec::new();
        for place in places {
            let Some(origin) = place.origin.filter(|origin| origin.mutable) else { continue };
            let Some((_, contents)) = machine.encode(&place)? else {
                self.writes.remove(&origin.id);
                taken.push(origin);
                continue;
            };
            if let Some(write) = self.writes.get_mut(&origin.id) {
                write.contents = contents;
            }
        }
        let packages = machine.packages;
        self.packages = std::mem::take(&mut machine.published);
        let changes = machine.session.finish().map_err(|error| Failure::of_interpreter(&error, packages))?;
        self.apply(changes, objects, &|original| packages.storage_id(original))?;
        for origin in taken {
            let gone = !self.writes.contains_key(&origin.id) && !self.deleted.contains(&origin.id);
            if gone {
                self.wrapped.insert(origin.id);
            }
            if let Owner::Shared(_) = origin.owner {
                let still_shared = self.writes.get(&origin.id).is_some_and(|write| match write.owner {
                    NewOwner::Is(owner) => owner == origin.owner,
                    NewOwner::NewlyShared => false,
                });
                if !still_shared && !self.deleted.contains(&origin.id) {
                    return Err(Failure::new(
                        ExecutionError::ConsensusObjectOperationNotAllowed,
                        format!("shared object {} may only be deleted or shared again", origin.id),
                    ));
                }
            }
        }
        Ok(self)
    }

    /// Objects that are no more as they were: written anew, deleted or wrapped.
    pub(super) fn replaced(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.before.iter().filter_map(|(id, object)| {
            let replaced = self.writes.contains_key(id) || self.deleted.contains(id) || self.wrapped.contains(id);
            replaced.then_some(object)
        })
    }

    /// Gives the gas coin back the budget that was set aside while the commands ran.
    pub(super) fn give_back(&mut self, gas: Address, budget: u64) -> Result<(), Failure> {
        let overflow = || Failure::new(ExecutionError::CoinBalanceOverflow, "the gas coin exceeds u64");
        let lost = || Failure::new(ExecutionError::InvariantViolation, "the gas coin is gone");
        let write = self.writes.get_mut(&gas).ok_or_else(lost)?;
        let balance = coin_balance(&write.contents).ok_or_else(lost)?;
        let balance = balance.checked_add(budget).ok_or_else(overflow)?;
        write.contents = [gas.as_bytes(), balance.to_le_bytes().as_slice()].concat();
        Ok(())
    }

    /// Refuses what is larger than the chain stores.
    pub(super) fn check_sizes(&self, limits: &Limits) -> Result<(), Failure> {
        let mut total = 0;
        for (id, write) in &self.writes {
            let object_size = write.contents.len() as u64;
            if object_size > limits.object_bytes {
                let max_object_size = limits.object_bytes;
                let account = format!("object {id} has {object_size} bytes, at most {max_object_size} are allowed");
                return Err(Failure::new(ExecutionError::ObjectTooBig { object_size, max_object_size }, account));
            }
            total += object_size;
        }
        if total > limits.written_bytes {
            let (object_size, max_object_size) = (total, limits.written_bytes);
            let account = format!("{total} bytes are written, at most {max_object_size} are allowed");
            return Err(Failure::new(ExecutionError::WrittenObjectsTooLarge { object_size, max_object_size }, account));
        }
        let event_bytes: usize = self.events.iter().map(|event| event.contents.len()).sum();
        if self.events.len() > limits.events || event_bytes > limits.event_total_bytes {
            let account = format!("{} events of {event_bytes} bytes exceed the limits", self.events.len());
            return Err(Failure::new(
                ExecutionError::EffectsTooLarge {
                    current_size: event_bytes as u64,
                    max_size: limits.event_total_bytes as u64,
                },
                account,
            ));
        }
        Ok(())
    }

    fn apply(
        &mut self,
        changes: Changes,
        objects: &dyn ObjectReader,
        storage_id: &dyn Fn(&Address) -> Address,
    ) -> Result<(), Failure> {
        self.created = changes.created.into_iter().collect();
        self.events = changes
            .events
            .into_iter()
            .map(|event| Event {
                package_id: storage_id(&event.module.address),
                module: event.module.name,
                sender: Address::ZERO,
                type_: event.type_,
                contents: event.contents,
            })
            .collect();
        self.loaded_version = changes.loaded_children.iter().map(|child| child.version).max().unwrap_or(0);
        for change in changes.objects {
            let owner = match change.recipient {
                Recipient::Address(address) => NewOwner::Is(Owner::Address(address)),
                Recipient::Immutable => NewOwner::Is(Owner::Immutable),
                Recipient::Shared => self.shared_owner(&change.id)?,
            };
            let write = Write {
                type_: change.type_,
                has_public_transfer: change.has_public_transfer,
                contents: change.contents,
                owner,
            };
            self.write_once(change.id, write)?;
        }
        let removed: Vec<Address> = changes.removed_children.iter().map(|child| child.id).collect();
        let written = changes.children.iter().map(|child| (child.parent, child.id));
        let gone = changes.removed_children.iter().map(|child| (child.parent, child.id));
        for (parent, id) in written.chain(gone) {
            if let Some(object) = objects.child(&parent, &id) {
                self.before.entry(id).or_insert(object);
            }
        }
        for loaded in &changes.loaded_children {
            // A child that moved to another parent was loaded from its first one.
            let moved = removed.contains(&loaded.id) || self.writes.contains_key(&loaded.id);
            if moved && let Some(object) = objects.child(&loaded.parent, &loaded.id) {
                self.before.entry(loaded.id).or_insert(object);
            }
        }
        for child in changes.children {
            let write = Write {
                type_: child.type_,
                has_public_transfer: child.has_public_transfer,
                contents: child.contents,
                owner: NewOwner::Is(Owner::Object(child.parent)),
            };
            self.write_once(child.id, write)?;
        }
        for id in changes.deleted {
            if self.writes.contains_key(&id) {
                return Err(in_two_places(&id));
            }
            self.deleted.insert(id);
        }
        self.check_known(objects)?;
        for id in removed {
            if !self.writes.contains_key(&id) && !self.deleted.contains(&id) {
                self.wrapped.insert(id);
            }
        }
        Ok(())
    }

    /// What was neither loaded nor made here can only come out of another object; if it is live, something was forged.
    fn check_known(&self, objects: &dyn ObjectReader) -> Result<(), Failure> {
        let known = |id: &Address| self.before.contains_key(id) || self.created.contains(id);
        let forged = self.writes.keys().chain(&self.deleted).find(|id| !known(id) && objects.object(id).is_some());
        forged.map_or(Ok(()), |id| Err(in_two_places(id)))
    }

    /// Sharing is for new objects and for those that are shared already (`share_object_impl`, sui-move-natives).
    fn shared_owner(&self, id: &Address) -> Result<NewOwner, Failure> {
        match self.before.get(id).map(|object| *object.owner()) {
            Some(owner @ Owner::Shared(_)) => Ok(NewOwner::Is(owner)),
            None if self.created.contains(id) => Ok(NewOwner::NewlyShared),
            _ => Err(Failure::new(
                ExecutionError::MoveAbort {
                    location: MoveLocation {
                        package: Address::TWO,
                        module: Identifier::from_static("transfer"),
                        function: 0,
                        instruction: 0,
                        function_name: Some(Identifier::from_static("share_object_impl")),
                    },
                    code: SHARED_NON_NEW_OBJECT,
                },
                format!("object {id} was not made in this transaction and cannot be shared any more"),
            )),
        }
    }

    fn write_once(&mut self, id: Address, write: Write) -> Result<(), Failure> {
        if self.writes.insert(id, write).is_some() {
            return Err(in_two_places(&id));
        }
        Ok(())
    }

    fn write_unchanged(&mut self, object: &Object) {
        if let Some(stored) = object.as_struct() {
            let write = Write {
                type_: stored.object_type().clone(),
                has_public_transfer: stored.has_public_transfer(),
                contents: stored.contents().to_vec(),
                owner: NewOwner::Is(*object.owner()),
            };
            self.writes.insert(object.object_id(), write);
        }
    }
}

/// The coin type, if this is a coin.
pub(super) fn coin_type(object: &Object) -> Option<&TypeTag> {
    object.as_struct()?.object_type().is_coin()
}

fn in_two_places(id: &Address) -> Failure {
    Failure::new(ExecutionError::InvariantViolation, format!("object {id} would be in two places"))
}
