#[test_only]
module k3s_daas::signatures_tests;

use k3s_daas::fixture::filled;
use k3s_daas::signatures;
use k3s_daas::vectors;

fun high_bit(mut key: vector<u8>): vector<u8> {
    let last = &mut key[31];
    *last = *last | 128;
    key
}

#[test]
fun a_signature_counts_for_its_kind_key_and_message_only() {
    let (message, key, signature) = (vectors::true_statement(), vectors::session_key(), vectors::signed_truth());
    assert!(signatures::is_signed(b"statement", message, &key, &signature));
    assert!(!signatures::is_signed(b"evidence", message, &key, &signature));
    assert!(!signatures::is_signed(b"statement", vectors::statement_of_other_name(), &key, &signature));
    assert!(!signatures::is_signed(b"statement", message, &vectors::next_session_key(), &signature));
    assert!(!signatures::is_signed(b"statement", message, &filled(1, 31), &signature));
    assert!(!signatures::is_signed(b"statement", message, &key, &filled(1, 63)));
}

#[test]
fun keys_of_this_test_are_good() { signatures::check_key(&vectors::session_key()) }

#[test, expected_failure(abort_code = k3s_daas::signatures::EKeyLength)]
fun a_short_key_is_refused() { signatures::check_key(&filled(7, 31)) }

#[test, expected_failure(abort_code = k3s_daas::signatures::EKeyLength)]
fun a_long_key_is_refused() { signatures::check_key(&filled(7, 33)) }

#[test, expected_failure(abort_code = k3s_daas::signatures::EWeakKey)]
fun the_zero_key_is_refused() { signatures::check_key(&filled(0, 32)) }

#[test, expected_failure(abort_code = k3s_daas::signatures::EWeakKey)]
fun the_identity_is_refused() { signatures::check_key(&x"0100000000000000000000000000000000000000000000000000000000000000") }

#[test, expected_failure(abort_code = k3s_daas::signatures::EWeakKey)]
fun a_point_of_order_eight_is_refused_with_either_sign() {
    signatures::check_key(&high_bit(x"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
}

#[test, expected_failure(abort_code = k3s_daas::signatures::EWeakKey)]
fun the_other_point_of_order_eight_is_refused() {
    signatures::check_key(&x"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
}

#[test, expected_failure(abort_code = k3s_daas::signatures::EWeakKey)]
fun a_non_canonical_identity_is_refused() {
    signatures::check_key(&x"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")
}

#[test, expected_failure(abort_code = k3s_daas::signatures::EWeakKey)]
fun the_point_of_order_two_is_refused() {
    signatures::check_key(&x"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")
}

#[test, expected_failure(abort_code = k3s_daas::signatures::EWeakKey)]
fun a_non_canonical_zero_is_refused() {
    signatures::check_key(&x"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")
}
