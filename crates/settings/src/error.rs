use std::path::PathBuf;

use daas_diagnostics::{Diagnose, Diagnostic, Lang, Phrase, codes};

use crate::origin::Origin;
use crate::values::Mist;

/// Why settings were refused. No variant holds the value of a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// No setting has this name.
    #[error("unknown setting {name} ({origin})")]
    Unknown {
        /// The name as given.
        name: String,
        /// Where it was given.
        origin: Origin,
        /// The most similar known name.
        nearest: Option<&'static str>,
    },
    /// A value does not have the form of its setting.
    #[error("{name}: bad value {value} ({origin}), expected {}", expected.english)]
    BadValue {
        /// The setting.
        name: &'static str,
        /// Where the value was given.
        origin: Origin,
        /// The value, or a mask where it may be a secret.
        value: String,
        /// The form that was expected.
        expected: Phrase,
    },
    /// A settings file cannot be read.
    #[error("cannot read settings file {}", path.display())]
    FileUnreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A settings file is not JSON or TOML.
    #[error("settings file {}, line {line}: {detail}", path.display())]
    FileMalformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        reason: Phrase,
        /// What exactly, in English; quotes no values.
        detail: String,
    },
    /// A setting that has no default was not given.
    #[error("required setting {name} is missing")]
    Missing {
        /// The setting.
        name: &'static str,
        /// The ways to give it, in words.
        how: String,
    },
    /// A node name breaks the rules.
    #[error("invalid node name {name:?}: {}", reason.english)]
    NodeName {
        /// The name as given.
        name: String,
        /// The rule that it breaks.
        reason: Phrase,
    },
    /// A secret was written into a file or a flag.
    #[error("{name} holds a secret in the clear ({origin})")]
    SecretInline {
        /// The setting.
        name: &'static str,
        /// Where it stands.
        origin: Origin,
        /// The environment variable where it would be accepted.
        env: &'static str,
    },
    /// `container_runtime = "docker"`.
    #[error("container_runtime docker is not supported: no CRI ({origin})")]
    DockerRuntime {
        /// Where it was given.
        origin: Origin,
    },
    /// `MOCK_MODE` is set.
    #[error("MOCK_MODE is set, but there is no mock mode")]
    MockMode,
    /// Two settings contradict each other.
    #[error("{first} and {second} do not fit together: {}", reason.english)]
    Conflict {
        /// One setting.
        first: &'static str,
        /// The other setting.
        second: &'static str,
        /// Why.
        reason: Phrase,
    },
    /// The stake is below the minimum that the staker set for himself.
    #[error("stake_amount {amount} is less than min_stake_amount {minimum}")]
    StakeBelowMinimum {
        /// The stake.
        amount: Mist,
        /// The minimum.
        minimum: Mist,
    },
}

impl Diagnose for SettingsError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::Unknown { name, origin, nearest } => {
                at(Diagnostic::new(codes::UNKNOWN_SETTING).with("name", name).with_opt("nearest", *nearest), origin)
            }
            Self::BadValue { name, origin, value, expected } => at(Diagnostic::new(codes::BAD_VALUE), origin)
                .with("name", name)
                .with("value", value)
                .with_phrase("expected", *expected),
            Self::FileUnreadable { path, source } => {
                Diagnostic::new(codes::FILE_UNREADABLE).with("path", path.display()).with_io("reason", source)
            }
            Self::FileMalformed { path, line, reason, detail } => Diagnostic::new(codes::FILE_MALFORMED)
                .with("path", path.display())
                .with("line", line)
                .with_phrase("reason", *reason)
                .technical(detail),
            Self::Missing { name, how } => Diagnostic::new(codes::MISSING_SETTING).with("name", name).with("how", how),
            Self::NodeName { name, reason } => {
                Diagnostic::new(codes::INVALID_NODE_NAME).with("name", name).with_phrase("reason", *reason)
            }
            Self::SecretInline { name, origin, env } => {
                at(Diagnostic::new(codes::SECRET_INLINE), origin).with("name", name).with("env", env)
            }
            Self::DockerRuntime { origin } => at(Diagnostic::new(codes::DOCKER_RUNTIME), origin),
            Self::MockMode => Diagnostic::new(codes::MOCK_MODE),
            Self::Conflict { first, second, reason } => Diagnostic::new(codes::CONFLICTING_SETTINGS)
                .with("first", first)
                .with("second", second)
                .with_phrase("reason", *reason),
            Self::StakeBelowMinimum { amount, minimum } => {
                Diagnostic::new(codes::STAKE_SETTING_BELOW_MINIMUM).with("amount", amount).with("minimum", minimum)
            }
        }
    }
}

fn at(diagnostic: Diagnostic, origin: &Origin) -> Diagnostic {
    diagnostic.with_words("origin", origin.describe(Lang::English), origin.describe(Lang::Korean))
}
