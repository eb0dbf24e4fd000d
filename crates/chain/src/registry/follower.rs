//! The I/O around the pure core: connects, loads, follows, and starts over when something cannot be mended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::checkpoint::VerifiedCheckpoint;
use super::config::RegistryConfig;
use super::health::NodeState;
use super::load::load;
use super::quorum::Quorum;
use super::source::{MAX_GAP, Source, Vote};
use super::state::State;
use super::view::Shared;
use crate::client::{Node, NodeOptions};
use crate::error::Error;

/// Between two beginnings.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// Loading takes long on large clusters, but not for ever.
const LOAD_TIMEOUT: Duration = Duration::from_mins(2);

/// Follows for ever.
pub(super) async fn run(config: RegistryConfig, shared: Arc<Shared>) {
    let mut pause = PAUSES.0;
    loop {
        let Err(error) = Following::begin(&config, &shared).await;
        tracing::warn!(%error, "the registry starts over");
        shared.board.set_problem(Some(error.to_string()));
        tokio::time::sleep(pause).await;
        pause = if shared.check_fresh(0).is_ok() { PAUSES.0 } else { (pause * 2).min(PAUSES.1) };
    }
}

/// One life of the follower: from connecting to the first thing that cannot be mended.
struct Following<'a> {
    config: &'a RegistryConfig,
    shared: &'a Arc<Shared>,
    quorum: Quorum,
    /// States as nodes told them, waiting to be the same on enough of them.
    candidates: BTreeMap<usize, Candidate>,
    /// Agreed checkpoints since the beginning, while states are still being loaded.
    log: Vec<VerifiedCheckpoint>,
    current: Option<State>,
    loading: usize,
}

struct Candidate {
    state: State,
    /// The node's height when it had told everything: only from there on is the state that of one checkpoint.
    loaded_at: u64,
    /// Entries of the log that have been applied.
    applied: usize,
}

enum Never {}

impl<'a> Following<'a> {
    async fn begin(config: &'a RegistryConfig, shared: &'a Arc<Shared>) -> Result<Never, Error> {
        let nodes = connect(config, shared).await?;
        let from = common_height(config, &nodes).await?;
        let (vote_sender, mut votes) = mpsc::channel(64);
        let (next, next_seen) = watch::channel(from + 1);
        let (loaded_sender, mut loaded) = mpsc::channel(nodes.len().max(1));
        let mut tasks = JoinSet::new();
        for number in 0..config.nodes.len() {
            let known = nodes.iter().find(|(known, _)| *known == number).map(|(_, node)| node.clone());
            let (config, votes, next, shared) =
                (config.clone(), vote_sender.clone(), next_seen.clone(), Arc::clone(shared));
            tasks.spawn(async move {
                let node = match known {
                    Some(node) => node,
                    // Down or wrong at the beginning: it may join later.
                    None => connect_late(&config, number, &shared).await,
                };
                let (package, cluster, silence) = (config.package.origin, config.cluster, config.silence);
                Source { number, node, package, cluster, silence, votes, next, shared }.run().await;
            });
        }
        for (number, node) in &nodes {
            let (number, node, config) = (*number, node.clone(), config.clone());
            let loaded = loaded_sender.clone();
            tasks.spawn(async move {
                let result = load_since(&node, &config, from).await;
                // The follower may have started over.
                let _ = loaded.send((number, result)).await;
            });
        }
        drop((vote_sender, loaded_sender));
        let mut this = Self {
            config,
            shared,
            quorum: Quorum::new(config.needed(), from + 1),
            candidates: BTreeMap::new(),
            log: Vec::new(),
            current: None,
            loading: nodes.len(),
        };
        let stall = config.silence * 3;
        let mut progress = Instant::now();
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(progress + stall) => return Err(this.stalled()),
                vote = votes.recv() => {
                    let vote = vote.ok_or_else(|| this.unreachable(nodes.len()))?;
                    this.count(vote)?;
                    if *next.borrow() != this.quorum.next() {
                        next.send_replace(this.quorum.next());
                        progress = Instant::now();
                    }
                }
                Some((number, result)) = loaded.recv() => this.take(number, result)?,
            }
        }
    }

    fn count(&mut self, vote: Vote) -> Result<(), Error> {
        self.quorum.offer(vote.node, vote.checkpoint);
        while let Some(checkpoint) = self.quorum.agreed() {
            self.apply(checkpoint)?;
        }
        let standing = self.quorum.standing();
        for node in &standing.differing {
            self.shared.board.set(*node, NodeState::Differs);
        }
        let total = self.config.nodes.len();
        if standing.answered == total && standing.agreeing < self.config.needed() {
            return Err(Error::QuorumDisagreement {
                agreeing: standing.agreeing,
                needed: self.config.needed(),
                total,
                nodes: standing.differing.iter().filter_map(|node| self.config.nodes.get(*node).cloned()).collect(),
            });
        }
        Ok(())
    }

    fn apply(&mut self, checkpoint: VerifiedCheckpoint) -> Result<(), Error> {
        let Some(state) = &mut self.current else {
            if u64::try_from(self.log.len()).unwrap_or(u64::MAX) > MAX_GAP {
                return Err(Error::Timeout { endpoint: self.config.nodes.join(", "), after: LOAD_TIMEOUT });
            }
            self.log.push(checkpoint);
            return self.settle();
        };
        let mut changes = Vec::new();
        for event in checkpoint.events {
            let applied = state.apply(event, checkpoint.timestamp_ms);
            changes.extend(applied.map_err(|error| self.config.nonsense(&error))?);
        }
        self.shared.advance(checkpoint.sequence, checkpoint.timestamp_ms, changes);
        Ok(())
    }

    fn take(&mut self, number: usize, result: Result<(State, u64), Error>) -> Result<(), Error> {
        self.loading -= 1;
        match result {
            Ok((state, loaded_at)) if self.current.is_none() => {
                self.candidates.insert(number, Candidate { state, loaded_at, applied: 0 });
            }
            Ok(_) => return Ok(()),
            Err(error) => {
                self.shared.board.set(number, NodeState::Failing { reason: error.to_string() });
                if self.loading + self.candidates.len() < self.config.needed() && self.current.is_none() {
                    return Err(error);
                }
            }
        }
        self.settle()
    }

    /// Brings every candidate to the agreed head; when enough are the same, that is the state.
    ///
    /// After a new beginning it may be behind what readers have seen: nodes lag, and some replay old checkpoints. Readers never go
    /// back, else a slash could be undone for as long as the staleness bound.
    fn settle(&mut self) -> Result<(), Error> {
        let head = self.quorum.next() - 1;
        if head < self.shared.sequence() {
            return Ok(());
        }
        let mut groups: BTreeMap<[u8; 32], Vec<usize>> = BTreeMap::new();
        let mut broken = Vec::new();
        for (number, candidate) in &mut self.candidates {
            for checkpoint in &self.log[candidate.applied..] {
                for event in &checkpoint.events {
                    if let Err(error) = candidate.state.apply(event.clone(), checkpoint.timestamp_ms) {
                        broken.push((*number, error.to_string()));
                    }
                }
            }
            candidate.applied = self.log.len();
            if candidate.loaded_at <= head {
                // One node needs no comparison, and large states take a moment to hash.
                let key = if self.config.needed() == 1 { [0; 32] } else { candidate.state.tables().fingerprint() };
                groups.entry(key).or_default().push(*number);
            }
        }
        for (number, reason) in broken {
            self.candidates.remove(&number);
            for group in groups.values_mut() {
                group.retain(|member| *member != number);
            }
            self.shared.board.set(number, NodeState::Failing { reason });
        }
        let compared: usize = groups.values().map(Vec::len).sum();
        let Some(largest) = groups.into_values().max_by_key(Vec::len) else { return Ok(()) };
        let (Some(last), Some(chosen)) = (self.log.last(), largest.first()) else { return Ok(()) };
        if largest.len() < self.config.needed() {
            if self.loading == 0 && compared == self.candidates.len() && compared >= self.config.needed() {
                let others = self.candidates.keys().filter(|number| !largest.contains(number));
                return Err(Error::QuorumDisagreement {
                    agreeing: largest.len(),
                    needed: self.config.needed(),
                    total: self.config.nodes.len(),
                    nodes: others.filter_map(|number| self.config.nodes.get(*number).cloned()).collect(),
                });
            }
            return Ok(());
        }
        let (sequence, timestamp_ms) = (last.sequence, last.timestamp_ms);
        if let Some(chosen) = self.candidates.remove(chosen) {
            for number in self.candidates.keys().filter(|number| !largest.contains(number)) {
                self.shared.board.set(*number, NodeState::Differs);
            }
            self.shared.board.set_problem(None);
            self.shared.publish(chosen.state.tables(), sequence, timestamp_ms);
            self.current = Some(chosen.state);
            self.candidates.clear();
            self.log = Vec::new();
        }
        Ok(())
    }

    fn stalled(&self) -> Error {
        let standing = self.quorum.standing();
        if standing.answered < self.config.needed() {
            return self.unreachable(standing.answered);
        }
        Error::QuorumDisagreement {
            agreeing: standing.agreeing,
            needed: self.config.needed(),
            total: self.config.nodes.len(),
            nodes: standing.differing.iter().filter_map(|node| self.config.nodes.get(*node).cloned()).collect(),
        }
    }

    fn unreachable(&self, answered: usize) -> Error {
        Error::QuorumUnreachable { answered, needed: self.config.needed(), total: self.config.nodes.len() }
    }
}

/// Connects to all nodes that answer and are of the right network; enough must.
async fn connect(config: &RegistryConfig, shared: &Shared) -> Result<Vec<(usize, Node)>, Error> {
    let attempts =
        config.nodes.iter().map(|endpoint| Node::connect(endpoint, Some(config.chain), NodeOptions::default()));
    let mut nodes = Vec::new();
    let mut first_error = None;
    for (number, result) in join_all(attempts).await.into_iter().enumerate() {
        match result {
            Ok(node) => nodes.push((number, node)),
            Err(error) => {
                shared.board.set(number, NodeState::Failing { reason: error.to_string() });
                first_error = first_error.or(Some(error));
            }
        }
    }
    let (answered, needed, total) = (nodes.len(), config.needed(), config.nodes.len());
    match first_error {
        Some(error) if answered < needed && total == 1 => Err(error),
        _ if answered < needed => Err(Error::QuorumUnreachable { answered, needed, total }),
        _ => Ok(nodes),
    }
}

async fn connect_late(config: &RegistryConfig, number: usize, shared: &Shared) -> Node {
    loop {
        tokio::time::sleep(PAUSES.1 / 5).await;
        match Node::connect(&config.nodes[number], Some(config.chain), NodeOptions::default()).await {
            Ok(node) => return node,
            Err(error) => shared.board.set(number, NodeState::Failing { reason: error.to_string() }),
        }
    }
}

/// A height that `total − needed` liars cannot push beyond what honest nodes have.
async fn common_height(config: &RegistryConfig, nodes: &[(usize, Node)]) -> Result<u64, Error> {
    let mut heights: Vec<u64> =
        join_all(nodes.iter().map(|(_, node)| node.height())).await.into_iter().filter_map(Result::ok).collect();
    heights.sort_unstable_by(|a, b| b.cmp(a));
    let (answered, needed, total) = (heights.len(), config.needed(), config.nodes.len());
    heights.get(needed - 1).copied().filter(|_| answered >= needed).ok_or(Error::QuorumUnreachable {
        answered,
        needed,
        total,
    })
}

/// Loads from a node that has come at least as far as the checkpoint after which events are counted.
async fn load_since(node: &Node, config: &RegistryConfig, from: u64) -> Result<(State, u64), Error> {
    let work = async {
        while node.height().await? < from {
            tokio::time::sleep(PAUSES.0).await;
        }
        load(node, config.package, config.cluster).await
    };
    let late = |_| Error::Timeout { endpoint: node.endpoint().to_owned(), after: LOAD_TIMEOUT };
    tokio::time::timeout(LOAD_TIMEOUT, work).await.map_err(late)?
}

impl RegistryConfig {
    fn nonsense(&self, error: &super::state::StateError) -> Error {
        Error::AnswerInvalid { endpoint: self.nodes.join(", "), what: format!("the cluster's state: {error}") }
    }
}

#[cfg(test)]
mod tests {
    use sui_sdk_types::{Address, Digest};

    use super::super::sample::cluster;
    use super::*;
    use crate::client::Package;

    fn checkpoint(sequence: u64) -> VerifiedCheckpoint {
        let digest = Digest::new([u8::try_from(sequence).unwrap(); 32]);
        let previous = Some(Digest::new([u8::try_from(sequence - 1).unwrap(); 32]));
        VerifiedCheckpoint { digest, previous, sequence, timestamp_ms: sequence, events: Vec::new() }
    }

    #[test]
    fn a_new_beginning_never_takes_readers_back() {
        let package = Package { id: Address::TWO, origin: Address::TWO };
        let config = RegistryConfig::rpc("http://n", Digest::ZERO, package, cluster().id);
        let shared = Arc::new(Shared::new(&config));
        let state = || State::load(cluster(), Vec::new(), Vec::new(), Vec::new()).unwrap();
        shared.publish(state().tables(), 7, 7);
        let mut following = Following {
            config: &config,
            shared: &shared,
            quorum: Quorum::new(1, 5),
            candidates: BTreeMap::from([(0, Candidate { state: state(), loaded_at: 4, applied: 0 })]),
            log: Vec::new(),
            current: None,
            loading: 0,
        };
        for sequence in 5..=8 {
            following.quorum.offer(0, checkpoint(sequence));
            let agreed = following.quorum.agreed().unwrap();
            following.apply(agreed).unwrap();
            assert_eq!(shared.sequence(), sequence.max(7));
            assert_eq!(following.current.is_some(), sequence >= 7, "{sequence}");
        }
    }
}
