#[test_only]
module k3s_daas::forged_statement_tests;

use k3s_daas::cluster::{Self, AdminCap, Cluster};
use k3s_daas::fixture::{activate, by, cluster, filled, finish, now, one_sui, staker, stranger, token, worker, worker_with};
use k3s_daas::k8s_gateway::{Self, SealToken};
use k3s_daas::staking::{Self, Stake};
use k3s_daas::vectors;
use sui::clock::Clock;

const NEVER: u64 = 0xdead;

fun end(cluster: Cluster, cap: AdminCap, clock: Clock, stake: Stake, token: SealToken) {
    k8s_gateway::share_for_testing(token);
    staking::share(stake);
    finish(cluster, cap, clock)
}

/// A tokened worker whose terms slash a tenth for a forged statement, and an active instance.
fun watched(): (Cluster, AdminCap, Clock, Stake, SealToken) {
    let (mut cluster, cap, clock) = cluster();
    activate(&mut cluster, &cap, &clock);
    cluster::set_offence(&mut cluster, &cap, 1, 2, 1_000);
    let mut stake = worker(&mut cluster, &clock);
    let token = token(&cluster, &mut stake, &clock);
    (cluster, cap, clock, stake, token)
}

fun report(
    cluster: &mut Cluster,
    stake: &mut Stake,
    token: &SealToken,
    generation: u64,
    statement: vector<u8>,
    by_session: vector<u8>,
    by_instance: vector<u8>,
    clock: &Clock,
) {
    let (instance, mut ctx) = (vectors::instance_key(), by(stranger(), 40));
    k8s_gateway::report_forged_statement(
        cluster, stake, token, instance, now(), generation, statement, by_session, by_instance, clock, &mut ctx,
    )
}

/// Reports a statement that should not count.
fun refuse(statement: vector<u8>, by_session: vector<u8>) {
    let (mut cluster, _cap, clock, mut stake, token) = watched();
    report(&mut cluster, &mut stake, &token, 1, statement, by_session, vectors::forged_stake(), &clock);
    abort NEVER
}

#[test]
fun a_statement_that_names_another_stake_is_slashed() {
    let (mut cluster, cap, clock, mut stake, token) = watched();
    let (statement, by_session) = (vectors::statement_of_other_stake(), vectors::signed_other_stake());
    report(&mut cluster, &mut stake, &token, 1, statement, by_session, vectors::forged_stake(), &clock);
    let (status, balance, _, _) = staking::state_for_testing(&stake);
    assert!(status == 3 && balance == 2 * one_sui() - one_sui() / 5);
    end(cluster, cap, clock, stake, token)
}

#[test]
fun a_statement_that_names_another_node_is_slashed() {
    let (mut cluster, cap, clock, mut stake, token) = watched();
    let (statement, by_session) = (vectors::statement_of_other_name(), vectors::signed_other_name());
    report(&mut cluster, &mut stake, &token, 1, statement, by_session, vectors::forged_name(), &clock);
    let (status, _, _, _) = staking::state_for_testing(&stake);
    assert!(status == 3);
    end(cluster, cap, clock, stake, token)
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ESignature)]
fun a_longer_name_is_another_name_but_the_instance_signs_each() {
    refuse(vectors::statement_of_longer_name(), vectors::signed_longer_name())
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::ENoContradiction)]
fun a_true_statement_is_no_offence() { refuse(vectors::true_statement(), vectors::signed_truth()) }

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::EStatementSignature)]
fun a_statement_that_the_worker_did_not_sign_is_no_offence() {
    refuse(vectors::statement_of_other_stake(), vectors::signed_by_next_session())
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::EStatementOfOther)]
fun a_statement_of_another_token_is_no_offence() {
    refuse(vectors::statement_of_other_token(), vectors::signed_other_stake())
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::EStatementOfOther)]
fun a_statement_of_another_cluster_is_no_offence() {
    refuse(vectors::statement_of_other_cluster(), vectors::signed_other_stake())
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::EStatementFormat)]
fun a_statement_is_not_too_short() { refuse(filled(0, 104), vectors::signed_truth()) }

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::EStatementFormat)]
fun a_statement_ends_where_it_says() {
    let mut statement = vectors::true_statement();
    vector::push_back(&mut statement, 0);
    refuse(statement, vectors::signed_truth())
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::EStatementFormat)]
fun a_length_is_one_byte() { refuse(filled(128, 105 + 128), vectors::signed_truth()) }

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::EOtherStake)]
fun a_statement_hits_the_tokens_own_stake_only() {
    let (mut cluster, _cap, clock, _stake, token) = watched();
    let mut other = worker_with(&mut cluster, b"worker-b", one_sui(), &clock, 13);
    let (statement, by_session) = (vectors::statement_of_other_stake(), vectors::signed_other_stake());
    report(&mut cluster, &mut other, &token, 1, statement, by_session, vectors::forged_stake(), &clock);
    abort NEVER
}

// === Former session keys ===

/// As `watched`, and the worker has rotated its session key since.
fun rotated(): (Cluster, AdminCap, Clock, Stake, SealToken) {
    let (cluster, cap, clock, stake, mut token) = watched();
    let key = vectors::next_session_key();
    k8s_gateway::rotate_session_key(&cluster, &stake, &mut token, key, &clock, &by(staker(), 31));
    (cluster, cap, clock, stake, token)
}

/// Reports the statement that the first session key signed.
fun report_generation(generation: u64) {
    let (mut cluster, cap, clock, mut stake, token) = rotated();
    let (statement, by_session) = (vectors::statement_of_other_stake(), vectors::signed_other_stake());
    report(&mut cluster, &mut stake, &token, generation, statement, by_session, vectors::forged_stake(), &clock);
    let (status, _, _, _) = staking::state_for_testing(&stake);
    assert!(status == 3);
    end(cluster, cap, clock, stake, token)
}

#[test]
fun who_rotates_still_answers_for_what_the_former_key_signed() { report_generation(1) }

#[test]
fun who_rotates_answers_for_the_present_key() {
    let (mut cluster, cap, clock, mut stake, token) = rotated();
    let (statement, by_session) = (vectors::statement_of_other_stake(), vectors::signed_by_next_session());
    report(&mut cluster, &mut stake, &token, 2, statement, by_session, vectors::forged_stake(), &clock);
    let (status, _, _, _) = staking::state_for_testing(&stake);
    assert!(status == 3);
    end(cluster, cap, clock, stake, token)
}

#[test]
fun who_revokes_still_answers_for_what_he_signed() {
    let (mut cluster, cap, clock, mut stake, mut token) = rotated();
    k8s_gateway::revoke(&cluster, &mut stake, &mut token, &by(staker(), 33));
    let (statement, by_session) = (vectors::statement_of_other_stake(), vectors::signed_other_stake());
    report(&mut cluster, &mut stake, &token, 1, statement, by_session, vectors::forged_stake(), &clock);
    let (status, _, _, _) = staking::state_for_testing(&stake);
    assert!(status == 3);
    end(cluster, cap, clock, stake, token)
}

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::EStatementSignature)]
fun a_statement_counts_under_the_key_that_signed_it() { report_generation(2) }

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::EKeyGeneration)]
fun generations_begin_with_one() { report_generation(0) }

#[test, expected_failure(abort_code = k3s_daas::k8s_gateway::EKeyGeneration)]
fun there_is_no_generation_to_come() { report_generation(3) }
