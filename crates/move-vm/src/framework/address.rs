//! `0x1::address` and `0x2::address`

use sui_sdk_types::Address;

use super::{
    Functions,
    call::{abort, one, text},
};
use crate::value::{Repr, number};

const PARSE: u64 = 0;

pub(super) const STD: Functions = &[("length", |_| one(Repr::U64(32)))];

pub(super) const SUI: Functions = &[
    ("length", |_| one(Repr::U64(32))),
    ("max", |_| one(Repr::U256(Box::new(number::U256::MAX)))),
    ("to_u256", |c| {
        let mut bytes = c.address(0)?.into_inner();
        bytes.reverse();
        one(Repr::U256(Box::new(number::from_bytes(&bytes))))
    }),
    ("from_u256", |c| match c.take(0)? {
        Repr::U256(value) => {
            let mut bytes = number::to_bytes(&value);
            bytes.reverse();
            one(Repr::Address(Address::new(bytes)))
        }
        _ => Err(super::call::mistyped()),
    }),
    ("from_bytes", |c| match Address::from_bytes(c.bytes(0)?) {
        Ok(address) => one(Repr::Address(address)),
        Err(_) => Err(abort(PARSE)),
    }),
    ("to_bytes", |c| one(Repr::Bytes(c.address(0)?.as_bytes().to_vec()))),
    ("to_ascii_string", |c| one(text(c.returns(0)?, hex(&c.address(0)?)))),
    ("to_string", |c| one(text(c.returns(0)?, hex(&c.address(0)?)))),
];

fn hex(address: &Address) -> Vec<u8> {
    address.to_hex().trim_start_matches("0x").as_bytes().to_vec()
}
