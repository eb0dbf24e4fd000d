//! `enclave::*`: registrations.

use sui_sdk_types::Address;

use super::structs;
use crate::types::Bytes32;
use crate::types::enclave::Registration;

structs! {
    /// An instance is known.
    Registered {
        /// The cluster.
        cluster: Address,
        /// Which.
        registration: Registration,
    }

    /// An instance showed a fresh document.
    Renewed {
        /// The cluster.
        cluster: Address,
        /// Which.
        registration: Registration,
    }

    /// An expired registration was removed.
    Forgotten {
        /// The cluster.
        cluster: Address,
        /// Which.
        instance: Bytes32,
    }
}
