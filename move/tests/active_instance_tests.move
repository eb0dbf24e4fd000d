#[test_only]
module k3s_daas::active_instance_tests;

use k3s_daas::cluster::{Self, AdminCap, Cluster};
use k3s_daas::enclave;
use k3s_daas::fixture::{activate, attested, cluster, filled, finish, now, pcrs, publish, register};
use k3s_daas::measurements;
use k3s_daas::vectors;
use std::string;
use sui::clock::{Self, Clock};

const NEVER: u64 = 0xdead;
const REGISTRATION: u64 = 10_800_000;

fun me(): vector<u8> { vectors::instance_key() }

fun other(): vector<u8> { vectors::other_instance_key() }

/// Where the vectors' sequence starts.
fun sequence(): u64 { now() }

/// The clock's cluster with an active instance, and another one registered beside it.
fun two(): (Cluster, AdminCap, Clock) {
    let (mut cluster, cap, clock) = cluster();
    activate(&mut cluster, &cap, &clock);
    enclave::admit(&mut cluster, attested(other(), now() - 1_000), now());
    (cluster, cap, clock)
}

fun anchor(cluster: &mut Cluster, epoch: u64, hash: vector<u8>, clock: &Clock) {
    enclave::anchor(cluster, me(), sequence(), epoch, hash, vectors::anchor(), clock)
}

#[test]
fun the_active_instance_anchors() {
    let (mut cluster, cap, clock) = two();
    anchor(&mut cluster, 7, vectors::hash(), &clock);
    let (epoch, hash) = cluster::anchor_for_testing(&cluster);
    assert!(epoch == 7 && hash == vectors::hash());
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ESequence)]
fun nothing_is_said_twice() {
    let (mut cluster, _cap, clock) = two();
    enclave::name_successor(&mut cluster, me(), sequence(), vectors::successor_key(), vectors::naming(), &clock);
    anchor(&mut cluster, 7, vectors::hash(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::EEpoch)]
fun an_anchor_never_goes_back() {
    let (mut cluster, _cap, clock) = two();
    cluster::set_anchor(&mut cluster, 7, filled(1, 32), me(), now());
    anchor(&mut cluster, 7, vectors::hash(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::EHashLength)]
fun an_anchor_is_a_sha256() {
    let (mut cluster, _cap, clock) = two();
    anchor(&mut cluster, 7, filled(1, 31), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ESignature)]
fun an_anchor_is_signed() {
    let (mut cluster, _cap, clock) = two();
    anchor(&mut cluster, 8, vectors::hash(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ENotActive)]
fun only_the_active_instance_anchors() {
    let (mut cluster, _cap, clock) = two();
    enclave::anchor(&mut cluster, other(), sequence(), 7, vectors::hash(), vectors::anchor(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::EExpired)]
fun an_expired_active_instance_does_not_anchor() {
    let (mut cluster, _cap, mut clock) = two();
    clock::set_for_testing(&mut clock, now() + REGISTRATION);
    anchor(&mut cluster, 7, vectors::hash(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ENotActive)]
fun only_the_active_instance_names_a_successor() {
    let (mut cluster, _cap, clock) = two();
    let key = vectors::successor_key();
    enclave::name_successor(&mut cluster, other(), sequence(), key, vectors::naming(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::signatures::EWeakKey)]
fun a_successor_key_is_not_weak() {
    let (mut cluster, _cap, clock) = two();
    enclave::name_successor(&mut cluster, me(), sequence(), filled(0, 32), vectors::naming(), &clock);
    abort NEVER
}

// === Hand-over ===

#[test]
fun the_active_instance_hands_over() {
    let (mut cluster, cap, clock) = two();
    enclave::hand_over(&mut cluster, me(), sequence(), other(), vectors::handover(), &clock);
    assert!(cluster::is_active(&cluster, &other()) && cluster::generation(&cluster) == 2);
    finish(cluster, cap, clock)
}

#[test]
fun the_successor_key_hands_over_after_an_outage() {
    let (mut cluster, cap, mut clock) = two();
    enclave::name_successor(&mut cluster, me(), sequence(), vectors::successor_key(), vectors::naming(), &clock);
    let later = now() + 2 * REGISTRATION;
    clock::set_for_testing(&mut clock, later);
    enclave::admit(&mut cluster, attested(other(), later), later);
    let signature = vectors::handover_by_successor();
    enclave::hand_over(&mut cluster, vectors::successor_key(), sequence() + 1, other(), signature, &clock);
    assert!(cluster::is_active(&cluster, &other()));
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ENotSigner)]
fun a_key_that_was_not_named_hands_nothing_over() {
    let (mut cluster, _cap, clock) = two();
    let signature = vectors::handover_by_successor();
    enclave::hand_over(&mut cluster, vectors::successor_key(), sequence() + 1, other(), signature, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ESignature)]
fun a_hand_over_is_signed_by_its_signer() {
    let (mut cluster, _cap, clock) = two();
    enclave::hand_over(&mut cluster, me(), sequence() + 1, other(), vectors::handover_by_successor(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::EAlreadyActive)]
fun nobody_hands_over_to_himself() {
    let (mut cluster, cap, clock) = cluster();
    register(&mut cluster, &cap, &clock);
    enclave::admit(&mut cluster, attested(other(), now() - 1_000), now());
    enclave::hand_over_for_testing(&mut cluster, me(), &clock);
    enclave::hand_over_for_testing(&mut cluster, me(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ERevokedSigner)]
fun revoked_code_does_not_choose_its_successor() {
    let (mut cluster, cap, clock) = two();
    measurements::revoke(&mut cluster, &cap, pcrs(), false);
    enclave::hand_over(&mut cluster, me(), sequence(), other(), vectors::handover(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ENotRegistered)]
fun a_successor_is_registered() {
    let (mut cluster, cap, clock) = cluster();
    activate(&mut cluster, &cap, &clock);
    enclave::hand_over(&mut cluster, me(), sequence(), other(), vectors::handover(), &clock);
    abort NEVER
}

// === Clearing away ===

#[test]
fun a_forgotten_instance_comes_back_above_all_it_ever_signed() {
    let (mut cluster, cap, mut clock) = two();
    let later = now() + REGISTRATION;
    clock::set_for_testing(&mut clock, later);
    enclave::forget_expired(&mut cluster, other(), &clock);
    enclave::admit(&mut cluster, attested(other(), later), later);
    let (_, _, sequence) = enclave::state_for_testing(&cluster, other());
    assert!(sequence == later);
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ENotExpired)]
fun a_registration_is_not_forgotten_early() {
    let (mut cluster, _cap, mut clock) = two();
    clock::set_for_testing(&mut clock, now() - 1_000 + REGISTRATION);
    enclave::forget_expired(&mut cluster, other(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::EStillActive)]
fun the_active_instance_is_not_forgotten() {
    let (mut cluster, _cap, mut clock) = two();
    clock::set_for_testing(&mut clock, now() + REGISTRATION);
    enclave::forget_expired(&mut cluster, me(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ENotGood)]
fun a_retired_release_registers_nobody() {
    let (mut cluster, cap, clock) = cluster();
    publish(&mut cluster, &cap, &clock);
    measurements::retire(&mut cluster, &cap, pcrs(), now(), &clock);
    enclave::admit(&mut cluster, attested(me(), now()), now() + 1);
    abort NEVER
}

#[test]
fun releases_overlap() {
    let (mut cluster, cap, clock) = two();
    let pcr = filled(7, 48);
    let revision = string::utf8(b"next");
    measurements::publish(&mut cluster, &cap, pcr, pcr, pcr, option::none(), vector[], vector[], filled(1, 32), revision, &clock);
    measurements::retire(&mut cluster, &cap, pcrs(), now() + 1, &clock);
    enclave::verify_active(&cluster, me(), &clock);
    finish(cluster, cap, clock)
}
