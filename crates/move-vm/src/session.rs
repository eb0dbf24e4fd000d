//! One transaction: calls, slots and what changed.

use sui_sdk_types::{Address, Digest, Identifier, StructTag, TypeTag};

use crate::{
    AbilitySet, AttestationVerifier, ChildSource, ExecutionError, Fault, Limits, ModuleId, ModuleSource, Value,
    Visibility,
};

/// What the transaction says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxContext {
    /// Who signed.
    pub sender: Address,
    /// Digest of the transaction; ids of new objects derive from it.
    pub digest: Digest,
    /// Current epoch.
    pub epoch: u64,
    /// Start of the epoch.
    pub epoch_timestamp_ms: u64,
    /// Reference gas price of the epoch.
    pub reference_gas_price: u64,
    /// Gas price of the transaction.
    pub gas_price: u64,
    /// Gas budget of the transaction.
    pub gas_budget: u64,
    /// Who pays, if not the sender.
    pub sponsor: Option<Address>,
}

/// How a parameter or a result passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// By value.
    Value,
    /// By `&`.
    Reference,
    /// By `&mut`.
    MutableReference,
}

/// A parameter or a result of an instantiated function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// How it passes.
    pub passing: Passing,
    /// Its type, without the reference.
    pub type_: TypeTag,
}

/// A function with its type arguments applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSignature {
    /// Who may call it.
    pub visibility: Visibility,
    /// Whether it is an `entry` function.
    pub is_entry: bool,
    /// Parameters, `TxContext` included.
    pub parameters: Vec<Parameter>,
    /// Results.
    pub returns: Vec<Parameter>,
}

/// A place that holds one value and can be lent. Only valid in the session that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot(pub(crate) u32);

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

/// The interpreter's state of one transaction.
pub struct Session<'a> {
    _modules: &'a dyn ModuleSource,
    _children: &'a dyn ChildSource,
    _verifier: Option<&'a dyn AttestationVerifier>,
    _context: TxContext,
    _limits: Limits,
}

fn pending<T>() -> Result<T, ExecutionError> {
    Err(Fault::Limit("no interpreter").into())
}

impl<'a> Session<'a> {
    /// A session over published modules and stored children.
    pub fn new(
        modules: &'a dyn ModuleSource,
        children: &'a dyn ChildSource,
        context: TxContext,
        limits: Limits,
    ) -> Self {
        Self { _modules: modules, _children: children, _verifier: None, _context: context, _limits: limits }
    }

    /// Installs what `load_nitro_attestation` asks.
    #[must_use]
    pub fn with_attestation_verifier(mut self, verifier: &'a dyn AttestationVerifier) -> Self {
        self._verifier = Some(verifier);
        self
    }

    /// The function with its type arguments applied: arity and constraints are checked.
    pub fn signature(
        &mut self,
        _module: &ModuleId,
        _function: &Identifier,
        _type_arguments: &[TypeTag],
    ) -> Result<CallSignature, ExecutionError> {
        pending()
    }

    /// Calls a function, private ones too: visibility is the caller's rule. A session whose call failed is only good
    /// for [`Session::steps_used`].
    pub fn call(
        &mut self,
        _module: &ModuleId,
        _function: &Identifier,
        _type_arguments: &[TypeTag],
        _arguments: Vec<Value>,
    ) -> Result<Vec<Value>, ExecutionError> {
        pending()
    }

    /// A reference to the transaction's `TxContext`, to pass for such a parameter.
    pub fn tx_context(&mut self, _passing: Passing) -> Result<Value, ExecutionError> {
        pending()
    }

    /// Puts a value in a new slot.
    pub fn hold(&mut self, _value: Value) -> Slot {
        Slot(0)
    }

    /// A reference to the slot's value for the next call only; a slot lent mutably is lent once, and references end
    /// when the call returns.
    pub fn lend(&mut self, _slot: Slot, _passing: Passing) -> Result<Value, ExecutionError> {
        pending()
    }

    /// Takes the value out of the slot, which is empty afterwards.
    pub fn take(&mut self, _slot: Slot) -> Result<Value, ExecutionError> {
        pending()
    }

    /// Looks at the slot's value.
    pub fn peek(&self, _slot: Slot) -> Result<&Value, ExecutionError> {
        pending()
    }

    /// Reads the BCS of a value of the type. Not for references.
    pub fn decode(&mut self, _type: &TypeTag, _bytes: &[u8]) -> Result<Value, ExecutionError> {
        pending()
    }

    /// Writes the BCS of a value; fails if the value is not of the type.
    pub fn encode(&mut self, _value: &Value, _type: &TypeTag) -> Result<Vec<u8>, ExecutionError> {
        pending()
    }

    /// The type of a value (of the referent for a reference).
    pub fn type_of(&self, _value: &Value) -> Result<TypeTag, ExecutionError> {
        pending()
    }

    /// A vector of values that are all of type `element` (`MakeMoveVec`).
    pub fn make_vector(&mut self, _element: &TypeTag, _values: Vec<Value>) -> Result<Value, ExecutionError> {
        pending()
    }

    /// The abilities of a type; fails if the type does not exist.
    pub fn abilities(&mut self, _type: &TypeTag) -> Result<AbilitySet, ExecutionError> {
        pending()
    }

    /// The id of an object value (a struct whose first field is a `UID`).
    pub fn object_id(&self, _value: &Value) -> Option<Address> {
        None
    }

    /// The balance of a `0x2::coin::Coin`.
    pub fn coin_value(&self, _coin: &Value) -> Option<u64> {
        None
    }

    /// Takes `amount` out of a coin into a new one; `None` when the balance is too small (the coin is unchanged).
    pub fn split_coin(&mut self, _coin: Slot, _amount: u64) -> Result<Option<Value>, ExecutionError> {
        pending()
    }

    /// Adds a coin of the same type to another and deletes it. Overflow is `Fault::Arithmetic`.
    pub fn join_coin(&mut self, _coin: Slot, _other: Value) -> Result<(), ExecutionError> {
        pending()
    }

    /// Transfers an object as the PTB command `TransferObjects` does.
    pub fn transfer(&mut self, _object: Value, _recipient: Recipient) -> Result<(), ExecutionError> {
        pending()
    }

    /// The id of the next new object (the counter of `tx_context::fresh_object_address`), recorded as created.
    pub fn fresh_id(&mut self) -> Address {
        Address::ZERO
    }

    /// Whether the id was created in this session.
    pub fn is_created(&self, _id: &Address) -> bool {
        false
    }

    /// Steps used so far.
    pub fn steps_used(&self) -> u64 {
        0
    }

    /// What the calls changed.
    pub fn finish(self) -> Result<Changes, ExecutionError> {
        Ok(Changes::default())
    }
}
