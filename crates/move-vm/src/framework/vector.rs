//! `0x1::vector`. The compiler turns the basic operations into instructions; the functions are here for the others.

use super::{
    Functions,
    call::{abort, mistyped, nothing, one},
};
use crate::{
    Fault,
    interpreter::{Call, NativeResult, Stop},
    value::{Reference, Repr},
};

const OUT_OF_BOUNDS: u64 = 0x20000;

pub(super) const FUNCTIONS: Functions = &[
    ("empty", |c| one(c.machine.make_vector(c.returns(0)?, Vec::new())?)),
    ("singleton", |c| {
        let value = c.take(0)?;
        one(c.machine.make_vector(c.returns(0)?, vec![value])?)
    }),
    ("length", |c| one(Repr::U64(length(c)?))),
    ("is_empty", |c| one(Repr::Bool(length(c)? == 0))),
    ("borrow", borrow),
    ("borrow_mut", borrow),
    ("push_back", |c| {
        let (vector, value) = (c.reference(0)?, c.take(1)?);
        c.machine.push_back(&vector, value)?;
        nothing()
    }),
    ("pop_back", |c| {
        let popped = match c.referent_mut(0)? {
            Repr::Bytes(bytes) => bytes.pop().map(Repr::U8),
            Repr::Vector(_, items) => items.pop(),
            _ => None,
        };
        one(popped.ok_or(Fault::Vector(2))?)
    }),
    ("destroy_empty", |c| if items(c.take(0)?)?.is_empty() { nothing() } else { Err(Fault::Vector(3).into()) }),
    ("swap", |c| {
        let (vector, left, right) = (c.reference(0)?, c.u64(1)?, c.u64(2)?);
        c.machine.swap(&vector, left, right)?;
        nothing()
    }),
    ("reverse", |c| {
        let length = length(c)?;
        c.machine.spend(length / 2)?;
        match c.referent_mut(0)? {
            Repr::Bytes(bytes) => bytes.reverse(),
            Repr::Vector(_, items) => items.reverse(),
            _ => return Err(mistyped()),
        }
        nothing()
    }),
    ("append", |c| {
        let other = c.take(1)?;
        let more = match &other {
            Repr::Bytes(bytes) => 1 + bytes.len() as u64 / 32,
            Repr::Vector(_, items) => items.len() as u64,
            _ => 1,
        };
        c.machine.allocate(more)?;
        match (c.referent_mut(0)?, other) {
            (Repr::Bytes(bytes), Repr::Bytes(more)) => bytes.extend_from_slice(&more),
            (Repr::Vector(_, items), Repr::Vector(_, more)) => items.extend(more),
            _ => return Err(mistyped()),
        }
        nothing()
    }),
    ("contains", |c| one(Repr::Bool(find(c)?.is_some()))),
    ("index_of", |c| {
        let found = find(c)?;
        Ok(smallvec::smallvec![Repr::Bool(found.is_some()), Repr::U64(found.unwrap_or(0))])
    }),
    ("remove", |c| {
        let (length, index) = (length(c)?, c.u64(1)?);
        if index >= length {
            return Err(abort(OUT_OF_BOUNDS));
        }
        c.machine.spend((length - index) / 4)?;
        one(match c.referent_mut(0)? {
            Repr::Bytes(bytes) => Repr::U8(bytes.remove(index as usize)),
            Repr::Vector(_, items) => items.remove(index as usize),
            _ => return Err(mistyped()),
        })
    }),
    ("insert", |c| {
        let (length, value, index) = (length(c)?, c.take(1)?, c.u64(2)?);
        if index > length {
            return Err(abort(OUT_OF_BOUNDS));
        }
        c.machine.spend((length - index) / 4)?;
        c.machine.allocate(1)?;
        match (c.referent_mut(0)?, value) {
            (Repr::Bytes(bytes), Repr::U8(byte)) => bytes.insert(index as usize, byte),
            (Repr::Vector(_, items), value) => items.insert(index as usize, value),
            _ => return Err(mistyped()),
        }
        nothing()
    }),
    ("swap_remove", |c| {
        let (length, index) = (length(c)?, c.u64(1)?);
        if length == 0 {
            return Err(abort(OUT_OF_BOUNDS));
        }
        if index >= length {
            return Err(Fault::Vector(1).into());
        }
        one(match c.referent_mut(0)? {
            Repr::Bytes(bytes) => Repr::U8(bytes.swap_remove(index as usize)),
            Repr::Vector(_, items) => items.swap_remove(index as usize),
            _ => return Err(mistyped()),
        })
    }),
    ("flatten", |c| {
        let mut all = Vec::new();
        for inner in items(c.take(0)?)? {
            all.extend(items(inner)?);
        }
        c.machine.allocate(all.len() as u64)?;
        one(c.machine.make_vector(c.returns(0)?, all)?)
    }),
];

fn length(c: &Call<'_, '_>) -> Result<u64, Stop> {
    match c.referent(0)? {
        Repr::Bytes(bytes) => Ok(bytes.len() as u64),
        Repr::Vector(_, items) => Ok(items.len() as u64),
        _ => Err(mistyped()),
    }
}

fn items(value: Repr) -> Result<Vec<Repr>, Stop> {
    match value {
        Repr::Bytes(bytes) => Ok(bytes.into_iter().map(Repr::U8).collect()),
        Repr::Vector(_, items) => Ok(items),
        _ => Err(mistyped()),
    }
}

fn borrow(c: &mut Call<'_, '_>) -> NativeResult {
    let (vector, index) = (c.reference(0)?, c.u64(1)?);
    let element = c.machine.types.element(vector.type_)?;
    let mutable = matches!(c.machine.types.get(c.returns(0)?), crate::types::Type::MutableReference(_));
    let reference: Reference = c.machine.element(&vector, index, element, mutable)?;
    one(Repr::Reference(Box::new(reference)))
}

fn find(c: &mut Call<'_, '_>) -> Result<Option<u64>, Stop> {
    let needle = c.reference(1)?;
    let weight = c.referent(0)?.weight();
    c.machine.spend(weight)?;
    let byte = if needle.type_ == crate::types::fixed::U8 { Some(c.machine.read(&needle)?) } else { None };
    let needle = match &byte {
        Some(byte) => byte,
        None => c.machine.referent(&needle)?,
    };
    let found = match (c.referent(0)?, needle) {
        (Repr::Bytes(bytes), Repr::U8(byte)) => bytes.iter().position(|b| b == byte),
        (Repr::Vector(_, items), needle) => items.iter().position(|item| item == needle),
        _ => return Err(mistyped()),
    };
    Ok(found.map(|i| i as u64))
}
