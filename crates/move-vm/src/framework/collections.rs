//! `0x2::table` and `0x2::bag`: an id and a size, the entries are dynamic fields.

use super::{
    Functions,
    balance::place,
    call::{abort, mistyped, nothing, one},
    dynamic_field::{add, borrow, exists, exists_with_type, remove},
    object::{delete, new_uid, uid_argument},
};
use crate::{
    interpreter::{Call, NativeResult},
    value::Repr,
};

const NOT_EMPTY: u64 = 0;

pub(super) const TABLE: Functions = &[
    ("new", new),
    ("add", add_entry),
    ("borrow", |c| borrow_entry(c, false)),
    ("borrow_mut", |c| borrow_entry(c, true)),
    ("remove", remove_entry),
    ("contains", |c| {
        let (parent, key, value) = (uid_argument(c, &[0])?, c.take(1)?, c.type_argument(1)?);
        one(Repr::Bool(exists_with_type(c, parent, &key, value)?))
    }),
    ("length", |c| c.read_field(&[1])),
    ("is_empty", is_empty),
    ("destroy_empty", |c| destroy(c, true)),
    ("drop", |c| destroy(c, false)),
];

pub(super) const BAG: Functions = &[
    ("new", new),
    ("add", add_entry),
    ("borrow", |c| borrow_entry(c, false)),
    ("borrow_mut", |c| borrow_entry(c, true)),
    ("remove", remove_entry),
    ("contains", |c| {
        let (parent, key) = (uid_argument(c, &[0])?, c.take(1)?);
        one(Repr::Bool(exists(c, parent, &key)?))
    }),
    ("contains_with_type", |c| {
        let (parent, key, value) = (uid_argument(c, &[0])?, c.take(1)?, c.type_argument(1)?);
        one(Repr::Bool(exists_with_type(c, parent, &key, value)?))
    }),
    ("length", |c| c.read_field(&[1])),
    ("is_empty", is_empty),
    ("destroy_empty", |c| destroy(c, true)),
];

fn new(c: &mut Call<'_, '_>) -> NativeResult {
    let uid = new_uid(c, c.machine.types.field(c.returns(0)?, 0)?)?;
    c.result_struct(vec![uid, Repr::U64(0)])
}

fn add_entry(c: &mut Call<'_, '_>) -> NativeResult {
    let (parent, key, value) = (uid_argument(c, &[0])?, c.take(1)?, c.take(2)?);
    add(c, parent, key, value)?;
    let size = place(c, &[1])?;
    *size = size.checked_add(1).ok_or(crate::Fault::Arithmetic)?;
    nothing()
}

fn borrow_entry(c: &mut Call<'_, '_>, mutable: bool) -> NativeResult {
    let (parent, key, value) = (uid_argument(c, &[0])?, c.take(1)?, c.type_argument(1)?);
    one(borrow(c, parent, &key, value, mutable)?)
}

fn remove_entry(c: &mut Call<'_, '_>) -> NativeResult {
    let (parent, key, value) = (uid_argument(c, &[0])?, c.take(1)?, c.type_argument(1)?);
    let value = remove(c, parent, &key, value)?;
    let size = place(c, &[1])?;
    *size = size.checked_sub(1).ok_or(crate::Fault::Arithmetic)?;
    one(value)
}

fn is_empty(c: &mut Call<'_, '_>) -> NativeResult {
    let empty = c.referent(0)?.get(&[1]) == Some(&Repr::U64(0));
    one(Repr::Bool(empty))
}

fn destroy(c: &mut Call<'_, '_>, only_empty: bool) -> NativeResult {
    let Repr::Struct(_, _, fields) = c.take(0)? else { return Err(mistyped()) };
    let Ok([uid, size]) = <[Repr; 2]>::try_from(fields.into_vec()) else { return Err(mistyped()) };
    if only_empty && size != Repr::U64(0) {
        return Err(abort(NOT_EMPTY));
    }
    delete(c, &uid)?;
    nothing()
}
