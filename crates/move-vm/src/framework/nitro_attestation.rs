//! `0x2::nitro_attestation`

use super::{
    Functions,
    call::{abort_in, mistyped},
};
use crate::{
    AttestationError, Fault,
    interpreter::{Call, NativeResult},
    value::Repr,
};

pub(super) const FUNCTIONS: Functions = &[
    ("load_nitro_attestation", load),
    ("module_id", |c| c.borrow(&[0])),
    ("timestamp", |c| c.borrow(&[1])),
    ("digest", |c| c.borrow(&[2])),
    ("pcrs", |c| c.borrow(&[3])),
    ("public_key", |c| c.borrow(&[4])),
    ("user_data", |c| c.borrow(&[5])),
    ("nonce", |c| c.borrow(&[6])),
    ("index", |c| c.read_field(&[0])),
    ("value", |c| c.borrow(&[1])),
];

fn load(c: &mut Call<'_, '_>) -> NativeResult {
    let document = c.bytes(0)?;
    let clock = c.part(1, &[1])?;
    let Repr::U64(now) = c.machine.read(&clock)? else { return Err(mistyped()) };
    // Certificate chain and P-384 signature: the dearest native there is.
    c.machine.spend(100_000)?;
    c.charge(document.len())?;
    let verifier = c.machine.verifier.ok_or(Fault::NoAttestationVerifier)?;
    let document = verifier.verify(&document, now).map_err(|error| {
        let code = match error {
            AttestationError::Parse => 1,
            AttestationError::Verify => 2,
            AttestationError::Pcrs => 3,
        };
        abort_in(2, "nitro_attestation", "load_nitro_attestation_internal", code)
    })?;
    let type_ = c.returns(0)?;
    let entries_type = c.machine.types.field(type_, 3)?;
    let entry_type = c.machine.types.element(entries_type)?;
    let option_type = c.machine.types.field(type_, 4)?;
    let entry = |(index, value)| Repr::Struct(entry_type, 0, Box::new([Repr::U8(index), Repr::Bytes(value)]));
    let pcrs = c.machine.make_vector(entries_type, document.pcrs.into_iter().map(entry).collect())?;
    let public_key = c.machine.option(option_type, document.public_key.map(Repr::Bytes))?;
    let user_data = c.machine.option(option_type, document.user_data.map(Repr::Bytes))?;
    let nonce = c.machine.option(option_type, document.nonce.map(Repr::Bytes))?;
    c.result_struct(vec![
        Repr::Bytes(document.module_id),
        Repr::U64(document.timestamp),
        Repr::Bytes(document.digest),
        pcrs,
        public_key,
        user_data,
        nonce,
    ])
}
