//! The types of settings. Text becomes one of them once, at the edge; none can hold a bad value.

mod address;
mod amount;
mod chain_id;
mod choice;
mod duration;
mod endpoint;
mod key_source;
mod node_id;
mod plain;

use std::fmt;

use daas_diagnostics::Phrase;

pub use address::{AddressOrAlias, SuiAddress};
pub use amount::Mist;
pub use chain_id::ChainId;
pub use choice::{ContainerRuntime, LogLevel, OutputFormat, PodNetwork, ProxyMode, RuntimeKind, TrustMode};
pub use duration::{format_duration, parse_duration};
pub use endpoint::{CriEndpoint, Endpoint};
pub use key_source::KeySource;
pub use node_id::parse_node_id;

/// A type that a setting can have.
pub trait Value: Sized {
    /// The form of its text, units included.
    const FORM: Phrase;
    /// Whether a text of it can be a secret.
    const SECRET: bool = false;
    /// Whether it takes several values.
    const LIST: bool = false;
    /// Whether `~/`, `{state}` and `{config}` are filled in.
    const PATH: bool = false;

    /// Reads the text.
    fn parse(text: &str) -> Result<Self, Refusal>;

    /// The value as a user would write it; masked if it is a secret.
    fn show(&self) -> String;

    /// Whether this is a secret in the clear, which only the environment may give.
    fn is_exposed(&self) -> bool {
        false
    }
}

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It has not the expected form.
    Expected(Phrase),
    /// It breaks a rule of node names.
    NodeName(Phrase),
    /// It asks for Docker.
    Docker,
}

/// What `FromStr` of the types of settings answers, for use outside settings. It does not hold the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError(pub(crate) Refusal);

impl ParseError {
    /// The form or the rule, in both languages.
    pub fn phrase(&self) -> Phrase {
        match self.0 {
            Refusal::Expected(phrase) | Refusal::NodeName(phrase) => phrase,
            Refusal::Docker => RuntimeKind::FORM,
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Refusal::NodeName(_) => f.write_str(self.phrase().english),
            _ => write!(f, "expected {}", self.phrase().english),
        }
    }
}

impl std::error::Error for ParseError {}

/// `FromStr` by way of [`Value`], `Display` by way of `show`.
macro_rules! text_form {
    ($($Type:ty),+) => {$(
        impl std::str::FromStr for $Type {
            type Err = $crate::values::ParseError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                <Self as $crate::values::Value>::parse(text).map_err($crate::values::ParseError)
            }
        }

        impl std::fmt::Display for $Type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&$crate::values::Value::show(self))
            }
        }
    )+};
}
use text_form;
