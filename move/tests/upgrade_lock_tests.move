#[test_only]
module k3s_daas::upgrade_lock_tests;

use k3s_daas::fixture::{by, clock, filled, now, operator, stranger};
use k3s_daas::upgrade_lock::{Self, UpgradeLock};
use sui::clock;
use sui::package;

const NEVER: u64 = 0xdead;
const DAY: u64 = 86_400_000;

fun locked(): UpgradeLock {
    let mut ctx = by(operator(), 50);
    let cap = package::test_publish(object::id_from_address(@0xCAFE), &mut ctx);
    upgrade_lock::new_for_testing(cap, DAY, &mut ctx)
}

#[test]
fun an_upgrade_is_proposed_waits_and_happens() {
    let mut lock = locked();
    let mut clock = clock();
    upgrade_lock::propose(&mut lock, filled(1, 32), &clock, &by(operator(), 51));
    clock::set_for_testing(&mut clock, now() + DAY);
    let ticket = upgrade_lock::authorize(&mut lock, &clock, &by(operator(), 52));
    upgrade_lock::commit(&mut lock, package::test_upgrade(ticket));
    upgrade_lock::make_immutable(lock, &by(operator(), 53));
    clock::destroy_for_testing(clock)
}

#[test, expected_failure(abort_code = k3s_daas::upgrade_lock::EDelay)]
fun no_delay_is_no_lock() {
    let mut ctx = by(operator(), 50);
    let cap = package::test_publish(object::id_from_address(@0xCAFE), &mut ctx);
    upgrade_lock::lock(cap, 0, &mut ctx)
}

#[test, expected_failure(abort_code = k3s_daas::upgrade_lock::EDelay)]
fun a_delay_is_at_most_90_days() {
    let mut ctx = by(operator(), 50);
    let cap = package::test_publish(object::id_from_address(@0xCAFE), &mut ctx);
    upgrade_lock::lock(cap, 90 * DAY + 1, &mut ctx)
}

#[test, expected_failure(abort_code = k3s_daas::upgrade_lock::ETooEarly)]
fun an_upgrade_does_not_happen_early() {
    let mut lock = locked();
    let mut clock = clock();
    upgrade_lock::propose(&mut lock, filled(1, 32), &clock, &by(operator(), 51));
    clock::set_for_testing(&mut clock, now() + DAY - 1);
    let _ticket = upgrade_lock::authorize(&mut lock, &clock, &by(operator(), 52));
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::upgrade_lock::ETooEarly)]
fun another_proposal_waits_anew() {
    let mut lock = locked();
    let mut clock = clock();
    upgrade_lock::propose(&mut lock, filled(1, 32), &clock, &by(operator(), 51));
    clock::set_for_testing(&mut clock, now() + DAY);
    upgrade_lock::propose(&mut lock, filled(2, 32), &clock, &by(operator(), 52));
    let _ticket = upgrade_lock::authorize(&mut lock, &clock, &by(operator(), 53));
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::upgrade_lock::ENothingProposed)]
fun one_proposal_is_one_upgrade() {
    let mut lock = locked();
    let mut clock = clock();
    upgrade_lock::propose(&mut lock, filled(1, 32), &clock, &by(operator(), 51));
    clock::set_for_testing(&mut clock, now() + DAY);
    let ticket = upgrade_lock::authorize(&mut lock, &clock, &by(operator(), 52));
    upgrade_lock::commit(&mut lock, package::test_upgrade(ticket));
    let _ticket = upgrade_lock::authorize(&mut lock, &clock, &by(operator(), 53));
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::upgrade_lock::EDigestLength)]
fun a_digest_is_32_bytes_long() {
    let mut lock = locked();
    upgrade_lock::propose(&mut lock, filled(1, 31), &clock(), &by(operator(), 51));
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::upgrade_lock::ENotOwner)]
fun a_stranger_proposes_nothing() {
    let mut lock = locked();
    let clock = clock();
    upgrade_lock::propose(&mut lock, filled(1, 32), &clock, &by(stranger(), 51));
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::upgrade_lock::ENotOwner)]
fun a_stranger_authorizes_nothing() {
    let mut lock = locked();
    let clock = clock();
    upgrade_lock::propose(&mut lock, filled(1, 32), &clock, &by(operator(), 51));
    let _ticket = upgrade_lock::authorize(&mut lock, &clock, &by(stranger(), 52));
    abort NEVER
}

#[test, expected_failure(abort_code = k3s_daas::upgrade_lock::ENotOwner)]
fun a_stranger_freezes_nothing() { upgrade_lock::make_immutable(locked(), &by(stranger(), 51)) }
