/// The package's bytes are those of `golden.json`, type by type, made from the contract page alone.
#[test_only]
module k3s_daas::golden_tests;

use k3s_daas::cluster;
use k3s_daas::enclave;
use k3s_daas::evidence;
use k3s_daas::fixture::{activate, attested, by, cluster, filled, finish, now, operator, pcrs, publish, register, staker, stranger, sui, token, worker};
use k3s_daas::k8s_gateway;
use k3s_daas::measurements;
use k3s_daas::staking;
use k3s_daas::upgrade_lock;
use k3s_daas::vectors;
use std::bcs;
use std::string;
use sui::clock;
use sui::coin;
use sui::event;
use sui::package;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 86_400_000;

fun same<T>(value: &T, golden: vector<u8>) { assert!(bcs::to_bytes(value) == golden) }

/// The newest event of this type.
fun last<T: copy + drop>(golden: vector<u8>) {
    let events = event::events_by_type<T>();
    same(&events[vector::length(&events) - 1], golden)
}

#[test]
fun a_clusters_life() {
    let (mut cluster, cap, mut clock) = cluster();
    last<cluster::ClusterCreated>(vectors::golden_cluster_created());
    cluster::set_offence(&mut cluster, &cap, 0, 2, 5_000);
    cluster::set_config_pin(&mut cluster, &cap, option::some(filled(3, 32)));
    last<cluster::SettingsChanged>(vectors::golden_settings_changed());
    cluster::grant(&mut cluster, &cap, staker(), 2, &clock);
    last<cluster::Granted>(vectors::golden_granted());
    same(&cluster::grant_for_testing(&cluster, staker(), 2), vectors::golden_grant());
    activate(&mut cluster, &cap, &clock);
    last<measurements::ReleasePublished>(vectors::golden_release_published());
    last<enclave::Registered>(vectors::golden_registered());
    last<cluster::InstanceActivated>(vectors::golden_instance_activated());
    cluster::set_auditors(&mut cluster, &cap, vector[vectors::auditor_a_key(), vectors::auditor_b_key()], 2, vector[], vector[]);
    cluster::set_release_delay(&mut cluster, &cap, DAY);
    last<cluster::ReleaseRulesChanged>(vectors::golden_release_rules_changed());
    cluster::set_successor_key(&mut cluster, vectors::successor_key());
    last<cluster::SuccessorNamed>(vectors::golden_successor_named());
    cluster::set_anchor(&mut cluster, 7, vectors::hash(), vectors::instance_key(), now());
    last<cluster::Anchored>(vectors::golden_anchored());

    let mut stake = worker(&mut cluster, &clock);
    last<staking::Staked>(vectors::golden_staked());
    let mut token = token(&cluster, &mut stake, &clock);
    last<k8s_gateway::TokenCreated>(vectors::golden_token_created());
    let (instance, proof, mut ctx) = (vectors::instance_key(), vectors::proof(), by(stranger(), 40));
    evidence::report(&mut cluster, &mut stake, instance, now(), 2, proof, vectors::silent(), &clock, &mut ctx);
    last<evidence::EvidenceRecorded>(vectors::golden_evidence_recorded());
    same(&evidence::evidence_for_testing(&cluster, proof), vectors::golden_evidence_record());

    same(&cap, vectors::golden_admin_cap());
    same(&cluster, vectors::golden_cluster());
    same(&stake, vectors::golden_stake());
    same(&measurements::release_for_testing(&cluster, pcrs()), vectors::golden_release());
    same(&enclave::registration_for_testing(&cluster, instance), vectors::golden_registration());

    let mut ctx = by(staker(), 41);
    let payment = sui(5, &mut ctx);
    staking::top_up(&cluster, &mut stake, payment, &ctx);
    last<staking::ToppedUp>(vectors::golden_topped_up());
    k8s_gateway::rotate_session_key(&cluster, &stake, &mut token, vectors::next_session_key(), &clock, &ctx);
    last<k8s_gateway::SessionKeyRotated>(vectors::golden_session_key_rotated());
    same(&token, vectors::golden_seal_token());
    k8s_gateway::extend(&cluster, &mut stake, &mut token, 2 * HOUR, &clock, &ctx);
    last<k8s_gateway::TokenExtended>(vectors::golden_token_extended());
    k8s_gateway::revoke(&cluster, &mut stake, &mut token, &ctx);
    last<k8s_gateway::TokenRevoked>(vectors::golden_token_revoked());
    staking::suspend(&cluster, &cap, &mut stake);
    last<staking::Suspended>(vectors::golden_suspended());
    staking::resume(&cluster, &cap, &mut stake);
    last<staking::Resumed>(vectors::golden_resumed());
    staking::slash(&mut cluster, &cap, &mut stake, 1, string::utf8(b"test"), &clock, &mut ctx);
    last<staking::Slashed>(vectors::golden_slashed());
    cluster::ungrant(&mut cluster, &cap, staker(), 2);
    last<cluster::Ungranted>(vectors::golden_ungranted());
    cluster::set_endpoints(&mut cluster, &cap, string::utf8(b"a:1"), string::utf8(b"b:2"), string::utf8(b"c:3"));
    last<cluster::EndpointsChanged>(vectors::golden_endpoints_changed());
    measurements::retire(&mut cluster, &cap, pcrs(), now() + DAY, &clock);
    last<measurements::ReleaseRetiring>(vectors::golden_release_retiring());
    measurements::revoke(&mut cluster, &cap, pcrs(), true);
    last<cluster::InstanceDropped>(vectors::golden_instance_dropped());
    last<measurements::ReleaseRevoked>(vectors::golden_release_revoked());
    clock::set_for_testing(&mut clock, now() + 7 * DAY);
    enclave::forget_expired(&mut cluster, instance, &clock);
    last<enclave::Forgotten>(vectors::golden_forgotten());
    coin::burn_for_testing(staking::withdraw(&mut cluster, &mut stake, &clock, &mut ctx));
    last<staking::Withdrawn>(vectors::golden_withdrawn());
    cluster::set_version_for_testing(&mut cluster, 0);
    cluster::migrate(&mut cluster, &cap);
    last<cluster::Migrated>(vectors::golden_migrated());

    k8s_gateway::share_for_testing(token);
    staking::share(stake);
    finish(cluster, cap, clock)
}

#[test]
fun an_unstaking() {
    let (mut cluster, cap, clock) = cluster();
    let mut stake = worker(&mut cluster, &clock);
    staking::unstake(&mut cluster, &mut stake, &clock, &by(staker(), 20));
    last<staking::Unstaked>(vectors::golden_unstaked());
    staking::share(stake);
    finish(cluster, cap, clock)
}

#[test]
fun a_renewal() {
    let (mut cluster, cap, clock) = cluster();
    register(&mut cluster, &cap, &clock);
    let document = attested(vectors::instance_key(), now() - 500);
    enclave::readmit(&mut cluster, document, now(), vectors::renewal(), now());
    last<enclave::Renewed>(vectors::golden_renewed());
    finish(cluster, cap, clock)
}

#[test]
fun an_approval() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_auditors(&mut cluster, &cap, vector[vectors::auditor_a_key()], 1, vector[], vector[]);
    publish(&mut cluster, &cap, &clock);
    measurements::approve(&mut cluster, pcrs(), vectors::auditor_a_key(), vectors::approval_by_a());
    last<measurements::ReleaseApproved>(vectors::golden_release_approved());
    finish(cluster, cap, clock)
}

#[test]
fun an_upgrade_locks_life() {
    let mut ctx = by(operator(), 50);
    let cap = package::test_publish(object::id_from_address(@0xCAFE), &mut ctx);
    let mut lock = upgrade_lock::new_for_testing(cap, DAY, &mut ctx);
    last<upgrade_lock::Locked>(vectors::golden_locked());
    let mut clock = k3s_daas::fixture::clock();
    upgrade_lock::propose(&mut lock, filled(1, 32), &clock, &ctx);
    last<upgrade_lock::Proposed>(vectors::golden_proposed());
    same(&lock, vectors::golden_upgrade_lock());
    clock::set_for_testing(&mut clock, now() + DAY);
    let ticket = upgrade_lock::authorize(&mut lock, &clock, &ctx);
    last<upgrade_lock::Authorized>(vectors::golden_authorized());
    upgrade_lock::commit(&mut lock, package::test_upgrade(ticket));
    last<upgrade_lock::Committed>(vectors::golden_committed());
    upgrade_lock::make_immutable(lock, &ctx);
    last<upgrade_lock::Frozen>(vectors::golden_frozen());
    clock::destroy_for_testing(clock)
}
