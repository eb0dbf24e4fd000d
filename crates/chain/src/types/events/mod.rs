//! Every event of the package, parsed once at the edge.

mod cluster;
mod enclave;
mod evidence;
mod gateway;
mod measurements;
mod staking;
mod upgrade_lock;

use serde::{Deserialize, Serialize};
use sui_sdk_types::{Address, StructTag};

/// Why an event of the package is not understood. A registry that meets one refuses to go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The package has no such event in this version.
    #[error("the package has no event {module}::{name} in this version")]
    Unknown {
        /// Module.
        module: String,
        /// Struct.
        name: String,
    },
    /// The bytes are not the event.
    #[error("the bytes of {module}::{name} are malformed: {reason}")]
    Malformed {
        /// Module.
        module: String,
        /// Struct.
        name: String,
        /// What BCS says.
        reason: String,
    },
}

/// Structs whose fields are all public and have their BCS order.
macro_rules! structs {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }
    )*};
}
use structs;

macro_rules! events {
    ($($module:literal $file:ident { $($name:ident),* $(,)? })*) => {
        $(pub use $file::{$($name),*};)*

        /// An event of the package.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[non_exhaustive]
        pub enum Event {
            $($(#[doc = concat!("`", $module, "::", stringify!($name), "`")] $name($name),)*)*
        }

        impl Event {
            /// Module and struct of every event, as the contract names them.
            pub const NAMES: &[(&str, &str)] = &[$($(($module, stringify!($name)),)*)*];

            /// Reads an event. `None` if its type is not of this package: anybody can publish a module that has the
            /// same names.
            pub fn decode(type_: &StructTag, package: &Address, bytes: &[u8]) -> Result<Option<Self>, EventError> {
                if type_.address() != package || !type_.type_params().is_empty() {
                    return Ok(None);
                }
                Self::decode_named(type_.module().as_str(), type_.name().as_str(), bytes).map(Some)
            }

            /// Reads an event of this package by its names.
            pub fn decode_named(module: &str, name: &str, bytes: &[u8]) -> Result<Self, EventError> {
                match (module, name) {
                    $($(($module, stringify!($name)) => read(module, name, bytes).map(Self::$name),)*)*
                    _ => Err(EventError::Unknown { module: module.to_owned(), name: name.to_owned() }),
                }
            }

            /// Module and struct.
            pub fn names(&self) -> (&'static str, &'static str) {
                match self {
                    $($(Self::$name(_) => ($module, stringify!($name)),)*)*
                }
            }
        }
    };
}

events! {
    "cluster" cluster {
        ClusterCreated, SettingsChanged, EndpointsChanged, ReleaseRulesChanged, Migrated, Granted, Ungranted, InstanceActivated,
        InstanceDropped, Anchored, SuccessorNamed,
    }
    "measurements" measurements { ReleasePublished, ReleaseApproved, ReleaseRetiring, ReleaseRevoked }
    "enclave" enclave { Registered, Renewed, Forgotten }
    "staking" staking { Staked, ToppedUp, Unstaked, Withdrawn, Slashed, Suspended, Resumed }
    "evidence" evidence { EvidenceRecorded }
    "k8s_gateway" gateway { TokenCreated, SessionKeyRotated, TokenExtended, TokenRevoked }
    "upgrade_lock" upgrade_lock { Locked, Proposed, Authorized, Committed, Frozen }
}

impl Event {
    /// The cluster it is about: the first field of every event of these modules.
    pub fn cluster(bytes: &[u8]) -> Option<Address> {
        bytes.first_chunk::<32>().map(|id| Address::new(*id))
    }
}

fn read<'a, T: Deserialize<'a>>(module: &str, name: &str, bytes: &'a [u8]) -> Result<T, EventError> {
    bcs::from_bytes(bytes).map_err(|error| EventError::Malformed {
        module: module.to_owned(),
        name: name.to_owned(),
        reason: error.to_string(),
    })
}
