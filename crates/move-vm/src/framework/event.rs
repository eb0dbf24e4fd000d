//! `0x2::event`

use super::{Functions, call::nothing};

pub(super) const FUNCTIONS: Functions = &[("emit", |c| {
    c.require_defining_module(c.type_argument(0)?)?;
    let event = c.take(0)?;
    c.machine.emit(&event)?;
    nothing()
})];
