/// A cluster that has moved on leaves this version's functions behind, except the money's way out (see `staking_tests`).
#[test_only]
module k3s_daas::version_tests;

use k3s_daas::cluster::{Self, Cluster};
use k3s_daas::enclave;
use k3s_daas::evidence;
use k3s_daas::fixture::{activate, attested, by, cluster, now, operator, pcrs, staker, token, worker};
use k3s_daas::k8s_gateway::{Self, SealToken};
use k3s_daas::measurements;
use k3s_daas::staking::{Self, Stake};
use k3s_daas::vectors;
use sui::clock::Clock;
use sui::coin;

const NEVER: u64 = 0xdead;
const HOUR: u64 = 3_600_000;

fun me(): vector<u8> { vectors::instance_key() }

/// A cluster of the next version, with an active instance and a worker with a token.
fun newer(): (Cluster, Clock, Stake, SealToken, TxContext) {
    let (mut cluster, cap, clock) = cluster();
    activate(&mut cluster, &cap, &clock);
    cluster::set_auditors(&mut cluster, &cap, vector[vectors::auditor_a_key()], 1, vector[], vector[]);
    let mut stake = worker(&mut cluster, &clock);
    let token = token(&cluster, &mut stake, &clock);
    transfer::public_transfer(cap, operator());
    cluster::set_version_for_testing(&mut cluster, 2);
    (cluster, clock, stake, token, by(staker(), 61))
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun it_registers_nobody() {
    let (mut cluster, _clock, _stake, _token, _ctx) = newer();
    enclave::admit(&mut cluster, attested(vectors::other_instance_key(), now()), now());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun it_renews_nothing() {
    let (mut cluster, _clock, _stake, _token, _ctx) = newer();
    enclave::readmit(&mut cluster, attested(me(), now() - 500), now(), vectors::renewal(), now());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun it_verifies_nobody() {
    let (cluster, clock, _stake, _token, _ctx) = newer();
    enclave::verify(&cluster, me(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun it_verifies_nobody_as_active() {
    let (cluster, clock, _stake, _token, _ctx) = newer();
    enclave::verify_active(&cluster, me(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun it_names_no_successor() {
    let (mut cluster, clock, _stake, _token, _ctx) = newer();
    enclave::name_successor(&mut cluster, me(), now(), vectors::successor_key(), vectors::naming(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun it_hands_nothing_over() {
    let (mut cluster, clock, _stake, _token, _ctx) = newer();
    enclave::hand_over(&mut cluster, me(), now(), me(), vectors::handover(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun it_anchors_nothing() {
    let (mut cluster, clock, _stake, _token, _ctx) = newer();
    enclave::anchor(&mut cluster, me(), now(), 7, vectors::hash(), vectors::anchor(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun it_forgets_nobody() {
    let (mut cluster, clock, _stake, _token, _ctx) = newer();
    enclave::forget_expired(&mut cluster, vectors::other_instance_key(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun it_approves_no_release() {
    let (mut cluster, _clock, _stake, _token, _ctx) = newer();
    measurements::approve(&mut cluster, pcrs(), vectors::auditor_a_key(), vectors::approval_by_a());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun it_tops_nothing_up() {
    let (cluster, _clock, mut stake, _token, mut ctx) = newer();
    staking::top_up(&cluster, &mut stake, coin::mint_for_testing(1, &mut ctx), &ctx);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun it_takes_no_report() {
    let (mut cluster, clock, mut stake, _token, mut ctx) = newer();
    evidence::report(&mut cluster, &mut stake, me(), now(), 0, vectors::proof(), vectors::double_identity(), &clock, &mut ctx);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun it_makes_no_token() {
    let (cluster, clock, mut stake, _token, mut ctx) = newer();
    k8s_gateway::create_worker_seal_token(&cluster, &mut stake, vectors::session_key(), HOUR, &clock, &mut ctx);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun it_rotates_no_key() {
    let (cluster, clock, stake, mut token, ctx) = newer();
    k8s_gateway::rotate_session_key(&cluster, &stake, &mut token, vectors::next_session_key(), &clock, &ctx);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun it_extends_no_token() {
    let (cluster, clock, mut stake, mut token, ctx) = newer();
    k8s_gateway::extend(&cluster, &mut stake, &mut token, HOUR, &clock, &ctx);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun it_revokes_no_token() {
    let (cluster, _clock, mut stake, mut token, ctx) = newer();
    k8s_gateway::revoke(&cluster, &mut stake, &mut token, &ctx);
    abort NEVER
}
