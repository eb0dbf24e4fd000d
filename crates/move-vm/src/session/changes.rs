//! What the calls of a transaction did to objects.

use sui_sdk_types::{Address, StructTag};

use crate::ModuleId;

/// Where a transferred object went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// `transfer`, `public_transfer`
    Address(Address),
    /// `share_object`, `public_share_object`
    Shared,
    /// `freeze_object`, `public_freeze_object`
    Immutable,
}

/// An object that left the transaction through a framework transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectChange {
    /// Its id.
    pub id: Address,
    /// Its new owner.
    pub recipient: Recipient,
    /// Its type.
    pub type_: StructTag,
    /// BCS of its contents.
    pub contents: Vec<u8>,
    /// Whether the type has `store` (public transfer).
    pub has_public_transfer: bool,
}

/// A dynamic field (or child object) that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildChange {
    /// Its id.
    pub id: Address,
    /// The object that owns it.
    pub parent: Address,
    /// Its type.
    pub type_: StructTag,
    /// BCS of its contents.
    pub contents: Vec<u8>,
    /// Whether the type has `store`.
    pub has_public_transfer: bool,
}

/// A child that was read from the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedChild {
    /// Its id.
    pub id: Address,
    /// The object that owned it.
    pub parent: Address,
    /// The version read.
    pub version: u64,
}

/// An emitted event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The module of the top-level call.
    pub module: ModuleId,
    /// Type of the event.
    pub type_: StructTag,
    /// BCS of the event.
    pub contents: Vec<u8>,
}

/// What the transaction's calls did to objects. Slots that the caller still holds are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Ids created by `object::new` (or [`Session::fresh_id`] and `object::new_uid_from_hash`), minus deleted ones.
    pub created: Vec<Address>,
    /// Ids deleted that existed before the transaction.
    pub deleted: Vec<Address>,
    /// Objects transferred, shared or frozen, in order; one entry per id (the last).
    pub objects: Vec<ObjectChange>,
    /// Children added or changed.
    pub children: Vec<ChildChange>,
    /// Children that were in the store and are no longer children of that parent (deleted, wrapped or transferred).
    pub removed_children: Vec<LoadedChild>,
    /// Children read from the store.
    pub loaded_children: Vec<LoadedChild>,
    /// Ids received by `transfer::receive`.
    pub received: Vec<Address>,
    /// Events in order.
    pub events: Vec<Event>,
}
