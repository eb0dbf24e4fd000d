//! Ledger records as protobuf messages, reduced to the fields that were asked for.

use std::{collections::HashMap, sync::Arc};

use sui_rpc::{
    field::FieldMaskTree,
    merge::Merge,
    proto::{sui::rpc::v2 as pb, timestamp_ms_to_proto},
};
use sui_sdk_types::{Address, Object, ObjectType};

use crate::ledger::{Detail, ExecutedRecord, FullCheckpoint, Position, coin_balance};

/// What must be read from the ledger to answer with these fields of a transaction.
pub(super) fn transaction_detail(mask: &FieldMaskTree) -> Detail {
    let needs_objects =
        ["objects", "effects.changed_objects", "effects.gas_object", "effects.unchanged_consensus_objects"];
    if needs_objects.iter().any(|path| mask.contains(path)) { Detail::Objects } else { Detail::Transactions }
}

/// What must be read from the ledger to answer with these fields of a checkpoint.
pub(super) fn checkpoint_detail(mask: &FieldMaskTree) -> Detail {
    let transactions = mask.subtree("transactions").map_or(Detail::Checkpoint, |mask| transaction_detail(&mask));
    if mask.contains("objects") { Detail::Objects } else { transactions }
}

/// An object.
pub(super) fn object(object: &Object, mask: &FieldMaskTree) -> pb::Object {
    let mut message = pb::Object::merge_from(object.clone(), mask);
    if mask.contains("balance") {
        message.balance = coin_balance(object);
    }
    message
}

/// A transaction and what it did.
pub(super) fn transaction(
    executed: &ExecutedRecord,
    position: Option<Position>,
    mask: &FieldMaskTree,
) -> pb::ExecutedTransaction {
    let record = &executed.record;
    let mut message = pb::ExecutedTransaction::default();
    if mask.contains("digest") {
        message.digest = Some(record.digest().to_string());
    }
    if let Some(mask) = mask.subtree("transaction") {
        message.transaction = Some(pb::Transaction::merge_from(record.transaction.clone(), &mask));
    }
    if let Some(mask) = mask.subtree("signatures") {
        let signatures = record.signatures.iter();
        message.signatures =
            signatures.map(|signature| pb::UserSignature::merge_from(signature.clone(), &mask)).collect();
    }
    if let Some(mask) = mask.subtree("effects") {
        let mut effects = pb::TransactionEffects::merge_from(&record.effects, &mask);
        add_object_types(&mut effects, &executed.objects);
        message.effects = Some(effects);
    }
    if let (Some(mask), Some(events)) = (mask.subtree("events"), &record.events) {
        let mut rendered = pb::TransactionEvents::merge_from(events.clone(), &mask);
        if let Some(mask) = mask.subtree("events") {
            add_places(&mut rendered.events, executed, position, &mask);
        }
        message.events = Some(rendered);
    }
    if mask.contains("balance_changes") {
        message.balance_changes = record.balance_changes.iter().cloned().map(Into::into).collect();
    }
    if let Some(mask) = mask.subtree("objects") {
        message.objects = Some(object_set(executed.objects.iter(), &mask));
    }
    if let Some(position) = position {
        message.checkpoint = mask.contains("checkpoint").then_some(position.checkpoint);
        message.timestamp = mask.contains("timestamp").then(|| timestamp_ms_to_proto(position.timestamp_ms));
        message.transaction_index = mask.contains("transaction_index").then_some(position.index);
    }
    message
}

/// A checkpoint. As on Sui, `objects` holds the objects of all its transactions once, and its `transactions` have none.
pub(super) fn checkpoint(full: &FullCheckpoint, mask: &FieldMaskTree) -> pb::Checkpoint {
    let record = &full.checkpoint;
    let mut message = pb::Checkpoint::merge_from(&record.summary, mask);
    message.merge(record.signature.clone(), mask);
    message.merge(record.contents.clone(), mask);
    if let Some(mask) = mask.subtree("transactions") {
        let (checkpoint, timestamp_ms) = (full.sequence_number(), record.summary.timestamp_ms);
        message.transactions = (0u64..)
            .zip(&full.transactions)
            .map(|(index, executed)| {
                let mut rendered = transaction(executed, Some(Position { checkpoint, index, timestamp_ms }), &mask);
                rendered.objects = None;
                rendered
            })
            .collect();
    }
    if let Some(mask) = mask.subtree("objects") {
        let mut objects: Vec<_> = full.transactions.iter().flat_map(|executed| &executed.objects).collect();
        objects.sort_by_key(|object| (object.object_id(), object.version()));
        objects.dedup_by_key(|object| (object.object_id(), object.version()));
        message.objects = Some(object_set(objects.into_iter(), &mask));
    }
    message
}

fn object_set<'a>(objects: impl Iterator<Item = &'a Arc<Object>>, mask: &FieldMaskTree) -> pb::ObjectSet {
    // The message is `ObjectSet`: the mask's paths begin with its field.
    let mask = mask.subtree("objects").unwrap_or_default();
    let mut set = pb::ObjectSet::default();
    set.objects = objects.map(|item| object(item, &mask)).collect();
    set
}

/// The types of changed objects are not part of the effects proper; nodes add them.
fn add_object_types(effects: &mut pb::TransactionEffects, objects: &[Arc<Object>]) {
    if objects.is_empty() {
        return;
    }
    let types: HashMap<Address, String> =
        objects.iter().map(|object| (object.object_id(), type_name(object))).collect();
    let type_of = |id: &Option<String>| id.as_deref()?.parse().ok().and_then(|id| types.get(&id)).cloned();
    for change in effects.changed_objects.iter_mut().chain(&mut effects.gas_object) {
        change.object_type = type_of(&change.object_id);
    }
    for unchanged in &mut effects.unchanged_consensus_objects {
        unchanged.object_type = type_of(&unchanged.object_id);
    }
}

fn type_name(object: &Object) -> String {
    match object.object_type() {
        ObjectType::Package => "package".to_owned(),
        ObjectType::Struct(tag) => tag.to_string(),
    }
}

/// Where each event stands in the chain is not part of the events proper either.
fn add_places(events: &mut [pb::Event], executed: &ExecutedRecord, position: Option<Position>, mask: &FieldMaskTree) {
    for (index, event) in (0u32..).zip(events) {
        event.checkpoint = position.map(|position| position.checkpoint).filter(|_| mask.contains("checkpoint"));
        event.transaction_index =
            position.map(|position| position.index).filter(|_| mask.contains("transaction_index"));
        event.transaction_digest = mask.contains("transaction_digest").then(|| executed.record.digest().to_string());
        event.event_index = mask.contains("event_index").then_some(index);
    }
}
