//! What the transaction did to objects: ids, transfers, dynamic fields, events.

use std::collections::{HashMap, HashSet};

use sui_sdk_types::Address;

use crate::{
    Ability, Changes, ChildChange, Event, Fault, LoadedChild, ModuleId, ObjectChange, Recipient, TxContext,
    codec::{decode, encode},
    interpreter::Machine,
    interpreter::SlotCell,
    types::TypeId,
    value::{Repr, Value},
};

/// Objects of one transaction.
pub(crate) struct ObjectRuntime {
    pub(crate) context: TxContext,
    pub(crate) entry_module: Option<ModuleId>,
    pub(crate) ids_created: u64,
    created: HashSet<Address>,
    created_order: Vec<Address>,
    deleted: Vec<Address>,
    transfers: Vec<ObjectChange>,
    children: HashMap<Address, Child>,
    children_order: Vec<Address>,
    received: Vec<Address>,
    events: Vec<Event>,
    shared_before: HashSet<Address>,
}

/// A child object as it was and as it is.
struct Child {
    original: Option<Original>,
    current: Option<Current>,
}

struct Original {
    parent: Address,
    version: u64,
    type_: TypeId,
    contents: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Current {
    parent: Address,
    slot: u32,
    type_: TypeId,
}

/// A child that exists: its slot and type.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    pub(crate) slot: u32,
    pub(crate) type_: TypeId,
}

impl ObjectRuntime {
    pub(crate) fn new(context: TxContext) -> Self {
        Self {
            context,
            entry_module: None,
            ids_created: 0,
            created: HashSet::new(),
            created_order: Vec::new(),
            deleted: Vec::new(),
            transfers: Vec::new(),
            children: HashMap::new(),
            children_order: Vec::new(),
            received: Vec::new(),
            events: Vec::new(),
            shared_before: HashSet::new(),
        }
    }

    /// The id that the next new object gets (`sui-types`, `TxContext::fresh_id`).
    pub(crate) fn fresh_address(&mut self) -> Address {
        let id = Address::derive_id(self.context.digest, self.ids_created);
        self.ids_created += 1;
        id
    }

    pub(crate) fn record_new(&mut self, id: Address, limit: usize) -> Result<(), Fault> {
        if self.created.len() >= limit {
            return Err(Fault::Limit("number of created objects"));
        }
        // A dynamic field that is removed and added again was changed, not created.
        if let Some(position) = self.deleted.iter().position(|deleted| *deleted == id) {
            self.deleted.swap_remove(position);
        } else if self.created.insert(id) {
            self.created_order.push(id);
        }
        Ok(())
    }

    pub(crate) fn record_deleted(&mut self, id: Address) {
        if !self.created.remove(&id) && !self.deleted.contains(&id) {
            self.deleted.push(id);
        }
    }

    pub(crate) fn is_created(&self, id: &Address) -> bool {
        self.created.contains(id)
    }

    pub(crate) fn record_shared(&mut self, id: Address) {
        self.shared_before.insert(id);
    }

    /// New objects can be shared, and shared ones again (`TransferResult`, sui-move-natives).
    pub(crate) fn is_sharable(&self, id: &Address) -> bool {
        self.is_created(id) || self.shared_before.contains(id)
    }

    /// `false` if the object has been received already.
    pub(crate) fn record_received(&mut self, id: Address) -> bool {
        let first = !self.received.contains(&id);
        if first {
            self.received.push(id);
        }
        first
    }
}

impl Machine<'_> {
    /// The child of a parent, loaded on first use.
    pub(crate) fn child(&mut self, parent: Address, id: Address) -> Result<Option<Found>, Fault> {
        if !self.objects.children.contains_key(&id) {
            let child = self.load_child(parent, id)?;
            self.objects.children.insert(id, child);
            self.objects.children_order.push(id);
        }
        let current = self.objects.children.get(&id).and_then(|child| child.current);
        Ok(current.filter(|c| c.parent == parent).map(|c| Found { slot: c.slot, type_: c.type_ }))
    }

    fn load_child(&mut self, parent: Address, id: Address) -> Result<Child, Fault> {
        if self.objects.children.len() >= self.limits.objects {
            return Err(Fault::Limit("number of dynamic fields"));
        }
        let absent = Child { original: None, current: None };
        if self.objects.is_created(&parent) {
            return Ok(absent);
        }
        let Some(stored) = self.children.child(parent, id).map_err(Fault::Store)? else { return Ok(absent) };
        let type_ = self.types.resolve(&sui_sdk_types::TypeTag::Struct(Box::new(stored.type_)))?;
        let value = decode(self, type_, &stored.contents)?;
        let slot = self.new_slot(value)?;
        Ok(Child {
            original: Some(Original { parent, version: stored.version, type_, contents: stored.contents }),
            current: Some(Current { parent, slot, type_ }),
        })
    }

    /// Makes an object a child. `false` if that child exists.
    pub(crate) fn add_child(&mut self, parent: Address, id: Address, value: Repr) -> Result<bool, Fault> {
        if self.child(parent, id)?.is_some() {
            return Ok(false);
        }
        let type_ = Self::type_of(&value);
        let slot = self.new_slot(value)?;
        if let Some(child) = self.objects.children.get_mut(&id) {
            child.current = Some(Current { parent, slot, type_ });
        }
        Ok(true)
    }

    /// Takes a child that [`Machine::child`] found.
    pub(crate) fn take_child(&mut self, id: Address) -> Result<Repr, Fault> {
        let current = self.objects.children.get_mut(&id).and_then(|child| child.current.take());
        let slot = current.ok_or(Fault::Missing(format!("child {id}")))?.slot;
        self.slots[slot as usize].value.take().map(|value| value.0).ok_or(Fault::Unverified("child is in use"))
    }

    pub(crate) fn new_slot(&mut self, value: Repr) -> Result<u32, Fault> {
        let slot = u32::try_from(self.slots.len()).map_err(|_| Fault::Limit("slots"))?;
        self.slots.push(SlotCell { value: Some(Value(value)), lent: None });
        Ok(slot)
    }

    /// Records an object that leaves the transaction.
    pub(crate) fn transfer(&mut self, object: &Repr, recipient: Recipient) -> Result<(), Fault> {
        let id = object_id(object).ok_or(Fault::Unverified("transfer of a value without an id"))?;
        let type_ = Self::type_of(object);
        if !self.type_has(type_, Ability::Key) {
            return Err(Fault::Unverified("transfer of a value without key"));
        }
        self.spend(object.weight())?;
        let change = ObjectChange {
            id,
            recipient,
            type_: self.types.struct_tag(type_)?,
            contents: encode(self, object, self.limits.object_bytes)?,
            has_public_transfer: self.type_has(type_, Ability::Store),
        };
        self.objects.transfers.retain(|t| t.id != id);
        if self.objects.transfers.len() >= self.limits.objects {
            return Err(Fault::Limit("number of transferred objects"));
        }
        self.objects.transfers.push(change);
        Ok(())
    }

    /// Records an event.
    pub(crate) fn emit(&mut self, event: &Repr) -> Result<(), Fault> {
        if self.objects.events.len() >= self.limits.events {
            return Err(Fault::Limit("number of events"));
        }
        self.spend(event.weight())?;
        let contents = encode(self, event, self.limits.event_bytes)?;
        let type_ = self.types.struct_tag(Self::type_of(event))?;
        let module = self.objects.entry_module.clone().ok_or(Fault::Unverified("event outside a call"))?;
        self.objects.events.push(Event { module, type_, contents });
        Ok(())
    }

    /// What changed, in the order in which it was touched.
    pub(crate) fn finish(mut self) -> Result<Changes, Fault> {
        let mut changes = Changes {
            created: self
                .objects
                .created_order
                .iter()
                .filter(|id| self.objects.created.contains(*id))
                .copied()
                .collect(),
            deleted: std::mem::take(&mut self.objects.deleted),
            objects: std::mem::take(&mut self.objects.transfers),
            received: std::mem::take(&mut self.objects.received),
            events: std::mem::take(&mut self.objects.events),
            ..Changes::default()
        };
        for id in &self.objects.children_order {
            let Some(child) = self.objects.children.get(id) else { continue };
            if let Some(original) = &child.original {
                let loaded = LoadedChild { id: *id, parent: original.parent, version: original.version };
                if child.current.is_none_or(|c| c.parent != original.parent) {
                    changes.removed_children.push(loaded.clone());
                }
                changes.loaded_children.push(loaded);
            }
            let Some(current) = &child.current else { continue };
            let Some(value) = &self.slots[current.slot as usize].value else { continue };
            let contents = encode(&self, &value.0, self.limits.object_bytes)?;
            let unchanged = child.original.as_ref().is_some_and(|original| {
                original.parent == current.parent && original.type_ == current.type_ && original.contents == contents
            });
            if !unchanged {
                changes.children.push(ChildChange {
                    id: *id,
                    parent: current.parent,
                    type_: self.types.struct_tag(current.type_)?,
                    contents,
                    has_public_transfer: self.type_has(current.type_, Ability::Store),
                });
            }
        }
        Ok(changes)
    }
}

/// The id of an object: `id: UID { id: ID { bytes } }` is its first field.
pub(crate) fn object_id(object: &Repr) -> Option<Address> {
    match object.get(&[0, 0, 0]) {
        Some(Repr::Address(id)) if matches!(object, Repr::Struct(..)) => Some(*id),
        _ => None,
    }
}
