//! `0x2::coin`, without regulated currencies.

use super::{
    Functions,
    balance::{amount, balance, decrease_supply, increase_supply, join, place, split},
    call::{abort_in, mistyped, nothing, one},
    object::{delete, new_uid},
};
use crate::{
    Recipient,
    interpreter::{Call, Stop},
    types::TypeId,
    value::Repr,
};

pub(super) const FUNCTIONS: Functions = &[
    ("total_supply", |c| c.read_field(&[1, 0])),
    ("supply_immut", |c| c.borrow(&[1])),
    ("supply_mut", |c| c.borrow(&[1])),
    ("supply", |c| c.borrow(&[1])),
    ("treasury_into_supply", unwrap),
    ("value", |c| c.read_field(&[1, 0])),
    ("balance", |c| c.borrow(&[1])),
    ("balance_mut", |c| c.borrow(&[1])),
    ("from_balance", |c| {
        let amount = amount(&c.take(0)?)?;
        one(coin(c, c.returns(0)?, amount)?)
    }),
    ("into_balance", unwrap),
    ("take", |c| {
        let amount = c.u64(1)?;
        split(place(c, &[0])?, amount)?;
        one(coin(c, c.returns(0)?, amount)?)
    }),
    ("put", |c| {
        let (amount, id) = parts(c.take(1)?)?;
        delete(c, &id)?;
        join(place(c, &[0])?, amount)?;
        nothing()
    }),
    ("join", |c| {
        let (amount, id) = parts(c.take(1)?)?;
        delete(c, &id)?;
        join(place(c, &[1, 0])?, amount)?;
        nothing()
    }),
    ("split", |c| {
        let amount = c.u64(1)?;
        split(place(c, &[1, 0])?, amount)?;
        one(coin(c, c.returns(0)?, amount)?)
    }),
    ("zero", |c| one(coin(c, c.returns(0)?, 0)?)),
    ("destroy_zero", |c| {
        let (amount, id) = parts(c.take(0)?)?;
        delete(c, &id)?;
        if amount == 0 { nothing() } else { Err(abort_in(2, "balance", "destroy_zero", 0)) }
    }),
    ("mint", |c| {
        let amount = c.u64(1)?;
        increase_supply(place(c, &[1, 0])?, amount)?;
        one(coin(c, c.returns(0)?, amount)?)
    }),
    ("mint_balance", |c| {
        let amount = c.u64(1)?;
        increase_supply(place(c, &[1, 0])?, amount)?;
        one(balance(c.returns(0)?, amount))
    }),
    ("burn", |c| {
        let (amount, id) = parts(c.take(1)?)?;
        delete(c, &id)?;
        decrease_supply(place(c, &[1, 0])?, amount)?;
        one(Repr::U64(amount))
    }),
    ("mint_and_transfer", |c| {
        let (amount, recipient) = (c.u64(1)?, c.address(2)?);
        increase_supply(place(c, &[1, 0])?, amount)?;
        let coin_type = coin_type(c)?;
        let coin = coin(c, coin_type, amount)?;
        c.machine.transfer(&coin, Recipient::Address(recipient))?;
        nothing()
    }),
];

/// `Coin<T>` of the call's type argument.
fn coin_type(c: &mut Call<'_, '_>) -> Result<TypeId, Stop> {
    let name = sui_sdk_types::Identifier::from_static("Coin");
    let module = c.function.module;
    let definition = c.machine.types.module(module).datatype_index(&name).ok_or_else(mistyped)?;
    let arguments = std::rc::Rc::clone(&c.function.type_arguments);
    Ok(c.machine.types.intern(crate::types::Type::Datatype { module, definition, arguments })?)
}

fn coin(c: &mut Call<'_, '_>, type_: TypeId, amount: u64) -> Result<Repr, Stop> {
    let uid = new_uid(c, c.machine.types.field(type_, 0)?)?;
    let inner = balance(c.machine.types.field(type_, 1)?, amount);
    Ok(Repr::Struct(type_, 0, Box::new([uid, inner])))
}

/// Amount and `UID` of a coin.
fn parts(coin: Repr) -> Result<(u64, Repr), Stop> {
    let Repr::Struct(_, _, fields) = coin else { return Err(mistyped()) };
    match <[Repr; 2]>::try_from(fields.into_vec()) {
        Ok([id, inner]) => Ok((amount(&inner)?, id)),
        Err(_) => Err(mistyped()),
    }
}

/// Destroys an object of two fields and gives back the second.
fn unwrap(c: &mut Call<'_, '_>) -> crate::interpreter::NativeResult {
    let Repr::Struct(_, _, fields) = c.take(0)? else { return Err(mistyped()) };
    match <[Repr; 2]>::try_from(fields.into_vec()) {
        Ok([id, inner]) => {
            delete(c, &id)?;
            one(inner)
        }
        Err(_) => Err(mistyped()),
    }
}
