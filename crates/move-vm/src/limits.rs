//! The bounds of one transaction. Every one of them ends in a typed error, never in a crash.

/// Bounds on what one [`crate::Session`] may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Interpreter steps: one per instruction, more for work proportional to the size of a value.
    pub steps: u64,
    /// Frames that may be open at the same time.
    pub call_depth: usize,
    /// Values on the operand stack, all frames together.
    pub operand_stack: usize,
    /// Bytes of values ever allocated in the transaction (nothing is given back, so live memory is below it).
    pub value_bytes: u64,
    /// Nesting of a type, fields included; bounds the nesting of every value.
    pub type_depth: usize,
    /// Distinct types that one transaction may instantiate.
    pub types: usize,
    /// Bytes of one event.
    pub event_bytes: usize,
    /// Events of one transaction.
    pub events: usize,
    /// Objects created, transferred or loaded as dynamic fields, each.
    pub objects: usize,
    /// Bytes of one object's contents.
    pub object_bytes: usize,
}

impl Default for Limits {
    /// The protocol limits of Sui where there is one (events, objects), else a generous bound.
    fn default() -> Self {
        Self {
            steps: 20_000_000,
            call_depth: 256,
            operand_stack: 8_192,
            value_bytes: 256 * 1024 * 1024,
            type_depth: 32,
            types: 4_096,
            event_bytes: 250 * 1024,
            events: 1_024,
            objects: 2_048,
            object_bytes: 250 * 1024,
        }
    }
}
