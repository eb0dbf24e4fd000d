//! The connections of kube-apiserver's port: each has a loopback source address of its own, so that audit events tell which
//! identity runs on it, and exactly that identity's connections are closed when it is over.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::verdicts::Standing;

/// 127.64.0.0/10: kube-apiserver and the webhooks are at 127.0.0.1.
const FIRST: u32 = u32::from_be_bytes([127, 64, 0, 1]);
const LAST: u32 = u32::from_be_bytes([127, 127, 255, 254]);
/// More identities than this do not share one connection.
const MAX_STANDINGS: usize = 64;

/// The table. Addresses are given in order and come again after four million others, so that a late event does not
/// speak of somebody else's connection.
#[derive(Debug, Default)]
pub struct Connections(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    given: u32,
    entries: HashMap<Ipv4Addr, Entry>,
    by_standing: HashMap<Standing, HashSet<Ipv4Addr>>,
    counts: Counts,
}

/// What has happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Audit events that named an open connection.
    pub explained: u64,
    /// Connections that were told to end.
    pub cut: u64,
    /// Times that events were lost.
    pub losses: u64,
}

#[derive(Debug)]
struct Entry {
    standings: HashSet<Standing>,
    cut: CancellationToken,
    /// The table's losses when it was opened: an older entry may have an event among them.
    opened_at_loss: u64,
}

/// A connection in the table; it leaves when this is dropped.
#[derive(Debug)]
pub struct Connection {
    table: Arc<Connections>,
    address: Ipv4Addr,
    cut: CancellationToken,
}

impl Connections {
    /// A new connection; `None` if there is no address left.
    pub fn open(self: &Arc<Self>) -> Option<Connection> {
        let mut table = self.lock();
        let count = LAST - FIRST + 1;
        let address = (0..count)
            .map(|step| Ipv4Addr::from(FIRST + (table.given.wrapping_add(step)) % count))
            .find(|address| !table.entries.contains_key(address))?;
        table.given = (u32::from(address) - FIRST + 1) % count;
        let cut = CancellationToken::new();
        let entry = Entry { standings: HashSet::new(), cut: cut.clone(), opened_at_loss: table.counts.losses };
        table.entries.insert(address, entry);
        Some(Connection { table: Arc::clone(self), address, cut })
    }

    /// Notes that this identity runs on the connection from this address.
    pub fn explain(&self, address: Ipv4Addr, standing: Standing) {
        let mut table = self.lock();
        let Table { entries, by_standing, counts, .. } = &mut *table;
        let Some(entry) = entries.get_mut(&address) else { return };
        counts.explained += 1;
        if entry.standings.len() >= MAX_STANDINGS && !entry.standings.contains(&standing) {
            entry.cut(counts);
            return;
        }
        if entry.standings.insert(standing.clone()) {
            by_standing.entry(standing).or_default().insert(address);
        }
    }

    /// Closes the connection from this address, if there is one.
    pub fn cut(&self, address: Ipv4Addr) -> bool {
        let mut table = self.lock();
        let Table { entries, counts, .. } = &mut *table;
        entries.get(&address).map(|entry| entry.cut(counts)).is_some()
    }

    /// Asks about every identity that runs, and closes the connections of those that may not go on. If any ended and
    /// events were lost before, the connections that were open then and that no event explains are closed, too. Gives back
    /// how many were closed.
    pub fn recheck(&self, may_go_on: impl Fn(&Standing) -> bool) -> usize {
        // Verdicts are asked without the lock, so that events do not wait for them.
        let running: Vec<_> = self.lock().by_standing.keys().cloned().collect();
        let ended: Vec<_> = running.into_iter().filter(|standing| !may_go_on(standing)).collect();
        if ended.is_empty() {
            return 0;
        }
        let mut table = self.lock();
        let Table { entries, by_standing, counts, .. } = &mut *table;
        let Counts { cut: before, losses, .. } = *counts;
        for address in ended.iter().filter_map(|standing| by_standing.get(standing)).flatten() {
            entries.get(address).into_iter().for_each(|entry| entry.cut(counts));
        }
        let suspect = |entry: &&Entry| entry.standings.is_empty() && entry.opened_at_loss < losses;
        entries.values().filter(suspect).for_each(|entry| entry.cut(counts));
        usize::try_from(counts.cut - before).unwrap_or(usize::MAX)
    }

    /// Notes that audit events did not arrive: whatever is open now may run for somebody unknown.
    pub fn note_loss(&self) {
        self.lock().counts.losses += 1;
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The addresses that events have explained.
    pub fn explained(&self) -> Vec<Ipv4Addr> {
        let table = self.lock();
        table.entries.iter().filter(|(_, entry)| !entry.standings.is_empty()).map(|(address, _)| *address).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn cut(&self, counts: &mut Counts) {
        if !self.cut.is_cancelled() {
            self.cut.cancel();
            counts.cut += 1;
        }
    }
}

impl Connection {
    /// Its source address.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Done when it must end.
    pub async fn ended(&self) {
        self.cut.cancelled().await;
    }

    /// Whether it must end.
    pub fn is_cut(&self) -> bool {
        self.cut.is_cancelled()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut table = self.table.lock();
        let Some(entry) = table.entries.remove(&self.address) else { return };
        for standing in entry.standings {
            if let Some(addresses) = table.by_standing.get_mut(&standing) {
                addresses.remove(&self.address);
                if addresses.is_empty() {
                    table.by_standing.remove(&standing);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(number: usize) -> Standing {
        Standing::Minted(format!("JTI={number}"))
    }

    #[test]
    fn addresses_are_not_used_twice_and_not_soon_again() {
        let connections = Arc::new(Connections::default());
        let first = connections.open().unwrap();
        let second = connections.open().unwrap();
        assert_eq!(first.address(), Ipv4Addr::new(127, 64, 0, 1));
        let released = second.address();
        drop(second);
        assert_ne!(connections.open().unwrap().address(), released);
        connections.lock().given = LAST - FIRST;
        let last = connections.open().unwrap();
        assert_eq!(last.address(), Ipv4Addr::from(LAST));
        // The first is still open.
        assert_eq!(connections.open().unwrap().address(), Ipv4Addr::from(FIRST + 1));
    }

    #[test]
    fn exactly_the_connections_of_whoever_ended_are_closed() {
        let connections = Arc::new(Connections::default());
        let [ended, shared, other, unexplained] = [(); 4].map(|()| connections.open().unwrap());
        connections.explain(ended.address(), standing(1));
        connections.explain(shared.address(), standing(2));
        connections.explain(shared.address(), standing(1));
        connections.explain(other.address(), standing(2));
        assert_eq!(connections.recheck(|_| true), 0);
        assert_eq!(connections.recheck(|asked| *asked != standing(1)), 2);
        assert!(ended.is_cut() && shared.is_cut());
        assert!(!other.is_cut() && !unexplained.is_cut());
    }

    #[test]
    fn after_a_loss_unexplained_connections_end_with_the_next_identity() {
        let connections = Arc::new(Connections::default());
        let [before, explained, ended] = [(); 3].map(|()| connections.open().unwrap());
        connections.explain(explained.address(), standing(2));
        connections.explain(ended.address(), standing(1));
        connections.note_loss();
        let after = connections.open().unwrap();
        assert_eq!(connections.recheck(|_| true), 0);
        assert_eq!(connections.recheck(|asked| *asked != standing(1)), 2);
        assert!(before.is_cut() && ended.is_cut());
        assert!(!explained.is_cut() && !after.is_cut());
    }

    #[test]
    fn a_connection_of_too_many_identities_ends() {
        let connections = Arc::new(Connections::default());
        let crowded = connections.open().unwrap();
        for number in 0..MAX_STANDINGS {
            connections.explain(crowded.address(), standing(number));
        }
        connections.explain(crowded.address(), standing(0));
        assert!(!crowded.is_cut());
        connections.explain(crowded.address(), standing(MAX_STANDINGS));
        assert!(crowded.is_cut());
    }

    #[test]
    fn nothing_is_left_of_a_closed_connection() {
        let connections = Arc::new(Connections::default());
        let connection = connections.open().unwrap();
        let address = connection.address();
        connections.explain(address, standing(1));
        drop(connection);
        connections.explain(address, standing(1));
        assert!(connections.is_empty() && connections.lock().by_standing.is_empty());
        assert!(!connections.cut(address));
    }
}
