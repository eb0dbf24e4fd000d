//! `0x2::object`

use sui_sdk_types::Address;

use super::{
    Functions,
    call::{abort_in, mistyped, nothing, one},
};
use crate::{
    interpreter::{Call, Stop},
    types::TypeId,
    value::Repr,
};

pub(super) const FUNCTIONS: Functions = &[
    ("id_to_bytes", |c| {
        let id = address_at(c, &[0])?;
        one(Repr::Bytes(id.as_bytes().to_vec()))
    }),
    ("id_to_address", |c| one(Repr::Address(address_at(c, &[0])?))),
    ("id_from_bytes", |c| match Address::from_bytes(c.bytes(0)?) {
        Ok(address) => c.result_struct(vec![Repr::Address(address)]),
        Err(_) => Err(abort_in(2, "address", "from_bytes", 0)),
    }),
    ("id_from_address", |c| {
        let address = c.take(0)?;
        c.result_struct(vec![address])
    }),
    ("uid_as_inner", |c| c.borrow(&[0])),
    ("uid_to_inner", |c| c.read_field(&[0])),
    ("uid_to_bytes", |c| {
        let id = address_at(c, &[0, 0])?;
        one(Repr::Bytes(id.as_bytes().to_vec()))
    }),
    ("uid_to_address", |c| one(Repr::Address(address_at(c, &[0, 0])?))),
    ("new", |c| one(new_uid(c, c.returns(0)?)?)),
    ("delete", |c| {
        let uid = c.take(0)?;
        delete(c, &uid)?;
        nothing()
    }),
    ("id", |c| c.read_field(&[0, 0])),
    ("borrow_id", |c| c.borrow(&[0, 0])),
    ("id_bytes", |c| {
        let id = address_at(c, &[0, 0, 0])?;
        one(Repr::Bytes(id.as_bytes().to_vec()))
    }),
    ("id_address", |c| one(Repr::Address(address_at(c, &[0, 0, 0])?))),
];

fn address_at(c: &Call<'_, '_>, path: &[u32]) -> Result<Address, Stop> {
    match c.referent(0)?.get(path) {
        Some(Repr::Address(address)) => Ok(*address),
        _ => Err(mistyped()),
    }
}

/// `UID { id: ID { bytes } }` with a fresh address.
pub(super) fn new_uid(c: &mut Call<'_, '_>, uid: TypeId) -> Result<Repr, Stop> {
    let id = c.machine.objects.fresh_address();
    let limit = c.machine.limits.objects;
    c.machine.objects.record_new(id, limit)?;
    uid_of(c, uid, id)
}

pub(super) fn uid_of(c: &Call<'_, '_>, uid: TypeId, id: Address) -> Result<Repr, Stop> {
    let inner = c.machine.types.field(uid, 0)?;
    let inner = Repr::Struct(inner, 0, Box::new([Repr::Address(id)]));
    Ok(Repr::Struct(uid, 0, Box::new([inner])))
}

/// Records that the object of a `UID` is gone.
pub(super) fn delete(c: &mut Call<'_, '_>, uid: &Repr) -> Result<(), Stop> {
    match uid.get(&[0, 0]) {
        Some(Repr::Address(id)) => c.machine.objects.record_deleted(*id),
        _ => return Err(mistyped()),
    }
    Ok(())
}

/// The id that a `&UID` or `&mut UID` argument holds.
pub(super) fn uid_argument(c: &Call<'_, '_>, path: &[u32]) -> Result<Address, Stop> {
    let full: Vec<u32> = path.iter().copied().chain([0, 0]).collect();
    address_at(c, &full)
}
