//! `0x1::hash` and `0x2::hash`

use blake2::digest::{Update as _, VariableOutput as _};
use sha2::Digest as _;

use super::{Functions, call::one};
use crate::value::Repr;

pub(super) const STD: Functions = &[
    ("sha2_256", |c| {
        let bytes = c.bytes(0)?;
        c.charge(bytes.len())?;
        one(Repr::Bytes(sha2::Sha256::digest(&bytes).to_vec()))
    }),
    ("sha3_256", |c| {
        let bytes = c.bytes(0)?;
        c.charge(bytes.len())?;
        one(Repr::Bytes(sha3::Sha3_256::digest(&bytes).to_vec()))
    }),
];

pub(super) const SUI: Functions = &[
    ("blake2b256", |c| {
        c.charge(c.bytes_at(0)?.len())?;
        let mut out = vec![0; 32];
        if let Ok(mut hasher) = blake2::Blake2bVar::new(32) {
            hasher.update(c.bytes_at(0)?);
            let _ = hasher.finalize_variable(&mut out);
        }
        one(Repr::Bytes(out))
    }),
    ("keccak256", |c| {
        c.charge(c.bytes_at(0)?.len())?;
        one(Repr::Bytes(sha3::Keccak256::digest(c.bytes_at(0)?).to_vec()))
    }),
];
