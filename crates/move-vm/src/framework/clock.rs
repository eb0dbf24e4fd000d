//! `0x2::clock`

use super::Functions;

pub(super) const FUNCTIONS: Functions = &[("timestamp_ms", |c| c.read_field(&[1]))];
