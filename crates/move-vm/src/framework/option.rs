//! `0x1::option`

use super::{
    Functions,
    call::{abort, mistyped, nothing, one, option_into},
};
use crate::{
    interpreter::{Call, NativeResult, Stop},
    value::{Reference, Repr},
};

const IS_SET: u64 = 0x40000;
const NOT_SET: u64 = 0x40001;

pub(super) const FUNCTIONS: Functions = &[
    ("none", |c| c.result_option(None)),
    ("some", |c| {
        let value = c.take(0)?;
        c.result_option(Some(value))
    }),
    ("is_none", |c| one(Repr::Bool(!is_set(c)?))),
    ("is_some", |c| one(Repr::Bool(is_set(c)?))),
    ("contains", |c| {
        let other = c.take(1)?;
        if !is_set(c)? {
            return one(Repr::Bool(false));
        }
        let inner = Repr::Reference(Box::new(inner(c)?));
        one(Repr::Bool(c.machine.equal(&inner, &other)?))
    }),
    ("borrow", borrow),
    ("borrow_mut", borrow),
    ("borrow_with_default", |c| if is_set(c)? { borrow(c) } else { one(c.take(1)?) }),
    ("get_with_default", |c| {
        if is_set(c)? {
            let inner = inner(c)?;
            one(c.machine.read(&inner)?)
        } else {
            one(c.take(1)?)
        }
    }),
    ("fill", |c| {
        if is_set(c)? {
            return Err(abort(IS_SET));
        }
        let value = c.take(1)?;
        let vector = c.part(0, &[0])?;
        c.machine.push_back(&vector, value)?;
        nothing()
    }),
    ("extract", |c| match pop(c)? {
        Some(value) => one(value),
        None => Err(abort(NOT_SET)),
    }),
    ("swap", |c| {
        let Some(old) = pop(c)? else { return Err(abort(NOT_SET)) };
        let value = c.take(1)?;
        let vector = c.part(0, &[0])?;
        c.machine.push_back(&vector, value)?;
        one(old)
    }),
    ("swap_or_fill", |c| {
        let old = pop(c)?;
        let value = c.take(1)?;
        let vector = c.part(0, &[0])?;
        c.machine.push_back(&vector, value)?;
        c.result_option(old)
    }),
    ("destroy_with_default", |c| {
        let default = c.take(1)?;
        one(option_into(c.take(0)?)?.unwrap_or(default))
    }),
    ("destroy_some", |c| one(option_into(c.take(0)?)?.ok_or_else(|| abort(NOT_SET))?)),
    ("destroy_none", |c| match option_into(c.take(0)?)? {
        None => nothing(),
        Some(_) => Err(abort(IS_SET)),
    }),
    ("to_vec", |c| match c.take(0)? {
        Repr::Struct(_, _, fields) => one(fields.into_vec().pop().ok_or_else(mistyped)?),
        _ => Err(mistyped()),
    }),
];

fn is_set(c: &Call<'_, '_>) -> Result<bool, Stop> {
    match c.referent(0)?.get(&[0]) {
        Some(Repr::Bytes(bytes)) => Ok(!bytes.is_empty()),
        Some(Repr::Vector(_, items)) => Ok(!items.is_empty()),
        _ => Err(mistyped()),
    }
}

fn inner(c: &mut Call<'_, '_>) -> Result<Reference, Stop> {
    let vector = c.part(0, &[0])?;
    let element = c.machine.types.element(vector.type_)?;
    Ok(vector.part(0, element, vector.mutable))
}

fn borrow(c: &mut Call<'_, '_>) -> NativeResult {
    if !is_set(c)? {
        return Err(abort(NOT_SET));
    }
    one(Repr::Reference(Box::new(inner(c)?)))
}

fn pop(c: &mut Call<'_, '_>) -> Result<Option<Repr>, Stop> {
    match c.referent_mut(0)? {
        Repr::Struct(_, _, fields) => match fields.first_mut() {
            Some(Repr::Bytes(bytes)) => Ok(bytes.pop().map(Repr::U8)),
            Some(Repr::Vector(_, items)) => Ok(items.pop()),
            _ => Err(mistyped()),
        },
        _ => Err(mistyped()),
    }
}
