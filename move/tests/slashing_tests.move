#[test_only]
module k3s_daas::slashing_tests;

use k3s_daas::cluster::{Self, AdminCap, Cluster};
use k3s_daas::fixture::{by, cluster, filled, finish, now, one_sui, operator, staker, worker};
use k3s_daas::staking::{Self, Stake};
use std::string;
use sui::clock::{Self, Clock};
use sui::coin;

const NEVER: u64 = 0xdead;
const UNBONDING_MS: u64 = 604_800_000;
const MAX: u64 = 18_446_744_073_709_551_615;

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

// === Slashing ===

#[test]
fun a_partial_slash_leaves_the_rest_to_the_owner() {
    let (mut cluster, cap, mut clock, mut stake) = staked();
    slash(&mut cluster, &cap, &mut stake, one_sui(), &clock);
    expect(&stake, SLASHED, one_sui(), one_sui(), now() + UNBONDING_MS);
    clock::set_for_testing(&mut clock, now() + UNBONDING_MS);
    assert!(withdraw(&mut cluster, &mut stake, &clock, staker()) == one_sui());
    expect(&stake, SLASHED, 0, one_sui(), now() + UNBONDING_MS);
    end(cluster, cap, clock, stake)
}

#[test]
fun slashing_never_moves_the_time_of_release() {
    let (mut cluster, cap, mut clock, mut stake) = staked();
    unstake(&mut cluster, &mut stake, &clock);
    clock::set_for_testing(&mut clock, now() + 1_000);
    slash(&mut cluster, &cap, &mut stake, 1, &clock);
    clock::set_for_testing(&mut clock, now() + 2_000);
    slash(&mut cluster, &cap, &mut stake, 1, &clock);
    expect(&stake, SLASHED, 2 * one_sui() - 2, 2, now() + UNBONDING_MS);
    end(cluster, cap, clock, stake)
}

#[test]
fun what_was_slashed_away_whole_is_withdrawn_as_nothing() {
    let (mut cluster, cap, mut clock, mut stake) = staked();
    slash(&mut cluster, &cap, &mut stake, 2 * one_sui(), &clock);
    clock::set_for_testing(&mut clock, now() + UNBONDING_MS);
    assert!(withdraw(&mut cluster, &mut stake, &clock, staker()) == 0);
    end(cluster, cap, clock, stake)
}

#[test, expected_failure(abort_code = k3s_daas::staking::EStillUnbonding)]
fun a_slashed_stake_waits_as_well() {
    let (mut cluster, cap, mut clock, mut stake) = staked();
    slash(&mut cluster, &cap, &mut stake, 1, &clock);
    clock::set_for_testing(&mut clock, now() + UNBONDING_MS - 1);
    withdraw(&mut cluster, &mut stake, &clock, staker());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EAboveSlashShare)]
fun one_slash_takes_at_most_the_share() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_slash_share(&mut cluster, &cap, 2_500);
    let mut stake = worker(&mut cluster, &clock);
    slash(&mut cluster, &cap, &mut stake, one_sui() / 2 + 1, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EAboveSlashShare)]
fun all_slashes_together_take_at_most_the_share() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_slash_share(&mut cluster, &cap, 2_500);
    let mut stake = worker(&mut cluster, &clock);
    slash(&mut cluster, &cap, &mut stake, one_sui() / 2, &clock);
    slash(&mut cluster, &cap, &mut stake, 1, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EAboveSlashShare)]
fun more_than_there_is_is_not_slashed() {
    let (mut cluster, cap, clock, mut stake) = staked();
    slash(&mut cluster, &cap, &mut stake, MAX, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EAmount)]
fun nothing_is_no_slash() {
    let (mut cluster, cap, clock, mut stake) = staked();
    slash(&mut cluster, &cap, &mut stake, 0, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EWithdrawnBefore)]
fun what_was_withdrawn_is_not_slashed() {
    let (mut cluster, cap, mut clock, mut stake) = staked();
    unstake(&mut cluster, &mut stake, &clock);
    clock::set_for_testing(&mut clock, now() + UNBONDING_MS);
    withdraw(&mut cluster, &mut stake, &clock, staker());
    slash(&mut cluster, &cap, &mut stake, 1, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::labels::ETextLength)]
fun a_reason_has_at_most_256_characters() {
    let (mut cluster, cap, clock, mut stake) = staked();
    let reason = string::utf8(filled(65, 257));
    staking::slash(&mut cluster, &cap, &mut stake, 1, reason, &clock, &mut by(operator(), 22));
    abort NEVER
}

// === Suspension ===

#[test]
fun a_suspension_ends() {
    let (cluster, cap, clock, mut stake) = staked();
    staking::suspend(&cluster, &cap, &mut stake);
    assert!(staking::is_suspended_for_testing(&stake));
    staking::resume(&cluster, &cap, &mut stake);
    staking::check_usable(&stake);
    end(cluster, cap, clock, stake)
}

#[test, expected_failure(abort_code = k3s_daas::staking::EAlreadySuspended)]
fun nothing_is_suspended_twice() {
    let (cluster, cap, _clock, mut stake) = staked();
    staking::suspend(&cluster, &cap, &mut stake);
    staking::suspend(&cluster, &cap, &mut stake);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ENotSuspended)]
fun only_a_suspended_stake_is_resumed() {
    let (cluster, cap, _clock, mut stake) = staked();
    staking::resume(&cluster, &cap, &mut stake);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::ENotActive)]
fun only_an_active_stake_is_suspended() {
    let (mut cluster, cap, clock, mut stake) = staked();
    unstake(&mut cluster, &mut stake, &clock);
    staking::suspend(&cluster, &cap, &mut stake);
    abort NEVER
}
