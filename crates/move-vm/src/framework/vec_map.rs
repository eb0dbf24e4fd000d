//! `0x2::vec_map`

use smallvec::smallvec;

use super::{
    Functions,
    call::{abort, abort_in, mistyped, nothing, one},
};
use crate::{
    interpreter::{Call, NativeResult, Stop},
    types::Type,
    value::{Reference, Repr},
};

const KEY_EXISTS: u64 = 0;
const KEY_MISSING: u64 = 1;
const NOT_EMPTY: u64 = 2;
const INDEX: u64 = 3;
const EMPTY: u64 = 4;

pub(super) const FUNCTIONS: Functions = &[
    ("empty", |c| {
        let contents = c.machine.types.field(c.returns(0)?, 0)?;
        c.result_struct(vec![Repr::Vector(contents, Vec::new())])
    }),
    ("insert", |c| {
        let (key, value) = (c.take(1)?, c.take(2)?);
        if position(c, &key)?.is_some() {
            return Err(abort(KEY_EXISTS));
        }
        let contents = c.part(0, &[0])?;
        let entry = c.machine.types.element(contents.type_)?;
        c.machine.push_back(&contents, Repr::Struct(entry, 0, Box::new([key, value])))?;
        nothing()
    }),
    ("remove", |c| {
        let index = found(c)?;
        pair(entries_mut(c)?.remove(index))
    }),
    ("pop", |c| match entries_mut(c)?.pop() {
        Some(entry) => pair(entry),
        None => Err(abort(EMPTY)),
    }),
    ("get", get),
    ("get_mut", get),
    ("try_get", |c| {
        let key = key(c)?;
        let Some(index) = position(c, &key)? else { return c.result_option(None) };
        let value = entry_part(c, index, 1)?;
        let value = c.machine.read(&value)?;
        c.result_option(Some(value))
    }),
    ("contains", |c| {
        let key = key(c)?;
        one(Repr::Bool(position(c, &key)?.is_some()))
    }),
    ("length", |c| one(Repr::U64(entries(c)?.len() as u64))),
    ("size", |c| one(Repr::U64(entries(c)?.len() as u64))),
    ("is_empty", |c| one(Repr::Bool(entries(c)?.is_empty()))),
    ("destroy_empty", |c| match c.take(0)?.get(&[0]) {
        Some(Repr::Vector(_, items)) if items.is_empty() => nothing(),
        _ => Err(abort(NOT_EMPTY)),
    }),
    ("keys", |c| {
        c.machine.allocate(entries(c)?.iter().map(Repr::weight).sum())?;
        let keys = entries(c)?.iter().filter_map(|e| e.get(&[0]).cloned()).collect();
        one(c.machine.make_vector(c.returns(0)?, keys)?)
    }),
    ("into_keys_values", |c| {
        let Repr::Struct(_, _, mut fields) = c.take(0)? else { return Err(mistyped()) };
        let Some(Repr::Vector(_, items)) = fields.first_mut() else { return Err(mistyped()) };
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        for entry in items.drain(..) {
            let Repr::Struct(_, _, parts) = entry else { return Err(mistyped()) };
            let Ok([key, value]) = <[Repr; 2]>::try_from(parts.into_vec()) else { return Err(mistyped()) };
            keys.push(key);
            values.push(value);
        }
        let keys = c.machine.make_vector(c.returns(0)?, keys)?;
        Ok(smallvec![keys, c.machine.make_vector(c.returns(1)?, values)?])
    }),
    ("get_idx_opt", |c| {
        let key = key(c)?;
        let index = position(c, &key)?;
        c.result_option(index.map(|i| Repr::U64(i as u64)))
    }),
    ("get_idx", |c| one(Repr::U64(found(c)? as u64))),
    ("get_entry_by_idx", entry_by_index),
    ("get_entry_by_idx_mut", entry_by_index),
    ("remove_entry_by_idx", |c| {
        let index = c.u64(1)?;
        if index >= entries(c)?.len() as u64 {
            return Err(abort(INDEX));
        }
        pair(entries_mut(c)?.remove(index as usize))
    }),
];

fn entries<'c>(c: &'c Call<'_, '_>) -> Result<&'c [Repr], Stop> {
    match c.referent(0)?.get(&[0]) {
        Some(Repr::Vector(_, items)) => Ok(items),
        _ => Err(mistyped()),
    }
}

fn entries_mut<'c>(c: &'c mut Call<'_, '_>) -> Result<&'c mut Vec<Repr>, Stop> {
    match c.referent_mut(0)? {
        Repr::Struct(_, _, fields) => match fields.first_mut() {
            Some(Repr::Vector(_, items)) => Ok(items),
            _ => Err(mistyped()),
        },
        _ => Err(mistyped()),
    }
}

/// A copy of the key referred to by the second argument; keys have `copy`.
fn key(c: &mut Call<'_, '_>) -> Result<Repr, Stop> {
    let key = c.reference(1)?;
    Ok(c.machine.read(&key)?)
}

fn position(c: &mut Call<'_, '_>, key: &Repr) -> Result<Option<usize>, Stop> {
    let work = (entries(c)?.len() as u64).saturating_mul(key.weight() + 1);
    c.machine.spend(work)?;
    Ok(entries(c)?.iter().position(|entry| entry.get(&[0]) == Some(key)))
}

fn found(c: &mut Call<'_, '_>) -> Result<usize, Stop> {
    let key = key(c)?;
    position(c, &key)?.ok_or_else(|| abort_in(2, "vec_map", "get_idx", KEY_MISSING))
}

fn get(c: &mut Call<'_, '_>) -> NativeResult {
    let index = found(c)?;
    one(Repr::Reference(Box::new(entry_part(c, index, 1)?)))
}

fn entry_by_index(c: &mut Call<'_, '_>) -> NativeResult {
    let index = c.u64(1)?;
    if index >= entries(c)?.len() as u64 {
        return Err(abort(INDEX));
    }
    let map = c.reference(0)?;
    c.arguments[0] = Repr::Reference(Box::new(map.clone()));
    let mut key = entry_part(c, index as usize, 0)?;
    key.mutable = false;
    c.arguments[0] = Repr::Reference(Box::new(map));
    let value = entry_part(c, index as usize, 1)?;
    Ok(smallvec![Repr::Reference(Box::new(key)), Repr::Reference(Box::new(value))])
}

fn entry_part(c: &mut Call<'_, '_>, index: usize, part: u32) -> Result<Reference, Stop> {
    let contents = c.part(0, &[0])?;
    let entry = c.machine.types.element(contents.type_)?;
    let field = c.machine.types.field(entry, part as usize)?;
    let last = c.function.returns.last().copied().ok_or_else(mistyped)?;
    let mutable = contents.mutable && matches!(c.machine.types.get(last), Type::MutableReference(_));
    Ok(contents.part(index as u32, entry, mutable).part(part, field, mutable))
}

fn pair(entry: Repr) -> NativeResult {
    match entry {
        Repr::Struct(_, _, fields) => Ok(fields.into_vec().into()),
        _ => Err(mistyped()),
    }
}
