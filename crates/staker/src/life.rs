//! A worker's life as types: each step takes the one before and what it needs, so that a step cannot be left out.
//!
//! What the chain or the cluster will remember is kept ([`crate::state_file`]); what has to be proven anew after a start is not taken
//! from the file: [`Life::resumed`].

use std::fmt;

use daas_chain::types::Bytes32;
use daas_seal_token::NodeName;
use serde::{Deserialize, Serialize};
use sui_sdk_types::Address;

/// Where a worker stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Life {
    /// No stake is known.
    Unstaked,
    /// A stake, no Seal token.
    Staked(Staked),
    /// A Seal token that this machine can sign with.
    Tokened(Tokened),
    /// The enclave has been verified.
    Verified(Verified),
    /// The master knows the node.
    Registered(Registered),
    /// The node has its certificates.
    Joined(Joined),
    /// Pods leave; then the stake is taken back.
    Draining(Draining),
    /// Over. The worker does not stake again by itself.
    Ended(Ended),
}

/// A stake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staked {
    /// Its id.
    pub stake: Address,
    /// The node's name on chain.
    #[serde(with = "name")]
    pub name: NodeName,
}

/// A stake with its Seal token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokened {
    /// The stake.
    pub staked: Staked,
    /// The Seal token's id.
    pub token: Address,
    /// Where the node was a member when the worker stopped, so that a new cluster is told from the old one.
    pub membership: Option<Membership>,
}

/// The enclave is the cluster's active instance, runs a good release and answered a fresh nonce.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// The worker so far.
    pub tokened: Tokened,
    /// The enclave.
    pub enclave: Enclave,
}

/// What a verified document says of the enclave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enclave {
    /// Its instance key.
    pub instance: Bytes32,
    /// SHA-256 of the public key of 8443.
    pub tls_spki_sha256: Bytes32,
    /// SHA-256 of the server CA.
    pub server_ca_sha256: Bytes32,
    /// Simulated hardware made it.
    pub is_simulated: bool,
}

/// The master has recorded the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The worker so far.
    pub verified: Verified,
    /// What the master gave.
    pub place: Place,
}

/// A node's place in the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its address among the nodes.
    pub address: std::net::IpAddr,
    /// Addresses of its pods.
    pub pod_cidr: daas_join::Network,
    /// Addresses of all pods.
    pub cluster_cidr: daas_join::Network,
    /// Addresses of services.
    pub service_cidr: daas_join::Network,
    /// The cluster's name server.
    pub cluster_dns: std::net::IpAddr,
    /// The cluster's domain.
    pub cluster_domain: String,
    /// Seconds between heartbeats.
    pub heartbeat_seconds: u64,
}

/// The node has its certificates and runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The worker so far.
    pub registered: Registered,
}

/// What a node belongs to. Another server CA is another cluster: nothing of the old one counts there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// SHA-256 of the server CA.
    pub server_ca_sha256: Bytes32,
    /// The place in it.
    pub place: Place,
}

/// On its way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draining {
    /// The stake.
    pub staked: Staked,
    /// Where its node is or was a member.
    pub membership: Option<Membership>,
}

/// Over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The stake that was.
    pub staked: Staked,
    /// Why.
    pub cause: Cause,
}

/// Why a worker's life is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Slashed.
    Slashed,
    /// Unstaked: the money is on its way back or has come.
    Unstaked,
    /// The attested master says that the identity is over, again and again.
    Expelled,
}

impl Life {
    /// What is still true after a start: proofs of the enclave are made anew.
    #[must_use]
    pub fn resumed(self) -> Self {
        match self {
            Self::Verified(verified) => Self::Tokened(verified.tokened),
            Self::Registered(registered) => Self::Tokened(registered.verified.tokened),
            Self::Joined(joined) => Self::Tokened(joined.left()),
            other => other,
        }
    }

    /// The stake, if there is one.
    pub fn staked(&self) -> Option<&Staked> {
        match self {
            Self::Staked(staked) => Some(staked),
            Self::Draining(draining) => Some(&draining.staked),
            Self::Ended(ended) => Some(&ended.staked),
            _ => self.tokened().map(|tokened| &tokened.staked),
        }
    }

    /// The Seal token, if there is one.
    pub fn tokened(&self) -> Option<&Tokened> {
        match self {
            Self::Tokened(tokened) => Some(tokened),
            _ => self.verified().map(|verified| &verified.tokened),
        }
    }

    /// The enclave, while it counts as verified.
    pub fn enclave(&self) -> Option<&Enclave> {
        self.verified().map(|verified| &verified.enclave)
    }

    fn verified(&self) -> Option<&Verified> {
        match self {
            Self::Verified(verified) => Some(verified),
            Self::Registered(registered) => Some(&registered.verified),
            Self::Joined(joined) => Some(&joined.registered.verified),
            _ => None,
        }
    }

    /// Where its node is or was a member, if it ever was one.
    pub fn membership(&self) -> Option<Membership> {
        match self {
            Self::Tokened(tokened) => tokened.membership.clone(),
            Self::Verified(verified) => verified.tokened.membership.clone(),
            Self::Registered(registered) => registered.verified.tokened.membership.clone(),
            Self::Joined(joined) => joined.clone().left().membership,
            Self::Draining(draining) => draining.membership.clone(),
            Self::Unstaked | Self::Staked(_) | Self::Ended(_) => None,
        }
    }

    /// Pods leave now; nothing to leave without a stake, or after it.
    pub fn draining(&self) -> Option<Draining> {
        match self {
            Self::Unstaked | Self::Ended(_) => None,
            other => Some(Draining { staked: other.staked()?.clone(), membership: other.membership() }),
        }
    }

    /// The word for logs and the local API.
    pub fn stage(&self) -> &'static str {
        match self {
            Self::Unstaked => "unstaked",
            Self::Staked(_) => "staked",
            Self::Tokened(_) => "tokened",
            Self::Verified(_) => "verified",
            Self::Registered(_) => "registered",
            Self::Joined(_) => "joined",
            Self::Draining(_) => "draining",
            Self::Ended(Ended { cause: Cause::Slashed, .. }) => "slashed",
            Self::Ended(Ended { cause: Cause::Unstaked, .. }) => "unstaked_for_good",
            Self::Ended(Ended { cause: Cause::Expelled, .. }) => "expelled",
        }
    }
}

impl Staked {
    /// The stake has a Seal token.
    pub fn tokened(self, token: Address) -> Tokened {
        Tokened { staked: self, token, membership: None }
    }
}

impl Tokened {
    /// The enclave has been verified.
    pub fn verified(self, enclave: Enclave) -> Verified {
        Verified { tokened: self, enclave }
    }
}

impl Verified {
    /// The master has recorded the node.
    pub fn registered(self, place: Place) -> Registered {
        Registered { verified: self, place }
    }

    /// Whether the node that ran before belongs to this very cluster.
    pub fn continues(&self) -> bool {
        let before = self.tokened.membership.as_ref();
        before.is_none_or(|before| before.server_ca_sha256 == self.enclave.server_ca_sha256)
    }
}

impl Registered {
    /// The node has its certificates.
    pub fn joined(self) -> Joined {
        Joined { registered: self }
    }
}

impl Joined {
    /// The worker's connection to the master is over; its node may go on.
    pub fn left(self) -> Tokened {
        let Registered { verified: Verified { tokened, enclave }, place } = self.registered;
        let membership = Membership { server_ca_sha256: enclave.server_ca_sha256, place };
        Tokened { membership: Some(membership), ..tokened }
    }
}

impl Place {
    /// Whether a node that runs in the other place would run here without a change.
    pub fn is_same_node(&self, other: &Self) -> bool {
        Self { heartbeat_seconds: 0, ..self.clone() } == Self { heartbeat_seconds: 0, ..other.clone() }
    }
}

impl Staked {
    /// Over.
    pub fn ended(self, cause: Cause) -> Ended {
        Ended { staked: self, cause }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slashed => "it was slashed",
            Self::Unstaked => "it was unstaked",
            Self::Expelled => "the master says that its identity is over",
        })
    }
}

mod name {
    use daas_seal_token::NodeName;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(name: &NodeName, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(name.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NodeName, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use daas_chain::types::Bytes;

    use super::*;

    pub(crate) fn staked() -> Staked {
        Staked { stake: Address::new([0xde; 32]), name: "worker-1-dededede".parse().unwrap() }
    }

    pub(crate) fn enclave(number: u8) -> Enclave {
        Enclave {
            instance: Bytes([number; 32]),
            tls_spki_sha256: Bytes([number; 32]),
            server_ca_sha256: Bytes([number; 32]),
            is_simulated: true,
        }
    }

    pub(crate) fn place() -> Place {
        Place {
            address: "172.30.0.11".parse().unwrap(),
            pod_cidr: "10.42.1.0/24".parse().unwrap(),
            cluster_cidr: "10.42.0.0/16".parse().unwrap(),
            service_cidr: "10.43.0.0/16".parse().unwrap(),
            cluster_dns: "10.43.0.10".parse().unwrap(),
            cluster_domain: "cluster.local".into(),
            heartbeat_seconds: 30,
        }
    }

    pub(crate) fn draining() -> Draining {
        Life::Joined(joined()).draining().unwrap()
    }

    #[test]
    fn whoever_leaves_knows_what_it_was_a_member_of() {
        assert_eq!(draining().membership.unwrap().place, place());
        assert_eq!(Life::Draining(draining()).draining(), Some(draining()));
        assert_eq!(Life::Unstaked.draining(), None);
        assert_eq!(Life::Ended(staked().ended(Cause::Unstaked)).draining(), None);
    }

    fn joined() -> Joined {
        staked().tokened(Address::new([7; 32])).verified(enclave(1)).registered(place()).joined()
    }

    #[test]
    fn what_must_be_proven_is_proven_again_after_a_start() {
        let tokened = Life::Tokened(staked().tokened(Address::new([7; 32])));
        let verified = staked().tokened(Address::new([7; 32])).verified(enclave(1));
        assert_eq!(Life::Verified(verified.clone()).resumed(), tokened);
        assert_eq!(Life::Registered(verified.registered(place())).resumed(), tokened);
        let Life::Tokened(after) = Life::Joined(joined()).resumed() else { panic!() };
        assert_eq!(after.membership.unwrap().server_ca_sha256, Bytes([1; 32]));
        for kept in [
            Life::Unstaked,
            Life::Staked(staked()),
            Life::Draining(draining()),
            Life::Ended(staked().ended(Cause::Slashed)),
        ] {
            assert_eq!(kept.clone().resumed(), kept);
        }
    }

    #[test]
    fn another_ca_is_another_cluster() {
        let before = joined().left();
        assert!(before.clone().verified(enclave(1)).continues());
        assert!(!before.verified(enclave(2)).continues());
        assert!(staked().tokened(Address::new([7; 32])).verified(enclave(2)).continues());
    }

    #[test]
    fn every_stage_survives_its_file() {
        let tokened = staked().tokened(Address::new([7; 32]));
        let verified = tokened.clone().verified(enclave(1));
        for life in [
            Life::Unstaked,
            Life::Staked(staked()),
            Life::Tokened(tokened),
            Life::Verified(verified.clone()),
            Life::Registered(verified.registered(place())),
            Life::Joined(joined()),
            Life::Draining(draining()),
            Life::Ended(staked().ended(Cause::Expelled)),
        ] {
            let json = serde_json::to_string(&life).unwrap();
            assert_eq!(serde_json::from_str::<Life>(&json).unwrap(), life, "{json}");
        }
    }
}
