//! Parsed packages by storage id, shared between executions.

/// Parsed packages, shared between executions and bounded. Packages never change, so an entry is never stale.
#[derive(Debug, Default)]
pub struct ModuleCache {}

impl ModuleCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }
}
