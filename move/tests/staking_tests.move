#[test_only]
module k3s_daas::staking_tests;

use k3s_daas::cluster::{Self, AdminCap, Cluster};
use k3s_daas::fixture::{access, by, cluster, finish, now, one_sui, operator, other_cluster, staker, stranger, sui, worker, worker_with};
use k3s_daas::labels;
use k3s_daas::staking::{Self, Stake};
use std::string;
use sui::clock::{Self, Clock};
use sui::coin;

const NEVER: u64 = 0xdead;
const UNBONDING_MS: u64 = 604_800_000;
const MAX: u64 = 18_446_744_073_709_551_615;

const ACTIVE: u8 = 0;
const UNBONDING: u8 = 1;
const WITHDRAWN: u8 = 2;
const SLASHED: u8 = 3;

fun staked(): (Cluster, AdminCap, Clock, Stake) {
    let (mut cluster, cap, clock) = cluster();
    let stake = worker(&mut cluster, &clock);
    (cluster, cap, clock, stake)
}

fun unstake(cluster: &mut Cluster, stake: &mut Stake, clock: &Clock) {
    staking::unstake(cluster, stake, clock, &by(staker(), 20))
}

/// What a withdrawal by `sender` gives.
fun withdraw(cluster: &mut Cluster, stake: &mut Stake, clock: &Clock, sender: address): u64 {
    coin::burn_for_testing(staking::withdraw(cluster, stake, clock, &mut by(sender, 21)))
}

fun slash(cluster: &mut Cluster, cap: &AdminCap, stake: &mut Stake, amount: u64, clock: &Clock) {
    staking::slash(cluster, cap, stake, amount, string::utf8(b"test"), clock, &mut by(operator(), 22))
}

fun expect(stake: &Stake, status: u8, left: u64, slashed: u64, releases_at: u64) {
    let (is, balance, taken, releases) = staking::state_for_testing(stake);
    assert!(is == status && balance == left && taken == slashed && releases == releases_at)
}

fun end(cluster: Cluster, cap: AdminCap, clock: Clock, stake: Stake) {
    staking::share(stake);
    finish(cluster, cap, clock)
}

// === The honest way ===

#[test]
fun a_stake_goes_in_waits_and_comes_out() {
    let (mut cluster, cap, mut clock, mut stake) = staked();
    assert!(cluster::active_workers(&cluster) == 1);
    expect(&stake, ACTIVE, 2 * one_sui(), 0, 0);
    let mut ctx = by(staker(), 30);
    let more = sui(5, &mut ctx);
    staking::top_up(&cluster, &mut stake, more, &ctx);
    unstake(&mut cluster, &mut stake, &clock);
    assert!(cluster::active_workers(&cluster) == 0);
    expect(&stake, UNBONDING, 2 * one_sui() + 5, 0, now() + UNBONDING_MS);
    clock::set_for_testing(&mut clock, now() + UNBONDING_MS);
    assert!(withdraw(&mut cluster, &mut stake, &clock, staker()) == 2 * one_sui() + 5);
    expect(&stake, WITHDRAWN, 0, 0, now() + UNBONDING_MS);
    // Created, staked, topped up, unstaked, withdrawn: one event each.
    assert!(sui::event::num_events() == 5);
    end(cluster, cap, clock, stake)
}

#[test]
fun the_way_out_asks_for_no_version() {
    let (mut cluster, cap, mut clock, mut stake) = staked();
    cluster::set_version_for_testing(&mut cluster, 99);
    unstake(&mut cluster, &mut stake, &clock);
    clock::set_for_testing(&mut clock, now() + UNBONDING_MS);
    assert!(withdraw(&mut cluster, &mut stake, &clock, staker()) == 2 * one_sui());
    end(cluster, cap, clock, stake)
}

#[test]
fun a_suspended_stake_can_leave() {
    let (mut cluster, cap, mut clock, mut stake) = staked();
    staking::suspend(&cluster, &cap, &mut stake);
    unstake(&mut cluster, &mut stake, &clock);
    clock::set_for_testing(&mut clock, now() + UNBONDING_MS);
    assert!(withdraw(&mut cluster, &mut stake, &clock, staker()) == 2 * one_sui());
    end(cluster, cap, clock, stake)
}

#[test]
fun terms_are_those_of_the_day_of_staking() {
    let (mut cluster, cap, clock, mut stake) = staked();
    cluster::set_unbonding(&mut cluster, &cap, 7_776_000_000);
    cluster::set_slash_share(&mut cluster, &cap, 1);
    slash(&mut cluster, &cap, &mut stake, 2 * one_sui(), &clock);
    expect(&stake, SLASHED, 0, 2 * one_sui(), now() + UNBONDING_MS);
    end(cluster, cap, clock, stake)
}

#[test]
fun a_granted_wallet_stakes_for_access() {
    let (mut cluster, cap, clock) = cluster();
    cluster::grant(&mut cluster, &cap, staker(), 2, &clock);
    let stake = access(&mut cluster, 2, &clock);
    assert!(staking::tier(&stake) == 2 && cluster::active_workers(&cluster) == 0);
    end(cluster, cap, clock, stake)
}

#[test]
fun two_stakes_of_one_node_id_have_two_names() {
    let (mut cluster, cap, clock, stake) = staked();
    let other = worker_with(&mut cluster, b"worker-a", one_sui(), &clock, 13);
    assert!(staking::name(&stake) != staking::name(&other));
    assert!(staking::name(&stake) == string::utf8(b"worker-a-2e7c7744"));
    staking::share(other);
    end(cluster, cap, clock, stake)
}

// === Who may stake ===

#[test, expected_failure(abort_code = k3s_daas::staking::EBelowMinimum)]
fun a_stake_is_at_least_the_minimum() {
    let (mut cluster, _cap, clock) = cluster();
    let _stake = worker_with(&mut cluster, b"worker-a", one_sui() - 1, &clock, 13);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ETierClosed)]
fun money_alone_makes_no_admin() {
    let (mut cluster, _cap, clock) = cluster();
    let _stake = access(&mut cluster, 2, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ETierClosed)]
fun money_alone_makes_no_reader() {
    let (mut cluster, _cap, clock) = cluster();
    let _stake = access(&mut cluster, 0, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ETierClosed)]
fun a_readers_grant_makes_no_admin() {
    let (mut cluster, cap, clock) = cluster();
    cluster::grant(&mut cluster, &cap, staker(), 0, &clock);
    let _stake = access(&mut cluster, 2, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ETierClosed)]
fun a_closed_worker_tier_takes_nobody() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_tier_open(&mut cluster, &cap, 1, false);
    let _stake = worker(&mut cluster, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EWrongTier)]
fun workers_do_not_stake_for_access() {
    let (mut cluster, _cap, clock) = cluster();
    let _stake = access(&mut cluster, 1, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EWrongTier)]
fun there_is_no_fourth_tier_to_stake_for() {
    let (mut cluster, _cap, clock) = cluster();
    let _stake = access(&mut cluster, 3, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EClusterFull)]
fun a_full_cluster_takes_no_worker() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_max_workers(&mut cluster, &cap, 1);
    let _first = worker(&mut cluster, &clock);
    let _second = worker_with(&mut cluster, b"worker-b", one_sui(), &clock, 13);
    abort NEVER
}

#[test]
fun a_leaving_worker_makes_room() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_max_workers(&mut cluster, &cap, 1);
    let mut first = worker(&mut cluster, &clock);
    unstake(&mut cluster, &mut first, &clock);
    let mut second = worker_with(&mut cluster, b"worker-b", one_sui(), &clock, 13);
    slash(&mut cluster, &cap, &mut second, 1, &clock);
    slash(&mut cluster, &cap, &mut second, 1, &clock);
    assert!(cluster::active_workers(&cluster) == 0);
    staking::share(second);
    end(cluster, cap, clock, first)
}

#[test, expected_failure(abort_code = k3s_daas::labels::ENodeIdCharacter)]
fun nobody_stakes_as_an_address() {
    let (mut cluster, _cap, clock) = cluster();
    let _stake = worker_with(&mut cluster, b"10.42.3.7", one_sui(), &clock, 13);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ENameTaken)]
fun no_name_is_given_twice() {
    let (mut cluster, _cap, clock) = cluster();
    let stake = object::id_from_address(@0x2e7c7744e7aca1de732a399d6e43e81b6c151e30ccc86553742f1a57eeb32b08);
    let name = labels::node_name(&string::utf8(b"worker-a"), stake);
    staking::take_name_for_testing(&mut cluster, name, stake);
    let _stake = worker(&mut cluster, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun nobody_stakes_in_a_newer_cluster_here() {
    let (mut cluster, _cap, clock) = cluster();
    cluster::set_version_for_testing(&mut cluster, 2);
    let _stake = worker(&mut cluster, &clock);
    abort NEVER
}

// === Only the owner, only in its cluster, only once ===

#[test, expected_failure(abort_code = k3s_daas::staking::ENotOwner)]
fun a_stranger_tops_nothing_up() {
    let (cluster, _cap, _clock, mut stake) = staked();
    let mut ctx = by(stranger(), 30);
    let payment = sui(1, &mut ctx);
    staking::top_up(&cluster, &mut stake, payment, &ctx);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ENotOwner)]
fun a_stranger_unstakes_nothing() {
    let (mut cluster, _cap, clock, mut stake) = staked();
    staking::unstake(&mut cluster, &mut stake, &clock, &by(stranger(), 30));
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ENotOwner)]
fun the_operator_withdraws_nothing() {
    let (mut cluster, _cap, mut clock, mut stake) = staked();
    unstake(&mut cluster, &mut stake, &clock);
    clock::set_for_testing(&mut clock, MAX);
    withdraw(&mut cluster, &mut stake, &clock, operator());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EOtherCluster)]
fun a_stake_is_not_topped_up_in_another_cluster() {
    let (_cluster, _cap, _clock, mut stake) = staked();
    let (other, _other_cap) = other_cluster();
    let mut ctx = by(staker(), 30);
    let payment = sui(1, &mut ctx);
    staking::top_up(&other, &mut stake, payment, &ctx);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EOtherCluster)]
fun a_stake_is_not_unstaked_in_another_cluster() {
    let (_cluster, _cap, clock, mut stake) = staked();
    let (mut other, _other_cap) = other_cluster();
    unstake(&mut other, &mut stake, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EOtherCluster)]
fun a_stake_is_not_withdrawn_from_another_cluster() {
    let (mut cluster, _cap, mut clock, mut stake) = staked();
    let (mut other, _other_cap) = other_cluster();
    unstake(&mut cluster, &mut stake, &clock);
    clock::set_for_testing(&mut clock, now() + UNBONDING_MS);
    withdraw(&mut other, &mut stake, &clock, staker());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EOtherCluster)]
fun a_stake_of_ones_own_cluster_is_not_slashed_through_another() {
    let (_cluster, _cap, clock, mut stake) = staked();
    let (mut other, other_cap) = other_cluster();
    slash(&mut other, &other_cap, &mut stake, 1, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun another_clusters_cap_slashes_nothing() {
    let (mut cluster, _cap, clock, mut stake) = staked();
    let (_other, other_cap) = other_cluster();
    slash(&mut cluster, &other_cap, &mut stake, 1, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EOtherCluster)]
fun a_stake_is_not_suspended_through_another_cluster() {
    let (_cluster, _cap, _clock, mut stake) = staked();
    let (other, other_cap) = other_cluster();
    staking::suspend(&other, &other_cap, &mut stake);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EOtherCluster)]
fun a_stake_is_not_resumed_through_another_cluster() {
    let (cluster, cap, _clock, mut stake) = staked();
    staking::suspend(&cluster, &cap, &mut stake);
    let (other, other_cap) = other_cluster();
    staking::resume(&other, &other_cap, &mut stake);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EAmount)]
fun nothing_is_no_top_up() {
    let (cluster, _cap, _clock, mut stake) = staked();
    let mut ctx = by(staker(), 30);
    let payment = sui(0, &mut ctx);
    staking::top_up(&cluster, &mut stake, payment, &ctx);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EAmount)]
fun a_top_up_does_not_overflow() {
    let (cluster, _cap, _clock, mut stake) = staked();
    staking::set_principal_for_testing(&mut stake, MAX);
    let mut ctx = by(staker(), 30);
    let payment = sui(1, &mut ctx);
    staking::top_up(&cluster, &mut stake, payment, &ctx);
    abort NEVER
}

#[test]
fun the_largest_stake_there_can_be() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_slash_share(&mut cluster, &cap, 9_999);
    let mut stake = worker_with(&mut cluster, b"whale", MAX, &clock, 13);
    slash(&mut cluster, &cap, &mut stake, 18_444_899_399_302_180_659, &clock);
    expect(&stake, SLASHED, 1_844_674_407_370_956, 18_444_899_399_302_180_659, now() + UNBONDING_MS);
    end(cluster, cap, clock, stake)
}

#[test, expected_failure(abort_code = k3s_daas::staking::ENotActive)]
fun an_unbonding_stake_is_not_topped_up() {
    let (mut cluster, _cap, clock, mut stake) = staked();
    unstake(&mut cluster, &mut stake, &clock);
    let mut ctx = by(staker(), 30);
    let payment = sui(1, &mut ctx);
    staking::top_up(&cluster, &mut stake, payment, &ctx);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ENotActive)]
fun nothing_is_unstaked_twice() {
    let (mut cluster, _cap, clock, mut stake) = staked();
    unstake(&mut cluster, &mut stake, &clock);
    unstake(&mut cluster, &mut stake, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ENotActive)]
fun a_slash_that_comes_first_ends_unstaking() {
    let (mut cluster, cap, clock, mut stake) = staked();
    slash(&mut cluster, &cap, &mut stake, 1, &clock);
    unstake(&mut cluster, &mut stake, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ENotReleasing)]
fun an_active_stake_is_not_withdrawn() {
    let (mut cluster, _cap, mut clock, mut stake) = staked();
    clock::set_for_testing(&mut clock, MAX);
    withdraw(&mut cluster, &mut stake, &clock, staker());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EStillUnbonding)]
fun an_unbonding_stake_is_not_withdrawn_early() {
    let (mut cluster, _cap, mut clock, mut stake) = staked();
    unstake(&mut cluster, &mut stake, &clock);
    clock::set_for_testing(&mut clock, now() + UNBONDING_MS - 1);
    withdraw(&mut cluster, &mut stake, &clock, staker());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EWithdrawnBefore)]
fun nothing_is_withdrawn_twice() {
    let (mut cluster, _cap, mut clock, mut stake) = staked();
    unstake(&mut cluster, &mut stake, &clock);
    clock::set_for_testing(&mut clock, now() + UNBONDING_MS);
    withdraw(&mut cluster, &mut stake, &clock, staker());
    withdraw(&mut cluster, &mut stake, &clock, staker());
    abort NEVER
}
