#[test_only]
module k3s_daas::evidence_tests;

use k3s_daas::cluster::{Self, AdminCap, Cluster};
use k3s_daas::evidence;
use k3s_daas::fixture::{activate, by, cluster, filled, finish, now, one_sui, other_cluster, staker, stranger, worker, worker_with};
use k3s_daas::staking::{Self, Stake};
use k3s_daas::vectors;
use sui::clock::Clock;

const NEVER: u64 = 0xdead;
const UNBONDING_MS: u64 = 604_800_000;

const ACTIVE: u8 = 0;
const SLASHED: u8 = 3;

fun staked(): (Cluster, AdminCap, Clock, Stake) {
    let (mut cluster, cap, clock) = cluster();
    let stake = worker(&mut cluster, &clock);
    (cluster, cap, clock, stake)
}

fun unstake(cluster: &mut Cluster, stake: &mut Stake, clock: &Clock) {
    staking::unstake(cluster, stake, clock, &by(staker(), 20))
}

fun expect(stake: &Stake, status: u8, left: u64, slashed: u64, releases_at: u64) {
    let (is, balance, taken, releases) = staking::state_for_testing(stake);
    assert!(is == status && balance == left && taken == slashed && releases == releases_at)
}

fun end(cluster: Cluster, cap: AdminCap, clock: Clock, stake: Stake) {
    staking::share(stake);
    finish(cluster, cap, clock)
}

/// A cluster with an active instance, and a worker whose terms have these consequences.
fun reported(double: u8, share_bps: u64, silent: u8): (Cluster, AdminCap, Clock, Stake) {
    let (mut cluster, cap, clock) = cluster();
    activate(&mut cluster, &cap, &clock);
    cluster::set_offence(&mut cluster, &cap, 0, double, share_bps);
    cluster::set_offence(&mut cluster, &cap, 2, silent, 0);
    let stake = worker(&mut cluster, &clock);
    (cluster, cap, clock, stake)
}

fun report(cluster: &mut Cluster, stake: &mut Stake, offence: u8, signature: vector<u8>, clock: &Clock) {
    let (instance, proof, mut ctx) = (vectors::instance_key(), vectors::proof(), by(stranger(), 40));
    evidence::report(cluster, stake, instance, now(), offence, proof, signature, clock, &mut ctx)
}

#[test]
fun evidence_slashes_where_the_terms_say_so() {
    let (mut cluster, cap, clock, mut stake) = reported(2, 5_000, 0);
    report(&mut cluster, &mut stake, 0, vectors::double_identity(), &clock);
    expect(&stake, SLASHED, one_sui(), one_sui(), now() + UNBONDING_MS);
    end(cluster, cap, clock, stake)
}

#[test]
fun evidence_takes_no_more_than_the_slash_share() {
    let (mut cluster, cap, clock) = cluster();
    activate(&mut cluster, &cap, &clock);
    cluster::set_offence(&mut cluster, &cap, 0, 2, 10_000);
    cluster::set_slash_share(&mut cluster, &cap, 2_500);
    let mut stake = worker(&mut cluster, &clock);
    report(&mut cluster, &mut stake, 0, vectors::double_identity(), &clock);
    expect(&stake, SLASHED, 3 * one_sui() / 2, one_sui() / 2, now() + UNBONDING_MS);
    end(cluster, cap, clock, stake)
}

#[test]
fun evidence_ejects_where_nothing_may_be_slashed() {
    let (mut cluster, cap, clock) = cluster();
    activate(&mut cluster, &cap, &clock);
    cluster::set_offence(&mut cluster, &cap, 0, 2, 10_000);
    cluster::set_slash_share(&mut cluster, &cap, 0);
    let mut stake = worker(&mut cluster, &clock);
    report(&mut cluster, &mut stake, 0, vectors::double_identity(), &clock);
    expect(&stake, ACTIVE, 2 * one_sui(), 0, 0);
    assert!(staking::is_suspended_for_testing(&stake));
    end(cluster, cap, clock, stake)
}

#[test]
fun silence_ejects_where_the_terms_say_so() {
    let (mut cluster, cap, clock, mut stake) = reported(2, 5_000, 1);
    report(&mut cluster, &mut stake, 2, vectors::silent(), &clock);
    expect(&stake, ACTIVE, 2 * one_sui(), 0, 0);
    assert!(staking::is_suspended_for_testing(&stake));
    end(cluster, cap, clock, stake)
}

#[test]
fun evidence_is_only_observed_by_default() {
    let (mut cluster, cap, clock, mut stake) = reported(0, 0, 0);
    report(&mut cluster, &mut stake, 0, vectors::double_identity(), &clock);
    expect(&stake, ACTIVE, 2 * one_sui(), 0, 0);
    staking::check_usable(&stake);
    end(cluster, cap, clock, stake)
}

#[test]
fun consequences_that_change_later_do_not_reach_an_older_stake() {
    let (mut cluster, cap, clock, mut stake) = reported(0, 0, 0);
    cluster::set_offence(&mut cluster, &cap, 0, 2, 10_000);
    report(&mut cluster, &mut stake, 0, vectors::double_identity(), &clock);
    expect(&stake, ACTIVE, 2 * one_sui(), 0, 0);
    end(cluster, cap, clock, stake)
}

#[test]
fun an_unbonding_stake_is_slashed_by_evidence() {
    let (mut cluster, cap, clock, mut stake) = reported(2, 5_000, 0);
    unstake(&mut cluster, &mut stake, &clock);
    report(&mut cluster, &mut stake, 0, vectors::double_identity(), &clock);
    expect(&stake, SLASHED, one_sui(), one_sui(), now() + UNBONDING_MS);
    assert!(cluster::active_workers(&cluster) == 0);
    end(cluster, cap, clock, stake)
}

#[test, expected_failure(abort_code = k3s_daas::evidence::EProofUsed)]
fun a_proof_counts_once() {
    let (mut cluster, _cap, clock, mut stake) = reported(0, 0, 0);
    report(&mut cluster, &mut stake, 0, vectors::double_identity(), &clock);
    report(&mut cluster, &mut stake, 0, vectors::double_identity(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ESignature)]
fun evidence_against_one_stake_does_not_hit_another() {
    let (mut cluster, _cap, clock, _stake) = reported(2, 5_000, 0);
    let mut other = worker_with(&mut cluster, b"worker-b", one_sui(), &clock, 13);
    report(&mut cluster, &mut other, 0, vectors::double_identity(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ESignature)]
fun evidence_of_silence_proves_no_double_identity() {
    let (mut cluster, _cap, clock, mut stake) = reported(2, 5_000, 0);
    report(&mut cluster, &mut stake, 0, vectors::silent(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ENotActive)]
fun only_the_active_instance_reports() {
    let (mut cluster, _cap, clock, mut stake) = staked();
    report(&mut cluster, &mut stake, 0, vectors::double_identity(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::evidence::EOffence)]
fun a_forged_statement_is_not_reported_here() {
    let (mut cluster, _cap, clock, mut stake) = reported(0, 0, 0);
    report(&mut cluster, &mut stake, 1, vectors::double_identity(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::evidence::EProofLength)]
fun nothing_is_no_proof() {
    let (mut cluster, _cap, clock, mut stake) = reported(0, 0, 0);
    let (instance, mut ctx) = (vectors::instance_key(), by(stranger(), 40));
    evidence::report(&mut cluster, &mut stake, instance, now(), 0, b"", filled(0, 64), &clock, &mut ctx);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::evidence::EProofLength)]
fun a_proof_has_at_most_8192_bytes() {
    let (mut cluster, _cap, clock, mut stake) = reported(0, 0, 0);
    let (instance, proof, mut ctx) = (vectors::instance_key(), filled(1, 8_193), by(stranger(), 40));
    evidence::report(&mut cluster, &mut stake, instance, now(), 0, proof, filled(0, 64), &clock, &mut ctx);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EOtherCluster)]
fun a_stake_of_another_cluster_is_not_reported() {
    let (_cluster, _cap, clock, mut stake) = staked();
    let (mut other, _other_cap) = other_cluster();
    report(&mut other, &mut stake, 0, vectors::double_identity(), &clock);
    abort NEVER
}
