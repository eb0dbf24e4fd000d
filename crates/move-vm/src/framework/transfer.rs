//! `0x2::transfer`

use sui_sdk_types::TypeTag;

use super::{
    Functions,
    call::{abort_in, mistyped, nothing, one},
};
use crate::{
    Fault, Recipient, codec,
    interpreter::{Call, NativeResult, Stop},
    object_runtime::object_id,
    value::Repr,
};

const SHARED_NON_NEW: u64 = 0;
const RECEIVING_TYPE_MISMATCH: u64 = 2;
const UNABLE_TO_RECEIVE: u64 = 3;

pub(super) const FUNCTIONS: Functions = &[
    ("transfer", |c| {
        private(c)?;
        transfer(c)
    }),
    ("public_transfer", transfer),
    ("freeze_object", |c| {
        private(c)?;
        freeze(c)
    }),
    ("public_freeze_object", freeze),
    ("share_object", |c| {
        private(c)?;
        share(c)
    }),
    ("public_share_object", share),
    ("receive", |c| {
        private(c)?;
        receive(c)
    }),
    ("public_receive", receive),
    ("receiving_object_id", |c| c.read_field(&[0])),
];

fn private(c: &Call<'_, '_>) -> Result<(), Stop> {
    c.require_defining_module(c.type_argument(0)?)
}

fn transfer(c: &mut Call<'_, '_>) -> NativeResult {
    let (object, recipient) = (c.take(0)?, c.address(1)?);
    c.machine.transfer(&object, Recipient::Address(recipient))?;
    nothing()
}

fn freeze(c: &mut Call<'_, '_>) -> NativeResult {
    let object = c.take(0)?;
    c.machine.transfer(&object, Recipient::Immutable)?;
    nothing()
}

fn share(c: &mut Call<'_, '_>) -> NativeResult {
    let object = c.take(0)?;
    let id = object_id(&object).ok_or_else(mistyped)?;
    if !c.machine.objects.is_sharable(&id) {
        return Err(abort_in(2, "transfer", "share_object_impl", SHARED_NON_NEW));
    }
    c.machine.transfer(&object, Recipient::Shared)?;
    nothing()
}

fn receive(c: &mut Call<'_, '_>) -> NativeResult {
    let parent = super::object::uid_argument(c, &[])?;
    let ticket = c.take(1)?;
    let (Some(Repr::Address(id)), Some(Repr::U64(version))) = (ticket.get(&[0, 0]), ticket.get(&[1])) else {
        return Err(mistyped());
    };
    let stored = c.machine.children.receiving(parent, *id, *version).map_err(Fault::Store)?;
    let Some(stored) = stored else { return Err(abort_in(2, "transfer", "receive_impl", UNABLE_TO_RECEIVE)) };
    let type_ = c.machine.types.resolve(&TypeTag::Struct(Box::new(stored.type_)))?;
    if type_ != c.returns(0)? {
        return Err(abort_in(2, "transfer", "receive_impl", RECEIVING_TYPE_MISMATCH));
    }
    if !c.machine.objects.record_received(*id) {
        return Err(abort_in(2, "transfer", "receive_impl", UNABLE_TO_RECEIVE));
    }
    one(codec::decode(c.machine, type_, &stored.contents)?)
}
