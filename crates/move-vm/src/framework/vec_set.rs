//! `0x2::vec_set`

use super::{
    Functions,
    call::{abort, abort_in, mistyped, nothing, one},
};
use crate::{
    interpreter::{Call, NativeResult, Stop},
    value::Repr,
};

const KEY_EXISTS: u64 = 0;
const KEY_MISSING: u64 = 1;

pub(super) const FUNCTIONS: Functions = &[
    ("empty", |c| set(c, Vec::new())),
    ("singleton", |c| {
        let key = c.take(0)?;
        set(c, vec![key])
    }),
    ("insert", |c| {
        let key = c.take(1)?;
        if position(c, &key)?.is_some() {
            return Err(abort(KEY_EXISTS));
        }
        let contents = c.part(0, &[0])?;
        c.machine.push_back(&contents, key)?;
        nothing()
    }),
    ("remove", |c| {
        let key = key(c)?;
        let Some(index) = position(c, &key)? else { return Err(abort(KEY_MISSING)) };
        match c.referent_mut(0)? {
            Repr::Struct(_, _, fields) => match fields.first_mut() {
                Some(Repr::Bytes(bytes)) => drop(bytes.remove(index)),
                Some(Repr::Vector(_, items)) => drop(items.remove(index)),
                _ => return Err(mistyped()),
            },
            _ => return Err(mistyped()),
        }
        nothing()
    }),
    ("contains", |c| {
        let key = key(c)?;
        one(Repr::Bool(position(c, &key)?.is_some()))
    }),
    ("length", |c| one(Repr::U64(length(c)?))),
    ("size", |c| one(Repr::U64(length(c)?))),
    ("is_empty", |c| one(Repr::Bool(length(c)? == 0))),
    ("keys", |c| c.borrow(&[0])),
    ("into_keys", |c| match c.take(0)? {
        Repr::Struct(_, _, fields) => one(fields.into_vec().pop().ok_or_else(mistyped)?),
        _ => Err(mistyped()),
    }),
    ("from_keys", |c| {
        let keys = match c.take(0)? {
            Repr::Bytes(bytes) => bytes.into_iter().map(Repr::U8).collect(),
            Repr::Vector(_, items) => items,
            _ => return Err(mistyped()),
        };
        c.machine.spend((keys.len() as u64).saturating_mul(keys.len() as u64) / 4)?;
        if keys.iter().enumerate().any(|(i, key)| keys[..i].contains(key)) {
            return Err(abort_in(2, "vec_set", "insert", KEY_EXISTS));
        }
        set(c, keys)
    }),
];

fn set(c: &mut Call<'_, '_>, keys: Vec<Repr>) -> NativeResult {
    c.machine.allocate(keys.len() as u64)?;
    let contents = c.machine.types.field(c.returns(0)?, 0)?;
    let contents = c.machine.make_vector(contents, keys)?;
    c.result_struct(vec![contents])
}

fn length(c: &Call<'_, '_>) -> Result<u64, Stop> {
    match c.referent(0)?.get(&[0]) {
        Some(Repr::Bytes(bytes)) => Ok(bytes.len() as u64),
        Some(Repr::Vector(_, items)) => Ok(items.len() as u64),
        _ => Err(mistyped()),
    }
}

fn key(c: &mut Call<'_, '_>) -> Result<Repr, Stop> {
    let key = c.reference(1)?;
    Ok(c.machine.read(&key)?)
}

fn position(c: &mut Call<'_, '_>, key: &Repr) -> Result<Option<usize>, Stop> {
    let work = length(c)?.saturating_mul(key.weight());
    c.machine.spend(work)?;
    match (c.referent(0)?.get(&[0]), key) {
        (Some(Repr::Bytes(bytes)), Repr::U8(byte)) => Ok(bytes.iter().position(|b| b == byte)),
        (Some(Repr::Vector(_, items)), key) => Ok(items.iter().position(|item| item == key)),
        _ => Err(mistyped()),
    }
}
