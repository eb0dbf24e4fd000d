//! Which workers there are, and which addresses belong to which: told by the master when a worker registers, never by a
//! kubelet.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{PoisonError, RwLock};

use daas_join::Network;
use daas_seal_token::NodeName;

use crate::error::Error;

/// More workers than this are not recorded.
const MAX_NODES: usize = 10_000;

/// A registered worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRecord {
    /// Its name.
    pub name: NodeName,
    /// The address that it registered with.
    pub address: IpAddr,
    /// The addresses of its pods, once the master has given them.
    pub pods: Option<Network>,
}

/// The workers.
#[derive(Debug)]
pub struct Nodes {
    pods: Network,
    services: Network,
    records: RwLock<HashMap<NodeName, NodeRecord>>,
}

impl Nodes {
    /// No workers yet, in a cluster with these pod and service addresses.
    pub fn new(pods: Network, services: Network) -> Self {
        Self { pods, services, records: RwLock::default() }
    }

    /// Records a worker or changes its record. No address ever belongs to two.
    pub fn put(&self, record: NodeRecord) -> Result<(), Error> {
        let address = record.address;
        if address.is_loopback() || address.is_unspecified() || address.is_multicast() {
            return Err(Error::Record("its address is no host's"));
        }
        if self.pods.contains(address) || self.services.contains(address) {
            return Err(Error::Record("its address is a pod's or a service's"));
        }
        if record.pods.is_some_and(|pods| !self.pods.contains(pods.address) || pods.prefix < self.pods.prefix) {
            return Err(Error::Record("its pod addresses are outside the cluster's"));
        }
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        let mut others = records.values().filter(|other| other.name != record.name);
        if others.any(|other| other.address == address || overlap(other.pods, record.pods)) {
            return Err(Error::Record("its addresses are another worker's"));
        }
        if records.len() >= MAX_NODES && !records.contains_key(&record.name) {
            return Err(Error::Limit("too many workers"));
        }
        records.insert(record.name.clone(), record);
        Ok(())
    }

    /// Forgets a worker.
    pub fn remove(&self, name: &NodeName) {
        self.records.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// A worker.
    pub fn get(&self, name: &NodeName) -> Option<NodeRecord> {
        self.records.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All of them, by name.
    pub fn names(&self) -> Vec<NodeName> {
        let mut names: Vec<_> = self.records.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.records.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The worker that has this address, as its own or a pod's.
    pub fn owner_of(&self, address: IpAddr) -> Option<NodeName> {
        let records = self.records.read().unwrap_or_else(PoisonError::into_inner);
        let owns =
            |record: &&NodeRecord| record.address == address || record.pods.is_some_and(|pods| pods.contains(address));
        records.values().find(owns).map(|record| record.name.clone())
    }
}

fn overlap(a: Option<Network>, b: Option<Network>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.contains(b.address) || b.contains(a.address),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, address: &str, pods: &str) -> NodeRecord {
        let pods = (!pods.is_empty()).then(|| pods.parse().unwrap());
        NodeRecord { name: name.parse().unwrap(), address: address.parse().unwrap(), pods }
    }

    #[test]
    fn an_address_belongs_to_one_worker() {
        let nodes = Nodes::new("10.42.0.0/16".parse().unwrap(), "10.43.0.0/16".parse().unwrap());
        nodes.put(record("one-dead000f", "192.0.2.1", "10.42.1.0/24")).unwrap();
        nodes.put(record("two-dead000f", "192.0.2.2", "")).unwrap();
        nodes.put(record("two-dead000f", "192.0.2.2", "10.42.2.0/24")).unwrap();
        for (address, owner) in [
            ("10.42.1.7", Some("one-dead000f")),
            ("10.42.2.7", Some("two-dead000f")),
            ("192.0.2.2", Some("two-dead000f")),
            ("10.42.3.7", None),
            ("10.43.0.1", None),
            ("127.0.0.1", None),
            ("169.254.169.254", None),
        ] {
            let found = nodes.owner_of(address.parse().unwrap()).map(|name| name.to_string());
            assert_eq!(found.as_deref(), owner, "{address}");
        }
        for (address, pods) in [
            ("192.0.2.1", ""),
            ("192.0.2.3", "10.42.1.0/25"),
            ("192.0.2.3", "10.42.0.0/16"),
            ("192.0.2.3", "10.0.0.0/8"),
            ("192.0.2.3", "10.43.1.0/24"),
            ("127.0.0.1", ""),
            ("0.0.0.0", ""),
            ("10.42.9.9", ""),
            ("10.43.0.1", ""),
        ] {
            assert!(nodes.put(record("three-dead000f", address, pods)).is_err(), "{address} {pods}");
        }
        nodes.remove(&"one-dead000f".parse().unwrap());
        assert!(nodes.put(record("three-dead000f", "192.0.2.1", "10.42.1.0/24")).is_ok());
    }
}
