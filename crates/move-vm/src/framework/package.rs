//! `0x2::package`: upgrade capabilities. Publishers need one-time witnesses and are not here.

use sui_sdk_types::Address;

use super::{
    Functions,
    call::{abort, abort_in, mistyped, nothing, one},
    object::delete,
};
use crate::{
    interpreter::{Call, NativeResult, Stop},
    value::{PlaceMut, Repr, walk_mut},
};

const TOO_PERMISSIVE: u64 = 1;
const ALREADY_AUTHORIZED: u64 = 2;
const NOT_AUTHORIZED: u64 = 3;
const WRONG_CAP: u64 = 4;
const COMPATIBLE: u8 = 0;
const ADDITIVE: u8 = 128;
const DEPENDENCIES_ONLY: u8 = 192;

pub(super) const FUNCTIONS: Functions = &[
    ("upgrade_package", |c| c.read_field(&[1])),
    ("version", |c| c.read_field(&[2])),
    ("upgrade_policy", |c| c.read_field(&[3])),
    ("ticket_package", |c| c.read_field(&[1])),
    ("ticket_policy", |c| c.read_field(&[2])),
    ("ticket_digest", |c| c.borrow(&[3])),
    ("receipt_cap", |c| c.read_field(&[0])),
    ("receipt_package", |c| c.read_field(&[1])),
    ("compatible_policy", |_| one(Repr::U8(COMPATIBLE))),
    ("additive_policy", |_| one(Repr::U8(ADDITIVE))),
    ("dep_only_policy", |_| one(Repr::U8(DEPENDENCIES_ONLY))),
    ("only_additive_upgrades", |c| restrict(c, ADDITIVE)),
    ("only_dep_upgrades", |c| restrict(c, DEPENDENCIES_ONLY)),
    ("make_immutable", |c| {
        let cap = c.take(0)?;
        delete(c, cap.get(&[0]).ok_or_else(mistyped)?)?;
        nothing()
    }),
    ("authorize_upgrade", |c| {
        let (policy, digest) = (c.u8(1)?, c.take(2)?);
        let cap = cap(c)?;
        if *cap.package == Address::ZERO {
            return Err(abort(ALREADY_AUTHORIZED));
        }
        if policy < *cap.policy {
            return Err(abort(TOO_PERMISSIVE));
        }
        let (id, package) = (cap.id, std::mem::replace(cap.package, Address::ZERO));
        let id_type = c.machine.types.field(c.returns(0)?, 0)?;
        let id_of = |address| Repr::Struct(id_type, 0, Box::new([Repr::Address(address)]));
        c.result_struct(vec![id_of(id), id_of(package), Repr::U8(policy), digest])
    }),
    ("commit_upgrade", |c| {
        let receipt = c.take(1)?;
        let (Some(Repr::Address(of)), Some(Repr::Address(package))) = (receipt.get(&[0, 0]), receipt.get(&[1, 0]))
        else {
            return Err(mistyped());
        };
        let cap = cap(c)?;
        if cap.id != *of {
            return Err(abort(WRONG_CAP));
        }
        if *cap.package != Address::ZERO {
            return Err(abort(NOT_AUTHORIZED));
        }
        *cap.version = cap.version.checked_add(1).ok_or(crate::Fault::Arithmetic)?;
        *cap.package = *package;
        nothing()
    }),
];

struct Cap<'c> {
    id: Address,
    package: &'c mut Address,
    version: &'c mut u64,
    policy: &'c mut u8,
}

fn cap<'c>(c: &'c mut Call<'_, '_>) -> Result<Cap<'c>, Stop> {
    let Repr::Struct(_, _, fields) = c.referent_mut(0)? else { return Err(mistyped()) };
    let [id, package, Repr::U64(version), Repr::U8(policy)] = &mut **fields else { return Err(mistyped()) };
    match (id.get(&[0, 0]), walk_mut(package, &[0])) {
        (Some(Repr::Address(id)), Some(PlaceMut::Value(Repr::Address(package)))) => {
            Ok(Cap { id: *id, package, version, policy })
        }
        _ => Err(mistyped()),
    }
}

fn restrict(c: &mut Call<'_, '_>, policy: u8) -> NativeResult {
    let cap = cap(c)?;
    if *cap.policy > policy {
        return Err(abort_in(2, "package", "restrict", TOO_PERMISSIVE));
    }
    *cap.policy = policy;
    nothing()
}
