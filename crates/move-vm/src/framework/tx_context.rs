//! `0x2::tx_context`. Values come from the transaction, not from the argument.

use super::{Functions, call::one};
use crate::value::Repr;

pub(super) const FUNCTIONS: Functions = &[
    ("sender", |c| one(Repr::Address(c.machine.objects.context.sender))),
    ("digest", |c| c.borrow(&[1])),
    ("epoch", |c| one(Repr::U64(c.machine.objects.context.epoch))),
    ("epoch_timestamp_ms", |c| one(Repr::U64(c.machine.objects.context.epoch_timestamp_ms))),
    ("reference_gas_price", |c| one(Repr::U64(c.machine.objects.context.reference_gas_price))),
    ("gas_price", |c| one(Repr::U64(c.machine.objects.context.gas_price))),
    ("sponsor", |c| {
        let sponsor = c.machine.objects.context.sponsor;
        c.result_option(sponsor.map(Repr::Address))
    }),
    ("fresh_object_address", |c| {
        let id = c.machine.objects.fresh_address();
        let limit = c.machine.limits.objects;
        c.machine.objects.record_new(id, limit)?;
        one(Repr::Address(id))
    }),
];
