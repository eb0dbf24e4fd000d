/// No function of the operator's opens to the admin cap of another cluster.
#[test_only]
module k3s_daas::foreign_cap_tests;

use k3s_daas::cluster::{Self, AdminCap, Cluster};
use k3s_daas::enclave;
use k3s_daas::fixture::{by, cluster, now, operator, other_cluster, pcrs, publish, staker, stranger, token, worker};
use k3s_daas::k8s_gateway;
use k3s_daas::measurements;
use k3s_daas::staking;
use k3s_daas::vectors;
use std::string::{Self, String};
use sui::clock::Clock;

const NEVER: u64 = 0xdead;

/// A cluster with the cap of another one.
fun foreign(): (Cluster, AdminCap, Clock) {
    let (cluster, own, clock) = cluster();
    let (other, cap) = other_cluster();
    transfer::public_transfer(own, operator());
    cluster::share(other);
    (cluster, cap, clock)
}

fun nothing(): String { string::utf8(b"") }

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_sets_no_minimum_stake() {
    let (mut cluster, cap, clock) = foreign();
    let mut stake = worker(&mut cluster, &clock);
    cluster::set_minimum_stake(&mut cluster, &cap, 1, 1);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_opens_no_tier() {
    let (mut cluster, cap, _clock) = foreign();
    cluster::set_tier_open(&mut cluster, &cap, 0, true);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_sets_no_unbonding_time() {
    let (mut cluster, cap, _clock) = foreign();
    cluster::set_unbonding(&mut cluster, &cap, 1);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_sets_no_cap_on_workers() {
    let (mut cluster, cap, _clock) = foreign();
    cluster::set_max_workers(&mut cluster, &cap, 1);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_sets_no_slash_share() {
    let (mut cluster, cap, _clock) = foreign();
    cluster::set_slash_share(&mut cluster, &cap, 1);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_sets_no_treasury() {
    let (mut cluster, cap, _clock) = foreign();
    cluster::set_treasury(&mut cluster, &cap, @0xE);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_sets_no_consequence() {
    let (mut cluster, cap, _clock) = foreign();
    cluster::set_offence(&mut cluster, &cap, 0, 1, 0);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_sets_no_heartbeat_limit() {
    let (mut cluster, cap, _clock) = foreign();
    cluster::set_heartbeat_limit(&mut cluster, &cap, 1_000);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_sets_no_freshness() {
    let (mut cluster, cap, _clock) = foreign();
    cluster::set_freshness(&mut cluster, &cap, 1_000, 1_000);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_pins_no_configuration() {
    let (mut cluster, cap, _clock) = foreign();
    cluster::set_config_pin(&mut cluster, &cap, option::none());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_sets_no_endpoints() {
    let (mut cluster, cap, _clock) = foreign();
    cluster::set_endpoints(&mut cluster, &cap, nothing(), nothing(), nothing());
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_sets_no_release_delay() {
    let (mut cluster, cap, _clock) = foreign();
    cluster::set_release_delay(&mut cluster, &cap, 1);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_changes_no_auditors() {
    let (mut cluster, cap, _clock) = foreign();
    cluster::set_auditors(&mut cluster, &cap, vector[], 0, vector[], vector[]);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_grants_nothing() {
    let (mut cluster, cap, clock) = foreign();
    let mut stake = worker(&mut cluster, &clock);
    cluster::grant(&mut cluster, &cap, staker(), 2, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_takes_no_grant_back() {
    let (mut cluster, cap, _clock) = foreign();
    cluster::ungrant(&mut cluster, &cap, operator(), 0);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_publishes_no_release() {
    let (mut cluster, cap, clock) = foreign();
    publish(&mut cluster, &cap, &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_retires_no_release() {
    let (mut cluster, cap, clock) = foreign();
    measurements::retire(&mut cluster, &cap, pcrs(), now(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_revokes_no_release() {
    let (mut cluster, cap, _clock) = foreign();
    measurements::revoke(&mut cluster, &cap, pcrs(), true);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_activates_nothing() {
    let (mut cluster, cap, clock) = foreign();
    enclave::activate(&mut cluster, &cap, vectors::instance_key(), &clock);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_slashes_nothing() {
    let (mut cluster, cap, clock) = foreign();
    let mut stake = worker(&mut cluster, &clock);
    staking::slash(&mut cluster, &cap, &mut stake, 1, nothing(), &clock, &mut by(stranger(), 60));
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_suspends_nothing() {
    let (mut cluster, cap, clock) = foreign();
    let mut stake = worker(&mut cluster, &clock);
    staking::suspend(&cluster, &cap, &mut stake);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_resumes_nothing() {
    let (mut cluster, cap, clock) = foreign();
    let mut stake = worker(&mut cluster, &clock);
    staking::resume(&cluster, &cap, &mut stake);
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::cluster::EOtherAdminCap)]
fun it_revokes_no_token() {
    let (mut cluster, cap, clock) = foreign();
    let mut stake = worker(&mut cluster, &clock);
    let mut token = token(&cluster, &mut stake, &clock);
    k8s_gateway::revoke_by_admin(&cluster, &cap, &mut stake, &mut token);
    abort NEVER
}
