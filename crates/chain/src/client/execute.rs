//! From commands to a checkpoint: build, simulate, sign, journal, send, wait.

use std::collections::BTreeSet;
use std::time::Duration;

use sui_rpc::field::{FieldMask, FieldMaskUtil as _};
use sui_rpc::proto::sui::rpc::v2 as pb;
use sui_sdk_types::{
    Address, Digest, ExecutionError, ExecutionStatus, Object, Transaction, TransactionEffects, TransactionEvents,
};
use tokio::time::Instant;

use super::gas::GasPlan;
use super::journal::{Entry, Found, Locked};
use super::node::Node;
use super::ptb::{Ptb, Resolved, Use};
use super::receipt::Receipt;
use super::send::submit;
use super::session::{Session, Step};
use crate::abort::Abort;
use crate::error::{Error, Run};
use crate::types::Event;

/// Fresh attempts when somebody else changes an object first.
const ATTEMPTS: usize = 5;
/// Between two questions about the same transaction.
const PAUSE: Duration = Duration::from_millis(200);

/// What was asked for with every execution and look-up.
const ANSWER: [&str; 5] = ["digest", "effects.bcs", "events.bcs", "checkpoint", "timestamp"];

impl Session {
    /// Runs the commands in one transaction. `spend` is what they take from the gas coin besides gas.
    ///
    /// `commands` is called again for a fresh attempt when an owned object or gas coin was changed by somebody else;
    /// that happens only once the earlier transaction can no longer land.
    pub async fn run(&self, spend: u64, commands: impl Fn() -> Ptb) -> Result<Receipt, Error> {
        let _turn = self.turn.lock().await;
        self.attempt(None, &Earlier::default(), spend, &commands).await
    }

    /// Asks the node what the commands would do. Nothing is signed, sent or paid.
    pub async fn try_out(&self, commands: impl Fn() -> Ptb) -> Result<(), Error> {
        let sender = self.address();
        let widest = GasPlan::widest(&self.node, sender, 0, &[], &self.locked_coins()?, self.gas_budget).await?;
        let ptb = commands();
        let resolved = self.resolve(&ptb).await?;
        let effects = self.simulate(&ptb.build(sender, &resolved, &widest)?).await?;
        self.check_status(effects.status(), widest.budget, Run::Simulated)
    }

    /// Like [`Self::run`], for work that must not be done twice. `work` names it; if an earlier attempt at the same
    /// work was signed and is not known to be finished, that very transaction is finished and its receipt given back.
    /// Otherwise `resolve` may find on chain that the work has been done.
    pub(super) async fn run_once<T>(
        &self,
        work: &str,
        spend: u64,
        commands: impl Fn() -> Ptb,
        resolve: impl AsyncFnOnce() -> Result<Option<T>, Error>,
        done: impl AsyncFnOnce(Receipt) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.step(Step::Begin)?;
        let _turn = self.turn.lock().await;
        let lock = self.journal.as_ref().map(|journal| journal.lock(work)).transpose()?;
        // A new transaction uses a coin of the old one: even if the old one was only delayed, at most one can land.
        let mut earlier = Earlier::default();
        if let Some(lock) = &lock
            && let Some(Found { entry, landed, .. }) = lock.read()?
        {
            earlier.add(&entry.transaction);
            match self.finish(&entry).await {
                Ok(receipt) => {
                    lock.clear()?;
                    self.step(Step::Cleared)?;
                    return done(receipt).await;
                }
                // It ran and changed nothing but its coins: the work is still to be done, and nothing is left to exclude.
                Err(Error::Aborted(_) | Error::Failed { .. } | Error::GasBudgetExceeded { .. }) => {
                    earlier = Earlier::default();
                    lock.clear()?;
                }
                // It wrote a coin that was spent since, so it ran.
                Err(Error::Rejected { .. }) if landed => {
                    return Err(Error::OutcomeUnknown { digest: entry.transaction.digest() });
                }
                // It is said that it cannot run. It stays in the journal until another one stands there that excludes it.
                Err(Error::Rejected { .. }) => lock.write_refused(&entry)?,
                Err(error) => return Err(error),
            }
        }
        if let Some(found) = resolve().await? {
            return Ok(found);
        }
        self.step(Step::Resolved)?;
        let receipt = self.attempt(lock.as_ref(), &earlier, spend, &commands).await?;
        done(receipt).await
    }

    async fn attempt(
        &self,
        lock: Option<&Locked>,
        earlier: &Earlier,
        spend: u64,
        commands: &impl Fn() -> Ptb,
    ) -> Result<Receipt, Error> {
        let mut contended = Address::ZERO;
        let mut earlier = earlier.clone();
        for _ in 0..ATTEMPTS {
            let entry = self.prepare(&earlier, spend, commands).await?;
            earlier.add(&entry.transaction);
            self.step(Step::Signed)?;
            if let Some(lock) = lock {
                lock.write(&entry)?;
                self.step(Step::Journaled)?;
            }
            match self.finish(&entry).await {
                Ok(receipt) => {
                    self.step(Step::Executed)?;
                    if let Some(lock) = lock {
                        lock.clear()?;
                        self.step(Step::Cleared)?;
                    }
                    return Ok(receipt);
                }
                Err(error @ Error::Rejected { .. }) => {
                    lock.map_or(Ok(()), |lock| lock.write_refused(&entry))?;
                    match self.moved_input(&entry.transaction).await? {
                        Some(id) => contended = id,
                        None => return Err(error),
                    }
                }
                Err(error @ (Error::Aborted(_) | Error::Failed { .. } | Error::GasBudgetExceeded { .. })) => {
                    lock.map_or(Ok(()), Locked::clear)?;
                    return Err(error);
                }
                Err(error) => {
                    self.doubt(&entry.transaction);
                    return Err(error);
                }
            }
        }
        Err(Error::VersionConflict { object: contended })
    }

    /// Builds on the newest versions, simulates for the budget, signs.
    async fn prepare(&self, earlier: &Earlier, spend: u64, commands: &impl Fn() -> Ptb) -> Result<Entry, Error> {
        let sender = self.address();
        let locked = self.locked_coins()?;
        let widest = GasPlan::widest(&self.node, sender, spend, &earlier.coins, &locked, self.gas_budget).await?;
        if let Some(digest) = widest.landed(&earlier.digests) {
            return Err(Error::OutcomeUnknown { digest });
        }
        self.note_landed(&widest)?;
        let ptb = commands();
        let resolved = self.resolve(&ptb).await?;
        let draft = ptb.build(sender, &resolved, &widest)?;
        let effects = self.simulate(&draft).await?;
        self.check_status(effects.status(), widest.budget, Run::Simulated)?;
        let fitted = widest.fitted(effects.gas_summary());
        let transaction = commands().build(sender, &resolved, &fitted)?;
        let signature = self.account.sign(&transaction)?;
        Ok(Entry { transaction, signature })
    }

    async fn resolve(&self, ptb: &Ptb) -> Result<Vec<(Address, Resolved)>, Error> {
        let mut resolved = Vec::new();
        for (id, use_) in ptb.objects() {
            resolved.push((
                *id,
                match use_ {
                    // The clock's object is the same on every network.
                    Use::Shared(access) if *id == super::ptb::CLOCK => {
                        Resolved::Shared { initial_version: 1, access: *access }
                    }
                    Use::Shared(access) => {
                        Resolved::Shared { initial_version: self.node.initial_version(*id).await?, access: *access }
                    }
                    Use::Owned => {
                        let object = self.node.object(*id).await?;
                        Resolved::Owned { version: object.version(), digest: object.digest() }
                    }
                },
            ));
        }
        Ok(resolved)
    }

    async fn simulate(&self, transaction: &Transaction) -> Result<TransactionEffects, Error> {
        let request = pb::SimulateTransactionRequest::new(transaction.clone().into())
            .with_read_mask(FieldMask::from_paths(["transaction.effects.bcs"]));
        let mut client = self.node.rpc();
        let answer = self
            .node
            .ask("SimulateTransaction", async { client.execution_client().simulate_transaction(request).await })
            .await?;
        let effects = answer.transaction.and_then(|transaction| transaction.effects).and_then(|effects| effects.bcs);
        effects
            .and_then(|bytes| bytes.deserialize().ok())
            .ok_or_else(|| self.node.invalid("the effects of a simulation"))
    }

    /// Sends a signed transaction until its outcome is known. Only ever the same bytes: the coins it uses are never
    /// signed away twice while it may still land.
    async fn finish(&self, entry: &Entry) -> Result<Receipt, Error> {
        let digest = entry.transaction.digest();
        let deadline = Instant::now() + self.deadline;
        if let Some(receipt) = self.find_receipt(digest).await.ok().flatten() {
            return self.judge(receipt, entry);
        }
        loop {
            match submit(&self.node, entry, deadline).await {
                Ok(()) => {
                    if let Some(receipt) = self.wait_for(digest, deadline).await {
                        return self.judge(receipt, entry);
                    }
                }
                Err(refused @ Error::Rejected { .. }) => {
                    // An earlier sending may have landed, and then its inputs are gone.
                    if self.has_landed(entry).await?
                        && let Some(receipt) = self.wait_for(digest, deadline).await
                    {
                        return self.judge(receipt, entry);
                    }
                    if !self.has_landed(entry).await? {
                        return Err(refused);
                    }
                }
                Err(error @ (Error::CallNotServed { .. } | Error::WrongNetwork { .. })) => return Err(error),
                Err(_) => {
                    if let Some(receipt) = self.find_receipt(digest).await.ok().flatten() {
                        return self.judge(receipt, entry);
                    }
                }
            }
            if Instant::now() + PAUSE >= deadline {
                return Err(Error::OutcomeUnknown { digest });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits until the node has the transaction in a checkpoint.
    async fn wait_for(&self, digest: Digest, deadline: Instant) -> Option<Executed> {
        loop {
            if let Ok(Some(executed)) = self.find_receipt(digest).await {
                return Some(executed);
            }
            if Instant::now() >= deadline {
                return None;
            }
            tokio::time::sleep(PAUSE / 4).await;
        }
    }

    async fn find_receipt(&self, digest: Digest) -> Result<Option<Executed>, Error> {
        self.node.agreed(|node| async move { find_receipt(&node, digest).await }).await
    }

    /// Whether an input's newest version was written by this very transaction.
    async fn has_landed(&self, entry: &Entry) -> Result<bool, Error> {
        let digest = entry.transaction.digest();
        let Some(coin) = entry.transaction.gas_payment.objects.first() else { return Ok(false) };
        let coin = self.node.find_object(*coin.object_id()).await?;
        Ok(coin.is_some_and(|coin| coin.previous_transaction() == digest) || self.find_receipt(digest).await?.is_some())
    }

    /// An owned input that is no longer at the version that the transaction names.
    async fn moved_input(&self, transaction: &Transaction) -> Result<Option<Address>, Error> {
        let inputs = owned_inputs(transaction);
        let ids: Vec<_> = inputs.iter().map(|(id, _)| *id).collect();
        let objects = self.node.objects(&ids).await?;
        let moved = |object: &Option<Object>, version: u64| object.as_ref().is_none_or(|o| o.version() != version);
        Ok(inputs.iter().zip(&objects).find(|((_, version), object)| moved(object, *version)).map(|((id, _), _)| *id))
    }

    fn judge(&self, executed: Executed, entry: &Entry) -> Result<Receipt, Error> {
        if let Err(error) = self.forget_excluded(&entry.transaction) {
            tracing::warn!(%error, "transactions that cannot land any more stay in the journal");
        }
        self.check_status(executed.effects.status(), entry.transaction.gas_payment.budget, Run::Executed)?;
        let mut events = Vec::new();
        for event in &executed.events.0 {
            events.extend(Event::decode(&event.type_, &self.package.origin, &event.contents)?);
        }
        let cost = executed.effects.gas_summary();
        let paid = i128::from(cost.computation_cost) + i128::from(cost.storage_cost) - i128::from(cost.storage_rebate);
        Ok(Receipt {
            digest: entry.transaction.digest(),
            checkpoint: executed.checkpoint,
            gas_paid: i64::try_from(paid).unwrap_or(i64::MAX),
            events,
            effects: Box::new(executed.effects),
        })
    }

    fn check_status(&self, status: &ExecutionStatus, budget: u64, run: Run) -> Result<(), Error> {
        match status {
            ExecutionStatus::Success => Ok(()),
            ExecutionStatus::Failure { error: ExecutionError::MoveAbort { location, code }, .. } => {
                Err(Error::Aborted(Abort {
                    module: location.module.to_string(),
                    function: location.function_name.as_ref().map(ToString::to_string),
                    code: *code,
                    own: location.package == self.package.id || location.package == self.package.origin,
                    run,
                }))
            }
            ExecutionStatus::Failure { error: ExecutionError::InsufficientGas, .. } => {
                Err(Error::GasBudgetExceeded { budget, run })
            }
            ExecutionStatus::Failure { error, command } => Err(Error::Failed {
                reason: match command {
                    Some(command) => format!("command {command} failed: {error:?}"),
                    None => format!("it failed: {error:?}"),
                },
                run,
            }),
        }
    }

    fn locked_coins(&self) -> Result<BTreeSet<Address>, Error> {
        let mut locked = self.in_doubt.lock().map(|coins| coins.clone()).unwrap_or_default();
        if let Some(journal) = &self.journal {
            for transaction in journal.unfinished()? {
                locked.extend(transaction.gas_payment.objects.iter().map(|coin| *coin.object_id()));
            }
        }
        Ok(locked)
    }

    fn doubt(&self, transaction: &Transaction) {
        if let Ok(mut coins) = self.in_doubt.lock() {
            coins.extend(transaction.gas_payment.objects.iter().map(|coin| *coin.object_id()));
        }
    }
}

#[derive(Debug, PartialEq)]
struct Executed {
    checkpoint: u64,
    effects: TransactionEffects,
    events: TransactionEvents,
}

/// What one node says of a transaction.
async fn find_receipt(node: &Node, digest: Digest) -> Result<Option<Executed>, Error> {
    let request = pb::GetTransactionRequest::default()
        .with_digest(digest.to_string())
        .with_read_mask(FieldMask::from_paths(ANSWER));
    let mut client = node.rpc();
    let answer =
        node.ask_optional("GetTransaction", async { client.ledger_client().get_transaction(request).await }).await?;
    let Some(transaction) = answer.and_then(|answer| answer.transaction) else { return Ok(None) };
    let Some(checkpoint) = transaction.checkpoint else { return Ok(None) };
    let invalid = || node.invalid("an executed transaction");
    let effects = transaction.effects.and_then(|effects| effects.bcs).ok_or_else(invalid)?;
    let effects: TransactionEffects = effects.deserialize().map_err(|_| invalid())?;
    let events: Option<TransactionEvents> = match transaction.events.and_then(|events| events.bcs) {
        Some(bytes) => Some(bytes.deserialize().map_err(|_| invalid())?),
        None => None,
    };
    let named = events.as_ref().map(TransactionEvents::digest);
    if *effects.transaction_digest() != digest || effects.events_digest() != named.as_ref() {
        return Err(invalid());
    }
    Ok(Some(Executed { checkpoint, effects, events: events.unwrap_or(TransactionEvents(Vec::new())) }))
}

/// Transactions of the same work that are said not to have landed.
#[derive(Debug, Clone, Default)]
struct Earlier {
    digests: Vec<Digest>,
    /// The next attempt must spend one of these, so that it and all before exclude each other.
    coins: Vec<Address>,
}

impl Earlier {
    fn add(&mut self, transaction: &Transaction) {
        let coins = transaction.gas_payment.objects.iter().map(|coin| *coin.object_id());
        self.coins = coins.filter(|coin| self.digests.is_empty() || self.coins.contains(coin)).collect();
        self.digests.push(transaction.digest());
    }
}

pub(super) fn owned_inputs(transaction: &Transaction) -> Vec<(Address, u64)> {
    use sui_sdk_types::{Input, TransactionKind};
    let mut inputs: Vec<_> =
        transaction.gas_payment.objects.iter().map(|coin| (*coin.object_id(), coin.version())).collect();
    if let TransactionKind::ProgrammableTransaction(programmable) = &transaction.kind {
        inputs.extend(programmable.inputs.iter().filter_map(|input| match input {
            Input::ImmutableOrOwned(object) => Some((*object.object_id(), object.version())),
            _ => None,
        }));
    }
    inputs
}
