#[test_only]
module k3s_daas::labels_tests;

use k3s_daas::labels;
use std::string;

fun check(node_id: vector<u8>) { labels::check_node_id_for_testing(node_id) }

fun long_endpoint(host: u64): vector<u8> {
    let mut text = k3s_daas::fixture::filled(97, host);
    vector::append(&mut text, b":65535");
    text
}

fun endpoint(text: vector<u8>) { labels::check_endpoint(&string::utf8(text)) }

#[test]
fun a_node_is_named_after_its_stake() {
    let id = object::id_from_address(@0x0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef);
    assert!(labels::node_name(&string::utf8(b"gpu-1"), id) == string::utf8(b"gpu-1-01234567"));
}

#[test]
fun the_shortest_and_the_longest_node_id() {
    check(b"a");
    check(b"abcdefghijklmnopqrstuvwxyz-0123456789-abcdefghijklmnop");
}

#[test, expected_failure(abort_code = k3s_daas::labels::ENodeIdLength)]
fun a_node_id_is_not_empty() { check(b"") }

#[test, expected_failure(abort_code = k3s_daas::labels::ENodeIdLength)]
fun a_node_id_has_at_most_54_characters() { check(b"abcdefghijklmnopqrstuvwxyz-0123456789-abcdefghijklmnopq") }

#[test, expected_failure(abort_code = k3s_daas::labels::ENodeIdCharacter)]
fun an_ipv4_address_is_no_node_id() { check(b"10.42.3.7") }

#[test, expected_failure(abort_code = k3s_daas::labels::ENodeIdCharacter)]
fun an_ipv6_address_is_no_node_id() { check(b"fe80::1") }

#[test, expected_failure(abort_code = k3s_daas::labels::ENodeIdCharacter)]
fun upper_case_is_no_node_id() { check(b"Worker") }

#[test, expected_failure(abort_code = k3s_daas::labels::ENodeIdDash)]
fun a_node_id_does_not_begin_with_a_dash() { check(b"-a") }

#[test, expected_failure(abort_code = k3s_daas::labels::ENodeIdDash)]
fun a_node_id_does_not_end_with_a_dash() { check(b"a-") }

#[test, expected_failure(abort_code = k3s_daas::labels::ENodeIdNoLetter)]
fun digits_and_dashes_are_no_node_id() { check(b"10-42-3-7") }

#[test, expected_failure(abort_code = k3s_daas::labels::ENodeIdReserved)]
fun localhost_is_no_node_id() { check(b"localhost") }

#[test]
fun good_endpoints() {
    endpoint(b"");
    endpoint(b"a:1");
    endpoint(b"api.example.com:65535");
    endpoint(b"[2001:db8::1]:6443");
}

#[test, expected_failure(abort_code = k3s_daas::labels::EEndpoint)]
fun an_endpoint_has_a_port() { endpoint(b"api.example.com") }

#[test, expected_failure(abort_code = k3s_daas::labels::EEndpoint)]
fun an_endpoint_has_a_host() { endpoint(b":6443") }

#[test]
fun the_longest_endpoint() { endpoint(long_endpoint(255)) }

#[test, expected_failure(abort_code = k3s_daas::labels::EEndpoint)]
fun an_endpoint_has_at_most_261_characters() { endpoint(long_endpoint(256)) }

#[test, expected_failure(abort_code = k3s_daas::labels::EEndpoint)]
fun an_endpoint_names_its_port() { endpoint(b"a:") }

#[test, expected_failure(abort_code = k3s_daas::labels::EEndpoint)]
fun a_port_has_at_most_five_digits() { endpoint(b"a:006443") }

#[test, expected_failure(abort_code = k3s_daas::labels::EEndpoint)]
fun port_zero_is_none() { endpoint(b"a:0") }

#[test, expected_failure(abort_code = k3s_daas::labels::EEndpoint)]
fun port_65536_is_none() { endpoint(b"a:65536") }

#[test, expected_failure(abort_code = k3s_daas::labels::EEndpoint)]
fun a_port_is_decimal() { endpoint(b"a:64x3") }

#[test, expected_failure(abort_code = k3s_daas::labels::EEndpoint)]
fun an_endpoint_has_no_path() { endpoint(b"a/b:1") }

#[test, expected_failure(abort_code = k3s_daas::labels::ETextLength)]
fun a_text_may_be_too_short() { labels::check_text(&string::utf8(b""), 1, 2) }

#[test, expected_failure(abort_code = k3s_daas::labels::ETextLength)]
fun a_text_may_be_too_long() { labels::check_text(&string::utf8(b"abc"), 1, 2) }

#[test, expected_failure(abort_code = k3s_daas::labels::ETextCharacter)]
fun a_text_has_no_control_character() { labels::check_text(&string::utf8(b"a\n"), 1, 2) }
