//! Checkpoints: real, signed, unbroken, on time.

#![allow(clippy::unwrap_used)]

mod scene;

use std::time::{Duration, Instant};

use scene::{SUI, Scene, eventually, gas_after, transfer};
use sui_crypto::bls12381::ValidatorCommitteeSignatureVerifier;
use sui_rpc::{
    field::{FieldMask, FieldMaskUtil},
    proto::sui::rpc::v2 as pb,
};
use sui_sdk_types::{
    Address, CheckpointContents, CheckpointSummary, Digest, Object, TransactionEffects, TransactionEvents,
    ValidatorAggregatedSignature,
};
use tonic::Code;

async fn checkpoint(scene: &Scene, number: u64, mask: &str) -> pb::Checkpoint {
    let request = pb::GetCheckpointRequest::by_sequence_number(number).with_read_mask(FieldMask::from_str(mask));
    scene.client.clone().ledger_client().get_checkpoint(request).await.unwrap().into_inner().checkpoint.unwrap()
}

/// Follows every digest from the validators' signature down to objects and events, as a light client would.
async fn verify_chain(scene: &Scene) -> u64 {
    let verifier = ValidatorCommitteeSignatureVerifier::new(scene.devnet.ledger().committee().clone()).unwrap();
    let head = scene.devnet.ledger().head().sequence_number();
    let mut previous: Option<CheckpointSummary> = None;
    for number in 0..=head {
        let message = checkpoint(scene, number, "*").await;
        let summary: CheckpointSummary = message.summary().bcs().deserialize().unwrap();
        let signature = ValidatorAggregatedSignature::try_from(message.signature()).unwrap();
        verifier.verify_checkpoint_summary(&summary, &signature).unwrap();
        assert_eq!(summary.sequence_number, number);
        assert_eq!(summary.previous_digest, previous.as_ref().map(CheckpointSummary::digest));

        let contents: CheckpointContents = message.contents().bcs().deserialize().unwrap();
        assert_eq!(contents.digest(), summary.content_digest);
        assert_eq!(contents.transactions().len(), message.transactions().len());
        let before = previous.as_ref().map_or(0, |previous| previous.network_total_transactions);
        assert_eq!(summary.network_total_transactions, before + contents.transactions().len() as u64);
        assert!(previous.as_ref().is_none_or(|previous| previous.timestamp_ms <= summary.timestamp_ms));
        let objects: Vec<Object> =
            message.objects().objects().iter().map(|object| object.bcs().deserialize().unwrap()).collect();
        for (info, executed) in contents.transactions().iter().zip(message.transactions()) {
            verify_transaction(info.transaction(), info.effects(), executed, &objects);
        }
        previous = Some(summary);
    }
    head
}

fn verify_transaction(
    digest: &Digest,
    effects_digest: &Digest,
    executed: &pb::ExecutedTransaction,
    objects: &[Object],
) {
    let transaction: sui_sdk_types::Transaction = executed.transaction().bcs().deserialize().unwrap();
    assert_eq!(transaction.digest(), *digest);
    let effects: TransactionEffects = executed.effects().bcs().deserialize().unwrap();
    assert_eq!(effects.digest(), *effects_digest);
    assert_eq!(effects.transaction_digest(), digest);
    let events = executed.events.as_ref().map(|events| events.bcs().deserialize::<TransactionEvents>().unwrap());
    assert_eq!(effects.events_digest().copied(), events.map(|events| events.digest()));
    let TransactionEffects::V2(effects) = effects else { panic!("effects are V2") };
    for change in &effects.changed_objects {
        if let sui_sdk_types::ObjectOut::ObjectWrite { digest: written, .. } = change.output_state {
            let version = effects.lamport_version;
            let object = objects
                .iter()
                .find(|object| object.object_id() == change.object_id && object.version() == version)
                .unwrap_or_else(|| panic!("{} version {version} is among the objects", change.object_id));
            assert_eq!(object.digest(), written);
            assert_eq!(object.previous_transaction(), *digest);
        }
    }
}

#[tokio::test]
async fn every_checkpoint_verifies_from_the_signature_down_to_the_objects() {
    let scene = Scene::new().await;
    let alice = scene.person(&[SUI]).await;
    let mut gas = scene.coins(alice.address).await.remove(0);
    let head = || scene.devnet.ledger().head();
    // However quick the chain is: the second half comes after the first one's checkpoint.
    for amounts in [1..=10, 11..=20] {
        let before = head().checkpoint.summary.network_total_transactions;
        for amount in amounts {
            let transaction = transfer(alice.address, &gas, Address::TWO, amount);
            gas = gas_after(&scene.succeed(&alice, &transaction).await);
        }
        eventually("the last transaction's checkpoint", async || {
            head().checkpoint.summary.network_total_transactions >= before + 10
        })
        .await;
    }
    assert!(verify_chain(&scene).await >= 2);
}

#[tokio::test]
async fn a_transaction_is_in_a_checkpoint_within_250_milliseconds() {
    let scene = Scene::new().await;
    let alice = scene.person(&[SUI]).await;
    let mut gas = scene.coins(alice.address).await.remove(0);
    let mut checkpoints = scene.devnet.ledger().subscribe();
    let mut slowest = Duration::ZERO;
    for amount in 1..=10 {
        let transaction = transfer(alice.address, &gas, Address::TWO, amount);
        gas = gas_after(&scene.succeed(&alice, &transaction).await);
        let acknowledged = Instant::now();
        loop {
            let full = checkpoints.recv().await.unwrap();
            if full.transactions.iter().any(|executed| executed.record.digest() == transaction.digest()) {
                break;
            }
        }
        slowest = slowest.max(acknowledged.elapsed());
    }
    assert!(slowest <= Duration::from_millis(250), "{slowest:?}");
}

#[tokio::test]
async fn an_idle_chain_keeps_ticking_so_that_clients_see_its_age() {
    let scene = Scene::with(|config| config.pace.heartbeat = Duration::from_millis(20)).await;
    let before = scene.devnet.ledger().head();
    eventually("five heartbeats", async || {
        scene.devnet.ledger().head().sequence_number() > before.sequence_number() + 5
    })
    .await;
    let after = scene.devnet.ledger().head().checkpoint.summary.timestamp_ms;
    assert!(after > before.checkpoint.summary.timestamp_ms);
    verify_chain(&scene).await;
}

#[tokio::test]
async fn a_subscriber_sees_every_checkpoint_once_and_in_order_with_what_it_asked_for() {
    let scene = Scene::new().await;
    let alice = scene.person(&[SUI]).await;
    let mask =
        "sequence_number,digest,summary.timestamp,transactions.digest,transactions.effects,transactions.events,objects";
    let request = pb::SubscribeCheckpointsRequest::default().with_read_mask(FieldMask::from_str(mask));
    let mut stream =
        scene.client.clone().subscription_client().subscribe_checkpoints(request).await.unwrap().into_inner();

    let mut expected = Vec::new();
    let mut gas = scene.coins(alice.address).await.remove(0);
    for amount in 1..=30 {
        let transaction = transfer(alice.address, &gas, Address::TWO, amount);
        gas = gas_after(&scene.succeed(&alice, &transaction).await);
        expected.push(transaction.digest().to_string());
    }
    let (mut seen, mut last) = (Vec::new(), None);
    while seen.len() < expected.len() {
        let frame = stream.message().await.unwrap().unwrap();
        let checkpoint = frame.checkpoint();
        assert_eq!(frame.cursor(), checkpoint.sequence_number());
        assert!(last.is_none_or(|last| checkpoint.sequence_number() == last + 1), "no gap, no repetition");
        last = Some(checkpoint.sequence_number());
        assert!(checkpoint.signature.is_none(), "not asked for");
        for executed in checkpoint.transactions() {
            if expected.iter().any(|digest| digest == executed.digest()) {
                seen.push(executed.digest().to_owned());
                let gas = executed.effects().gas_object();
                let written = checkpoint.objects().objects().iter();
                assert!(written.clone().any(|object| object.object_id() == gas.object_id()
                    && object.version() == gas.output_version()));
            }
        }
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_slow_subscriber_is_dropped_and_told_so() {
    let scene = Scene::with(|config| {
        config.pace.interval = Duration::from_millis(1);
        config.pace.heartbeat = Duration::from_millis(1);
    })
    .await;
    // Small windows: what the subscriber does not read stays with the server.
    let client =
        scene.client.clone().with_initial_stream_window_size(65_535).with_initial_connection_window_size(65_535);
    let request = pb::SubscribeCheckpointsRequest::default().with_read_mask(FieldMask::from_str("*"));
    let mut stream = client.clone().subscription_client().subscribe_checkpoints(request).await.unwrap().into_inner();
    // A few big checkpoints fill windows and buffers, then come more than the shared ring holds.
    for _ in 0..8 {
        scene.devnet.faucet(Address::TWO, &[1; 256]).await.unwrap();
    }
    let begun = scene.devnet.ledger().head().sequence_number();
    eventually("150 checkpoints", async || scene.devnet.ledger().head().sequence_number() > begun + 150).await;
    let mut frames = 0;
    let end = loop {
        match stream.message().await {
            Ok(Some(_)) => frames += 1,
            Ok(None) => panic!("the stream ended without a word"),
            Err(status) => break status,
        }
    };
    assert_eq!(end.code(), Code::ResourceExhausted, "{end:?}");
    assert!(end.message().contains("too slow"), "{}", end.message());
    assert!(frames < 100, "{frames} frames were kept for somebody who did not read");
}

#[tokio::test]
async fn time_moves_forward_only_and_can_be_pushed() {
    let scene = Scene::new().await;
    let before = scene.devnet.ledger().now_ms();
    let after = scene.devnet.advance_clock(Duration::from_hours(24)).await.unwrap();
    assert!(after >= before + 86_400_000);
    assert_eq!(scene.devnet.ledger().head().checkpoint.summary.timestamp_ms, after);
    let clock = pb::GetObjectRequest::new(&Address::from_static("0x6")).with_read_mask(FieldMask::from_str("contents"));
    let clock = scene.client.clone().ledger_client().get_object(clock).await.unwrap().into_inner();
    let shown = u64::from_le_bytes(clock.object().contents().value()[32..].try_into().unwrap());
    assert!(shown >= after);

    let dir = scene.dir;
    scene.devnet.stop().await;
    let again = daas_devnet::Devnet::start(daas_devnet::Config::new(dir.path())).await.unwrap();
    let later = again.advance_clock(Duration::ZERO).await.unwrap();
    assert!(later >= after, "the lead over the host's clock survives a restart");
    again.stop().await;
}

#[tokio::test]
async fn a_checkpoint_is_found_by_its_digest() {
    let scene = Scene::new().await;
    scene.person(&[SUI]).await;
    let newest = checkpoint(&scene, 0, "digest").await;
    let request = pb::GetCheckpointRequest::by_digest(&newest.digest().parse().unwrap());
    let found = scene.client.clone().ledger_client().get_checkpoint(request).await.unwrap().into_inner();
    assert_eq!(found.checkpoint().sequence_number(), 0);
    let unknown = pb::GetCheckpointRequest::by_digest(&Digest::ZERO);
    let unknown = scene.client.clone().ledger_client().get_checkpoint(unknown).await;
    assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
}
