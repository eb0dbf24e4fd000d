//! `0x2::balance`

use super::{
    Functions,
    call::{abort, abort_in, fault_in, mistyped, nothing, one},
};
use crate::{
    Fault,
    interpreter::{Call, Stop},
    types::TypeId,
    value::Repr,
};

const NON_ZERO: u64 = 0;
const OVERFLOW: u64 = 1;
const NOT_ENOUGH: u64 = 2;

pub(super) const FUNCTIONS: Functions = &[
    ("value", |c| c.read_field(&[0])),
    ("supply_value", |c| c.read_field(&[0])),
    ("create_supply", |c| c.result_struct(vec![Repr::U64(0)])),
    ("increase_supply", |c| {
        let amount = c.u64(1)?;
        increase_supply(place(c, &[0])?, amount)?;
        c.result_struct(vec![Repr::U64(amount)])
    }),
    ("decrease_supply", |c| {
        let amount = amount(&c.take(1)?)?;
        decrease_supply(place(c, &[0])?, amount)?;
        one(Repr::U64(amount))
    }),
    ("zero", |c| c.result_struct(vec![Repr::U64(0)])),
    ("join", |c| {
        let amount = amount(&c.take(1)?)?;
        let total = join(place(c, &[0])?, amount)?;
        one(Repr::U64(total))
    }),
    ("split", |c| {
        let amount = c.u64(1)?;
        split(place(c, &[0])?, amount)?;
        c.result_struct(vec![Repr::U64(amount)])
    }),
    ("withdraw_all", |c| {
        let all = std::mem::take(place(c, &[0])?);
        c.result_struct(vec![Repr::U64(all)])
    }),
    ("destroy_zero", |c| if amount(&c.take(0)?)? == 0 { nothing() } else { Err(abort(NON_ZERO)) }),
];

/// The amount inside a `Balance`.
pub(super) fn amount(balance: &Repr) -> Result<u64, Stop> {
    match balance.get(&[0]) {
        Some(Repr::U64(value)) => Ok(*value),
        _ => Err(mistyped()),
    }
}

/// The `u64` at a path below the first argument.
pub(super) fn place<'c>(c: &'c mut Call<'_, '_>, path: &[u32]) -> Result<&'c mut u64, Stop> {
    match crate::value::walk_mut(c.referent_mut(0)?, path) {
        Some(crate::value::PlaceMut::Value(Repr::U64(value))) => Ok(value),
        _ => Err(mistyped()),
    }
}

pub(super) fn join(balance: &mut u64, amount: u64) -> Result<u64, Stop> {
    let sum = balance.checked_add(amount).ok_or_else(|| fault_in(2, "balance", "join", Fault::Arithmetic))?;
    *balance = sum;
    Ok(sum)
}

pub(super) fn split(balance: &mut u64, amount: u64) -> Result<(), Stop> {
    let rest = balance.checked_sub(amount).ok_or_else(|| abort_in(2, "balance", "split", NOT_ENOUGH))?;
    *balance = rest;
    Ok(())
}

pub(super) fn increase_supply(supply: &mut u64, amount: u64) -> Result<(), Stop> {
    // `value < u64::MAX - supply`: the last unit is never minted.
    if amount >= u64::MAX - *supply {
        return Err(abort_in(2, "balance", "increase_supply", OVERFLOW));
    }
    *supply += amount;
    Ok(())
}

pub(super) fn decrease_supply(supply: &mut u64, amount: u64) -> Result<(), Stop> {
    let rest = supply.checked_sub(amount).ok_or_else(|| abort_in(2, "balance", "decrease_supply", OVERFLOW))?;
    *supply = rest;
    Ok(())
}

pub(super) fn balance(type_: TypeId, amount: u64) -> Repr {
    Repr::Struct(type_, 0, Box::new([Repr::U64(amount)]))
}
