//! `0x1::ascii`

use super::{
    Functions,
    call::{abort, into_bytes, mistyped, nothing, one, text},
    string,
};
use crate::value::Repr;

const INVALID_CHARACTER: u64 = 0x10000;
const INVALID_INDEX: u64 = 0x10001;

pub(super) const FUNCTIONS: Functions = &[
    ("char", |c| {
        let byte = c.u8(0)?;
        if byte.is_ascii() { c.result_struct(vec![Repr::U8(byte)]) } else { Err(abort(INVALID_CHARACTER)) }
    }),
    ("string", |c| {
        let bytes = c.bytes(0)?;
        c.charge(bytes.len())?;
        if bytes.is_ascii() { one(text(c.returns(0)?, bytes)) } else { Err(abort(INVALID_CHARACTER)) }
    }),
    ("try_string", |c| {
        let bytes = c.bytes(0)?;
        c.charge(bytes.len())?;
        let string = c.machine.types.element(c.machine.types.field(c.returns(0)?, 0)?)?;
        let value = bytes.is_ascii().then(|| text(string, bytes));
        c.result_option(value)
    }),
    ("all_characters_printable", |c| one(Repr::Bool(c.bytes_at(0)?.iter().all(|b| printable(*b))))),
    ("push_char", |c| {
        let Some(Repr::U8(byte)) = c.arguments.get(1).and_then(|v| v.get(&[0])).cloned() else {
            return Err(mistyped());
        };
        c.charge(1)?;
        c.bytes_mut(0)?.push(byte);
        nothing()
    }),
    ("pop_char", |c| {
        let byte = c.bytes_mut(0)?.pop().ok_or(crate::Fault::Vector(2))?;
        c.result_struct(vec![Repr::U8(byte)])
    }),
    ("length", |c| one(Repr::U64(c.bytes_at(0)?.len() as u64))),
    ("append", string::append),
    ("insert", |c| {
        let (at, other) = (c.u64(1)?, c.bytes(2)?);
        c.charge(other.len() + c.bytes_at(0)?.len())?;
        let bytes = c.bytes_mut(0)?;
        match usize::try_from(at) {
            Ok(at) if at <= bytes.len() => drop(bytes.splice(at..at, other)),
            _ => return Err(abort(INVALID_INDEX)),
        }
        nothing()
    }),
    ("substring", |c| {
        let (from, to) = (c.u64(1)?, c.u64(2)?);
        let bytes = c.bytes_at(0)?;
        if from > to || to > bytes.len() as u64 {
            return Err(abort(INVALID_INDEX));
        }
        let part = bytes[from as usize..to as usize].to_vec();
        c.charge(part.len())?;
        one(text(c.returns(0)?, part))
    }),
    ("as_bytes", |c| c.borrow(&[0])),
    ("into_bytes", |c| one(Repr::Bytes(into_bytes(c.take(0)?)?))),
    ("byte", |c| one(c.take(0)?.get(&[0]).cloned().ok_or_else(mistyped)?)),
    ("is_valid_char", |c| one(Repr::Bool(c.u8(0)?.is_ascii()))),
    ("is_printable_char", |c| one(Repr::Bool(printable(c.u8(0)?)))),
    ("is_empty", |c| one(Repr::Bool(c.bytes_at(0)?.is_empty()))),
    ("to_uppercase", |c| {
        let bytes = c.bytes_at(0)?.to_ascii_uppercase();
        c.charge(bytes.len())?;
        one(text(c.returns(0)?, bytes))
    }),
    ("to_lowercase", |c| {
        let bytes = c.bytes_at(0)?.to_ascii_lowercase();
        c.charge(bytes.len())?;
        one(text(c.returns(0)?, bytes))
    }),
    ("index_of", |c| {
        let index = string::index_of(c)?;
        one(Repr::U64(index))
    }),
];

fn printable(byte: u8) -> bool {
    (0x20..=0x7e).contains(&byte)
}
