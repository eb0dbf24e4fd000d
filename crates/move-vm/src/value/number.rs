//! Integer instructions, checked.

use super::Repr;
use crate::{Fault, format::Instruction};

/// Move's `u256`.
pub(crate) type U256 = bnum::BUint<4>;

const MIXED: Fault = Fault::Unverified("operands are not integers of one type");

macro_rules! checked {
    ($left:expr, $right:expr, $method:ident) => {
        match ($left, $right) {
            (Repr::U64(a), Repr::U64(b)) => a.$method(b).map(Repr::U64),
            (Repr::U8(a), Repr::U8(b)) => a.$method(b).map(Repr::U8),
            (Repr::U16(a), Repr::U16(b)) => a.$method(b).map(Repr::U16),
            (Repr::U32(a), Repr::U32(b)) => a.$method(b).map(Repr::U32),
            (Repr::U128(a), Repr::U128(b)) => a.$method(b).map(Repr::U128),
            (Repr::U256(a), Repr::U256(b)) => a.$method(*b).map(|v| Repr::U256(Box::new(v))),
            _ => return Err(MIXED),
        }
        .ok_or(Fault::Arithmetic)
    };
}

macro_rules! bitwise {
    ($left:expr, $right:expr, $op:tt) => {
        match ($left, $right) {
            (Repr::U64(a), Repr::U64(b)) => Ok(Repr::U64(a $op b)),
            (Repr::U8(a), Repr::U8(b)) => Ok(Repr::U8(a $op b)),
            (Repr::U16(a), Repr::U16(b)) => Ok(Repr::U16(a $op b)),
            (Repr::U32(a), Repr::U32(b)) => Ok(Repr::U32(a $op b)),
            (Repr::U128(a), Repr::U128(b)) => Ok(Repr::U128(a $op b)),
            (Repr::U256(a), Repr::U256(b)) => Ok(Repr::U256(Box::new(*a $op *b))),
            _ => Err(MIXED),
        }
    };
}

/// `+ - * / % | & ^` on two integers of one type.
pub(crate) fn arithmetic(op: &Instruction, left: Repr, right: Repr) -> Result<Repr, Fault> {
    match op {
        Instruction::Add => checked!(left, right, checked_add),
        Instruction::Subtract => checked!(left, right, checked_sub),
        Instruction::Multiply => checked!(left, right, checked_mul),
        Instruction::Divide => checked!(left, right, checked_div),
        Instruction::Modulo => checked!(left, right, checked_rem),
        Instruction::BitOr => bitwise!(left, right, |),
        Instruction::BitAnd => bitwise!(left, right, &),
        Instruction::BitXor => bitwise!(left, right, ^),
        _ => Err(Fault::Unverified("not an arithmetic instruction")),
    }
}

/// `<<` and `>>`: the shift is a `u8` below the width of the type.
pub(crate) fn shift(left_shift: bool, value: Repr, by: &Repr) -> Result<Repr, Fault> {
    let Repr::U8(by) = *by else { return Err(Fault::Unverified("shift is not a u8")) };
    let by = u32::from(by);
    macro_rules! shifted {
        ($value:expr, $wrap:expr) => {
            if left_shift { $value.checked_shl(by) } else { $value.checked_shr(by) }.map($wrap)
        };
    }
    match value {
        Repr::U8(v) => shifted!(v, Repr::U8),
        Repr::U16(v) => shifted!(v, Repr::U16),
        Repr::U32(v) => shifted!(v, Repr::U32),
        Repr::U64(v) => shifted!(v, Repr::U64),
        Repr::U128(v) => shifted!(v, Repr::U128),
        // A u8 is always below the width of u256.
        Repr::U256(v) => shifted!(*v, |v| Repr::U256(Box::new(v))),
        _ => return Err(MIXED),
    }
    .ok_or(Fault::Arithmetic)
}

/// `< > <= >=`.
pub(crate) fn compare(left: &Repr, right: &Repr) -> Result<std::cmp::Ordering, Fault> {
    Ok(match (left, right) {
        (Repr::U64(a), Repr::U64(b)) => a.cmp(b),
        (Repr::U8(a), Repr::U8(b)) => a.cmp(b),
        (Repr::U16(a), Repr::U16(b)) => a.cmp(b),
        (Repr::U32(a), Repr::U32(b)) => a.cmp(b),
        (Repr::U128(a), Repr::U128(b)) => a.cmp(b),
        (Repr::U256(a), Repr::U256(b)) => a.cmp(b),
        _ => return Err(MIXED),
    })
}

/// The integer widened to 256 bits.
fn widen(value: &Repr) -> Result<U256, Fault> {
    Ok(match value {
        Repr::U8(v) => U256::from(*v),
        Repr::U16(v) => U256::from(*v),
        Repr::U32(v) => U256::from(*v),
        Repr::U64(v) => U256::from(*v),
        Repr::U128(v) => U256::from(*v),
        Repr::U256(v) => **v,
        _ => return Err(MIXED),
    })
}

/// `as`: fails when the number does not fit.
pub(crate) fn cast(op: &Instruction, value: &Repr) -> Result<Repr, Fault> {
    if let (Instruction::CastU64, Repr::U64(v)) = (op, value) {
        return Ok(Repr::U64(*v));
    }
    let wide = widen(value)?;
    let narrow = || u128::try_from(wide).map_err(|_| Fault::Arithmetic);
    Ok(match op {
        Instruction::CastU8 => Repr::U8(u8::try_from(narrow()?).map_err(|_| Fault::Arithmetic)?),
        Instruction::CastU16 => Repr::U16(u16::try_from(narrow()?).map_err(|_| Fault::Arithmetic)?),
        Instruction::CastU32 => Repr::U32(u32::try_from(narrow()?).map_err(|_| Fault::Arithmetic)?),
        Instruction::CastU64 => Repr::U64(u64::try_from(narrow()?).map_err(|_| Fault::Arithmetic)?),
        Instruction::CastU128 => Repr::U128(narrow()?),
        _ => Repr::U256(Box::new(wide)),
    })
}

/// The 32 little-endian bytes of BCS.
pub(crate) fn to_bytes(value: &U256) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, digit) in bytes.chunks_exact_mut(8).zip(value.digits()) {
        chunk.copy_from_slice(&digit.to_le_bytes());
    }
    bytes
}

/// From 32 little-endian bytes.
pub(crate) fn from_bytes(bytes: &[u8; 32]) -> U256 {
    let mut digits = [0; 4];
    for (digit, chunk) in digits.iter_mut().zip(bytes.chunks_exact(8)) {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        *digit = u64::from_le_bytes(word);
    }
    U256::from_digits(digits)
}
