//! The chain's time: the Clock at 0x6 and the system transaction that moves it.
//!
//! On Sui each consensus commit begins with a `ConsensusCommitPrologue` that writes the commit's time into the Clock.
//! Here a "commit" is what goes into one checkpoint.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use sui_sdk_types::{
    Address, ChangedObject, ConsensusCommitPrologueV3, ConsensusDeterminedVersionAssignments, Digest, ExecutionStatus,
    GasCostSummary, GasPayment, IdOperation, Identifier, MoveStruct, Object, ObjectData, ObjectIn, ObjectOut, Owner,
    StructTag, Transaction, TransactionEffects, TransactionEffectsV2, TransactionExpiration, TransactionKind,
};

use super::{
    genesis::EPOCH,
    records::{ExecutedRecord, TransactionRecord},
};

/// The Clock's address.
pub(crate) const CLOCK: Address = Address::from_static("0x6");
/// The version at which the Clock became shared: it is born in genesis.
const CLOCK_SHARED_SINCE: u64 = 1;

/// The host's time in Unix milliseconds.
pub(crate) fn host_time_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The Clock as it shows `timestamp_ms`.
pub(crate) fn clock_object(timestamp_ms: u64, version: u64, previous_transaction: Digest) -> Object {
    let mut contents = CLOCK.as_bytes().to_vec();
    contents.extend(timestamp_ms.to_le_bytes());
    let type_ =
        StructTag::new(Address::TWO, Identifier::from_static("clock"), Identifier::from_static("Clock"), Vec::new());
    // `new` refuses only contents without an id.
    #[allow(clippy::expect_used)]
    let data = MoveStruct::new(type_, false, version, contents).expect("the contents begin with the id");
    Object::new(ObjectData::Struct(data), Owner::Shared(CLOCK_SHARED_SINCE), previous_transaction, 0)
}

/// The time that the Clock object shows.
pub(crate) fn timestamp_ms(clock: &Object) -> Option<u64> {
    let contents = clock.as_struct()?.contents();
    contents.get(Address::LENGTH..)?.try_into().ok().map(u64::from_le_bytes)
}

/// The system transaction that moves `clock` to `now_ms`, executed; the second value is the moved Clock.
pub(crate) fn prologue(clock: &Arc<Object>, now_ms: u64) -> (ExecutedRecord, Arc<Object>) {
    let version = clock.version() + 1;
    let transaction = system_transaction(TransactionKind::ConsensusCommitPrologueV3(ConsensusCommitPrologueV3 {
        epoch: EPOCH,
        // The Clock's version counts the commits: no two prologues have the same digest.
        round: version,
        sub_dag_index: None,
        commit_timestamp_ms: now_ms,
        consensus_commit_digest: Digest::ZERO,
        consensus_determined_version_assignments: ConsensusDeterminedVersionAssignments::CanceledTransactionsV2 {
            canceled_transactions: Vec::new(),
        },
    }));
    let digest = transaction.digest();
    let moved = Arc::new(clock_object(now_ms, version, digest));
    let effects = TransactionEffectsV2 {
        dependencies: vec![clock.previous_transaction()],
        changed_objects: vec![ChangedObject {
            object_id: CLOCK,
            input_state: ObjectIn::Exist { version: clock.version(), digest: clock.digest(), owner: *clock.owner() },
            output_state: ObjectOut::ObjectWrite { digest: moved.digest(), owner: *moved.owner() },
            id_operation: IdOperation::None,
        }],
        ..system_effects(digest, version)
    };
    let record = TransactionRecord {
        transaction,
        signatures: Vec::new(),
        effects: TransactionEffects::V2(Box::new(effects)),
        events: None,
        balance_changes: Vec::new(),
        objects: vec![(CLOCK, clock.version()), (CLOCK, version)],
    };
    (ExecutedRecord { record, objects: vec![clock.clone(), moved.clone()] }, moved)
}

/// A transaction of the system: from 0x0, free of charge.
pub(crate) fn system_transaction(kind: TransactionKind) -> Transaction {
    Transaction {
        kind,
        sender: Address::ZERO,
        gas_payment: GasPayment { objects: Vec::new(), owner: Address::ZERO, price: 1, budget: 0 },
        expiration: TransactionExpiration::None,
    }
}

/// Effects of a system transaction that changed nothing yet.
pub(crate) fn system_effects(transaction_digest: Digest, lamport_version: u64) -> TransactionEffectsV2 {
    TransactionEffectsV2 {
        status: ExecutionStatus::Success,
        epoch: EPOCH,
        gas_used: GasCostSummary::default(),
        transaction_digest,
        gas_object_index: None,
        events_digest: None,
        dependencies: Vec::new(),
        lamport_version,
        changed_objects: Vec::new(),
        unchanged_consensus_objects: Vec::new(),
        auxiliary_data_digest: None,
    }
}
