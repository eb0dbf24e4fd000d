//! `0x2::dynamic_field`, and the child objects that tables, bags and object fields are made of.

use std::rc::Rc;

use smallvec::SmallVec;
use sui_sdk_types::{Address, Identifier};

use super::{
    Functions, address,
    call::{abort_in, mistyped, nothing, one},
    object::{delete, uid_argument, uid_of},
};
use crate::{
    ModuleId, codec,
    interpreter::{Call, Machine, Stop},
    types::{Type, TypeId},
    value::{Reference, Repr, Root},
};

pub(super) const EXISTS: u64 = 0;
pub(super) const MISSING: u64 = 1;
pub(super) const TYPE_MISMATCH: u64 = 2;

pub(super) const FUNCTIONS: Functions = &[
    ("add", |c| {
        let (parent, name, value) = (uid_argument(c, &[])?, c.take(1)?, c.take(2)?);
        add(c, parent, name, value)?;
        nothing()
    }),
    ("borrow", |c| {
        let (parent, name, value) = (uid_argument(c, &[])?, c.take(1)?, c.type_argument(1)?);
        one(borrow(c, parent, &name, value, false)?)
    }),
    ("borrow_mut", |c| {
        let (parent, name, value) = (uid_argument(c, &[])?, c.take(1)?, c.type_argument(1)?);
        one(borrow(c, parent, &name, value, true)?)
    }),
    ("remove", |c| {
        let (parent, name, value) = (uid_argument(c, &[])?, c.take(1)?, c.type_argument(1)?);
        one(remove(c, parent, &name, value)?)
    }),
    ("exists_", exists_function),
    ("exists", exists_function),
    ("exists_with_type", |c| {
        let (parent, name, value) = (uid_argument(c, &[])?, c.take(1)?, c.type_argument(1)?);
        one(Repr::Bool(exists_with_type(c, parent, &name, value)?))
    }),
    ("remove_if_exists", remove_opt),
    ("remove_opt", remove_opt),
];

fn exists_function(c: &mut Call<'_, '_>) -> crate::interpreter::NativeResult {
    let (parent, name) = (uid_argument(c, &[])?, c.take(1)?);
    one(Repr::Bool(exists(c, parent, &name)?))
}

fn remove_opt(c: &mut Call<'_, '_>) -> crate::interpreter::NativeResult {
    let (parent, name, value) = (uid_argument(c, &[])?, c.take(1)?, c.type_argument(1)?);
    let removed = if exists(c, parent, &name)? { Some(remove(c, parent, &name, value)?) } else { None };
    c.result_option(removed)
}

/// `Field { id, name, value }`, owned by `parent`.
pub(super) fn add(c: &mut Call<'_, '_>, parent: Address, name: Repr, value: Repr) -> Result<(), Stop> {
    let id = child_id(c, parent, &name)?;
    if c.machine.child(parent, id)?.is_some() {
        return Err(abort_in(2, "dynamic_field", "add", EXISTS));
    }
    let field = field_type(c, Machine::type_of(&name), Machine::type_of(&value))?;
    let uid = uid_of(c, c.machine.types.field(field, 0)?, id)?;
    let limit = c.machine.limits.objects;
    c.machine.objects.record_new(id, limit)?;
    c.machine.allocate(3)?;
    let object = Repr::Struct(field, 0, Box::new([uid, name, value]));
    c.machine.add_child(parent, id, object)?;
    Ok(())
}

/// A reference to the value of a field.
pub(super) fn borrow(
    c: &mut Call<'_, '_>,
    parent: Address,
    name: &Repr,
    value: TypeId,
    mutable: bool,
) -> Result<Repr, Stop> {
    let id = child_id(c, parent, name)?;
    let field = field_type(c, Machine::type_of(name), value)?;
    let object = borrow_child(c, parent, id, field, mutable)?;
    Ok(Repr::Reference(Box::new(object.part(2, value, mutable))))
}

/// A reference to a child object.
pub(super) fn borrow_child(
    c: &mut Call<'_, '_>,
    parent: Address,
    id: Address,
    type_: TypeId,
    mutable: bool,
) -> Result<Reference, Stop> {
    let function = if mutable { "borrow_child_object_mut" } else { "borrow_child_object" };
    let Some(found) = c.machine.child(parent, id)? else {
        return Err(abort_in(2, "dynamic_field", function, MISSING));
    };
    if found.type_ != type_ {
        return Err(abort_in(2, "dynamic_field", function, TYPE_MISMATCH));
    }
    let root = Root::Slot { index: found.slot, call: c.machine.call_number };
    Ok(Reference { root, mutable, type_, path: SmallVec::new() })
}

/// Takes the value of a field and deletes the field.
pub(super) fn remove(c: &mut Call<'_, '_>, parent: Address, name: &Repr, value: TypeId) -> Result<Repr, Stop> {
    let id = child_id(c, parent, name)?;
    let field = field_type(c, Machine::type_of(name), value)?;
    let Repr::Struct(_, _, fields) = remove_child(c, parent, id, field)? else { return Err(mistyped()) };
    let Ok([uid, _, value]) = <[Repr; 3]>::try_from(fields.into_vec()) else { return Err(mistyped()) };
    delete(c, &uid)?;
    Ok(value)
}

/// Takes a child object.
pub(super) fn remove_child(c: &mut Call<'_, '_>, parent: Address, id: Address, type_: TypeId) -> Result<Repr, Stop> {
    let Some(found) = c.machine.child(parent, id)? else {
        return Err(abort_in(2, "dynamic_field", "remove_child_object", MISSING));
    };
    if found.type_ != type_ {
        return Err(abort_in(2, "dynamic_field", "remove_child_object", TYPE_MISMATCH));
    }
    Ok(c.machine.take_child(id)?)
}

pub(super) fn exists(c: &mut Call<'_, '_>, parent: Address, name: &Repr) -> Result<bool, Stop> {
    let id = child_id(c, parent, name)?;
    Ok(c.machine.child(parent, id)?.is_some())
}

pub(super) fn exists_with_type(
    c: &mut Call<'_, '_>,
    parent: Address,
    name: &Repr,
    value: TypeId,
) -> Result<bool, Stop> {
    let id = child_id(c, parent, name)?;
    let field = field_type(c, Machine::type_of(name), value)?;
    Ok(c.machine.child(parent, id)?.is_some_and(|found| found.type_ == field))
}

/// The id of the field of a name (`sui-types`, `derive_dynamic_field_id`).
pub(super) fn child_id(c: &mut Call<'_, '_>, parent: Address, name: &Repr) -> Result<Address, Stop> {
    c.machine.spend(50)?;
    let bytes = codec::encode(c.machine, name, c.machine.limits.object_bytes)?;
    c.charge(bytes.len())?;
    let tag = c.machine.types.tag(Machine::type_of(name))?;
    Ok(parent.derive_dynamic_child_id(&tag, &bytes))
}

fn field_type(c: &mut Call<'_, '_>, name: TypeId, value: TypeId) -> Result<TypeId, Stop> {
    sui_type(c, "dynamic_field", "Field", Rc::from([name, value]))
}

/// A type of package `0x2`.
pub(super) fn sui_type(
    c: &mut Call<'_, '_>,
    module: &'static str,
    name: &'static str,
    arguments: Rc<[TypeId]>,
) -> Result<TypeId, Stop> {
    let id = ModuleId::new(address(2), Identifier::from_static(module));
    let module = c.machine.types.module_index(&id)?;
    let name = Identifier::from_static(name);
    let definition = c.machine.types.module(module).datatype_index(&name).ok_or_else(mistyped)?;
    Ok(c.machine.types.intern(Type::Datatype { module, definition, arguments })?)
}
