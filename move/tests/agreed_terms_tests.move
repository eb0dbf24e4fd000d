#[test_only]
module k3s_daas::agreed_terms_tests;

use k3s_daas::cluster::{Self, AdminCap, Cluster};
use k3s_daas::fixture::{by, cluster, finish, one_sui, operator, staker, sui, worker};
use k3s_daas::staking::{Self, Stake};
use k3s_daas::vectors;
use std::string;
use sui::clock::Clock;

const NEVER: u64 = 0xdead;

fun end(cluster: Cluster, cap: AdminCap, clock: Clock, stake: Stake) {
    staking::share(stake);
    finish(cluster, cap, clock)
}

/// Stakes under the terms that were in force before the operator changed something.
fun stake_late(cluster: &mut Cluster, terms: vector<u8>, clock: &Clock): Stake {
    let mut ctx = by(staker(), 10);
    let payment = sui(2 * one_sui(), &mut ctx);
    staking::stake_for_node(cluster, payment, string::utf8(b"worker-a"), terms, clock, &mut ctx)
}

#[test]
fun terms_are_agreed_to_by_their_bytes() {
    let (mut cluster, cap, clock) = cluster();
    let stake = stake_late(&mut cluster, vectors::terms(), &clock);
    end(cluster, cap, clock, stake)
}

#[test, expected_failure(abort_code = k3s_daas::staking::EOtherTerms)]
fun a_longer_unbonding_time_is_not_agreed_to_unread() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_unbonding(&mut cluster, &cap, 7_776_000_000);
    let _stake = stake_late(&mut cluster, vectors::terms(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EOtherTerms)]
fun another_slash_share_is_not_agreed_to_unread() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_slash_share(&mut cluster, &cap, 5_000);
    let _stake = stake_late(&mut cluster, vectors::terms(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EOtherTerms)]
fun another_consequence_is_not_agreed_to_unread() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_offence(&mut cluster, &cap, 1, 2, 10_000);
    let _stake = stake_late(&mut cluster, vectors::terms(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EOtherTerms)]
fun another_treasury_is_not_agreed_to_unread() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_treasury(&mut cluster, &cap, operator());
    let _stake = stake_late(&mut cluster, vectors::terms(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::staking::EOtherTerms)]
fun a_reader_agrees_to_a_readers_terms() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_tier_open(&mut cluster, &cap, 0, true);
    let mut ctx = by(staker(), 12);
    let payment = sui(one_sui(), &mut ctx);
    let (node, workers) = (string::utf8(b"person"), vectors::terms());
    let _stake = staking::stake_for_access(&mut cluster, payment, 0, node, workers, &clock, &mut ctx);
    abort NEVER
}
