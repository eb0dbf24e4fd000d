#[test_only]
module k3s_daas::terms_tests;

use k3s_daas::settings;
use k3s_daas::terms::{Self, Terms};

const MAX: u64 = 18_446_744_073_709_551_615;

fun terms(action: u8, share_bps: u64, slash_share_bps: u64): Terms {
    let mut settings = settings::new(@0xC);
    settings::set_offence(&mut settings, 0, action, share_bps);
    settings::set_slash_share(&mut settings, slash_share_bps);
    terms::of_today(&settings, 1)
}

fun expect(terms: &Terms, offence: u8, slashable: u64, can_be_ejected: bool, action: u8, amount: u64) {
    let (is, sum) = terms::consequence(terms, offence, 1_000, slashable, can_be_ejected);
    assert!(is == action && sum == amount)
}

#[test]
fun consequences_are_done_as_far_as_they_can_be() {
    expect(&terms(0, 0, 10_000), 0, 1_000, true, 0, 0);
    expect(&terms(1, 0, 10_000), 0, 1_000, true, 1, 0);
    expect(&terms(1, 0, 10_000), 0, 1_000, false, 0, 0);
    expect(&terms(2, 2_500, 10_000), 0, 1_000, true, 2, 250);
    expect(&terms(2, 2_500, 10_000), 0, 1_000, false, 2, 250);
    expect(&terms(2, 2_500, 10_000), 0, 100, true, 2, 100);
    expect(&terms(2, 2_500, 10_000), 0, 0, true, 1, 0);
    expect(&terms(2, 2_500, 10_000), 0, 0, false, 0, 0);
    expect(&terms(2, 2_500, 10_000), 1, 1_000, true, 0, 0);
}

#[test]
fun silence_never_slashes_whatever_terms_say() {
    let terms = terms::slashing_silence_for_testing(terms(2, 10_000, 10_000));
    expect(&terms, 2, 1_000, true, 1, 0);
    expect(&terms, 2, 1_000, false, 0, 0);
}

#[test]
fun slashes_share_one_bound() {
    let quarter = terms(0, 0, 2_500);
    assert!(terms::slashable(&quarter, 1_000, 0, 1_000) == 250);
    assert!(terms::slashable(&quarter, 1_000, 200, 800) == 50);
    assert!(terms::slashable(&quarter, 1_000, 250, 750) == 0);
    assert!(terms::slashable(&quarter, 1_000, 0, 0) == 0);
    assert!(terms::slashable(&terms(0, 0, 10_000), MAX, 1, MAX - 1) == MAX - 1);
    assert!(terms::slashable(&terms(0, 0, 0), MAX, 0, MAX) == 0);
}

#[test]
fun the_time_of_release_is_never_past_the_end_of_time() {
    assert!(terms::releases_at_ms(&terms(0, 0, 0), 1) == 604_800_001);
    assert!(terms::releases_at_ms(&terms(0, 0, 0), MAX) == MAX);
}
