//! `0x1::u8` to `0x1::u256`, and the deprecated `0x2::math`.

use super::{
    Functions,
    call::{fault_in, mistyped, one, text},
};
use crate::{
    Fault,
    interpreter::{Call, NativeResult},
    value::{Repr, number::U256},
};

/// The functions of one integer type: its variant, how to take and make it, its bits.
macro_rules! integer {
    ($name:ident, $type:ty, $take:expr, $make:expr, [$($extra:expr),*]) => {
        pub(super) const $name: Functions = &[
            ("bitwise_not", |c| one($make(!$take(c.take(0)?)?))),
            ("max", |c| { let (a, b) = ($take(c.take(0)?)?, $take(c.take(1)?)?); one($make(a.max(b))) }),
            ("min", |c| { let (a, b) = ($take(c.take(0)?)?, $take(c.take(1)?)?); one($make(a.min(b))) }),
            ("diff", |c| { let (a, b) = ($take(c.take(0)?)?, $take(c.take(1)?)?); one($make(a.abs_diff(b))) }),
            ("divide_and_round_up", |c| {
                let (a, b) = ($take(c.take(0)?)?, $take(c.take(1)?)?);
                let quotient = a.checked_div(b).ok_or(Fault::Arithmetic)?;
                let exact = a.checked_rem(b).ok_or(Fault::Arithmetic)? == <$type>::MIN;
                one($make(if exact { quotient } else { quotient + <$type>::from(1_u8) }))
            }),
            ("pow", |c| {
                let (base, exponent) = ($take(c.take(0)?)?, c.u8(1)?);
                one($make(base.checked_pow(u32::from(exponent)).ok_or(Fault::Arithmetic)?))
            }),
            ("to_string", |c| { let v = $take(c.take(0)?)?; one(text(c.returns(0)?, v.to_string().into_bytes())) }),
            ("checked_add", |c| {
                let (a, b) = ($take(c.take(0)?)?, $take(c.take(1)?)?);
                c.result_option(a.checked_add(b).map($make))
            }),
            ("checked_sub", |c| {
                let (a, b) = ($take(c.take(0)?)?, $take(c.take(1)?)?);
                c.result_option(a.checked_sub(b).map($make))
            }),
            ("checked_mul", |c| {
                let (a, b) = ($take(c.take(0)?)?, $take(c.take(1)?)?);
                c.result_option(a.checked_mul(b).map($make))
            }),
            ("checked_div", |c| {
                let (a, b) = ($take(c.take(0)?)?, $take(c.take(1)?)?);
                c.result_option(a.checked_div(b).map($make))
            }),
            ("saturating_add", |c| {
                let (a, b) = ($take(c.take(0)?)?, $take(c.take(1)?)?);
                one($make(a.saturating_add(b)))
            }),
            ("saturating_sub", |c| {
                let (a, b) = ($take(c.take(0)?)?, $take(c.take(1)?)?);
                one($make(a.saturating_sub(b)))
            }),
            ("saturating_mul", |c| {
                let (a, b) = ($take(c.take(0)?)?, $take(c.take(1)?)?);
                one($make(a.saturating_mul(b)))
            }),
            $($extra,)*
        ];
    };
}

macro_rules! take {
    ($variant:path) => {
        |v| match v {
            $variant(v) => Ok(v),
            _ => Err(mistyped()),
        }
    };
}

macro_rules! sqrt {
    ($take:expr, $make:expr) => {
        ("sqrt", |c| {
            let v = $take(c.take(0)?)?;
            one($make(v.isqrt()))
        })
    };
}

macro_rules! narrow {
    ($name:literal, $take:expr, $to:ty, $make:expr) => {
        ($name, |c| {
            let v = $take(c.take(0)?)?;
            c.result_option(<$to>::try_from(v).ok().map($make))
        })
    };
}

fn take_u256(value: Repr) -> Result<U256, crate::interpreter::Stop> {
    match value {
        Repr::U256(value) => Ok(*value),
        _ => Err(mistyped()),
    }
}

fn make_u256(value: U256) -> Repr {
    Repr::U256(Box::new(value))
}

integer!(U8, u8, take!(Repr::U8), Repr::U8, [sqrt!(take!(Repr::U8), Repr::U8)]);
integer!(
    U16,
    u16,
    take!(Repr::U16),
    Repr::U16,
    [sqrt!(take!(Repr::U16), Repr::U16), narrow!("try_as_u8", take!(Repr::U16), u8, Repr::U8)]
);
integer!(
    U32,
    u32,
    take!(Repr::U32),
    Repr::U32,
    [
        sqrt!(take!(Repr::U32), Repr::U32),
        narrow!("try_as_u8", take!(Repr::U32), u8, Repr::U8),
        narrow!("try_as_u16", take!(Repr::U32), u16, Repr::U16)
    ]
);
integer!(
    U64,
    u64,
    take!(Repr::U64),
    Repr::U64,
    [
        sqrt!(take!(Repr::U64), Repr::U64),
        narrow!("try_as_u8", take!(Repr::U64), u8, Repr::U8),
        narrow!("try_as_u16", take!(Repr::U64), u16, Repr::U16),
        narrow!("try_as_u32", take!(Repr::U64), u32, Repr::U32)
    ]
);
integer!(
    U128,
    u128,
    take!(Repr::U128),
    Repr::U128,
    [
        sqrt!(take!(Repr::U128), Repr::U128),
        narrow!("try_as_u8", take!(Repr::U128), u8, Repr::U8),
        narrow!("try_as_u16", take!(Repr::U128), u16, Repr::U16),
        narrow!("try_as_u32", take!(Repr::U128), u32, Repr::U32),
        narrow!("try_as_u64", take!(Repr::U128), u64, Repr::U64)
    ]
);
integer!(
    U256_TYPE,
    U256,
    take_u256,
    make_u256,
    [
        narrow!("try_as_u8", take_u256, u8, Repr::U8),
        narrow!("try_as_u16", take_u256, u16, Repr::U16),
        narrow!("try_as_u32", take_u256, u32, Repr::U32),
        narrow!("try_as_u64", take_u256, u64, Repr::U64),
        narrow!("try_as_u128", take_u256, u128, Repr::U128)
    ]
);

/// `0x2::math` calls `0x1::u64`, where its errors are.
pub(super) const MATH: Functions = &[
    ("max", |c| in_u64(c, "max")),
    ("min", |c| in_u64(c, "min")),
    ("diff", |c| in_u64(c, "diff")),
    ("divide_and_round_up", |c| in_u64(c, "divide_and_round_up")),
    ("pow", |c| in_u64(c, "pow")),
    ("sqrt", |c| in_u64(c, "sqrt")),
];

fn in_u64(c: &mut Call<'_, '_>, name: &str) -> NativeResult {
    let function = U64.iter().find(|f| f.0 == name).ok_or_else(mistyped)?;
    function.1(c).map_err(|stop| fault_in(1, "u64", name, stop.fault))
}
