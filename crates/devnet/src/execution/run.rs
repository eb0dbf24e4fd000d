//! One admitted transaction from its commands to its effects.

use daas_move_vm::{Session, TxContext};
use sui_sdk_types::{ExecutionError, MoveStruct, Object, ObjectData, ProgrammableTransaction, Transaction};

use super::admission::{Admitted, Payment, gas_balance};
use super::effects::{Frame, out_of_gas};
use super::failure::Failure;
use super::linkage::{self, LinkageConflict, Packages};
use super::machine::{Children, Machine};
use super::outcome::Outcome;
use super::{Checks, CommandOutput, Environment, Executed, ModuleCache, ObjectReader, Refused, gas};

/// Whether the values that commands give are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    Nothing,
    Outputs,
}

/// One admitted transaction.
pub(super) struct Run<'a> {
    pub transaction: &'a Transaction,
    pub programmable: &'a ProgrammableTransaction,
    pub payment: Payment,
    pub inputs: Vec<Admitted>,
    pub objects: &'a dyn ObjectReader,
    pub modules: &'a ModuleCache,
    pub environment: &'a Environment,
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
    /// Runs the commands, charges gas and builds the effects.
    pub(super) fn run(&self, checks: Checks, record: Record) -> Result<Executed, Refused> {
        let (packages, linked) = Packages::load(self.programmable, &self.inputs, self.modules, self.objects)?;
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
            gas_coins: &self.payment.coins,
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
                frame.fail(&nothing(), cost, out_of_gas("the budget does not pay for storage"), None)
            }),
            Err((failure, command)) => frame.fail(&nothing(), cost, failure, command),
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
        let bounds = daas_move_vm::Limits {
            steps: gas::affordable_steps(price, budget, limits.steps),
            events: limits.events,
            event_bytes: limits.event_bytes,
            object_bytes: usize::try_from(limits.object_bytes).unwrap_or(usize::MAX),
            ..Default::default()
        };
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
