use std::fmt;

use serde::{Deserialize, Serialize};

/// Enums that the contract keeps as `u8`. A number that it does not have is refused.
macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($what:literal) { $($(#[$variant_doc:meta])* $variant:ident = $number:literal $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "u8", into = "u8")]
        #[repr(u8)]
        pub enum $name {
            $($(#[$variant_doc])* $variant = $number,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The lower-case word for settings and messages.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl TryFrom<u8> for $name {
            type Error = UnknownNumber;

            fn try_from(number: u8) -> Result<Self, UnknownNumber> {
                match number {
                    $($number => Ok(Self::$variant),)*
                    _ => Err(UnknownNumber { what: $what, number }),
                }
            }
        }

        impl From<$name> for u8 {
            fn from(value: $name) -> Self {
                value as Self
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    )*};
}

/// A number that stands for nothing in this version of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{number} is no {what}")]
pub struct UnknownNumber {
    /// What it should have been.
    pub what: &'static str,
    /// The number.
    pub number: u8,
}

numbers! {
    /// State of a release; whether it is Active or good also depends on time, see `Release`.
    ReleaseStatus("release status") {
        /// Published; Active once its delay has passed and its auditors have approved.
        Listed = 0 "listed",
        /// Good until a time.
        Retiring = 1 "retiring",
        /// Good for nothing.
        Revoked = 2 "revoked",
    }

    /// What follows from evidence of an offence.
    ActionKind("action") {
        /// It is recorded.
        Observe = 0 "observe",
        /// The stake is suspended.
        Eject = 1 "eject",
        /// The stake is slashed.
        Slash = 2 "slash",
    }

    /// What a stake is held to account for.
    Offence("offence") {
        /// One kubelet key in two live tunnels at once.
        DoubleIdentity = 0 "double_identity",
        /// A statement signed with the session key that the chain contradicts.
        ForgedStatement = 1 "forged_statement",
        /// No heartbeat for the cluster's limit.
        Silent = 2 "silent",
        /// The admin's own judgement (in `Slashed` events only).
        Admin = 255 "admin",
    }
}
