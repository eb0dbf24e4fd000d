//! Birth of a chain: a committee, a faucet with money, the Clock.
//!
//! The chain's identifier is the digest of its first checkpoint. The faucet's key is random, so no two chains share one.
//! `0x5` (SuiSystemState) and the framework packages `0x1`, `0x2`, `0x3` have no objects: the framework's functions are
//! part of this program.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sui_crypto::ed25519::Ed25519PrivateKey;
use sui_sdk_types::{
    Address, ChangedObject, EpochId, GasCostSummary, GenesisObject, GenesisTransaction, IdOperation, MoveStruct,
    Object, ObjectData, ObjectIn, ObjectOut, Owner, StructTag, TransactionEffects, TransactionKind,
};

use super::{
    checkpoint::{self, Totals},
    clock::{self, clock_object},
    committee::{Committee, CommitteeSecret},
    records::{ExecutedRecord, TransactionRecord},
    store::{Batch, encode},
};
use crate::Error;

/// The one epoch of a development chain.
pub(crate) const EPOCH: EpochId = 0;
/// Name of the chain's identity in the store.
pub(crate) const IDENTITY: &str = "identity";
/// Name of the clock's offset against the host's, in milliseconds.
pub(crate) const CLOCK_OFFSET: &str = "clock_offset_ms";

/// The faucet's coins and what each holds in MIST: 5 billion SUI, half of what exists on Sui.
const FAUCET_COINS: u64 = 8;
const FAUCET_COIN_MIST: u64 = 625_000_000_000_000_000;
/// Objects of genesis have version 1, as on Sui.
const GENESIS_VERSION: u64 = 1;

/// What a chain keeps secret; it guards nothing but play money.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The validators' keys.
    pub(crate) committee: CommitteeSecret,
    /// The faucet's Ed25519 key.
    pub(crate) faucet: [u8; 32],
    /// When the epoch began, in Unix milliseconds.
    pub(crate) epoch_start_ms: u64,
}

/// Everything of a new chain that must be in the store before it can start.
pub(crate) fn genesis() -> Result<Batch, Error> {
    let now_ms = clock::host_time_ms();
    let identity = Identity { committee: CommitteeSecret::generate(), faucet: rand::random(), epoch_start_ms: now_ms };
    let committee = Committee::new(&identity.committee, EPOCH)?;
    let faucet = Ed25519PrivateKey::new(identity.faucet).public_key().derive_address();

    let executed = Arc::new(genesis_transaction(faucet, now_ms));
    let checkpoint = checkpoint::seal(
        std::slice::from_ref(&executed),
        now_ms,
        None,
        &Totals { transactions: 0, gas: GasCostSummary::default() },
        &committee,
    )?;
    Ok(Batch {
        written: executed.objects.clone(),
        executed: vec![(0, executed)],
        removed: Vec::new(),
        checkpoint: Some(checkpoint),
        meta: vec![(IDENTITY, encode(IDENTITY, &identity)?), (CLOCK_OFFSET, encode(CLOCK_OFFSET, &0u64)?)],
    })
}

fn genesis_transaction(faucet: Address, now_ms: u64) -> ExecutedRecord {
    let mut born = vec![clock_object(now_ms, GENESIS_VERSION, sui_sdk_types::Digest::ZERO)];
    born.extend((0..FAUCET_COINS).map(|_| faucet_coin(faucet)));
    born.sort_by_key(Object::object_id);

    let objects = born.iter().map(|object| GenesisObject::new(object.data().clone(), *object.owner())).collect();
    let transaction = clock::system_transaction(TransactionKind::Genesis(GenesisTransaction { objects }));
    let digest = transaction.digest();
    let objects: Vec<_> = born
        .into_iter()
        .map(|object| Arc::new(Object::new(object.data().clone(), *object.owner(), digest, 0)))
        .collect();

    let mut effects = clock::system_effects(digest, GENESIS_VERSION);
    effects.changed_objects = objects
        .iter()
        .map(|object| ChangedObject {
            object_id: object.object_id(),
            input_state: ObjectIn::NotExist,
            output_state: ObjectOut::ObjectWrite { digest: object.digest(), owner: *object.owner() },
            id_operation: IdOperation::Created,
        })
        .collect();
    let record = TransactionRecord {
        transaction,
        signatures: Vec::new(),
        effects: TransactionEffects::V2(Box::new(effects)),
        events: None,
        balance_changes: Vec::new(),
        objects: objects.iter().map(|object| (object.object_id(), object.version())).collect(),
    };
    ExecutedRecord { record, objects }
}

fn faucet_coin(faucet: Address) -> Object {
    let mut contents = rand::random::<[u8; 32]>().to_vec();
    contents.extend(FAUCET_COIN_MIST.to_le_bytes());
    // `new` refuses only contents without an id.
    #[allow(clippy::expect_used)]
    let data = MoveStruct::new(StructTag::gas_coin(), true, GENESIS_VERSION, contents)
        .expect("the contents begin with the id");
    Object::new(ObjectData::Struct(data), Owner::Address(faucet), sui_sdk_types::Digest::ZERO, 0)
}
