#[test_only]
module k3s_daas::settings_tests;

use k3s_daas::fixture::{cluster, filled, finish};
use k3s_daas::cluster;
use k3s_daas::settings;
use k3s_daas::vectors;
use std::string;

const NEVER: u64 = 0xdead;

#[test]
fun every_setting_at_its_bounds() {
    let (mut cluster, cap, clock) = cluster();
    cluster::set_minimum_stake(&mut cluster, &cap, 0, 1);
    cluster::set_minimum_stake(&mut cluster, &cap, 2, 18_446_744_073_709_551_615);
    cluster::set_tier_open(&mut cluster, &cap, 0, true);
    cluster::set_unbonding(&mut cluster, &cap, 0);
    cluster::set_unbonding(&mut cluster, &cap, 7_776_000_000);
    cluster::set_max_workers(&mut cluster, &cap, 0);
    cluster::set_slash_share(&mut cluster, &cap, 0);
    cluster::set_slash_share(&mut cluster, &cap, 10_000);
    cluster::set_treasury(&mut cluster, &cap, @0xE);
    cluster::set_offence(&mut cluster, &cap, 0, 2, 10_000);
    cluster::set_offence(&mut cluster, &cap, 1, 1, 0);
    cluster::set_offence(&mut cluster, &cap, 2, 1, 0);
    cluster::set_heartbeat_limit(&mut cluster, &cap, 1_000);
    cluster::set_heartbeat_limit(&mut cluster, &cap, 86_400_000);
    cluster::set_freshness(&mut cluster, &cap, 1_000, 1_000);
    cluster::set_freshness(&mut cluster, &cap, 10_800_000, 604_800_000);
    cluster::set_config_pin(&mut cluster, &cap, option::some(filled(1, 32)));
    cluster::set_config_pin(&mut cluster, &cap, option::none());
    cluster::set_endpoints(&mut cluster, &cap, string::utf8(b"a:1"), string::utf8(b"b:2"), string::utf8(b"c:3"));
    cluster::set_release_delay(&mut cluster, &cap, 1);
    cluster::set_release_delay(&mut cluster, &cap, 7_776_000_000);
    let settings = cluster::settings(&cluster);
    assert!(settings::minimum_stake(settings, 0) == 1 && settings::minimum_stake(settings, 1) == 1_000_000_000);
    assert!(settings::minimum_stake(settings, 2) == 18_446_744_073_709_551_615);
    assert!(settings::is_tier_open(settings, 0) && settings::is_tier_open(settings, 1) && !settings::is_tier_open(settings, 2));
    assert!(settings::unbonding_ms(settings) == 7_776_000_000 && settings::max_workers(settings) == 0);
    assert!(settings::treasury(settings) == @0xE && settings::slash_share_bps(settings) == 10_000);
    assert!(settings::registration_ms(settings) == 604_800_000);
    // Twenty-one changes and the creation, one event each.
    assert!(sui::event::num_events() == 22);
    finish(cluster, cap, clock)
}

#[test, expected_failure(abort_code = k3s_daas::settings::ETier)]
fun there_is_no_fourth_tier() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_minimum_stake(&mut cluster, &cap, 3, 1);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::ETier)]
fun there_is_no_fourth_tier_to_open() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_tier_open(&mut cluster, &cap, 3, true);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::EMinimumStake)]
fun a_place_costs_something() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_minimum_stake(&mut cluster, &cap, 1, 0);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::EUnbonding)]
fun unbonding_takes_at_most_90_days() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_unbonding(&mut cluster, &cap, 7_776_000_001);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::EShare)]
fun a_slash_share_is_at_most_the_whole() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_slash_share(&mut cluster, &cap, 10_001);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::EShare)]
fun an_offences_share_is_at_most_the_whole() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_offence(&mut cluster, &cap, 0, 2, 10_001);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::ETreasury)]
fun the_treasury_is_not_the_zero_address() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_treasury(&mut cluster, &cap, @0x0);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::ETreasury)]
fun no_cluster_is_made_without_a_treasury() {
    let nowhere = string::utf8(b"");
    let (_cluster, _cap) = cluster::new(string::utf8(b"c"), nowhere, nowhere, nowhere, @0x0, &mut k3s_daas::fixture::by(@0xA, 1));
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::EOffence)]
fun there_is_no_fourth_offence() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_offence(&mut cluster, &cap, 3, 0, 0);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::EAction)]
fun there_is_no_fourth_consequence() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_offence(&mut cluster, &cap, 0, 3, 0);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::ESilenceSlashes)]
fun silence_never_slashes() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_offence(&mut cluster, &cap, 2, 2, 1);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::EActionShare)]
fun a_slash_has_a_share() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_offence(&mut cluster, &cap, 0, 2, 0);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::EActionShare)]
fun an_ejection_has_no_share() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_offence(&mut cluster, &cap, 0, 1, 1);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::EHeartbeatLimit)]
fun the_heartbeat_limit_is_not_zero() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_heartbeat_limit(&mut cluster, &cap, 999);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::EHeartbeatLimit)]
fun the_heartbeat_limit_is_at_most_a_day() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_heartbeat_limit(&mut cluster, &cap, 86_400_001);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::EDocumentAge)]
fun documents_are_at_most_three_hours_old() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_freshness(&mut cluster, &cap, 10_800_001, 1_000);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::ERegistrationTime)]
fun registrations_live_at_most_seven_days() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_freshness(&mut cluster, &cap, 1_000, 604_800_001);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::EConfigHash)]
fun a_config_pin_is_a_sha256() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_config_pin(&mut cluster, &cap, option::some(filled(1, 31)));
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::EDelayShorter)]
fun the_release_delay_only_grows() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_release_delay(&mut cluster, &cap, 10);
    cluster::set_release_delay(&mut cluster, &cap, 10);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::EDelayTooLong)]
fun the_release_delay_is_at_most_90_days() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_release_delay(&mut cluster, &cap, 7_776_000_001);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::ETooManyAuditors)]
fun there_are_at_most_32_auditors() {
    let (mut cluster, cap, _clock) = cluster();
    let mut auditors = vector[];
    let mut i = 1;
    while (i <= 33) {
        vector::push_back(&mut auditors, filled(i, 32));
        i = i + 1;
    };
    cluster::set_auditors(&mut cluster, &cap, auditors, 1, vector[], vector[]);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::EAuditorTwice)]
fun an_auditor_counts_once() {
    let (mut cluster, cap, _clock) = cluster();
    let auditor = vectors::auditor_a_key();
    cluster::set_auditors(&mut cluster, &cap, vector[auditor, auditor], 1, vector[], vector[]);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::EThreshold)]
fun the_threshold_is_at_most_the_number_of_auditors() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_auditors(&mut cluster, &cap, vector[vectors::auditor_a_key()], 2, vector[], vector[]);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::settings::EThreshold)]
fun auditors_without_a_threshold_are_no_auditors() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_auditors(&mut cluster, &cap, vector[vectors::auditor_a_key()], 0, vector[], vector[]);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::signatures::EWeakKey)]
fun an_auditors_key_is_not_weak() {
    let (mut cluster, cap, _clock) = cluster();
    cluster::set_auditors(&mut cluster, &cap, vector[filled(0, 32)], 1, vector[], vector[]);
    abort NEVER
}
