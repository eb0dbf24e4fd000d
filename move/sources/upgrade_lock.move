/// A delay before the package can change, or no change at all: users see an upgrade coming and can leave first.
module k3s_daas::upgrade_lock;

use k3s_daas::arithmetic;
use sui::clock::{Self, Clock};
use sui::event;
use sui::package::{Self, UpgradeCap, UpgradeReceipt, UpgradeTicket};

/// The delay is zero or above 90 days: choose another.
const EDelay: u64 = 1;
/// The sender does not own the lock.
const ENotOwner: u64 = 2;
/// The digest is not 32 bytes long: give the new package's digest.
const EDigestLength: u64 = 3;
/// No upgrade is proposed: propose one first.
const ENothingProposed: u64 = 4;
/// The delay has not passed yet: wait until the proposal is ready.
const ETooEarly: u64 = 5;

const MAX_DELAY_MS: u64 = 90 * 86_400_000;
const DIGEST_LENGTH: u64 = 32;

public struct UpgradeLock has key {
    id: UID,
    owner: address,
    cap: UpgradeCap,
    delay_ms: u64,
    pending: Option<Pending>,
}

public struct Pending has copy, drop, store { digest: vector<u8>, ready_at_ms: u64 }

public struct Locked has copy, drop { lock: ID, owner: address, package: ID, delay_ms: u64 }

public struct Proposed has copy, drop { lock: ID, digest: vector<u8>, ready_at_ms: u64 }

public struct Authorized has copy, drop { lock: ID, digest: vector<u8> }

public struct Committed has copy, drop { lock: ID, package: ID, version: u64 }

public struct Frozen has copy, drop { lock: ID, package: ID }

/// There is no way back: the cap leaves the lock only by `make_immutable`.
public fun lock(cap: UpgradeCap, delay_ms: u64, ctx: &mut TxContext) {
    transfer::share_object(new(cap, delay_ms, ctx))
}

/// Replaces what was proposed before; the delay begins anew.
public fun propose(lock: &mut UpgradeLock, digest: vector<u8>, clock: &Clock, ctx: &TxContext) {
    check_owner(lock, ctx);
    assert!(vector::length(&digest) == DIGEST_LENGTH, EDigestLength);
    let ready_at_ms = arithmetic::later(clock::timestamp_ms(clock), lock.delay_ms);
    lock.pending = option::some(Pending { digest, ready_at_ms });
    event::emit(Proposed { lock: id(lock), digest, ready_at_ms })
}

/// The ticket is used up by the upgrade in the same transaction, and its receipt by `commit`.
public fun authorize(lock: &mut UpgradeLock, clock: &Clock, ctx: &TxContext): UpgradeTicket {
    check_owner(lock, ctx);
    assert!(option::is_some(&lock.pending), ENothingProposed);
    let Pending { digest, ready_at_ms } = *option::borrow(&lock.pending);
    assert!(clock::timestamp_ms(clock) >= ready_at_ms, ETooEarly);
    lock.pending = option::none();
    event::emit(Authorized { lock: id(lock), digest });
    let policy = package::upgrade_policy(&lock.cap);
    package::authorize_upgrade(&mut lock.cap, policy, digest)
}

public fun commit(lock: &mut UpgradeLock, receipt: UpgradeReceipt) {
    package::commit_upgrade(&mut lock.cap, receipt);
    event::emit(Committed {
        lock: id(lock),
        package: package::upgrade_package(&lock.cap),
        version: package::version(&lock.cap),
    })
}

/// No upgrade ever again.
public fun make_immutable(lock: UpgradeLock, ctx: &TxContext) {
    check_owner(&lock, ctx);
    event::emit(Frozen { lock: id(&lock), package: package::upgrade_package(&lock.cap) });
    let UpgradeLock { id, owner: _, cap, delay_ms: _, pending: _ } = lock;
    package::make_immutable(cap);
    object::delete(id)
}

fun new(cap: UpgradeCap, delay_ms: u64, ctx: &mut TxContext): UpgradeLock {
    assert!(delay_ms > 0 && delay_ms <= MAX_DELAY_MS, EDelay);
    let owner = tx_context::sender(ctx);
    let lock = UpgradeLock { id: object::new(ctx), owner, cap, delay_ms, pending: option::none() };
    event::emit(Locked { lock: id(&lock), owner, package: package::upgrade_package(&lock.cap), delay_ms });
    lock
}

fun id(lock: &UpgradeLock): ID { object::uid_to_inner(&lock.id) }

fun check_owner(lock: &UpgradeLock, ctx: &TxContext) {
    assert!(lock.owner == tx_context::sender(ctx), ENotOwner)
}

#[test_only]
public fun new_for_testing(cap: UpgradeCap, delay_ms: u64, ctx: &mut TxContext): UpgradeLock { new(cap, delay_ms, ctx) }
