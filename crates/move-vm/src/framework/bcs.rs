//! `0x1::bcs` and `0x2::bcs`. The bytes of a `BCS` are kept in reverse, as in the framework.

use super::{
    Functions,
    call::{abort_in, mistyped, one},
};
use crate::{
    codec,
    interpreter::{Call, NativeResult, Stop},
    types::{Type, TypeId},
    value::Repr,
};

const OUT_OF_RANGE: u64 = 0;
const NOT_BOOL: u64 = 1;
const LENGTH_OUT_OF_RANGE: u64 = 2;

pub(super) const STD: Functions = &[("to_bytes", to_bytes)];

pub(super) const SUI: Functions = &[
    ("to_bytes", to_bytes),
    ("new", |c| {
        let mut bytes = c.bytes(0)?;
        c.charge(bytes.len())?;
        bytes.reverse();
        c.result_struct(vec![Repr::Bytes(bytes)])
    }),
    ("into_remainder_bytes", |c| {
        let mut bytes = c.bytes(0)?;
        bytes.reverse();
        one(Repr::Bytes(bytes))
    }),
    ("peel_address", peel),
    ("peel_bool", peel),
    ("peel_u8", peel),
    ("peel_u16", peel),
    ("peel_u32", peel),
    ("peel_u64", peel),
    ("peel_u128", peel),
    ("peel_u256", peel),
    ("peel_vec_length", |c| {
        let length = peel_length(c)?;
        one(Repr::U64(length))
    }),
    ("peel_vec_address", peel),
    ("peel_vec_bool", peel),
    ("peel_vec_u8", peel),
    ("peel_vec_vec_u8", peel),
    ("peel_vec_u16", peel),
    ("peel_vec_u32", peel),
    ("peel_vec_u64", peel),
    ("peel_vec_u128", peel),
    ("peel_vec_u256", peel),
    ("peel_option_address", peel_option),
    ("peel_option_bool", peel_option),
    ("peel_option_u8", peel_option),
    ("peel_option_u16", peel_option),
    ("peel_option_u32", peel_option),
    ("peel_option_u64", peel_option),
    ("peel_option_u128", peel_option),
    ("peel_option_u256", peel_option),
];

fn to_bytes(c: &mut Call<'_, '_>) -> NativeResult {
    let reference = c.reference(0)?;
    let limit = c.machine.limits.object_bytes;
    let bytes = if reference.type_ == crate::types::fixed::U8 {
        let byte = c.machine.read(&reference)?;
        codec::encode(c.machine, &byte, limit)?
    } else {
        let value = c.machine.referent(&reference)?;
        codec::encode(c.machine, value, limit)?
    };
    c.charge(bytes.len())?;
    one(Repr::Bytes(bytes))
}

fn peel(c: &mut Call<'_, '_>) -> NativeResult {
    one(peel_type(c, c.returns(0)?)?)
}

fn peel_option(c: &mut Call<'_, '_>) -> NativeResult {
    let element = c.machine.types.element(c.machine.types.field(c.returns(0)?, 0)?)?;
    let value = match peel_type(c, crate::types::fixed::BOOL)? {
        Repr::Bool(true) => Some(peel_type(c, element)?),
        _ => None,
    };
    c.result_option(value)
}

/// One value; aborts where the framework's function for that type does.
fn peel_type(c: &mut Call<'_, '_>, type_: TypeId) -> Result<Repr, Stop> {
    let (size, name) = match c.machine.types.get(type_) {
        Type::Vector(element) => {
            let element = *element;
            let length = peel_length(c)?;
            let mut items = Vec::new();
            for _ in 0..length {
                items.push(peel_type(c, element)?);
            }
            return Ok(c.machine.make_vector(type_, items)?);
        }
        Type::Bool => (1, "peel_bool"),
        Type::U8 => (1, "peel_u8"),
        Type::U16 => (2, "peel_u16"),
        Type::U32 => (4, "peel_u32"),
        Type::U64 => (8, "peel_u64"),
        Type::U128 => (16, "peel_u128"),
        Type::U256 => (32, "peel_u256"),
        Type::Address => (32, "peel_address"),
        _ => return Err(mistyped()),
    };
    // `peel_bool` takes its byte by `peel_u8`.
    let out_of_range = if name == "peel_bool" { "peel_u8" } else { name };
    let bytes = pop(c, size)?.ok_or_else(|| abort_in(2, "bcs", out_of_range, OUT_OF_RANGE))?;
    if name == "peel_bool" && bytes[0] > 1 {
        return Err(abort_in(2, "bcs", name, NOT_BOOL));
    }
    Ok(codec::decode(c.machine, type_, &bytes)?)
}

/// ULEB128 of at most five bytes.
fn peel_length(c: &mut Call<'_, '_>) -> Result<u64, Stop> {
    let (mut total, mut shift) = (0_u64, 0);
    for count in 0.. {
        if count > 4 {
            return Err(abort_in(2, "bcs", "peel_vec_length", LENGTH_OUT_OF_RANGE));
        }
        // The framework pops from the vector directly here.
        let Some(byte) = pop(c, 1)? else { return Err(vector_error()) };
        total |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            break;
        }
        shift += 7;
    }
    Ok(total)
}

fn vector_error() -> Stop {
    super::call::fault_in(2, "bcs", "peel_vec_length", crate::Fault::Vector(2))
}

/// The next bytes in order; `None` if there are fewer.
fn pop(c: &mut Call<'_, '_>, count: usize) -> Result<Option<Vec<u8>>, Stop> {
    c.machine.spend(1)?;
    let bytes = c.bytes_mut(0)?;
    let Some(first) = bytes.len().checked_sub(count) else { return Ok(None) };
    let mut taken = bytes.split_off(first);
    taken.reverse();
    Ok(Some(taken))
}
