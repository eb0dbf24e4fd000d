//! One transaction: calls, slots and what changed.

mod changes;
mod coins;
mod slots;

use std::rc::Rc;

use sui_sdk_types::{Address, Digest, Identifier, StructTag, TypeTag};

pub use changes::{Changes, ChildChange, Event, LoadedChild, ObjectChange, Recipient};

use crate::{
    Ability, AbilitySet, AttestationVerifier, ChildSource, ExecutionError, Fault, Limits, ModuleId, ModuleSource,
    Value, Visibility, codec, framework,
    interpreter::{Function, Machine},
    object_runtime::object_id,
    types::{Type, TypeId, fixed},
    value::Repr,
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

/// The interpreter's state of one transaction.
pub struct Session<'a> {
    machine: Machine<'a>,
    context_slot: Option<Slot>,
}

impl<'a> Session<'a> {
    /// A session over published modules and stored children.
    pub fn new(
        modules: &'a dyn ModuleSource,
        children: &'a dyn ChildSource,
        context: TxContext,
        limits: Limits,
    ) -> Self {
        Self { machine: Machine::new(modules, children, context, limits), context_slot: None }
    }

    /// Installs what `load_nitro_attestation` asks.
    #[must_use]
    pub fn with_attestation_verifier(mut self, verifier: &'a dyn AttestationVerifier) -> Self {
        self.machine.verifier = Some(verifier);
        self
    }

    /// The function with its type arguments applied: arity and constraints are checked.
    pub fn signature(
        &mut self,
        module: &ModuleId,
        function: &Identifier,
        type_arguments: &[TypeTag],
    ) -> Result<CallSignature, ExecutionError> {
        let function = self.function(module, function, type_arguments)?;
        let definition = &function.compiled.tables().functions[usize::from(function.definition)];
        let parameters = |types: &[TypeId]| -> Result<Vec<Parameter>, Fault> {
            types.iter().map(|type_| self.parameter(*type_)).collect()
        };
        Ok(CallSignature {
            visibility: definition.visibility,
            is_entry: definition.is_entry,
            parameters: parameters(&function.parameters)?,
            returns: parameters(&function.returns)?,
        })
    }

    /// Calls a function, private ones too: visibility is the caller's rule. A session whose call failed is only good
    /// for [`Session::steps_used`].
    pub fn call(
        &mut self,
        module: &ModuleId,
        function: &Identifier,
        type_arguments: &[TypeTag],
        arguments: Vec<Value>,
    ) -> Result<Vec<Value>, ExecutionError> {
        let function = self.function(module, function, type_arguments)?;
        let results = self.machine.run(&function, arguments.into_iter().map(|v| v.0).collect())?;
        Ok(results.into_iter().map(Value).collect())
    }

    /// A reference to the transaction's `TxContext`, to pass for such a parameter.
    pub fn tx_context(&mut self, passing: Passing) -> Result<Value, ExecutionError> {
        let slot = if let Some(slot) = self.context_slot {
            slot
        } else {
            let value = self.tx_context_value()?;
            *self.context_slot.insert(Slot(self.machine.new_slot(value)?))
        };
        self.lend(slot, passing)
    }

    /// Reads the BCS of a value of the type. Not for references.
    pub fn decode(&mut self, type_: &TypeTag, bytes: &[u8]) -> Result<Value, ExecutionError> {
        let type_ = self.machine.types.resolve(type_)?;
        Ok(Value(codec::decode(&mut self.machine, type_, bytes)?))
    }

    /// Writes the BCS of a value; fails if the value is not of the type.
    pub fn encode(&mut self, value: &Value, type_: &TypeTag) -> Result<Vec<u8>, ExecutionError> {
        let type_ = self.machine.types.resolve(type_)?;
        if !self.machine.fits(&value.0, type_) {
            return Err(Fault::BadValue("value is of another type").into());
        }
        Ok(codec::encode(&self.machine, &value.0, self.machine.limits.object_bytes)?)
    }

    /// The type of a value (of the referent for a reference).
    pub fn type_of(&self, value: &Value) -> Result<TypeTag, ExecutionError> {
        Ok(self.machine.types.tag(Machine::type_of(&value.0))?)
    }

    /// A vector of values that are all of type `element` (`MakeMoveVec`).
    pub fn make_vector(&mut self, element: &TypeTag, values: Vec<Value>) -> Result<Value, ExecutionError> {
        let element = self.machine.types.resolve(element)?;
        let vector = self.machine.types.intern(Type::Vector(element))?;
        self.machine.allocate(values.len() as u64)?;
        Ok(Value(self.machine.make_vector(vector, values.into_iter().map(|v| v.0).collect())?))
    }

    /// The abilities of a type; fails if the type does not exist.
    pub fn abilities(&mut self, type_: &TypeTag) -> Result<AbilitySet, ExecutionError> {
        let type_ = self.machine.types.resolve(type_)?;
        Ok(self.machine.types.abilities(type_))
    }

    /// The id of an object value (a struct with `key`).
    pub fn object_id(&self, value: &Value) -> Option<Address> {
        object_id(&value.0)
    }

    /// Transfers an object as the PTB command `TransferObjects` does.
    pub fn transfer(&mut self, object: Value, recipient: Recipient) -> Result<(), ExecutionError> {
        let Value(object) = object;
        if !self.machine.has(&object, Ability::Store) {
            return Err(Fault::BadValue("object cannot be transferred freely").into());
        }
        Ok(self.machine.transfer(&object, recipient)?)
    }

    /// The id of the next new object (the counter of `tx_context::fresh_object_address`), recorded as created.
    pub fn fresh_id(&mut self) -> Result<Address, ExecutionError> {
        let id = self.machine.objects.fresh_address();
        self.machine.objects.record_new(id, self.machine.limits.objects)?;
        Ok(id)
    }

    /// Records that an object that the caller destroyed is gone.
    pub fn record_deleted(&mut self, id: Address) {
        self.machine.objects.record_deleted(id);
    }

    /// Tells that an input object is shared: taken by value, it may be shared again.
    pub fn record_shared(&mut self, id: Address) {
        self.machine.objects.record_shared(id);
    }

    /// Whether the id was created in this session and still exists.
    pub fn is_created(&self, id: &Address) -> bool {
        self.machine.objects.is_created(id)
    }

    /// Steps used so far.
    pub fn steps_used(&self) -> u64 {
        self.machine.steps
    }

    /// What the calls changed.
    pub fn finish(self) -> Result<Changes, ExecutionError> {
        Ok(self.machine.finish()?)
    }

    fn function(
        &mut self,
        module: &ModuleId,
        function: &Identifier,
        type_arguments: &[TypeTag],
    ) -> Result<Rc<Function>, Fault> {
        let arguments =
            type_arguments.iter().map(|tag| self.machine.types.resolve(tag)).collect::<Result<Rc<[_]>, _>>()?;
        self.machine.function(module, function, arguments)
    }

    fn parameter(&self, type_: TypeId) -> Result<Parameter, Fault> {
        let (passing, type_) = match self.machine.types.get(type_) {
            Type::Reference(inner) => (Passing::Reference, *inner),
            Type::MutableReference(inner) => (Passing::MutableReference, *inner),
            _ => (Passing::Value, type_),
        };
        Ok(Parameter { passing, type_: self.machine.types.tag(type_)? })
    }

    fn tx_context_value(&mut self) -> Result<Repr, Fault> {
        let context = self.machine.objects.context.clone();
        let tag = StructTag::new(
            framework::address(2),
            Identifier::from_static("tx_context"),
            Identifier::from_static("TxContext"),
            Vec::new(),
        );
        let type_ = self.machine.types.resolve(&TypeTag::Struct(Box::new(tag)))?;
        let fields = [
            Repr::Address(context.sender),
            Repr::Bytes(context.digest.as_bytes().to_vec()),
            Repr::U64(context.epoch),
            Repr::U64(context.epoch_timestamp_ms),
            Repr::U64(0),
        ];
        let expected = [fixed::ADDRESS, fixed::BYTES, fixed::U64, fixed::U64, fixed::U64];
        if self.machine.types.layout(type_)?.variants != [expected.to_vec()] {
            return Err(Fault::Unverified("TxContext has other fields"));
        }
        Ok(Repr::Struct(type_, 0, Box::new(fields)))
    }
}
