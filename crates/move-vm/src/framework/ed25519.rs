//! `0x2::ed25519`

use super::{Functions, call::one};
use crate::value::Repr;

pub(super) const FUNCTIONS: Functions = &[("ed25519_verify", |c| {
    // About a thousand instructions' worth of work.
    c.machine.spend(1_000)?;
    c.charge(c.bytes_at(2)?.len())?;
    one(Repr::Bool(verify(c.bytes_at(0)?, c.bytes_at(1)?, c.bytes_at(2)?)))
})];

/// Malformed keys and signatures are `false`, as in the native function (`crypto/ed25519.rs`). fastcrypto verifies
/// through ed25519-consensus, that is by the rules of ZIP 215; strict verification here refuses, in addition, keys and
/// nonces of small order, which no honest signer has.
fn verify(signature: &[u8], key: &[u8], message: &[u8]) -> bool {
    let (Ok(signature), Ok(key)) = (<[u8; 64]>::try_from(signature), <[u8; 32]>::try_from(key)) else { return false };
    let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(&key) else { return false };
    key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature)).is_ok()
}
