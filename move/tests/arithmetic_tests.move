#[test_only]
module k3s_daas::arithmetic_tests;

use k3s_daas::arithmetic;

const MAX: u64 = 18_446_744_073_709_551_615;

#[test]
fun shares_are_rounded_down_and_never_overflow() {
    assert!(arithmetic::share_of(10_001, 1) == 1);
    assert!(arithmetic::share_of(9_999, 1) == 0);
    assert!(arithmetic::share_of(MAX, 0) == 0);
    assert!(arithmetic::share_of(MAX, 5_000) == 9_223_372_036_854_775_807);
    assert!(arithmetic::share_of(MAX, 9_999) == 18_444_899_399_302_180_659);
    assert!(arithmetic::share_of(MAX, 10_000) == MAX);
    assert!(arithmetic::share_of(7, MAX) == 7);
}

#[test]
fun time_ends_at_the_largest_number() {
    assert!(arithmetic::later(1, 2) == 3);
    assert!(arithmetic::later(MAX, 0) == MAX);
    assert!(arithmetic::later(MAX - 1, 1) == MAX);
    assert!(arithmetic::later(MAX, 1) == MAX);
    assert!(arithmetic::later(1, MAX) == MAX);
}

#[test]
fun a_sum_fits_or_not() {
    assert!(arithmetic::fits(MAX, 0) && arithmetic::fits(0, MAX) && !arithmetic::fits(MAX, 1) && !arithmetic::fits(1, MAX));
    assert!(arithmetic::min(1, 2) == 1 && arithmetic::min(MAX, 2) == 2);
}
