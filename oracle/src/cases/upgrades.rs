use super::{Case, case};
use crate::stage::{ALICE, DAY, HOUR, OPERATOR, Stage, created};
use crate::transaction::{Transaction, Value, pure};
use Value::{Clock, Mut};
use sui_sdk_types::Address;

const M: &str = "upgrade_lock";

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(M, "a cap is locked", "ok", |s| lock_cap(s, DAY)),
        case(M, "a delay is something", "abort upgrade_lock 1", |s| lock_cap(s, 0)),
        case(M, "a delay is 90 days at most", "abort upgrade_lock 1", |s| lock_cap(s, 90 * DAY + 1)),
        case(M, "an upgrade is proposed", "ok", |s| {
            let lock = locked(s);
            propose(lock, OPERATOR, 32)
        }),
        case(M, "an upgrade is proposed anew", "ok", |s| {
            let lock = locked(s);
            s.run(&propose(lock, OPERATOR, 32));
            s.wait(HOUR);
            propose(lock, OPERATOR, 32)
        }),
        case(M, "only the owner proposes", "abort upgrade_lock 2", |s| {
            let lock = locked(s);
            propose(lock, ALICE, 32)
        }),
        case(M, "a package's digest has 32 bytes", "abort upgrade_lock 3", |s| {
            let lock = locked(s);
            propose(lock, OPERATOR, 31)
        }),
        case(M, "what was not proposed is not authorized", "abort upgrade_lock 4", |s| {
            let lock = locked(s);
            authorize(lock, OPERATOR)
        }),
        case(M, "an upgrade is not authorized early", "abort upgrade_lock 5", |s| {
            let lock = locked(s);
            s.run(&propose(lock, OPERATOR, 32));
            s.wait(DAY - 1);
            authorize(lock, OPERATOR)
        }),
        case(M, "an upgrade is authorized in time", "ok", |s| {
            let lock = locked(s);
            s.run(&propose(lock, OPERATOR, 32));
            s.wait(DAY);
            authorize(lock, OPERATOR)
        }),
        case(M, "only the owner authorizes", "abort upgrade_lock 2", |s| {
            let lock = locked(s);
            s.run(&propose(lock, OPERATOR, 32));
            s.wait(DAY);
            authorize(lock, ALICE)
        }),
        case(M, "an upgrade is committed", "ok", |s| {
            let lock = authorized(s);
            commit(lock, s.world.upgrade_cap, ALICE)
        }),
        case(M, "a receipt of another cap commits nothing", "abort package 4", |s| {
            let lock = authorized(s);
            commit(lock, OPERATOR, ALICE)
        }),
        case(M, "a lock without an authorization commits nothing", "abort package 3", |s| {
            let lock = locked(s);
            commit(lock, s.world.upgrade_cap, ALICE)
        }),
        case(M, "a lock is thrown away with its cap", "ok", |s| {
            let lock = locked(s);
            Transaction::new(OPERATOR).call(M, "make_immutable", [Mut(lock)])
        }),
        case(M, "only the owner throws the lock away", "abort upgrade_lock 2", |s| {
            let lock = locked(s);
            Transaction::new(ALICE).call(M, "make_immutable", [Mut(lock)])
        }),
    ]
}

fn lock_cap(s: &Stage, delay_ms: u64) -> Transaction {
    Transaction::new(OPERATOR).call(M, "lock", [Mut(s.world.upgrade_cap), pure(&delay_ms)])
}

fn locked(s: &mut Stage) -> Address {
    let lock = lock_cap(s, DAY);
    created(&s.run(&lock), "UpgradeLock")
}

fn authorized(s: &mut Stage) -> Address {
    let lock = locked(s);
    s.run(&propose(lock, OPERATOR, 32));
    s.wait(DAY);
    s.run(&authorize(lock, OPERATOR));
    lock
}

fn propose(lock: Address, sender: Address, length: usize) -> Transaction {
    Transaction::new(sender).call(M, "propose", [Mut(lock), pure(&vec![5u8; length]), Clock])
}

/// The ticket is left over, which only an unchecked execution lets pass: the judge has no command `Upgrade` to use it up.
fn authorize(lock: Address, sender: Address) -> Transaction {
    Transaction::new(sender).call(M, "authorize", [Mut(lock), Clock]).unchecked()
}

/// The receipt `{ cap, package }` comes as bytes, as there is no command `Upgrade` that makes one.
fn commit(lock: Address, cap: Address, package: Address) -> Transaction {
    Transaction::new(ALICE).call(M, "commit", [Mut(lock), pure(&(cap, package))]).unchecked()
}
