//! Transaction execution: one programmable transaction against a view of the objects gives effects and written objects.
//!
//! Pure code: no I/O, no clock, no randomness besides the transaction digest. What the chain does with the result
//! (locks, storage, checkpoints, signatures) is the ledger's business.

mod admission;
mod arguments;
mod cliques;
mod commands;
mod effects;
mod environment;
mod failure;
mod gas;
mod linkage;
mod machine;
mod modules;
mod outcome;
mod places;
mod publish;
mod pure;
mod refused;
mod run;
mod upgrade;

use std::sync::Arc;

use sui_sdk_types::{
    Address, Argument, BalanceChange, Digest, MoveStruct, Object, ObjectData, Owner, StructTag, Transaction,
    TransactionEffects, TransactionEvents, TypeTag,
};

pub use environment::{Environment, Limits};
pub use modules::ModuleCache;
pub use refused::Refused;
pub use upgrade::package_digest;

use admission::Payment;
use run::{Record, Run};

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

/// A coin that exists only for this simulation.
fn mock_payment(transaction: &Transaction) -> Payment {
    const MOCK_BALANCE: u64 = 1_000_000_000_000_000_000;
    let gas = &transaction.gas_payment;
    let id = Address::derive_id(transaction.digest(), u64::MAX);
    let contents = [id.as_bytes(), MOCK_BALANCE.to_le_bytes().as_slice()].concat();
    let coins = MoveStruct::new(StructTag::gas_coin(), true, 1, contents)
        .map(|coin| {
            let data = ObjectData::Struct(coin);
            Arc::new(Object::new(data, Owner::Address(gas.owner), Digest::ZERO, 0))
        })
        .into_iter()
        .collect();
    Payment { coins, owner: gas.owner, price: gas.price, budget: gas.budget }
}
