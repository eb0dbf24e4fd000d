//! `0x1::string`

use super::{
    Functions,
    call::{abort, abort_in, into_bytes, nothing, one, text},
};
use crate::{
    interpreter::{Call, NativeResult},
    value::Repr,
};

const INVALID_UTF8: u64 = 1;
const INVALID_INDEX: u64 = 2;

pub(super) const FUNCTIONS: Functions = &[
    ("utf8", |c| {
        let bytes = c.bytes(0)?;
        c.charge(bytes.len())?;
        if std::str::from_utf8(&bytes).is_err() {
            return Err(abort(INVALID_UTF8));
        }
        one(text(c.returns(0)?, bytes))
    }),
    ("try_utf8", |c| {
        let bytes = c.bytes(0)?;
        c.charge(bytes.len())?;
        let string = c.machine.types.element(c.machine.types.field(c.returns(0)?, 0)?)?;
        let value = std::str::from_utf8(&bytes).is_ok().then(|| text(string, bytes));
        c.result_option(value)
    }),
    ("from_ascii", |c| {
        let bytes = c.bytes(0)?;
        one(text(c.returns(0)?, bytes))
    }),
    ("to_ascii", |c| {
        let bytes = c.bytes(0)?;
        if !bytes.is_ascii() {
            return Err(abort_in(1, "ascii", "string", 0x10000));
        }
        one(text(c.returns(0)?, bytes))
    }),
    ("as_bytes", |c| c.borrow(&[0])),
    ("bytes", |c| c.borrow(&[0])),
    ("into_bytes", |c| one(Repr::Bytes(into_bytes(c.take(0)?)?))),
    ("is_empty", |c| one(Repr::Bool(c.bytes_at(0)?.is_empty()))),
    ("length", |c| one(Repr::U64(c.bytes_at(0)?.len() as u64))),
    ("append", append),
    ("append_utf8", |c| {
        let more = c.bytes(1)?;
        if std::str::from_utf8(&more).is_err() {
            return Err(abort_in(1, "string", "utf8", INVALID_UTF8));
        }
        c.charge(more.len())?;
        c.bytes_mut(0)?.extend_from_slice(&more);
        nothing()
    }),
    ("insert", |c| {
        let (at, other) = (c.u64(1)?, c.bytes(2)?);
        c.charge(other.len() + c.bytes_at(0)?.len())?;
        let bytes = c.bytes_mut(0)?;
        let Some(at) = boundary(bytes, at) else { return Err(abort(INVALID_INDEX)) };
        bytes.splice(at..at, other);
        nothing()
    }),
    ("substring", substring),
    ("sub_string", substring),
    ("index_of", |c| {
        let index = index_of(c)?;
        one(Repr::U64(index))
    }),
];

pub(super) fn append(c: &mut Call<'_, '_>) -> NativeResult {
    let more = c.bytes(1)?;
    c.charge(more.len())?;
    c.bytes_mut(0)?.extend_from_slice(&more);
    nothing()
}

/// Where the second string begins in the first; its length if nowhere.
pub(super) fn index_of(c: &mut Call<'_, '_>) -> Result<u64, crate::interpreter::Stop> {
    let work = c.bytes_at(0)?.len().saturating_mul(c.bytes_at(1)?.len().max(1));
    c.machine.spend(work as u64 / 8)?;
    let (haystack, needle) = (c.bytes_at(0)?, c.bytes_at(1)?);
    if needle.is_empty() {
        return Ok(0);
    }
    let found = haystack.windows(needle.len()).position(|w| w == needle);
    Ok(found.unwrap_or(haystack.len()) as u64)
}

fn substring(c: &mut Call<'_, '_>) -> NativeResult {
    let (from, to) = (c.u64(1)?, c.u64(2)?);
    let bytes = c.bytes_at(0)?;
    match (boundary(bytes, from), boundary(bytes, to)) {
        (Some(from), Some(to)) if from <= to => {
            let part = bytes[from..to].to_vec();
            c.charge(part.len())?;
            one(text(c.returns(0)?, part))
        }
        // `sub_string` calls `substring`.
        _ => Err(abort_in(1, "string", "substring", INVALID_INDEX)),
    }
}

fn boundary(bytes: &[u8], at: u64) -> Option<usize> {
    let at = usize::try_from(at).ok()?;
    std::str::from_utf8(bytes).ok().filter(|s| s.is_char_boundary(at)).map(|_| at)
}
