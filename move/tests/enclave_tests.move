#[test_only]
module k3s_daas::enclave_tests;

use k3s_daas::attested::{Self, Attested};
use k3s_daas::cluster::{Self, AdminCap, Cluster};
use k3s_daas::enclave;
use k3s_daas::fixture::{activate, attested, cluster, filled, finish, now, other_cluster, pcrs, publish, register};
use k3s_daas::measurements;
use k3s_daas::vectors;
use sui::clock::{Self, Clock};

const NEVER: u64 = 0xdead;
const REGISTRATION: u64 = 10_800_000;
const MAX_AGE: u64 = 300_000;

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

fun admit_at(at_ms: u64, now: u64) {
    let (mut cluster, cap, clock) = cluster();
    publish(&mut cluster, &cap, &clock);
    enclave::admit(&mut cluster, attested(me(), at_ms), now);
    finish(cluster, cap, clock)
}

/// The release's measurements, with other PCRs or another configuration.
fun other_attested(pcr2: u8, pcr8: Option<vector<u8>>): Attested {
    let mut indexes = vector[0, 1, 2];
    let mut values = vector[filled(1, 48), filled(2, 48), filled(pcr2, 48)];
    if (option::is_some(&pcr8)) {
        vector::push_back(&mut indexes, 8);
        vector::push_back(&mut values, *option::borrow(&pcr8))
    };
    let cluster = object::id_from_address(@0xd726ecf6f7036ee3557cd6c7b93a49b231070e8eecada9cfa157e40e3f02e5d3);
    attested::from_parts(&option::some(me()), &option::some(vectors::claims()), indexes, values, now() - 500, cluster)
}

#[test]
fun a_registration_lives_from_its_document() {
    let (mut cluster, cap, clock) = cluster();
    register(&mut cluster, &cap, &clock);
    let (document, expires, sequence) = enclave::state_for_testing(&cluster, me());
    assert!(document == now() - 1_000 && expires == document + REGISTRATION && sequence == document);
    enclave::verify(&cluster, me(), &clock);
    finish(cluster, cap, clock)
}

#[test]
fun registering_again_changes_nothing() {
    let (mut cluster, cap, clock) = cluster();
    register(&mut cluster, &cap, &clock);
    let events = sui::event::num_events();
    enclave::admit(&mut cluster, attested(me(), now() - 1_000), now() + 5);
    enclave::admit(&mut cluster, attested(me(), now() - 2_000), now() + 5);
    enclave::admit(&mut cluster, attested(me(), now()), now() + 5);
    let (document, expires, _) = enclave::state_for_testing(&cluster, me());
    assert!(document == now() - 1_000 && expires == document + REGISTRATION && sui::event::num_events() == events);
    finish(cluster, cap, clock)
}

#[test]
fun an_expired_registration_takes_a_new_document_and_no_old_one() {
    let (mut cluster, cap, clock) = cluster();
    register(&mut cluster, &cap, &clock);
    let later = now() + REGISTRATION;
    enclave::admit(&mut cluster, attested(me(), now() - 1_000), later);
    let (document, _, _) = enclave::state_for_testing(&cluster, me());
    assert!(document == now() - 1_000);
    enclave::admit(&mut cluster, attested(me(), later), later);
    let (document, expires, sequence) = enclave::state_for_testing(&cluster, me());
    assert!(document == later && expires == later + REGISTRATION && sequence == later);
    finish(cluster, cap, clock)
}

#[test]
fun the_oldest_document_is_taken() { admit_at(now() - MAX_AGE, now()) }

#[test]
fun the_newest_document_is_taken() { admit_at(now(), now()) }

#[test, expected_failure(abort_code = k3s_daas::enclave::EDocumentTooOld)]
fun a_stale_document_is_refused() { admit_at(now() - MAX_AGE - 1, now()) }

#[test, expected_failure(abort_code = k3s_daas::enclave::EDocumentFromFuture)]
fun a_document_from_the_future_is_refused() { admit_at(now() + 1, now()) }

#[test, expected_failure(abort_code = k3s_daas::enclave::EDocumentFromFuture)]
fun a_document_from_the_end_of_time_is_refused() { admit_at(18_446_744_073_709_551_615, now()) }

#[test, expected_failure(abort_code = k3s_daas::enclave::EOtherConfig)]
fun another_configuration_than_the_pinned_is_refused() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_config_pin(&mut cluster, &cap, option::some(filled(4, 32)));
    register(&mut cluster, &cap, &clock);
    abort NEVER
}

#[test]
fun the_pinned_configuration_is_taken() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_config_pin(&mut cluster, &cap, option::some(filled(3, 32)));
    register(&mut cluster, &cap, &clock);
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::enclave::EOtherPcr8)]
fun another_pcr8_is_refused() {
    let (mut cluster, cap, clock) = cluster();
    publish(&mut cluster, &cap, &clock);
    enclave::admit(&mut cluster, other_attested(3, option::some(filled(9, 48))), now());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::EOtherPcr8)]
fun a_missing_pcr8_is_refused() {
    let (mut cluster, cap, clock) = cluster();
    publish(&mut cluster, &cap, &clock);
    enclave::admit(&mut cluster, other_attested(3, option::none()), now());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::EUnknownRelease)]
fun the_right_pcr8_does_not_help_another_image() {
    let (mut cluster, cap, clock) = cluster();
    publish(&mut cluster, &cap, &clock);
    enclave::admit(&mut cluster, other_attested(4, option::some(filled(8, 48))), now());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ENotGood)]
fun an_instance_of_a_revoked_release_does_not_register() {
    let (mut cluster, cap, clock) = cluster();
    publish(&mut cluster, &cap, &clock);
    measurements::revoke(&mut cluster, &cap, pcrs(), false);
    enclave::admit(&mut cluster, attested(me(), now()), now());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ENotGood)]
fun a_registered_instance_falls_with_its_release() {
    let (mut cluster, cap, clock) = cluster();
    register(&mut cluster, &cap, &clock);
    measurements::revoke(&mut cluster, &cap, pcrs(), false);
    enclave::verify(&cluster, me(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ENotRegistered)]
fun who_never_registered_is_not_verified() {
    let (cluster, _cap, clock) = cluster();
    enclave::verify(&cluster, me(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::EExpired)]
fun an_expired_registration_is_not_verified() {
    let (mut cluster, cap, mut clock) = cluster();
    register(&mut cluster, &cap, &clock);
    clock::set_for_testing(&mut clock, now() - 1_000 + REGISTRATION + 1);
    enclave::verify(&cluster, me(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ENotActive)]
fun the_genuine_image_elsewhere_is_not_the_active_instance() {
    let (cluster, _cap, clock) = two();
    enclave::verify(&cluster, other(), &clock);
    enclave::verify_active(&cluster, other(), &clock);
    abort NEVER
}

#[test]
fun the_activated_instance_is_active() {
    let (cluster, cap, clock) = two();
    enclave::verify_active(&cluster, me(), &clock);
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::enclave::EAlreadyActive)]
fun nothing_is_activated_twice() {
    let (mut cluster, cap, clock) = two();
    enclave::activate(&mut cluster, &cap, me(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ENotRegistered)]
fun only_a_registered_instance_is_activated() {
    let (mut cluster, cap, clock) = cluster();
    enclave::activate(&mut cluster, &cap, me(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::EExpired)]
fun an_expired_instance_is_not_activated() {
    let (mut cluster, cap, mut clock) = two();
    clock::set_for_testing(&mut clock, now() + REGISTRATION);
    enclave::activate(&mut cluster, &cap, other(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::measurements::ENotGood)]
fun an_instance_of_a_revoked_release_is_not_activated() {
    let (mut cluster, cap, clock) = two();
    measurements::revoke(&mut cluster, &cap, pcrs(), false);
    enclave::activate(&mut cluster, &cap, other(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::EOtherMeasurements)]
fun an_expired_instance_does_not_come_back_in_another_image() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_freshness(&mut cluster, &cap, MAX_AGE, 1_000);
    register(&mut cluster, &cap, &clock);
    enclave::admit(&mut cluster, other_attested(4, option::some(filled(8, 48))), now() + 1);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun another_clusters_cap_activates_nothing() {
    let (mut cluster, _cap, clock) = two();
    let (_other, other_cap) = other_cluster();
    enclave::activate(&mut cluster, &other_cap, other(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EWrongVersion)]
fun a_newer_cluster_is_not_verified_here() {
    let (mut cluster, _cap, clock) = two();
    cluster::set_version_for_testing(&mut cluster, 2);
    enclave::verify_active(&cluster, me(), &clock);
    abort NEVER
}

// === Renewal ===

#[test]
fun the_instance_renews_with_a_newer_document_and_its_signature() {
    let (mut cluster, cap, clock) = two();
    enclave::readmit(&mut cluster, attested(me(), now() - 500), sequence(), vectors::renewal(), now());
    let (document, expires, sequence) = enclave::state_for_testing(&cluster, me());
    assert!(document == now() - 500 && expires == document + REGISTRATION && sequence == now());
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::enclave::EDocumentNotNewer)]
fun the_same_document_renews_nothing() {
    let (mut cluster, _cap, _clock) = two();
    enclave::readmit(&mut cluster, attested(me(), now() - 1_000), sequence(), vectors::renewal(), now());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ESignature)]
fun a_renewal_is_signed() {
    let (mut cluster, _cap, _clock) = two();
    enclave::readmit(&mut cluster, attested(me(), now() - 400), sequence(), vectors::renewal(), now());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::ENotRegistered)]
fun only_a_registration_is_renewed() {
    let (mut cluster, _cap, _clock) = cluster();
    enclave::readmit(&mut cluster, attested(me(), now() - 500), sequence(), vectors::renewal(), now());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::EOtherMeasurements)]
fun an_instance_keeps_its_image() {
    let (mut cluster, _cap, _clock) = two();
    enclave::readmit(&mut cluster, other_attested(4, option::some(filled(8, 48))), sequence(), vectors::renewal(), now());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::enclave::EActiveIdentityChanged)]
fun the_active_instance_keeps_its_certificates() {
    let (mut cluster, cap, clock) = cluster();
    register(&mut cluster, &cap, &clock);
    cluster::set_active(&mut cluster, me(), filled(7, 32), filled(1, 32), pcrs(), true, now());
    enclave::readmit(&mut cluster, attested(me(), now() - 500), sequence(), vectors::renewal(), now());
    abort NEVER
}
