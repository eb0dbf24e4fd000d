//! Transaction execution: one programmable transaction against a view of the objects gives effects and written objects.
//!
//! Pure code: no I/O, no clock, no randomness besides the transaction digest. What the chain does with the result
//! (locks, storage, checkpoints, signatures) is the ledger's business.

mod admission;
mod commands;
mod effects;
mod environment;
mod failure;
mod gas;
mod linkage;
mod machine;
mod modules;
mod outcome;
mod publish;
mod pure;
mod refused;
mod upgrade;

use std::sync::Arc;

use daas_move_vm::{Session, TxContext};
use sui_sdk_types::{
    Address, Argument, BalanceChange, ExecutionError, MoveStruct, Object, ObjectData, Owner, ProgrammableTransaction,
    StructTag, Transaction, TransactionEffects, TransactionEvents, TypeTag,
};

pub use environment::{Environment, Limits};
pub use modules::ModuleCache;
pub use refused::Refused;
pub use upgrade::package_digest;

use admission::{Admitted, Payment, gas_balance};
use effects::{Frame, out_of_gas};
use failure::Failure;
use linkage::{LinkageConflict, Packages};
use machine::{Children, Machine};
use outcome::Outcome;

/// The live objects that a transaction may read.
pub trait ObjectReader {
    /// The live object or package with this id; `None` when it was never created, was deleted or is wrapped.
    fn object(&self, id: &Address) -> Option<Arc<Object>>;

    /// The live object `id` if it is owned by the object `parent` (a dynamic field or a child object).
    fn child(&self, parent: &Address, id: &Address) -> Option<Arc<Object>>;
}

/// What one executed transaction did.
#[derive(Debug, Clone)]
pub struct Executed {
    /// Effects (always V2).
    pub effects: TransactionEffects,
    /// Events in the order of emission; `None` when there are none or the transaction failed.
    pub events: Option<TransactionEvents>,
    /// Created, mutated and unwrapped objects and new packages, as they are now, sorted by id.
    pub written: Vec<Object>,
    /// Objects that existed before and are deleted now.
    pub deleted: Vec<Address>,
    /// Objects that existed before and are now inside another object.
    pub wrapped: Vec<Address>,
    /// Input objects (gas coins included) as they were before, without packages.
    pub inputs: Vec<Arc<Object>>,
    /// Per command: what it returned and what it changed through references. Filled by [`simulate`] only.
    pub command_outputs: Vec<CommandOutput>,
    /// Change of each address' balance per coin type, gas included.
    pub balance_changes: Vec<BalanceChange>,
    /// Interpreter steps used.
    pub steps: u64,
    /// A readable account of the failure, when the status is one.
    pub failure: Option<String>,
}

/// Values that one command produced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandOutput {
    /// Return values.
    pub return_values: Vec<OutputValue>,
    /// Arguments that were passed by mutable reference, as they are after the command.
    pub mutated: Vec<(Argument, OutputValue)>,
}

/// A Move value with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputValue {
    /// Type of the value.
    pub type_tag: TypeTag,
    /// BCS of the value.
    pub bcs: Vec<u8>,
}

/// How strict a simulation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checks {
    /// As an execution: only a mock gas coin may stand in for missing gas coins.
    Enabled,
    /// Any function and any value may be used, whoever the sender is.
    Disabled,
}

/// Executes a transaction whose signatures were checked already.
pub fn execute(
    transaction: &Transaction,
    objects: &dyn ObjectReader,
    modules: &ModuleCache,
    environment: &Environment,
) -> Result<Executed, Refused> {
    let programmable = admission::programmable(transaction)?;
    admission::check_shape(programmable, &environment.limits)?;
    admission::check_expiration(transaction, environment)?;
    let gas = &transaction.gas_payment;
    admission::check_gas(gas.price, gas.budget, environment)?;
    let payment = admission::admit_payment(transaction, objects, &environment.limits)?;
    let inputs = admission::admit_inputs(programmable, transaction.sender, &payment.coins, objects)?;
    let run = Run { transaction, programmable, payment, inputs, objects, modules, environment };
    run.run(Checks::Enabled, Record::Nothing)
}

/// Executes a transaction without any consequence, to estimate gas and to look at results. Without gas coins a mock
/// coin pays; a price or budget of zero stands for the reference price and the highest budget.
pub fn simulate(
    transaction: &Transaction,
    objects: &dyn ObjectReader,
    modules: &ModuleCache,
    environment: &Environment,
    checks: Checks,
) -> Result<Executed, Refused> {
    let mut transaction = transaction.clone();
    let gas = &mut transaction.gas_payment;
    if gas.price == 0 {
        gas.price = environment.reference_gas_price;
    }
    if gas.budget == 0 {
        gas.budget = environment.limits.gas_budget;
    }
    let programmable = admission::programmable(&transaction)?;
    admission::check_shape(programmable, &environment.limits)?;
    admission::check_expiration(&transaction, environment)?;
    admission::check_gas(transaction.gas_payment.price, transaction.gas_payment.budget, environment)?;
    let payment = if transaction.gas_payment.objects.is_empty() {
        mock_payment(&transaction)
    } else {
        admission::admit_payment(&transaction, objects, &environment.limits)?
    };
    let inputs = admission::admit_inputs(programmable, transaction.sender, &payment.coins, objects)?;
    let run = Run { transaction: &transaction, programmable, payment, inputs, objects, modules, environment };
    run.run(checks, Record::Outputs)
}

/// Whether the values that commands give are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Record {
    Nothing,
    Outputs,
}

/// One admitted transaction.
struct Run<'a> {
    transaction: &'a Transaction,
    programmable: &'a ProgrammableTransaction,
    payment: Payment,
    inputs: Vec<Admitted>,
    objects: &'a dyn ObjectReader,
    modules: &'a ModuleCache,
    environment: &'a Environment,
}

/// What the commands came to.
struct Ran {
    result: Result<Outcome, (Failure, Option<u64>)>,
    steps: u64,
    published_bytes: u64,
    outputs: Vec<CommandOutput>,
    missing_framework: Option<String>,
}

impl Run<'_> {
    fn run(&self, checks: Checks, record: Record) -> Result<Executed, Refused> {
        let (packages, linked) = Packages::load(self.programmable, self.modules, self.objects)?;
        let gas = smash(&self.payment)?;
        let ran = match linked {
            Ok(()) => self.commands(&packages, &gas, checks, record),
            Err(LinkageConflict) => Ran::failed(Failure::new(
                ExecutionError::InvalidLinkage,
                "two commands need different versions of one package",
            )),
        };
        if let Some(function) = ran.missing_framework {
            return Err(Refused::FrameworkFunction { function });
        }
        let frame = Frame {
            digest: self.transaction.digest(),
            sender: self.transaction.sender,
            epoch: self.environment.epoch,
            budget: self.payment.budget,
            gas_id: gas.object_id(),
            inputs: &self.inputs,
            package_dependencies: linkage::named_packages(self.programmable)
                .iter()
                .filter_map(|id| self.objects.object(id))
                .map(|package| package.previous_transaction())
                .collect(),
        };
        let Payment { price, budget, .. } = self.payment;
        let cost = gas::computation_cost(ran.steps, ran.published_bytes, price, budget);
        let nothing = || Outcome::of_nothing(&gas, &self.payment.coins, &self.inputs);
        let mut executed = match ran.result {
            Ok(outcome) => frame.complete(outcome, cost).unwrap_or_else(|| {
                frame.fail(nothing(), cost, out_of_gas("the budget does not pay for storage"), None)
            }),
            Err((failure, command)) => frame.fail(nothing(), cost, failure, command),
        };
        executed.steps = ran.steps;
        executed.command_outputs = ran.outputs;
        Ok(executed)
    }

    fn commands(&self, packages: &Packages<'_>, gas: &Object, checks: Checks, record: Record) -> Ran {
        let Payment { price, budget, owner, .. } = self.payment;
        let (sender, limits) = (self.transaction.sender, &self.environment.limits);
        let context = TxContext {
            sender,
            digest: self.transaction.digest(),
            epoch: self.environment.epoch,
            epoch_timestamp_ms: self.environment.epoch_start_ms,
            reference_gas_price: self.environment.reference_gas_price,
            gas_price: price,
            gas_budget: budget,
            sponsor: (owner != sender).then_some(owner),
        };
        let mut bounds = daas_move_vm::Limits::default();
        bounds.steps = gas::affordable_steps(price, budget, limits.steps);
        bounds.events = limits.events;
        bounds.event_bytes = limits.event_bytes;
        bounds.object_bytes = usize::try_from(limits.object_bytes).unwrap_or(usize::MAX);
        let children = Children(self.objects);
        let mut session = Session::new(packages, &children, context, bounds);
        if let Some(verifier) = &self.environment.attestation {
            session = session.with_attestation_verifier(verifier.as_ref());
        }
        // Commands see the gas coin less the budget, so that they cannot spend what gas needs.
        let reserved = gas_balance(gas).unwrap_or(0).saturating_sub(budget);
        let Some(visible) = with_balance(gas, reserved) else {
            return Ran::failed(Failure::new(ExecutionError::InvalidGasObject, "the gas coin is malformed"));
        };
        let now_ms = self.environment.now_ms;
        let machine = Machine::new(session, packages, limits, checks, &visible, &self.inputs, now_ms);
        let mut machine = match machine {
            Ok(machine) => machine,
            Err(failure) => return Ran::failed(failure),
        };
        machine.outputs = (record == Record::Outputs).then(Vec::new);
        let result = machine.run(self.programmable);
        let (steps, published_bytes) = (machine.session.steps_used(), machine.published_bytes);
        let outputs = machine.outputs.take().unwrap_or_default();
        let missing_framework = machine.missing_framework.take();
        let nothing = Outcome::of_nothing(gas, &self.payment.coins, &self.inputs);
        let result = result.and_then(|()| {
            let mut outcome = nothing.of_machine(machine, self.objects).map_err(|failure| (failure, None))?;
            outcome.check_sizes(limits).map_err(|failure| (failure, None))?;
            outcome.give_back(gas.object_id(), budget).map_err(|failure| (failure, None))?;
            Ok(outcome)
        });
        Ran { result, steps, published_bytes, outputs, missing_framework }
    }
}

impl Ran {
    fn failed(failure: Failure) -> Self {
        Self {
            result: Err((failure, None)),
            steps: 0,
            published_bytes: 0,
            outputs: Vec::new(),
            missing_framework: None,
        }
    }
}

/// The first gas coin with the balance of all.
fn smash(payment: &Payment) -> Result<Object, Refused> {
    let first = payment.coins.first().ok_or(Refused::NoGasPayment)?;
    let total = payment.coins.iter().filter_map(|coin| gas_balance(coin)).sum();
    with_balance(first, total).ok_or(Refused::NotAGasCoin { id: first.object_id() })
}

fn with_balance(coin: &Object, balance: u64) -> Option<Object> {
    let stored = coin.as_struct()?;
    let contents = [coin.object_id().as_bytes(), balance.to_le_bytes().as_slice()].concat();
    let moved =
        MoveStruct::new(stored.object_type().clone(), stored.has_public_transfer(), stored.version(), contents)?;
    Some(Object::new(ObjectData::Struct(moved), *coin.owner(), coin.previous_transaction(), coin.storage_rebate()))
}

/// A coin that exists only for this simulation.
fn mock_payment(transaction: &Transaction) -> Payment {
    const MOCK_BALANCE: u64 = 1_000_000_000_000_000_000;
    let gas = &transaction.gas_payment;
    let id = Address::derive_id(transaction.digest(), u64::MAX);
    let contents = [id.as_bytes(), MOCK_BALANCE.to_le_bytes().as_slice()].concat();
    let coins = MoveStruct::new(StructTag::gas_coin(), true, 1, contents)
        .map(|coin| {
            let data = ObjectData::Struct(coin);
            Arc::new(Object::new(data, Owner::Address(gas.owner), sui_sdk_types::Digest::ZERO, 0))
        })
        .into_iter()
        .collect();
    Payment { coins, owner: gas.owner, price: gas.price, budget: gas.budget }
}
