#[test_only]
module k3s_daas::cluster_tests;

use k3s_daas::cluster::{Self, AdminCap, Cluster};
use k3s_daas::fixture::{by, clock, cluster, filled, finish, operator, other_cluster, staker};
use k3s_daas::settings;
use k3s_daas::vectors;
use std::string;
use sui::clock::Clock;

const NEVER: u64 = 0xdead;

/// A cluster whose auditors are A and B, both needed.
fun audited(): (Cluster, AdminCap, Clock) {
    let (mut cluster, cap, clock) = cluster();
    let auditors = vector[vectors::auditor_a_key(), vectors::auditor_b_key()];
    cluster::set_auditors(&mut cluster, &cap, auditors, 2, vector[], vector[]);
    (cluster, cap, clock)
}

fun reduce(cluster: &mut Cluster, cap: &AdminCap, signers: vector<vector<u8>>, signatures: vector<vector<u8>>) {
    cluster::set_auditors(cluster, cap, vector[vectors::auditor_a_key()], 1, signers, signatures)
}

#[test]
fun auditors_change_with_the_consent_of_the_present_ones() {
    let (mut cluster, cap, clock) = audited();
    let signers = vector[vectors::auditor_b_key(), vectors::auditor_a_key()];
    reduce(&mut cluster, &cap, signers, vector[vectors::change_by_b(), vectors::change_by_a()]);
    assert!(settings::threshold(cluster::release_rules(&cluster)) == 1);
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::consent::ETooFewAuditors)]
fun the_operator_alone_does_not_change_auditors() {
    let (mut cluster, cap, _clock) = audited();
    reduce(&mut cluster, &cap, vector[], vector[]);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::consent::ETooFewAuditors)]
fun one_of_two_auditors_is_too_few() {
    let (mut cluster, cap, _clock) = audited();
    reduce(&mut cluster, &cap, vector[vectors::auditor_a_key()], vector[vectors::change_by_a()]);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::consent::ENotAuditor)]
fun one_auditor_does_not_consent_twice() {
    let (mut cluster, cap, _clock) = audited();
    let signers = vector[vectors::auditor_a_key(), vectors::auditor_a_key()];
    reduce(&mut cluster, &cap, signers, vector[vectors::change_by_a(), vectors::change_by_a()]);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::consent::ENotAuditor)]
fun a_strangers_consent_does_not_count() {
    let (mut cluster, cap, _clock) = audited();
    let signers = vector[vectors::auditor_a_key(), vectors::session_key()];
    reduce(&mut cluster, &cap, signers, vector[vectors::change_by_a(), vectors::change_by_a()]);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::consent::EAuditorSignature)]
fun consent_is_signed() {
    let (mut cluster, cap, _clock) = audited();
    let signers = vector[vectors::auditor_a_key(), vectors::auditor_b_key()];
    reduce(&mut cluster, &cap, signers, vector[vectors::change_by_a(), vectors::change_by_a()]);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::consent::EAuditorSignature)]
fun consent_is_to_the_rules_in_force() {
    let (mut cluster, cap, _clock) = audited();
    cluster::set_release_delay(&mut cluster, &cap, 1);
    let signers = vector[vectors::auditor_b_key(), vectors::auditor_a_key()];
    reduce(&mut cluster, &cap, signers, vector[vectors::change_by_b(), vectors::change_by_a()]);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::consent::ESignatureCount)]
fun every_signer_has_a_signature() {
    let (mut cluster, cap, _clock) = audited();
    reduce(&mut cluster, &cap, vector[vectors::auditor_a_key()], vector[]);
    abort NEVER
}

#[test]
fun grants_come_and_go() {
    let (mut cluster, cap, clock) = cluster();
    assert!(!cluster::admits(&cluster, staker(), 2) && cluster::admits(&cluster, staker(), 1));
    cluster::grant(&mut cluster, &cap, staker(), 2, &clock);
    assert!(cluster::admits(&cluster, staker(), 2) && !cluster::admits(&cluster, staker(), 0));
    assert!(!cluster::admits(&cluster, operator(), 2));
    cluster::ungrant(&mut cluster, &cap, staker(), 2);
    assert!(!cluster::admits(&cluster, staker(), 2));
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EGrantTier)]
fun workers_are_not_granted() {
    let (mut cluster, cap, clock) = cluster();
    cluster::grant(&mut cluster, &cap, staker(), 1, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EGrantTier)]
fun there_is_no_fourth_tier_to_grant() {
    let (mut cluster, cap, clock) = cluster();
    cluster::grant(&mut cluster, &cap, staker(), 3, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EAlreadyGranted)]
fun nothing_is_granted_twice() {
    let (mut cluster, cap, clock) = cluster();
    cluster::grant(&mut cluster, &cap, staker(), 0, &clock);
    cluster::grant(&mut cluster, &cap, staker(), 0, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::ENotGranted)]
fun only_a_grant_is_taken_back() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::ungrant(&mut cluster, &cap, staker(), 0);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun another_clusters_cap_sets_nothing() {
    let (mut cluster, _cap, _clock) = cluster();
    let (_other, other_cap) = other_cluster();
    cluster::set_unbonding(&mut cluster, &other_cap, 1);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun another_clusters_cap_grants_nothing() {
    let (mut cluster, _cap, clock) = cluster();
    let (_other, other_cap) = other_cluster();
    cluster::grant(&mut cluster, &other_cap, staker(), 2, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun another_clusters_cap_changes_no_auditors() {
    let (mut cluster, _cap, _clock) = cluster();
    let (_other, other_cap) = other_cluster();
    cluster::set_auditors(&mut cluster, &other_cap, vector[], 0, vector[], vector[]);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun another_clusters_cap_migrates_nothing() {
    let (mut cluster, _cap, _clock) = cluster();
    let (_other, other_cap) = other_cluster();
    cluster::set_version_for_testing(&mut cluster, 0);
    cluster::migrate(&mut cluster, &other_cap);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun a_newer_cluster_is_left_alone() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_version_for_testing(&mut cluster, 2);
    cluster::set_unbonding(&mut cluster, &cap, 1);
    abort NEVER
}

#[test]
fun an_older_cluster_is_migrated() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_version_for_testing(&mut cluster, 0);
    cluster::migrate(&mut cluster, &cap);
    cluster::set_unbonding(&mut cluster, &cap, 1);
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::cluster::ENothingToMigrate)]
fun a_cluster_of_this_version_is_not_migrated() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::migrate(&mut cluster, &cap);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::ENoActiveInstance)]
fun nobody_hands_over_where_nobody_is_active() {
    let (mut cluster, _cap, clock) = cluster();
    let instance = vectors::instance_key();
    k3s_daas::enclave::hand_over(&mut cluster, instance, 1, instance, filled(0, 64), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::labels::ETextLength)]
fun a_cluster_has_a_name() {
    let nothing = string::utf8(b"");
    let _clock = clock();
    let (_cluster, _cap) = cluster::new(nothing, nothing, nothing, nothing, @0xC, &mut by(operator(), 1));
    abort NEVER
}

fun set_endpoints(api: vector<u8>, join: vector<u8>, master: vector<u8>) {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_endpoints(&mut cluster, &cap, string::utf8(api), string::utf8(join), string::utf8(master));
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::labels::EEndpoint)]
fun the_api_endpoint_is_checked() { set_endpoints(b"http://a:1", b"", b"") }

#[test, expected_failure(abort_code = k3s_daas::labels::EEndpoint)]
fun the_join_endpoint_is_checked() { set_endpoints(b"", b"http://a:1", b"") }

#[test, expected_failure(abort_code = k3s_daas::labels::EEndpoint)]
fun the_master_endpoint_is_checked() { set_endpoints(b"", b"", b"http://a:1") }
