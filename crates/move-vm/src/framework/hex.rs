//! `0x2::hex`

use super::{
    Functions,
    call::{abort, abort_in, one},
};
use crate::value::Repr;

const LENGTH: u64 = 0;
const CHARACTER: u64 = 1;

pub(super) const FUNCTIONS: Functions = &[
    ("encode", |c| {
        let bytes = c.bytes(0)?;
        c.charge(bytes.len() * 2)?;
        let digit = |n: u8| if n < 10 { b'0' + n } else { b'a' + n - 10 };
        one(Repr::Bytes(bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()))
    }),
    ("decode", |c| {
        let bytes = c.bytes(0)?;
        c.charge(bytes.len())?;
        if bytes.len() % 2 != 0 {
            return Err(abort(LENGTH));
        }
        let value = |digit: u8| char::from(digit).to_digit(16).map(|v| v as u8);
        let byte = |pair: &[u8]| Some(value(pair[0])? << 4 | value(pair[1])?);
        match bytes.chunks_exact(2).map(byte).collect::<Option<Vec<u8>>>() {
            Some(bytes) => one(Repr::Bytes(bytes)),
            None => Err(abort_in(2, "hex", "decode_byte", CHARACTER)),
        }
    }),
];
