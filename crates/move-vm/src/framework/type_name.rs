//! `0x1::type_name`

use std::fmt::Write as _;

use sui_sdk_types::TypeTag;

use super::{
    Functions,
    call::{into_bytes, one, text},
};
use crate::{
    interpreter::{Call, NativeResult},
    value::Repr,
};

const NOT_A_DATATYPE: u64 = 0;

pub(super) const FUNCTIONS: Functions = &[
    ("with_defining_ids", name),
    ("get", name),
    ("as_string", |c| c.borrow(&[0])),
    ("borrow_string", |c| c.borrow(&[0])),
    ("into_string", |c| match c.take(0)? {
        Repr::Struct(_, _, fields) => one(fields.into_vec().pop().ok_or_else(super::call::mistyped)?),
        _ => Err(super::call::mistyped()),
    }),
    ("is_primitive", |c| {
        let name = read(c)?;
        one(Repr::Bool(!name.contains(&b':')))
    }),
    ("address_string", |c| part(c, "address_string", 0)),
    ("get_address", |c| part(c, "address_string", 0)),
    ("module_string", |c| part(c, "module_string", 1)),
    ("get_module", |c| part(c, "module_string", 1)),
];

fn name(c: &mut Call<'_, '_>) -> NativeResult {
    let mut out = String::new();
    write_type(&mut out, &c.machine.types.tag(c.type_argument(0)?)?);
    c.charge(out.len())?;
    let string = c.machine.types.field(c.returns(0)?, 0)?;
    c.result_struct(vec![text(string, out.into_bytes())])
}

fn read(c: &mut Call<'_, '_>) -> Result<Vec<u8>, crate::interpreter::Stop> {
    let reference = c.part(0, &[0])?;
    into_bytes(c.machine.read(&reference)?)
}

fn part(c: &mut Call<'_, '_>, function: &str, index: usize) -> NativeResult {
    let name = read(c)?;
    let name = String::from_utf8_lossy(&name);
    // Only the outermost type counts; a vector of structs is a primitive type.
    let head = name.split('<').next().unwrap_or_default();
    let mut parts = head.split("::");
    match (parts.nth(index), head.contains("::")) {
        (Some(part), true) => one(text(c.returns(0)?, part.as_bytes().to_vec())),
        _ => Err(super::call::abort_in(1, "type_name", function, NOT_A_DATATYPE)),
    }
}

/// Full addresses without `0x`, no spaces.
fn write_type(out: &mut String, tag: &TypeTag) {
    match tag {
        TypeTag::Vector(element) => {
            out.push_str("vector<");
            write_type(out, element);
            out.push('>');
        }
        TypeTag::Struct(tag) => {
            let address = tag.address().to_hex();
            let _ = write!(out, "{}::{}::{}", address.trim_start_matches("0x"), tag.module(), tag.name());
            for (position, argument) in tag.type_params().iter().enumerate() {
                out.push(if position == 0 { '<' } else { ',' });
                write_type(out, argument);
            }
            if !tag.type_params().is_empty() {
                out.push('>');
            }
        }
        plain => {
            let _ = write!(out, "{plain}");
        }
    }
}
