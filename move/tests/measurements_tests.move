#[test_only]
module k3s_daas::measurements_tests;

use k3s_daas::cluster::{Self, AdminCap, Cluster};
use k3s_daas::fixture::{Self, cluster, filled, finish, now, other_cluster, pcrs, publish};
use k3s_daas::measurements;
use k3s_daas::vectors;
use std::string::{Self, String};
use sui::clock::{Self, Clock};

const NEVER: u64 = 0xdead;
const DAY: u64 = 86_400_000;

/// A release that is right but for what the caller passes.
fun publish_with(pcr1: vector<u8>, indexes: vector<u8>, values: vector<vector<u8>>, artifact: vector<u8>, revision: String) {
    let (mut cluster, cap, clock) = cluster();
    let (pcr0, pcr2) = (filled(1, 48), filled(3, 48));
    measurements::publish(&mut cluster, &cap, pcr0, pcr1, pcr2, option::none(), indexes, values, artifact, revision, &clock);
    finish(cluster, cap, clock)
}

fun revision(): String { string::utf8(b"r") }

/// Two auditors, both needed, and the release.
fun audited(): (Cluster, AdminCap, Clock) {
    let (mut cluster, cap, clock) = cluster();
    let auditors = vector[vectors::auditor_a_key(), vectors::auditor_b_key()];
    cluster::set_auditors(&mut cluster, &cap, auditors, 2, vector[], vector[]);
    publish(&mut cluster, &cap, &clock);
    (cluster, cap, clock)
}

fun published(): (Cluster, AdminCap, Clock) {
    let (mut cluster, cap, clock) = cluster();
    publish(&mut cluster, &cap, &clock);
    (cluster, cap, clock)
}

#[test]
fun a_release_is_good_when_its_auditors_approve() {
    let (mut cluster, cap, clock) = audited();
    measurements::approve(&mut cluster, pcrs(), vectors::auditor_a_key(), vectors::approval_by_a());
    measurements::approve(&mut cluster, pcrs(), vectors::auditor_b_key(), vectors::approval_by_b());
    measurements::check_good(&cluster, pcrs(), now());
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ENotGood)]
fun one_approval_of_two_is_too_few() {
    let (mut cluster, _cap, _clock) = audited();
    measurements::approve(&mut cluster, pcrs(), vectors::auditor_a_key(), vectors::approval_by_a());
    measurements::check_good(&cluster, pcrs(), now());
    abort NEVER
}

#[test]
fun a_release_is_good_once_its_delay_has_passed() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_release_delay(&mut cluster, &cap, DAY);
    publish(&mut cluster, &cap, &clock);
    measurements::check_good(&cluster, pcrs(), now() + DAY);
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ENotGood)]
fun a_release_is_not_good_before_its_delay_has_passed() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_release_delay(&mut cluster, &cap, DAY);
    publish(&mut cluster, &cap, &clock);
    measurements::check_good(&cluster, pcrs(), now() + DAY - 1);
    abort NEVER
}

#[test]
fun a_retiring_release_is_good_to_the_last_instant() {
    let (mut cluster, cap, clock) = published();
    measurements::retire(&mut cluster, &cap, pcrs(), now() + DAY, &clock);
    measurements::check_good(&cluster, pcrs(), now() + DAY);
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ENotGood)]
fun a_retired_release_is_not_good() {
    let (mut cluster, cap, clock) = published();
    measurements::retire(&mut cluster, &cap, pcrs(), now() + DAY, &clock);
    measurements::check_good(&cluster, pcrs(), now() + DAY + 1);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ENotActive)]
fun retiring_is_no_way_round_the_auditors() {
    let (mut cluster, cap, clock) = audited();
    measurements::retire(&mut cluster, &cap, pcrs(), now() + DAY, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ENotActive)]
fun a_revoked_release_does_not_come_back_by_retiring() {
    let (mut cluster, cap, clock) = published();
    measurements::revoke(&mut cluster, &cap, pcrs(), false);
    measurements::retire(&mut cluster, &cap, pcrs(), now() + DAY, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ERetiringTime)]
fun a_release_does_not_retire_into_the_past() {
    let (mut cluster, cap, clock) = published();
    measurements::retire(&mut cluster, &cap, pcrs(), now() - 1, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ERetiringTime)]
fun a_release_retires_within_a_year() {
    let (mut cluster, cap, clock) = published();
    measurements::retire(&mut cluster, &cap, pcrs(), now() + 366 * DAY + 1, &clock);
    abort NEVER
}

#[test]
fun a_retirement_moves_closer() {
    let (mut cluster, cap, clock) = published();
    measurements::retire(&mut cluster, &cap, pcrs(), now() + DAY, &clock);
    measurements::retire(&mut cluster, &cap, pcrs(), now(), &clock);
    measurements::check_good(&cluster, pcrs(), now());
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ERetiringLonger)]
fun a_retirement_does_not_move_away() {
    let (mut cluster, cap, clock) = published();
    measurements::retire(&mut cluster, &cap, pcrs(), now() + DAY, &clock);
    measurements::retire(&mut cluster, &cap, pcrs(), now() + DAY + 1, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ENotGood)]
fun a_revoked_release_is_not_good() {
    let (mut cluster, cap, _clock) = published();
    measurements::revoke(&mut cluster, &cap, pcrs(), false);
    measurements::check_good(&cluster, pcrs(), now());
    abort NEVER
}

#[test]
fun a_compromise_may_be_told_later_and_raises_the_generation_once() {
    let (mut cluster, cap, clock) = published();
    measurements::revoke(&mut cluster, &cap, pcrs(), false);
    assert!(cluster::generation(&cluster) == 0);
    measurements::revoke(&mut cluster, &cap, pcrs(), true);
    assert!(cluster::generation(&cluster) == 1);
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ERevokedBefore)]
fun nothing_is_revoked_twice() {
    let (mut cluster, cap, _clock) = published();
    measurements::revoke(&mut cluster, &cap, pcrs(), false);
    measurements::revoke(&mut cluster, &cap, pcrs(), false);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ERevokedBefore)]
fun a_compromise_is_told_once() {
    let (mut cluster, cap, _clock) = published();
    measurements::revoke(&mut cluster, &cap, pcrs(), true);
    measurements::revoke(&mut cluster, &cap, pcrs(), true);
    abort NEVER
}

#[test]
fun a_compromise_drops_the_active_instance_of_that_release() {
    let (mut cluster, cap, clock) = cluster();
    fixture::activate(&mut cluster, &cap, &clock);
    assert!(cluster::is_active(&cluster, &vectors::instance_key()) && cluster::generation(&cluster) == 1);
    measurements::revoke(&mut cluster, &cap, pcrs(), true);
    assert!(!cluster::is_active(&cluster, &vectors::instance_key()) && cluster::generation(&cluster) == 2);
    finish(cluster, cap, clock)
}

#[test]
fun a_compromise_leaves_the_active_instance_of_another_release() {
    let (mut cluster, cap, clock) = cluster();
    fixture::activate(&mut cluster, &cap, &clock);
    let pcr = filled(7, 48);
    measurements::publish(&mut cluster, &cap, pcr, pcr, pcr, option::none(), vector[], vector[], filled(1, 32), revision(), &clock);
    measurements::revoke(&mut cluster, &cap, measurements::join_pcrs(pcr, pcr, pcr), true);
    assert!(cluster::is_active(&cluster, &vectors::instance_key()) && cluster::generation(&cluster) == 2);
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ENotAuditor)]
fun a_stranger_approves_nothing() {
    let (mut cluster, _cap, _clock) = audited();
    measurements::approve(&mut cluster, pcrs(), vectors::session_key(), vectors::approval_by_a());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::EAuditorSignature)]
fun an_approval_is_signed() {
    let (mut cluster, _cap, _clock) = audited();
    measurements::approve(&mut cluster, pcrs(), vectors::auditor_a_key(), vectors::approval_by_b());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::EApprovedBefore)]
fun one_auditor_does_not_approve_twice() {
    let (mut cluster, _cap, _clock) = audited();
    measurements::approve(&mut cluster, pcrs(), vectors::auditor_a_key(), vectors::approval_by_a());
    measurements::approve(&mut cluster, pcrs(), vectors::auditor_a_key(), vectors::approval_by_a());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ENotListed)]
fun a_revoked_release_is_not_approved() {
    let (mut cluster, cap, _clock) = audited();
    measurements::revoke(&mut cluster, &cap, pcrs(), false);
    measurements::approve(&mut cluster, pcrs(), vectors::auditor_a_key(), vectors::approval_by_a());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ETooManyApprovals)]
fun approvals_are_bounded_over_changes_of_auditors() {
    let (mut cluster, _cap, _clock) = audited();
    measurements::fill_approvals_for_testing(&mut cluster, pcrs(), 32);
    measurements::approve(&mut cluster, pcrs(), vectors::auditor_a_key(), vectors::approval_by_a());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::EUnknownRelease)]
fun an_unknown_release_is_not_approved() {
    let (mut cluster, _cap, _clock) = audited();
    measurements::approve(&mut cluster, filled(1, 144), vectors::auditor_a_key(), vectors::approval_by_a());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::EUnknownRelease)]
fun an_unknown_release_is_not_good() {
    let (cluster, _cap, _clock) = cluster();
    measurements::check_good(&cluster, pcrs(), now());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::EReleaseExists)]
fun a_release_is_published_once() {
    let (mut cluster, cap, clock) = published();
    publish(&mut cluster, &cap, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::EReleaseExists)]
fun a_revoked_release_is_not_published_again() {
    let (mut cluster, cap, clock) = published();
    measurements::revoke(&mut cluster, &cap, pcrs(), false);
    publish(&mut cluster, &cap, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun another_clusters_cap_publishes_nothing() {
    let (mut cluster, _cap, clock) = cluster();
    let (_other, other_cap) = other_cluster();
    publish(&mut cluster, &other_cap, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun another_clusters_cap_revokes_nothing() {
    let (mut cluster, _cap, _clock) = published();
    let (_other, other_cap) = other_cluster();
    measurements::revoke(&mut cluster, &other_cap, pcrs(), true);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun a_newer_cluster_takes_no_approvals_here() {
    let (mut cluster, _cap, _clock) = audited();
    cluster::set_version_for_testing(&mut cluster, 2);
    measurements::approve(&mut cluster, pcrs(), vectors::auditor_a_key(), vectors::approval_by_a());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::EZeroPcr)]
fun a_debug_image_is_not_published() { publish_with(filled(0, 48), vector[], vector[], filled(1, 32), revision()) }

#[test, expected_failure(abort_code = k3s_daas::measurements::EPcrLength)]
fun a_pcr_is_48_bytes_long() { publish_with(filled(2, 47), vector[], vector[], filled(1, 32), revision()) }

#[test, expected_failure(abort_code = k3s_daas::measurements::EZeroPcr)]
fun pcr0_is_not_zero() { measurements::join_pcrs(filled(0, 48), filled(2, 48), filled(3, 48)); }

#[test, expected_failure(abort_code = k3s_daas::measurements::EZeroPcr)]
fun pcr2_is_not_zero() { measurements::join_pcrs(filled(1, 48), filled(2, 48), filled(0, 48)); }

#[test, expected_failure(abort_code = k3s_daas::measurements::EZeroPcr)]
fun pcr8_is_not_zero() {
    let (mut cluster, cap, clock) = cluster();
    let pcr = filled(1, 48);
    let pcr8 = option::some(filled(0, 48));
    measurements::publish(&mut cluster, &cap, pcr, pcr, pcr, pcr8, vector[], vector[], filled(1, 32), revision(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::EWorkerPcrCount)]
fun every_worker_pcr_has_a_value() { publish_with(filled(2, 48), vector[4], vector[], filled(1, 32), revision()) }

#[test, expected_failure(abort_code = k3s_daas::measurements::ETooManyWorkerPcrs)]
fun there_are_at_most_eight_worker_pcrs() {
    let value = filled(1, 32);
    let values = vector[value, value, value, value, value, value, value, value, value];
    publish_with(filled(2, 48), vector[0, 1, 2, 3, 4, 5, 6, 7, 8], values, filled(1, 32), revision())
}

#[test, expected_failure(abort_code = k3s_daas::measurements::EWorkerPcrIndex)]
fun worker_pcrs_are_named_once() {
    publish_with(filled(2, 48), vector[4, 4], vector[filled(1, 32), filled(1, 32)], filled(1, 32), revision())
}

#[test, expected_failure(abort_code = k3s_daas::measurements::EWorkerPcrIndex)]
fun a_tpm_has_24_pcrs() { publish_with(filled(2, 48), vector[24], vector[filled(1, 32)], filled(1, 32), revision()) }

#[test, expected_failure(abort_code = k3s_daas::measurements::EWorkerPcrLength)]
fun a_worker_pcr_is_a_sha256_or_sha384() {
    publish_with(filled(2, 48), vector[4], vector[filled(1, 20)], filled(1, 32), revision())
}

#[test, expected_failure(abort_code = k3s_daas::measurements::EArtifactHash)]
fun the_artifacts_hash_is_a_sha256() { publish_with(filled(2, 48), vector[], vector[], filled(1, 48), revision()) }

#[test, expected_failure(abort_code = k3s_daas::labels::ETextLength)]
fun a_release_names_its_source() { publish_with(filled(2, 48), vector[], vector[], filled(1, 32), string::utf8(b"")) }

#[test, expected_failure(abort_code = k3s_daas::labels::ETextLength)]
fun a_source_revision_has_at_most_128_characters() {
    publish_with(filled(2, 48), vector[], vector[], filled(1, 32), string::utf8(filled(65, 129)))
}

#[test]
fun the_clock_of_a_release_is_the_chains() {
    let (mut cluster, cap, mut clock) = cluster();
    cluster::set_release_delay(&mut cluster, &cap, 7_776_000_000);
    clock::set_for_testing(&mut clock, 18_446_744_073_709_551_615);
    publish(&mut cluster, &cap, &clock);
    finish(cluster, cap, clock)
}
