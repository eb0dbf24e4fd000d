#[test_only]
module k3s_daas::attested_tests;

use k3s_daas::attested::{Self, Attested};
use k3s_daas::fixture::{filled, pcrs};
use k3s_daas::vectors;

fun read(key: Option<vector<u8>>, claims: Option<vector<u8>>, indexes: vector<u8>, values: vector<vector<u8>>): Attested {
    let cluster = object::id_from_address(@0xd726ecf6f7036ee3557cd6c7b93a49b231070e8eecada9cfa157e40e3f02e5d3);
    attested::from_parts(&key, &claims, indexes, values, 77, cluster)
}

fun with_claims(claims: vector<u8>): Attested {
    read(option::some(vectors::instance_key()), option::some(claims), vector[0, 1, 2], three())
}

fun with_pcrs(indexes: vector<u8>, values: vector<vector<u8>>): Attested {
    read(option::some(vectors::instance_key()), option::some(vectors::claims()), indexes, values)
}

fun three(): vector<vector<u8>> { vector[filled(1, 48), filled(2, 48), filled(3, 48)] }

#[test]
fun claims_are_read_field_by_field() {
    let attested = with_claims(vectors::claims());
    assert!(attested::instance(&attested) == vectors::instance_key() && attested::at_ms(&attested) == 77);
    assert!(attested::tls_spki_sha256(&attested) == filled(1, 32));
    assert!(attested::server_ca_sha256(&attested) == filled(2, 32));
    assert!(attested::config_sha256(&attested) == filled(3, 32));
    assert!(attested::state_epoch(&attested) == 5);
    assert!(attested::pcr8(&attested) == &option::none());
}

#[test]
fun pcrs_are_found_by_index_and_not_by_position() {
    let values = vector[filled(3, 48), filled(8, 48), filled(1, 48), filled(2, 48)];
    let attested = with_pcrs(vector[2, 8, 0, 1], values);
    assert!(attested::pcrs(&attested) == pcrs());
    assert!(attested::pcr8(&attested) == &option::some(filled(8, 48)));
}

#[test, expected_failure(abort_code = k3s_daas::attested::ENoPublicKey)]
fun a_document_without_a_key_is_refused() { read(option::none(), option::some(vectors::claims()), vector[0, 1, 2], three()); }

#[test, expected_failure(abort_code = k3s_daas::attested::ENoUserData)]
fun a_document_without_claims_is_refused() { read(option::some(vectors::instance_key()), option::none(), vector[0, 1, 2], three()); }

#[test, expected_failure(abort_code = k3s_daas::signatures::EKeyLength)]
fun a_longer_key_is_refused() { read(option::some(filled(1, 33)), option::some(vectors::claims()), vector[0, 1, 2], three()); }

#[test, expected_failure(abort_code = k3s_daas::signatures::EWeakKey)]
fun a_weak_key_is_refused() { read(option::some(filled(0, 32)), option::some(vectors::claims()), vector[0, 1, 2], three()); }

#[test, expected_failure(abort_code = k3s_daas::attested::EClaimsLength)]
fun shorter_claims_are_refused() { with_claims(vectors::short_claims()); }

#[test, expected_failure(abort_code = k3s_daas::attested::EClaimsLength)]
fun longer_claims_are_refused() { with_claims(vectors::long_claims()); }

#[test, expected_failure(abort_code = k3s_daas::attested::EClaimsVersion)]
fun claims_of_another_version_are_refused() { with_claims(vectors::claims_of_version_2()); }

#[test, expected_failure(abort_code = k3s_daas::attested::EOtherCluster)]
fun claims_of_another_cluster_are_refused() { with_claims(vectors::claims_of_other_cluster()); }

#[test, expected_failure(abort_code = k3s_daas::attested::EPcrMissing)]
fun a_missing_pcr_is_refused() { with_pcrs(vector[0, 1, 3], three()); }

#[test, expected_failure(abort_code = k3s_daas::attested::EPcrMissing)]
fun a_pcr_that_stands_twice_is_refused() {
    with_pcrs(vector[0, 1, 2, 2], vector[filled(1, 48), filled(2, 48), filled(3, 48), filled(3, 48)]);
}

#[test, expected_failure(abort_code = k3s_daas::measurements::EZeroPcr)]
fun a_debug_document_is_refused() { with_pcrs(vector[0, 1, 2], vector[filled(1, 48), filled(0, 48), filled(3, 48)]); }

#[test, expected_failure(abort_code = k3s_daas::measurements::EPcrLength)]
fun a_short_pcr_is_refused() { with_pcrs(vector[0, 1, 2], vector[filled(1, 48), filled(2, 32), filled(3, 48)]); }
