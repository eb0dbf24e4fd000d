#[test_only]
module k3s_daas::k8s_gateway_tests;

use k3s_daas::cluster::{Self, AdminCap, Cluster};
use k3s_daas::fixture::{access, by, cluster, filled, finish, now, one_sui, other_cluster, staker, stranger, token, worker, worker_with};
use k3s_daas::k8s_gateway::{Self, SealToken};
use k3s_daas::staking::{Self, Stake};
use k3s_daas::vectors;
use std::string;
use sui::clock::{Self, Clock};

const NEVER: u64 = 0xdead;
const HOUR: u64 = 3_600_000;
const YEAR: u64 = 366 * 86_400_000;

fun staked(): (Cluster, AdminCap, Clock, Stake) {
    let (mut cluster, cap, clock) = cluster();
    let stake = worker(&mut cluster, &clock);
    (cluster, cap, clock, stake)
}

fun tokened(): (Cluster, AdminCap, Clock, Stake, SealToken) {
    let (cluster, cap, clock, mut stake) = staked();
    let token = token(&cluster, &mut stake, &clock);
    (cluster, cap, clock, stake, token)
}

fun create(cluster: &Cluster, stake: &mut Stake, lifetime_ms: u64, clock: &Clock) {
    let mut ctx = by(staker(), 30);
    k8s_gateway::create_worker_seal_token(cluster, stake, vectors::session_key(), lifetime_ms, clock, &mut ctx);
}

fun rotate(cluster: &Cluster, stake: &Stake, token: &mut SealToken, key: vector<u8>, clock: &Clock) {
    k8s_gateway::rotate_session_key(cluster, stake, token, key, clock, &by(staker(), 31))
}

fun extend(cluster: &Cluster, stake: &mut Stake, token: &mut SealToken, lifetime_ms: u64, clock: &Clock) {
    k8s_gateway::extend(cluster, stake, token, lifetime_ms, clock, &by(staker(), 32))
}

fun revoke(cluster: &Cluster, stake: &mut Stake, token: &mut SealToken) {
    k8s_gateway::revoke(cluster, stake, token, &by(staker(), 33))
}

fun end(cluster: Cluster, cap: AdminCap, clock: Clock, stake: Stake, token: SealToken) {
    k8s_gateway::share_for_testing(token);
    staking::share(stake);
    finish(cluster, cap, clock)
}

#[test]
fun a_token_is_made_rotated_extended_and_revoked() {
    let (cluster, cap, clock, mut stake, mut token) = tokened();
    let (key, generation, expires, revoked) = k8s_gateway::state_for_testing(&token);
    assert!(key == vectors::session_key() && generation == 1 && expires == now() + HOUR && !revoked);
    rotate(&cluster, &stake, &mut token, vectors::next_session_key(), &clock);
    extend(&cluster, &mut stake, &mut token, YEAR, &clock);
    let (key, generation, expires, _) = k8s_gateway::state_for_testing(&token);
    assert!(key == vectors::next_session_key() && generation == 2 && expires == now() + YEAR);
    assert!(staking::has_live_token(&stake, now() + YEAR - 1) && !staking::has_live_token(&stake, now() + YEAR));
    revoke(&cluster, &mut stake, &mut token);
    let (_, _, _, revoked) = k8s_gateway::state_for_testing(&token);
    assert!(revoked && !staking::has_live_token(&stake, now()));
    create(&cluster, &mut stake, HOUR, &clock);
    end(cluster, cap, clock, stake, token)
}

#[test]
fun an_expired_token_makes_room_and_its_late_revocation_leaves_the_next_alone() {
    let (cluster, cap, mut clock, mut stake, mut token) = tokened();
    clock::set_for_testing(&mut clock, now() + HOUR);
    create(&cluster, &mut stake, HOUR, &clock);
    revoke(&cluster, &mut stake, &mut token);
    assert!(staking::has_live_token(&stake, now() + HOUR));
    end(cluster, cap, clock, stake, token)
}

#[test]
fun the_operator_revokes() {
    let (cluster, cap, clock, mut stake, mut token) = tokened();
    k8s_gateway::revoke_by_admin(&cluster, &cap, &mut stake, &mut token);
    assert!(!staking::has_live_token(&stake, now()));
    end(cluster, cap, clock, stake, token)
}

#[test]
fun a_granted_admin_gets_an_access_token() {
    let (mut cluster, cap, clock) = cluster();
    cluster::grant(&mut cluster, &cap, staker(), 2, &clock);
    let mut stake = access(&mut cluster, 2, &clock);
    let mut ctx = by(staker(), 30);
    k8s_gateway::create_access_seal_token(&cluster, &mut stake, vectors::session_key(), HOUR, &clock, &mut ctx);
    assert!(staking::has_live_token(&stake, now()));
    staking::share(stake);
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::ENotGranted)]
fun a_grant_that_was_taken_back_gives_no_token() {
    let (mut cluster, cap, clock) = cluster();
    cluster::grant(&mut cluster, &cap, staker(), 2, &clock);
    let mut stake = access(&mut cluster, 2, &clock);
    cluster::ungrant(&mut cluster, &cap, staker(), 2);
    let mut ctx = by(staker(), 30);
    k8s_gateway::create_access_seal_token(&cluster, &mut stake, vectors::session_key(), HOUR, &clock, &mut ctx);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::ENotGranted)]
fun a_grant_that_was_taken_back_extends_nothing() {
    let (mut cluster, cap, clock) = cluster();
    cluster::grant(&mut cluster, &cap, staker(), 2, &clock);
    let mut stake = access(&mut cluster, 2, &clock);
    let mut ctx = by(staker(), 30);
    let key = vectors::session_key();
    let mut token = k8s_gateway::new_for_testing(&cluster, &mut stake, key, HOUR, &clock, &mut ctx);
    cluster::ungrant(&mut cluster, &cap, staker(), 2);
    extend(&cluster, &mut stake, &mut token, YEAR, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::EWrongTier)]
fun a_worker_gets_no_access_token() {
    let (cluster, _cap, clock, mut stake) = staked();
    let mut ctx = by(staker(), 30);
    k8s_gateway::create_access_seal_token(&cluster, &mut stake, vectors::session_key(), HOUR, &clock, &mut ctx);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::EWrongTier)]
fun a_reader_gets_no_worker_token() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_tier_open(&mut cluster, &cap, 0, true);
    let mut stake = access(&mut cluster, 0, &clock);
    create(&cluster, &mut stake, HOUR, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::EHasLiveToken)]
fun a_stake_has_one_live_token() {
    let (cluster, _cap, mut clock, mut stake, _token) = tokened();
    clock::set_for_testing(&mut clock, now() + HOUR - 1);
    create(&cluster, &mut stake, HOUR, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::ELifetime)]
fun a_token_lives_for_some_time() {
    let (cluster, _cap, clock, mut stake) = staked();
    create(&cluster, &mut stake, 0, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::ELifetime)]
fun a_token_lives_at_most_366_days() {
    let (cluster, _cap, clock, mut stake) = staked();
    create(&cluster, &mut stake, YEAR + 1, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::ELifetime)]
fun a_token_is_extended_by_at_most_366_days() {
    let (cluster, _cap, clock, mut stake, mut token) = tokened();
    extend(&cluster, &mut stake, &mut token, YEAR + 1, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ENotOwner)]
fun a_stranger_makes_no_token_of_anothers_stake() {
    let (cluster, _cap, clock, mut stake) = staked();
    let mut ctx = by(stranger(), 30);
    k8s_gateway::create_worker_seal_token(&cluster, &mut stake, vectors::session_key(), HOUR, &clock, &mut ctx);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EOtherCluster)]
fun a_stake_makes_no_token_in_another_cluster() {
    let (_cluster, _cap, clock, mut stake) = staked();
    let (other, _other_cap) = other_cluster();
    create(&other, &mut stake, HOUR, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ENotActive)]
fun an_unbonding_stake_makes_no_token() {
    let (mut cluster, _cap, clock, mut stake) = staked();
    staking::unstake(&mut cluster, &mut stake, &clock, &by(staker(), 20));
    create(&cluster, &mut stake, HOUR, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ENotActive)]
fun a_slashed_stake_makes_no_token() {
    let (mut cluster, cap, clock, mut stake) = staked();
    staking::slash(&mut cluster, &cap, &mut stake, 1, string::utf8(b""), &clock, &mut by(staker(), 20));
    create(&cluster, &mut stake, HOUR, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ESuspended)]
fun a_suspended_stake_makes_no_token() {
    let (cluster, cap, clock, mut stake) = staked();
    staking::suspend(&cluster, &cap, &mut stake);
    create(&cluster, &mut stake, HOUR, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::signatures::EWeakKey)]
fun a_session_key_is_not_weak() {
    let (cluster, _cap, clock, mut stake) = staked();
    let mut ctx = by(staker(), 30);
    k8s_gateway::create_worker_seal_token(&cluster, &mut stake, filled(0, 32), HOUR, &clock, &mut ctx);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::signatures::EKeyLength)]
fun a_rotated_key_is_32_bytes_long() {
    let (cluster, _cap, clock, stake, mut token) = tokened();
    rotate(&cluster, &stake, &mut token, filled(1, 33), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::ESameKey)]
fun a_rotation_brings_another_key() {
    let (cluster, _cap, clock, stake, mut token) = tokened();
    rotate(&cluster, &stake, &mut token, vectors::session_key(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::ESameKey)]
fun a_former_key_does_not_come_back() {
    let (cluster, _cap, clock, stake, mut token) = tokened();
    rotate(&cluster, &stake, &mut token, vectors::next_session_key(), &clock);
    rotate(&cluster, &stake, &mut token, vectors::session_key(), &clock);
    abort NEVER
}

/// Rotates to this many further keys.
fun rotate_on(cluster: &Cluster, stake: &Stake, token: &mut SealToken, times: u8, clock: &Clock) {
    let mut i = 0;
    while (i < times) {
        rotate(cluster, stake, token, filled(i + 2, 32), clock);
        i = i + 1;
    }
}

#[test]
fun a_token_rotates_32_times_and_another_follows_it() {
    let (cluster, cap, clock, mut stake, mut token) = tokened();
    rotate_on(&cluster, &stake, &mut token, 32, &clock);
    let (_, generation, _, _) = k8s_gateway::state_for_testing(&token);
    assert!(generation == 33);
    revoke(&cluster, &mut stake, &mut token);
    create(&cluster, &mut stake, HOUR, &clock);
    end(cluster, cap, clock, stake, token)
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::ETooManyKeys)]
fun no_session_key_is_forgotten() {
    let (cluster, _cap, clock, stake, mut token) = tokened();
    rotate_on(&cluster, &stake, &mut token, 33, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ENotOwner)]
fun a_stranger_rotates_no_key() {
    let (cluster, _cap, clock, stake, mut token) = tokened();
    let key = vectors::next_session_key();
    k8s_gateway::rotate_session_key(&cluster, &stake, &mut token, key, &clock, &by(stranger(), 31));
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::EOtherStake)]
fun a_token_is_not_rotated_with_another_stake() {
    let (mut cluster, _cap, clock, _stake, mut token) = tokened();
    let other = worker_with(&mut cluster, b"worker-b", one_sui(), &clock, 13);
    rotate(&cluster, &other, &mut token, vectors::next_session_key(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::EOtherStake)]
fun a_token_is_not_revoked_with_another_stake() {
    let (mut cluster, _cap, clock, _stake, mut token) = tokened();
    let mut other = worker_with(&mut cluster, b"worker-b", one_sui(), &clock, 13);
    revoke(&cluster, &mut other, &mut token);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ENotOwner)]
fun a_stranger_revokes_nothing() {
    let (cluster, _cap, _clock, mut stake, mut token) = tokened();
    k8s_gateway::revoke(&cluster, &mut stake, &mut token, &by(stranger(), 33));
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun another_clusters_cap_revokes_no_token() {
    let (cluster, _cap, _clock, mut stake, mut token) = tokened();
    let (_other, other_cap) = other_cluster();
    k8s_gateway::revoke_by_admin(&cluster, &other_cap, &mut stake, &mut token);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EOtherCluster)]
fun a_token_is_not_revoked_through_another_cluster() {
    let (_cluster, _cap, _clock, mut stake, mut token) = tokened();
    let (other, other_cap) = other_cluster();
    k8s_gateway::revoke_by_admin(&other, &other_cap, &mut stake, &mut token);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::ERevoked)]
fun nothing_is_revoked_twice() {
    let (cluster, _cap, _clock, mut stake, mut token) = tokened();
    revoke(&cluster, &mut stake, &mut token);
    revoke(&cluster, &mut stake, &mut token);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::ERevoked)]
fun a_revoked_token_is_not_extended() {
    let (cluster, _cap, clock, mut stake, mut token) = tokened();
    revoke(&cluster, &mut stake, &mut token);
    extend(&cluster, &mut stake, &mut token, YEAR, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::EExpired)]
fun an_expired_token_is_not_extended() {
    let (cluster, _cap, mut clock, mut stake, mut token) = tokened();
    clock::set_for_testing(&mut clock, now() + HOUR);
    extend(&cluster, &mut stake, &mut token, HOUR, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::EEarlier)]
fun extending_never_shortens() {
    let (cluster, _cap, clock, mut stake, mut token) = tokened();
    extend(&cluster, &mut stake, &mut token, HOUR - 1, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ENotActive)]
fun a_token_of_an_unbonding_stake_is_not_extended() {
    let (mut cluster, _cap, clock, mut stake, mut token) = tokened();
    staking::unstake(&mut cluster, &mut stake, &clock, &by(staker(), 20));
    extend(&cluster, &mut stake, &mut token, YEAR, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun no_token_is_made_in_a_newer_cluster_here() {
    let (mut cluster, _cap, clock, mut stake) = staked();
    cluster::set_version_for_testing(&mut cluster, 2);
    create(&cluster, &mut stake, HOUR, &clock);
    abort NEVER
}
