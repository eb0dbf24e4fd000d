/// Why a server cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A certificate or key cannot be used.
    #[error("the {what} cannot be used: {why}")]
    Credential {
        /// Which.
        what: &'static str,
        /// Why.
        why: String,
    },
}

impl Error {
    #[expect(clippy::needless_pass_by_value, reason = "for map_err")]
    pub(crate) fn credential(what: &'static str, why: impl ToString) -> Self {
        Self::Credential { what, why: why.to_string() }
    }
}
