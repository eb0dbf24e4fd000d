//! From an outcome to what the chain stores: gas charged, versions and rebates set, effects built.

use std::collections::BTreeMap;
use std::sync::Arc;

use sui_sdk_types::{
    Address, BalanceChange, ChangedObject, Digest, ExecutionError, ExecutionStatus, GasCostSummary, IdOperation,
    MoveStruct, Object, ObjectData, ObjectIn, ObjectOut, Owner, TransactionEffects, TransactionEffectsV2,
    TransactionEvents, TypeTag, UnchangedConsensusKind, UnchangedConsensusObject, Version,
};

use super::Executed;
use super::admission::{Admitted, coin_balance};
use super::failure::Failure;
use super::gas;
use super::outcome::{NewOwner, Outcome, Write, coin_type};

/// What is the same whether the commands succeed or fail.
pub(super) struct Frame<'a> {
    pub digest: Digest,
    pub sender: Address,
    pub epoch: u64,
    pub budget: u64,
    pub gas_id: Address,
    pub gas_coins: &'a [Arc<Object>],
    pub inputs: &'a [Admitted],
    /// Digests of the transactions that made the packages named by the commands.
    pub package_dependencies: Vec<Digest>,
}

/// The outcome with gas charged: objects as they will be stored, and what they cost.
struct Charged {
    objects: BTreeMap<Address, Object>,
    gas: GasCostSummary,
}

impl Frame<'_> {
    /// Charges gas for what the commands did; `None` when the budget does not pay for it.
    pub(super) fn complete(&self, mut outcome: Outcome, computation_cost: u64) -> Option<Executed> {
        let lamport = self.lamport_version(&outcome);
        let charged = self.charge(&outcome, lamport, computation_cost)?;
        for event in &mut outcome.events {
            event.sender = self.sender;
        }
        Some(self.executed(&outcome, charged, lamport, ExecutionStatus::Success))
    }

    /// Charges gas for a transaction that failed: `outcome` changes nothing but versions and the gas coin.
    pub(super) fn fail(
        &self,
        outcome: &Outcome,
        computation_cost: u64,
        failure: Failure,
        command: Option<u64>,
    ) -> Executed {
        let lamport = self.lamport_version(outcome);
        let charged = self
            .charge(outcome, lamport, computation_cost)
            .unwrap_or_else(|| self.charge_whole_budget(outcome, lamport));
        let status = ExecutionStatus::Failure { error: *failure.error, command };
        let mut executed = self.executed(outcome, charged, lamport, status);
        executed.failure = Some(failure.account);
        executed
    }

    /// One more than the highest version that went in (`lamport_timestamp`, sui-types/src/transaction.rs).
    fn lamport_version(&self, outcome: &Outcome) -> Version {
        let inputs = self.inputs.iter().filter_map(|input| match input {
            Admitted::Object { object, .. } => Some(object.version()),
            Admitted::Pure(_) => None,
        });
        let before = outcome.before.values().map(|object| object.version());
        inputs.chain(before).chain([outcome.loaded_version]).max().unwrap_or(0) + 1
    }

    fn charge(&self, outcome: &Outcome, lamport: Version, computation_cost: u64) -> Option<Charged> {
        let mut objects = BTreeMap::new();
        let mut storage_cost = 0u64;
        for (id, write) in &outcome.writes {
            let object = self.object(write, lamport, 0)?;
            let cost = gas::storage_cost(&object);
            storage_cost = storage_cost.checked_add(cost)?;
            objects.insert(*id, with_rebate(&object, cost));
        }
        for package in &outcome.packages {
            let data = ObjectData::Package(package.clone());
            let object = Object::new(data, Owner::Immutable, self.digest, 0);
            let cost = gas::storage_cost(&object);
            storage_cost = storage_cost.checked_add(cost)?;
            objects.insert(package.id, with_rebate(&object, cost));
        }
        let rebates = outcome.replaced().map(|object| object.storage_rebate()).sum();
        let summary = gas::summary(computation_cost, storage_cost, rebates);
        let to_pay = computation_cost.checked_add(storage_cost.saturating_sub(summary.storage_rebate))?;
        if to_pay > self.budget {
            return None;
        }
        self.pay(&mut objects, &summary)?;
        Some(Charged { objects, gas: summary })
    }

    /// What remains when not even the storage of the inputs can be paid: the whole budget, and rebates stay as they are.
    fn charge_whole_budget(&self, outcome: &Outcome, lamport: Version) -> Charged {
        let mut objects = BTreeMap::new();
        for (id, write) in &outcome.writes {
            let mut rebate = outcome.before.get(id).map_or(0, |object| object.storage_rebate());
            if *id == self.gas_id {
                // The rebates of the coins that were merged into the gas coin live on in it.
                let merged = outcome.deleted.iter().filter_map(|id| outcome.before.get(id));
                rebate += merged.map(|object| object.storage_rebate()).sum::<u64>();
            }
            if let Some(object) = self.object(write, lamport, rebate) {
                objects.insert(*id, object);
            }
        }
        let summary = GasCostSummary::new(self.budget, 0, 0, 0);
        // Admission has seen that the gas coins hold the budget.
        self.pay(&mut objects, &summary);
        Charged { objects, gas: summary }
    }

    fn pay(&self, objects: &mut BTreeMap<Address, Object>, gas: &GasCostSummary) -> Option<()> {
        let coin = objects.get(&self.gas_id)?;
        let stored = coin.as_struct()?;
        let balance = i128::from(coin_balance(stored.contents())?);
        let cost = i128::from(gas.computation_cost) + i128::from(gas.storage_cost) - i128::from(gas.storage_rebate);
        let balance = u64::try_from(balance - cost).ok()?;
        let contents = [self.gas_id.as_bytes(), balance.to_le_bytes().as_slice()].concat();
        let moved =
            MoveStruct::new(stored.object_type().clone(), stored.has_public_transfer(), stored.version(), contents)?;
        let paid =
            Object::new(ObjectData::Struct(moved), *coin.owner(), coin.previous_transaction(), coin.storage_rebate());
        objects.insert(self.gas_id, paid);
        Some(())
    }

    fn object(&self, write: &Write, lamport: Version, rebate: u64) -> Option<Object> {
        let owner = match write.owner {
            NewOwner::Is(owner) => owner,
            NewOwner::NewlyShared => Owner::Shared(lamport),
        };
        let moved = MoveStruct::new(write.type_.clone(), write.has_public_transfer, lamport, write.contents.clone())?;
        Some(Object::new(ObjectData::Struct(moved), owner, self.digest, rebate))
    }

    fn executed(&self, outcome: &Outcome, charged: Charged, lamport: Version, status: ExecutionStatus) -> Executed {
        let events = (!outcome.events.is_empty()).then(|| TransactionEvents(outcome.events.clone()));
        let changed_objects = changed_objects(outcome, &charged.objects);
        let gas_object_index = changed_objects
            .iter()
            .position(|changed| changed.object_id == self.gas_id)
            .and_then(|index| u32::try_from(index).ok());
        let effects = TransactionEffectsV2 {
            status,
            epoch: self.epoch,
            gas_used: charged.gas,
            transaction_digest: self.digest,
            gas_object_index,
            events_digest: events.as_ref().map(TransactionEvents::digest),
            dependencies: self.dependencies(),
            lamport_version: lamport,
            changed_objects,
            unchanged_consensus_objects: self.read_only_shared(),
            auxiliary_data_digest: None,
        };
        let replaced: Vec<_> = outcome.replaced().cloned().collect();
        let balance_changes = balance_changes(&replaced, &charged.objects);
        let existed = |ids: &std::collections::BTreeSet<Address>| {
            ids.iter().filter(|id| outcome.before.contains_key(id)).copied().collect()
        };
        let mut inputs = replaced;
        inputs.extend(self.inputs.iter().filter_map(|input| match input {
            Admitted::Object { object, mutable: false } => Some(Arc::clone(object)),
            _ => None,
        }));
        Executed {
            effects: TransactionEffects::V2(Box::new(effects)),
            events,
            written: charged.objects.into_values().collect(),
            deleted: existed(&outcome.deleted),
            wrapped: existed(&outcome.wrapped),
            inputs,
            command_outputs: Vec::new(),
            balance_changes,
            steps: 0,
            failure: None,
        }
    }

    fn dependencies(&self) -> Vec<Digest> {
        let inputs = self.inputs.iter().filter_map(|input| match input {
            Admitted::Object { object, .. } => Some(object.previous_transaction()),
            Admitted::Pure(_) => None,
        });
        let gas = self.gas_coins.iter().map(|coin| coin.previous_transaction());
        let mut digests: Vec<Digest> = inputs
            .chain(gas)
            .chain(self.package_dependencies.iter().copied())
            .filter(|digest| *digest != Digest::ZERO)
            .collect();
        digests.sort_unstable();
        digests.dedup();
        digests
    }

    fn read_only_shared(&self) -> Vec<UnchangedConsensusObject> {
        self.inputs
            .iter()
            .filter_map(|input| match input {
                Admitted::Object { object, mutable: false } if matches!(object.owner(), Owner::Shared(_)) => {
                    Some(UnchangedConsensusObject {
                        object_id: object.object_id(),
                        kind: UnchangedConsensusKind::ReadOnlyRoot {
                            version: object.version(),
                            digest: object.digest(),
                        },
                    })
                }
                _ => None,
            })
            .collect()
    }
}

/// The failure of a transaction whose budget is used up.
pub(super) fn out_of_gas(account: &str) -> Failure {
    Failure::new(ExecutionError::InsufficientGas, account)
}

fn with_rebate(object: &Object, rebate: u64) -> Object {
    Object::new(object.data().clone(), *object.owner(), object.previous_transaction(), rebate)
}

fn changed_objects(outcome: &Outcome, objects: &BTreeMap<Address, Object>) -> Vec<ChangedObject> {
    let input_state = |id: &Address| match outcome.before.get(id) {
        Some(object) => ObjectIn::Exist { version: object.version(), digest: object.digest(), owner: *object.owner() },
        None => ObjectIn::NotExist,
    };
    let mut changed = BTreeMap::new();
    for (id, object) in objects {
        let output_state = match object.data() {
            ObjectData::Struct(_) => ObjectOut::ObjectWrite { digest: object.digest(), owner: *object.owner() },
            ObjectData::Package(package) => {
                ObjectOut::PackageWrite { version: package.version, digest: object.digest() }
            }
        };
        let is_new = matches!(object.data(), ObjectData::Package(_)) || outcome.created.contains(id);
        let id_operation = if is_new { IdOperation::Created } else { IdOperation::None };
        let input_state = input_state(id);
        changed.insert(*id, ChangedObject { object_id: *id, input_state, output_state, id_operation });
    }
    let gone = outcome.deleted.iter().map(|id| (id, IdOperation::Deleted));
    for (id, id_operation) in gone.chain(outcome.wrapped.iter().map(|id| (id, IdOperation::None))) {
        let (input_state, output_state) = (input_state(id), ObjectOut::NotExist);
        changed.insert(*id, ChangedObject { object_id: *id, input_state, output_state, id_operation });
    }
    changed.into_values().collect()
}

/// Coins after less coins before, per owner and coin type (`derive_balance_changes`, sui-types).
fn balance_changes(before: &[Arc<Object>], after: &BTreeMap<Address, Object>) -> Vec<BalanceChange> {
    let mut changes: BTreeMap<(Address, TypeTag), i128> = BTreeMap::new();
    let before = before.iter().map(|object| (object.as_ref(), -1));
    for (object, sign) in before.chain(after.values().map(|object| (object, 1))) {
        let owner = match object.owner() {
            Owner::Address(address) | Owner::Object(address) => *address,
            _ => continue,
        };
        let balance = object.as_struct().and_then(|stored| coin_balance(stored.contents()));
        if let (Some(type_), Some(balance)) = (coin_type(object), balance) {
            *changes.entry((owner, type_.clone())).or_default() += sign * i128::from(balance);
        }
    }
    changes
        .into_iter()
        .filter(|(_, amount)| *amount != 0)
        .map(|((address, coin_type), amount)| BalanceChange { address, coin_type, amount })
        .collect()
}
