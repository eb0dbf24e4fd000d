//! `measurements::*`: the life of releases.

use sui_sdk_types::Address;

use super::structs;
use crate::types::measurements::Release;
use crate::types::{Bytes32, Pcrs};

structs! {
    /// A release is listed.
    ReleasePublished {
        /// The cluster.
        cluster: Address,
        /// Which.
        release: Release,
    }

    /// An auditor approved a release.
    ReleaseApproved {
        /// The cluster.
        cluster: Address,
        /// Which.
        pcrs: Pcrs,
        /// Who.
        auditor: Bytes32,
    }

    /// A release ends at a time.
    ReleaseRetiring {
        /// The cluster.
        cluster: Address,
        /// Which.
        pcrs: Pcrs,
        /// Chain time.
        until_ms: u64,
    }

    /// A release is over.
    ReleaseRevoked {
        /// The cluster.
        cluster: Address,
        /// Which.
        pcrs: Pcrs,
        /// Why.
        compromised: bool,
        /// The generation after it.
        generation: u64,
    }
}
