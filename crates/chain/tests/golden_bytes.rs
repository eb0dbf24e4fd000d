//! Rust and Move agree on every byte: what the real bytecode wrote is read and encodes to the same bytes again.
//!
//! Structures behind a Nitro document (registrations, the active instance, anchors, evidence) are compared with the
//! golden values of the contract page.
#![allow(clippy::unwrap_used)]

mod world;

use std::collections::{BTreeMap, BTreeSet};

use daas_chain::client::{NewRelease, SettingChange, StakeNode};
use daas_chain::types::cluster::{AdminCap, Consequence, Endpoints, Grant};
use daas_chain::types::evidence::EvidenceRecord;
use daas_chain::types::staking::Terms;
use daas_chain::types::upgrade_lock::UpgradeLock;
use daas_chain::types::{
    ActionKind, Bytes, Cluster, ClusterField, Event, Field, MoveObject, Offence, Registration, Release,
    SealTokenObject, Stake, measurements::WorkerPcr,
};
use daas_seal_token::Tier;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sui_rpc::field::{FieldMask, FieldMaskUtil as _};
use sui_rpc::proto::sui::rpc::v2 as pb;
use sui_sdk_types::{Address, TransactionEvents};
use world::{DAY_MS, SUI, World, key};

async fn live(world: &World) {
    let wallet = world.staker(2).await;
    let (operator, cluster) = (&world.operator, world.cluster);
    let changes = [
        SettingChange::MinimumStake(Tier::Reader, 7),
        SettingChange::TierOpen(Tier::Reader, true),
        SettingChange::Offence(Offence::DoubleIdentity, Consequence { action: ActionKind::Slash, share_bps: 500 }),
        SettingChange::ConfigPin(Some(Bytes([6; 32]))),
        SettingChange::Endpoints(Endpoints { api: "a:1".into(), join: "b:2".into(), master: "c:3".into() }),
        SettingChange::ReleaseDelay(5),
    ];
    operator.change_settings(cluster, &changes).await.unwrap();
    operator.grant(cluster, wallet.address(), Tier::Admin).await.unwrap();
    operator.ungrant(cluster, wallet.address(), Tier::Admin).await.unwrap();
    operator.grant(cluster, wallet.address(), Tier::Admin).await.unwrap();
    let new = NewRelease {
        pcr0: Bytes([1; 48]),
        pcr1: Bytes([2; 48]),
        pcr2: Bytes([3; 48]),
        pcr8: Some(Bytes([4; 48])),
        worker_pcrs: vec![WorkerPcr { index: 4, value: vec![5; 32] }, WorkerPcr { index: 7, value: vec![6; 48] }],
        artifact_sha256: Bytes([7; 32]),
        source_revision: "v1 äöü".into(),
    };
    operator.publish_release(cluster, &new).await.unwrap();
    let now = world.devnet.advance_clock(std::time::Duration::from_secs(1)).await.unwrap();
    operator.retire_release(cluster, &new.pcrs(), now + DAY_MS).await.unwrap();
    operator.revoke_release(cluster, &new.pcrs(), true).await.unwrap();
    let found: Cluster = world.node.read(cluster, &world.package.origin).await.unwrap();
    let agreed = Terms::of(&found.settings, Tier::Worker);
    let request = |name, key: &_| StakeNode { agreed: agreed.clone(), ..world.stake_request(name, key) };
    let staked = wallet.stake_node(&request("worker", &key(7))).await.unwrap();
    wallet.top_up(&staked.stake, SUI).await.unwrap();
    wallet.rotate_session_key(&staked.stake, &Bytes(key(8).public().to_bytes())).await.unwrap();
    wallet.extend_token(&staked.stake, 40 * DAY_MS).await.unwrap();
    operator.suspend(&staked.stake).await.unwrap();
    operator.resume(&staked.stake).await.unwrap();
    wallet.revoke_token(&staked.stake).await.unwrap();
    wallet.unstake(&staked.stake).await.unwrap();
    operator.slash(&staked.stake, 1, "reason").await.unwrap();
    world.devnet.advance_clock(std::time::Duration::from_secs(5)).await.unwrap();
    wallet.withdraw(&staked.stake).await.unwrap();
    wallet.stake_node(&request("second", &key(9))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_that_the_bytecode_emits_is_read_and_written_back() {
    let world = World::new().await;
    live(&world).await;
    let mut seen = BTreeSet::new();
    for sequence in 0..=world.node.height().await.unwrap() {
        let mut request = pb::GetCheckpointRequest::default().with_read_mask(FieldMask::from_paths(["*"]));
        request.checkpoint_id = Some(pb::get_checkpoint_request::CheckpointId::SequenceNumber(sequence));
        let answer = world.node.rpc().ledger_client().get_checkpoint(request).await.unwrap().into_inner();
        for transaction in answer.checkpoint.unwrap().transactions {
            let Some(bytes) = transaction.events.and_then(|events| events.bcs) else { continue };
            let events: TransactionEvents = bytes.deserialize().unwrap();
            for event in events.0 {
                let decoded = Event::decode(&event.type_, &world.package.origin, &event.contents).unwrap();
                let Some(decoded) = decoded else { continue };
                assert_eq!(encode(&decoded), event.contents, "{decoded:?}");
                seen.insert(decoded.names());
            }
        }
    }
    let behind_a_document = [
        ("cluster", "InstanceActivated"),
        ("cluster", "InstanceDropped"),
        ("cluster", "Anchored"),
        ("cluster", "SuccessorNamed"),
        ("enclave", "Registered"),
        ("enclave", "Renewed"),
        ("enclave", "Forgotten"),
        ("evidence", "EvidenceRecorded"),
        // Needs auditors' signatures, an older cluster, or an upgrade.
        ("measurements", "ReleaseApproved"),
        ("cluster", "Migrated"),
        ("upgrade_lock", "Locked"),
        ("upgrade_lock", "Proposed"),
        ("upgrade_lock", "Authorized"),
        ("upgrade_lock", "Committed"),
        ("upgrade_lock", "Frozen"),
    ];
    let missing: Vec<_> =
        Event::NAMES.iter().filter(|name| !seen.contains(*name) && !behind_a_document.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_object_and_field_is_read_and_written_back() {
    let world = World::new().await;
    live(&world).await;
    let cluster: Cluster = same_bytes(&world, world.cluster).await;
    assert_eq!(cluster.settings.minimum_stake(Tier::Reader), 7);
    let _: AdminCap = same_bytes(&world, cluster.admin_cap).await;
    let mut kinds = BTreeSet::new();
    for object in world.node.dynamic_fields(world.cluster).await.unwrap() {
        let id = object.object_id();
        let contents = object.as_struct().unwrap().contents();
        let (kind, bytes) = match ClusterField::decode(&object, &world.package.origin).unwrap() {
            ClusterField::Grant(name, value) => ("grant", bcs::to_bytes(&Field { id, name, value })),
            ClusterField::Member(name, value) => {
                let stake: Stake = same_bytes(&world, name.stake).await;
                let _: SealTokenObject = same_bytes(&world, stake.token.unwrap().id).await;
                ("member", bcs::to_bytes(&Field { id, name, value }))
            }
            ClusterField::Name(name, value) => ("name", bcs::to_bytes(&Field { id, name, value })),
            ClusterField::Release(name, value) => ("release", bcs::to_bytes(&Field { id, name, value })),
            other => panic!("{other:?}"),
        };
        assert_eq!(bytes.unwrap(), contents, "{kind}");
        kinds.insert(kind);
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["grant", "member", "name", "release"]);
}

/// The bytes that the contract page describes, as the package's unit tests compare them with what Move writes.
#[test]
fn every_golden_value_of_the_contract_is_read_and_written_back() {
    let golden: BTreeMap<String, String> = serde_json::from_str(include_str!("../../../move/golden.json")).unwrap();
    let mut events = BTreeSet::new();
    for (path, text) in &golden {
        let bytes = hex::decode(text).unwrap();
        let (module, name) = path.split_once("::").unwrap();
        let written = match path.as_str() {
            "cluster::AdminCap" => rewritten::<AdminCap>(&bytes),
            "cluster::Cluster" => rewritten::<Cluster>(&bytes),
            "cluster::Grant" => rewritten::<Grant>(&bytes),
            "enclave::Registration" => rewritten::<Registration>(&bytes),
            "k8s_gateway::SealToken" => rewritten::<SealTokenObject>(&bytes),
            "measurements::Release" => rewritten::<Release>(&bytes),
            "evidence::EvidenceRecord" => rewritten::<EvidenceRecord>(&bytes),
            "staking::Stake" => rewritten::<Stake>(&bytes),
            "upgrade_lock::UpgradeLock" => rewritten::<UpgradeLock>(&bytes),
            _ => {
                let event = Event::decode_named(module, name, &bytes).unwrap();
                events.insert(event.names());
                encode(&event)
            }
        };
        assert_eq!(written, bytes, "{path}");
    }
    let missing: Vec<_> = Event::NAMES.iter().filter(|name| !events.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

fn rewritten<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Vec<u8> {
    bcs::to_bytes(&bcs::from_bytes::<T>(bytes).unwrap()).unwrap()
}

async fn same_bytes<T: MoveObject + Serialize>(world: &World, id: Address) -> T {
    let object = world.node.object(id).await.unwrap();
    let value: T = world.node.read(id, &world.package.origin).await.unwrap();
    assert_eq!(bcs::to_bytes(&value).unwrap(), object.as_struct().unwrap().contents(), "{}", T::NAME);
    value
}

/// The event without the number of its variant.
fn encode(event: &Event) -> Vec<u8> {
    bcs::to_bytes(event).unwrap()[1..].to_vec()
}
