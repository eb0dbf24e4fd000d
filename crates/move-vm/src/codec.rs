//! BCS of Move values, driven by types.

use std::rc::Rc;

use sui_sdk_types::Address;

use crate::{
    Fault,
    interpreter::Machine,
    types::{Type, TypeId, fixed},
    value::{Repr, number},
};

/// Reads the value of a type from all of `bytes`. The nesting of types bounds the recursion.
pub(crate) fn decode(machine: &mut Machine<'_>, type_: TypeId, bytes: &[u8]) -> Result<Repr, Fault> {
    let mut reader = Input { bytes };
    let value = value(machine, type_, &mut reader)?;
    if reader.bytes.is_empty() { Ok(value) } else { Err(Fault::BadValue("trailing bytes")) }
}

/// A constant: as [`decode`], of a type without structs.
pub(crate) fn decode_constant(machine: &mut Machine<'_>, type_: TypeId, bytes: &[u8]) -> Result<Repr, Fault> {
    decode(machine, type_, bytes)
}

struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let Some((head, tail)) = self.bytes.split_at_checked(length) else {
            return Err(Fault::BadValue("unexpected end"));
        };
        self.bytes = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// ULEB128 of 32 bits, canonical (BCS lengths and variant numbers).
    fn length(&mut self) -> Result<usize, Fault> {
        let mut value = 0_u64;
        for shift in (0..35).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                if (shift > 0 && byte == 0) || value > u64::from(u32::MAX >> 1) {
                    break;
                }
                return Ok(value as usize);
            }
        }
        Err(Fault::BadValue("length"))
    }
}

fn value(machine: &mut Machine<'_>, type_: TypeId, input: &mut Input<'_>) -> Result<Repr, Fault> {
    machine.allocate(1)?;
    let part = match machine.types.get(type_) {
        Type::Bool => {
            return match input.array()? {
                [0] => Ok(Repr::Bool(false)),
                [1] => Ok(Repr::Bool(true)),
                _ => Err(Fault::BadValue("bool")),
            };
        }
        Type::U8 => return Ok(Repr::U8(u8::from_le_bytes(input.array()?))),
        Type::U16 => return Ok(Repr::U16(u16::from_le_bytes(input.array()?))),
        Type::U32 => return Ok(Repr::U32(u32::from_le_bytes(input.array()?))),
        Type::U64 => return Ok(Repr::U64(u64::from_le_bytes(input.array()?))),
        Type::U128 => return Ok(Repr::U128(u128::from_le_bytes(input.array()?))),
        Type::U256 => return Ok(Repr::U256(Box::new(number::from_bytes(&input.array()?)))),
        Type::Address => return Ok(Repr::Address(Address::new(input.array()?))),
        Type::Signer | Type::Reference(_) | Type::MutableReference(_) => {
            return Err(Fault::BadValue("signers and references have no bytes"));
        }
        Type::Vector(element) => Some(*element),
        Type::Datatype { .. } => None,
    };
    if type_ == fixed::BYTES {
        let length = input.length()?;
        let bytes = input.take(length)?.to_vec();
        machine.allocate(bytes.len() as u64 / 32)?;
        return Ok(Repr::Bytes(bytes));
    }
    if let Some(element) = part {
        let length = input.length()?;
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(value(machine, element, input)?);
        }
        return Ok(Repr::Vector(type_, items));
    }
    let layout = Rc::clone(machine.types.layout(type_)?);
    let variant = if layout.is_enum { input.length()? } else { 0 };
    let fields = layout.variants.get(variant).ok_or(Fault::BadValue("variant"))?;
    let mut values = Vec::with_capacity(fields.len());
    for field in fields {
        values.push(value(machine, *field, input)?);
    }
    Ok(Repr::Struct(type_, variant as u16, values.into()))
}

/// Writes a value, at most `limit` bytes.
pub(crate) fn encode(machine: &Machine<'_>, value: &Repr, limit: usize) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    write(machine, value, limit, &mut out)?;
    Ok(out)
}

fn write(machine: &Machine<'_>, value: &Repr, limit: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    match value {
        Repr::Bool(v) => out.push(u8::from(*v)),
        Repr::U8(v) => out.push(*v),
        Repr::U16(v) => out.extend_from_slice(&v.to_le_bytes()),
        Repr::U32(v) => out.extend_from_slice(&v.to_le_bytes()),
        Repr::U64(v) => out.extend_from_slice(&v.to_le_bytes()),
        Repr::U128(v) => out.extend_from_slice(&v.to_le_bytes()),
        Repr::U256(v) => out.extend_from_slice(&number::to_bytes(v)),
        Repr::Address(v) => out.extend_from_slice(v.as_bytes()),
        Repr::Bytes(bytes) => {
            write_length(bytes.len(), out);
            out.extend_from_slice(bytes);
        }
        Repr::Vector(_, items) => {
            write_length(items.len(), out);
            for item in items {
                write(machine, item, limit, out)?;
            }
        }
        Repr::Struct(type_, variant, fields) => {
            if machine.types.layout(*type_)?.is_enum {
                write_length(usize::from(*variant), out);
            }
            for field in fields {
                write(machine, field, limit, out)?;
            }
        }
        Repr::Reference(_) => return Err(Fault::BadValue("references have no bytes")),
    }
    if out.len() > limit { Err(Fault::Limit("size of encoded value")) } else { Ok(()) }
}

pub(crate) fn write_length(mut length: usize, out: &mut Vec<u8>) {
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}
