use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use daas_join::Network;
use daas_join::master_api::{
    HEARTBEAT_SECONDS, Heartbeat, MISSED_HEARTBEATS, NodeAddress, NodeResources, NodeState, NodeStatus, NodeView,
    ResourceUse,
};
use daas_seal_token::{NodeIdentity, NodeName, TokenId};

/// A worker that is silent for longer is not ready.
const SILENCE_MS: u64 = HEARTBEAT_SECONDS as u64 * MISSED_HEARTBEATS as u64 * 1000;

/// Why the book takes no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BookError {
    /// Another worker's.
    #[error("the address belongs to another worker")]
    AddressTaken,
    /// Its Node still shows another address; two Nodes would have one if another worker got that now.
    #[error("this node is registered with another address: its Node is removed first, register again in a moment")]
    AddressChanged,
    /// The enclave's own, a pod's or a service's.
    #[error("the address is the enclave's, a pod's or a service's")]
    AddressReserved,
    /// No more workers.
    #[error("the cluster has as many workers as its configuration allows")]
    Full,
    /// Its pods and its Node are still being removed.
    #[error("the node is still being removed: come again in a moment")]
    Leaving,
    /// Not registered here, or with another Seal token.
    #[error("this node has not registered with this enclave: register first")]
    NotRegistered,
    /// A heartbeat that is not newer than the last.
    #[error("a heartbeat with this time or a later one has arrived before")]
    NotNewer,
}

/// Addresses that no worker has.
#[derive(Debug, Clone)]
pub struct Reserved {
    /// The enclave's.
    pub addresses: Vec<IpAddr>,
    /// Pods' and services'.
    pub networks: Vec<Network>,
}

/// The workers that have registered since this enclave started.
#[derive(Debug)]
pub struct Book {
    reserved: Reserved,
    most: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    workers: BTreeMap<NodeName, Worker>,
    /// Whose Node and pods are being removed, with the addresses that these still show.
    leaving: BTreeMap<NodeName, Option<NodeAddress>>,
}

#[derive(Debug, Clone)]
struct Worker {
    token: TokenId,
    address: NodeAddress,
    resources: NodeResources,
    pods: Option<Network>,
    registered_ms: u64,
    last: Option<Beat>,
}

#[derive(Debug, Clone)]
struct Beat {
    arrived_ms: u64,
    timestamp_ms: u64,
    status: NodeStatus,
    used: ResourceUse,
    running_pods: u32,
}

/// A worker as whoever removes it needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: NodeName,
    /// The Seal token that it registered with.
    pub token: TokenId,
    /// The addresses of its pods, once they are known.
    pub pods: Option<Network>,
    /// When it registered last.
    pub registered_ms: u64,
}

impl Book {
    /// No workers yet, and at most so many.
    pub fn new(most: usize, reserved: Reserved) -> Self {
        Self { reserved, most, entries: Mutex::default() }
    }

    /// A worker with a proven identity has this address from now on. No address ever belongs to two: one that changes is free for others
    /// when the Node that shows it is gone, and so this worker leaves first.
    pub fn claim(
        &self,
        who: &NodeIdentity,
        address: NodeAddress,
        resources: NodeResources,
        now_ms: u64,
    ) -> Result<(), BookError> {
        let ip = address.ip();
        let reserved = &self.reserved;
        if reserved.addresses.contains(&ip) || reserved.networks.iter().any(|network| network.contains(ip)) {
            return Err(BookError::AddressReserved);
        }
        let mut entries = self.entries();
        if entries.leaving.contains_key(&who.name) {
            return Err(BookError::Leaving);
        }
        if entries.workers.iter().any(|(name, other)| *name != who.name && other.address == address)
            || entries.leaving.values().any(|left| *left == Some(address))
        {
            return Err(BookError::AddressTaken);
        }
        if entries.workers.get(&who.name).is_some_and(|before| before.address != address) {
            entries.leave(&who.name);
            return Err(BookError::AddressChanged);
        }
        if entries.workers.len() >= self.most && !entries.workers.contains_key(&who.name) {
            return Err(BookError::Full);
        }
        let before = entries.workers.remove(&who.name);
        let (pods, last) = before.map_or((None, None), |before| (before.pods, before.last));
        let worker = Worker { token: who.token, address, resources, pods, registered_ms: now_ms, last };
        entries.workers.insert(who.name.clone(), worker);
        Ok(())
    }

    /// The addresses of a worker's pods; false if it has left meanwhile.
    pub fn set_pods(&self, name: &NodeName, pods: Network) -> bool {
        let mut entries = self.entries();
        let worker = entries.workers.get_mut(name);
        worker.map(|worker| worker.pods = Some(pods)).is_some()
    }

    /// A heartbeat of a proven identity. One that is sent again counts for nothing.
    pub fn beat(&self, token: &TokenId, beat: &Heartbeat, now_ms: u64) -> Result<(), BookError> {
        let mut entries = self.entries();
        let worker = entries.workers.get_mut(&beat.node_name).filter(|worker| worker.token == *token);
        let worker = worker.filter(|worker| worker.pods.is_some()).ok_or(BookError::NotRegistered)?;
        if worker.last.as_ref().is_some_and(|last| beat.timestamp_ms <= last.timestamp_ms) {
            return Err(BookError::NotNewer);
        }
        worker.last = Some(Beat {
            arrived_ms: now_ms,
            timestamp_ms: beat.timestamp_ms,
            status: beat.status,
            used: beat.resources,
            running_pods: beat.running_pods,
        });
        Ok(())
    }

    /// Everybody, with their tokens.
    pub fn known(&self) -> Vec<Known> {
        let entries = self.entries();
        let known = entries.workers.iter().map(|(name, worker)| Known {
            name: name.clone(),
            token: worker.token,
            pods: worker.pods,
            registered_ms: worker.registered_ms,
        });
        known.collect()
    }

    /// A worker's identity is over: it is forgotten, and its name and its address blocked until [`Self::left`].
    pub fn leave(&self, name: &NodeName) {
        self.entries().leave(name);
    }

    /// A Node that is nobody's here goes as those do who leave; false if it is somebody's.
    pub fn leave_unless_known(&self, name: &NodeName) -> bool {
        let mut entries = self.entries();
        let unknown = !entries.workers.contains_key(name);
        if unknown {
            entries.leave(name);
        }
        unknown
    }

    /// Who is being removed.
    pub fn leaving(&self) -> Vec<NodeName> {
        self.entries().leaving.keys().cloned().collect()
    }

    /// Nothing of a worker is left.
    pub fn left(&self, name: &NodeName) {
        self.entries().leaving.remove(name);
    }

    /// What the join gateway must know.
    pub fn records(&self) -> Vec<(NodeName, IpAddr, Option<Network>)> {
        let entries = self.entries();
        entries.workers.iter().map(|(name, worker)| (name.clone(), worker.address.ip(), worker.pods)).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries().workers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How they do.
    pub fn views(&self, now_ms: u64) -> Vec<NodeView> {
        self.entries().workers.iter().map(|(name, worker)| worker.view(name, now_ms)).collect()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        // Each change is whole: a panic in between leaves nothing half done.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn leave(&mut self, name: &NodeName) {
        let address = self.workers.remove(name).map(|worker| worker.address);
        let left = self.leaving.entry(name.clone()).or_default();
        *left = left.or(address);
    }
}

impl Worker {
    fn view(&self, name: &NodeName, now_ms: u64) -> NodeView {
        let (state, reason) = self.state(now_ms);
        let last = self.last.as_ref();
        NodeView {
            name: name.clone(),
            address: self.address,
            pod_cidr: self.pods,
            state,
            reason,
            status: last.map(|beat| beat.status),
            last_heartbeat_ms: last.map(|beat| beat.arrived_ms),
            resources: self.resources,
            used: last.map(|beat| beat.used),
            running_pods: last.map_or(0, |beat| beat.running_pods),
        }
    }

    fn state(&self, now_ms: u64) -> (NodeState, String) {
        let since = self.last.as_ref().map_or(self.registered_ms, |beat| beat.arrived_ms);
        let silent = now_ms.saturating_sub(since);
        if silent > SILENCE_MS {
            let reason = format!("no heartbeat for {} s, {} are allowed", silent / 1000, SILENCE_MS / 1000);
            return (NodeState::NotReady, reason);
        }
        match self.last.as_ref().map(|beat| beat.status) {
            None => (NodeState::NotReady, "no heartbeat yet".to_owned()),
            Some(NodeStatus::Ready) => (NodeState::Ready, String::new()),
            Some(NodeStatus::NotReady) => (NodeState::NotReady, "it says so itself".to_owned()),
            Some(NodeStatus::Draining) => (NodeState::Draining, "it is leaving".to_owned()),
        }
    }
}

/// An identity of this name, for tests.
#[cfg(test)]
pub(crate) fn identity(name: &str, token: u8) -> NodeIdentity {
    NodeIdentity {
        owner: daas_seal_token::WalletAddress([token; 32]),
        token: TokenId([token; 32]),
        key_generation: 1,
        name: name.parse().unwrap(),
    }
}

#[cfg(test)]
mod tests {
    use daas_join::master_api::Percent;

    use super::*;

    const A: &str = "a-00000001";
    const B: &str = "b-00000002";

    fn book(most: usize) -> Book {
        let networks = ["10.42.0.0/16", "10.43.0.0/16"].map(|network| network.parse().unwrap()).into();
        Book::new(most, Reserved { addresses: vec!["172.30.0.1".parse().unwrap()], networks })
    }

    fn claim(book: &Book, name: &str, token: u8, address: &str) -> Result<(), BookError> {
        let resources = NodeResources::new(1000, 1 << 30).unwrap();
        book.claim(&identity(name, token), address.parse().unwrap(), resources, 1000)
    }

    fn beat(name: &str, timestamp_ms: u64, status: NodeStatus) -> Heartbeat {
        let percent = Percent::of(1, 2);
        let resources = ResourceUse { cpu_percent: percent, memory_percent: percent, disk_percent: percent };
        Heartbeat { node_name: name.parse().unwrap(), timestamp_ms, status, resources, running_pods: 3 }
    }

    #[test]
    fn no_address_belongs_to_two_and_none_is_the_clusters_own() {
        let book = book(2);
        claim(&book, A, 1, "172.30.0.11").unwrap();
        assert_eq!(claim(&book, B, 2, "172.30.0.11"), Err(BookError::AddressTaken));
        for own in ["172.30.0.1", "10.42.3.7", "10.43.0.1"] {
            assert_eq!(claim(&book, B, 2, own), Err(BookError::AddressReserved), "{own}");
        }
        claim(&book, B, 2, "172.30.0.12").unwrap();
        assert_eq!(claim(&book, A, 1, "172.30.0.12"), Err(BookError::AddressTaken));
        // Registering again with its own address is no change.
        claim(&book, A, 1, "172.30.0.11").unwrap();
        assert_eq!(claim(&book, "c-00000003", 3, "172.30.0.14"), Err(BookError::Full));
    }

    #[test]
    fn an_address_that_changes_is_nobodys_until_the_node_that_shows_it_is_gone() {
        let book = book(2);
        let name: NodeName = A.parse().unwrap();
        claim(&book, A, 1, "172.30.0.11").unwrap();
        assert_eq!(claim(&book, A, 1, "172.30.0.13"), Err(BookError::AddressChanged));
        assert_eq!(book.leaving(), std::slice::from_ref(&name));
        assert_eq!(claim(&book, A, 1, "172.30.0.13"), Err(BookError::Leaving));
        assert_eq!(claim(&book, B, 2, "172.30.0.11"), Err(BookError::AddressTaken));
        // Leaving once more does not give the address away.
        book.leave(&name);
        assert_eq!(claim(&book, B, 2, "172.30.0.11"), Err(BookError::AddressTaken));
        book.left(&name);
        claim(&book, A, 1, "172.30.0.13").unwrap();
        claim(&book, B, 2, "172.30.0.11").unwrap();
    }

    #[test]
    fn a_heartbeat_counts_once_and_for_registered_workers_only() {
        let book = book(2);
        let token = |number| TokenId([number; 32]);
        assert_eq!(book.beat(&token(1), &beat(A, 5, NodeStatus::Ready), 1), Err(BookError::NotRegistered));
        claim(&book, A, 1, "172.30.0.11").unwrap();
        // Its Node is not made yet.
        assert_eq!(book.beat(&token(1), &beat(A, 5, NodeStatus::Ready), 1), Err(BookError::NotRegistered));
        assert!(book.set_pods(&A.parse().unwrap(), "10.42.1.0/24".parse().unwrap()));
        book.beat(&token(1), &beat(A, 5, NodeStatus::Ready), 1).unwrap();
        for old in [5, 4, 0] {
            assert_eq!(book.beat(&token(1), &beat(A, old, NodeStatus::Ready), 1), Err(BookError::NotNewer));
        }
        assert_eq!(book.beat(&token(2), &beat(A, 6, NodeStatus::Ready), 1), Err(BookError::NotRegistered));
        book.beat(&token(1), &beat(A, 6, NodeStatus::Ready), 1).unwrap();
    }

    #[test]
    fn a_worker_that_is_silent_for_three_periods_is_not_ready_and_says_why() {
        let book = book(2);
        claim(&book, A, 1, "172.30.0.11").unwrap();
        assert!(book.set_pods(&A.parse().unwrap(), "10.42.1.0/24".parse().unwrap()));
        let at = |now| {
            let view = book.views(now).remove(0);
            (view.state, view.reason)
        };
        assert_eq!(at(1000), (NodeState::NotReady, "no heartbeat yet".to_owned()));
        book.beat(&TokenId([1; 32]), &beat(A, 5, NodeStatus::Ready), 10_000).unwrap();
        assert_eq!(at(100_000), (NodeState::Ready, String::new()));
        assert_eq!(at(100_001).0, NodeState::NotReady);
        assert!(at(170_000).1.contains("160 s"), "{}", at(170_000).1);
        book.beat(&TokenId([1; 32]), &beat(A, 6, NodeStatus::NotReady), 180_000).unwrap();
        assert_eq!(at(180_000).0, NodeState::NotReady);
        book.beat(&TokenId([1; 32]), &beat(A, 7, NodeStatus::Draining), 190_000).unwrap();
        assert_eq!(at(190_000).0, NodeState::Draining);
    }

    #[test]
    fn a_name_comes_back_only_when_nothing_of_it_is_left() {
        let book = book(2);
        let name = A.parse().unwrap();
        claim(&book, A, 1, "172.30.0.11").unwrap();
        book.leave(&name);
        assert!(book.is_empty() && book.leaving() == [name.clone()]);
        assert_eq!(claim(&book, A, 9, "172.30.0.12"), Err(BookError::Leaving));
        assert_eq!(claim(&book, B, 2, "172.30.0.11"), Err(BookError::AddressTaken));
        book.left(&name);
        claim(&book, B, 2, "172.30.0.11").unwrap();
        claim(&book, A, 9, "172.30.0.12").unwrap();
        assert_eq!(book.known().len(), 2);
    }
}
