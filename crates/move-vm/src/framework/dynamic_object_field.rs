//! `0x2::dynamic_object_field`: the field holds the id, the object is a child of the field.

use std::rc::Rc;

use sui_sdk_types::Address;

use super::{
    Functions,
    call::{mistyped, nothing, one},
    dynamic_field::{self, borrow_child, child_id, sui_type},
    object::uid_argument,
};
use crate::{
    interpreter::{Call, Machine, NativeResult, Stop},
    object_runtime::object_id,
    types::TypeId,
    value::Repr,
};

pub(super) const FUNCTIONS: Functions = &[
    ("add", |c| {
        let (parent, name, object) = (uid_argument(c, &[])?, c.take(1)?, c.take(2)?);
        let key = wrap(c, name)?;
        let id = object_id(&object).ok_or_else(mistyped)?;
        let id_type = id_type(c)?;
        let field = child_id(c, parent, &key)?;
        dynamic_field::add(c, parent, key, Repr::Struct(id_type, 0, Box::new([Repr::Address(id)])))?;
        c.machine.add_child(field, id, object)?;
        nothing()
    }),
    ("borrow", |c| borrow(c, false)),
    ("borrow_mut", |c| borrow(c, true)),
    ("remove", |c| {
        let (parent, name, type_) = (uid_argument(c, &[])?, c.take(1)?, c.type_argument(1)?);
        let key = wrap(c, name)?;
        let (field, id) = field_info(c, parent, &key, false)?;
        let object = dynamic_field::remove_child(c, field, id, type_)?;
        let id_type = id_type(c)?;
        dynamic_field::remove(c, parent, &key, id_type)?;
        one(object)
    }),
    ("exists_", exists),
    ("exists", exists),
    ("exists_with_type", |c| {
        let (parent, name, type_) = (uid_argument(c, &[])?, c.take(1)?, c.type_argument(1)?);
        let key = wrap(c, name)?;
        let id_type = id_type(c)?;
        if !dynamic_field::exists_with_type(c, parent, &key, id_type)? {
            return one(Repr::Bool(false));
        }
        let (field, id) = field_info(c, parent, &key, false)?;
        one(Repr::Bool(c.machine.child(field, id)?.is_some_and(|found| found.type_ == type_)))
    }),
    ("id", |c| {
        let (parent, name) = (uid_argument(c, &[])?, c.take(1)?);
        let key = wrap(c, name)?;
        let id_type = id_type(c)?;
        if !dynamic_field::exists_with_type(c, parent, &key, id_type)? {
            return c.result_option(None);
        }
        let (_, id) = field_info(c, parent, &key, false)?;
        c.result_option(Some(Repr::Struct(id_type, 0, Box::new([Repr::Address(id)]))))
    }),
];

fn exists(c: &mut Call<'_, '_>) -> NativeResult {
    let (parent, name) = (uid_argument(c, &[])?, c.take(1)?);
    let key = wrap(c, name)?;
    let id_type = id_type(c)?;
    one(Repr::Bool(dynamic_field::exists_with_type(c, parent, &key, id_type)?))
}

fn borrow(c: &mut Call<'_, '_>, mutable: bool) -> NativeResult {
    let (parent, name, type_) = (uid_argument(c, &[])?, c.take(1)?, c.type_argument(1)?);
    let key = wrap(c, name)?;
    let (field, id) = field_info(c, parent, &key, mutable)?;
    one(Repr::Reference(Box::new(borrow_child(c, field, id, type_, mutable)?)))
}

/// Id of the field and id of the object that it names.
fn field_info(c: &mut Call<'_, '_>, parent: Address, key: &Repr, mutable: bool) -> Result<(Address, Address), Stop> {
    let field = child_id(c, parent, key)?;
    let id_type = id_type(c)?;
    let Repr::Reference(reference) = dynamic_field::borrow(c, parent, key, id_type, mutable)? else {
        return Err(mistyped());
    };
    match c.machine.referent(&reference)?.get(&[0]) {
        Some(Repr::Address(id)) => Ok((field, *id)),
        _ => Err(mistyped()),
    }
}

fn wrap(c: &mut Call<'_, '_>, name: Repr) -> Result<Repr, Stop> {
    let type_ = sui_type(c, "dynamic_object_field", "Wrapper", Rc::from([Machine::type_of(&name)]))?;
    Ok(Repr::Struct(type_, 0, Box::new([name])))
}

fn id_type(c: &mut Call<'_, '_>) -> Result<TypeId, Stop> {
    sui_type(c, "object", "ID", Rc::from([]))
}
