//! Votes of nodes on checkpoints: pure, so that every order of lies and delays can be tested.

use std::collections::{BTreeMap, BTreeSet};

use sui_sdk_types::Digest;

use super::checkpoint::VerifiedCheckpoint;

/// How far ahead of the agreed head votes are kept.
pub(super) const WINDOW: u64 = 256;

/// Collects what nodes say and gives back, in order, what enough of them agree on.
#[derive(Debug)]
pub struct Quorum {
    needed: usize,
    next: u64,
    previous: Option<Digest>,
    votes: BTreeMap<u64, Votes>,
    /// Who contradicted an agreed checkpoint, and where last.
    liars: BTreeMap<usize, u64>,
}

#[derive(Debug, Default)]
struct Votes {
    of_node: BTreeMap<usize, Digest>,
    bodies: BTreeMap<Digest, VerifiedCheckpoint>,
}

/// What became of a vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// Counted.
    Counted,
    /// Agreed on already, or this node has voted on it.
    Old,
    /// Too far ahead of the others.
    TooEarly,
}

impl Quorum {
    /// Expects checkpoint `next` first.
    pub fn new(needed: usize, next: u64) -> Self {
        Self { needed, next, previous: None, votes: BTreeMap::new(), liars: BTreeMap::new() }
    }

    /// The checkpoint that is agreed on next.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// A node's word on a checkpoint. The first counts: a node cannot vote twice.
    pub fn offer(&mut self, node: usize, checkpoint: VerifiedCheckpoint) -> Offer {
        let sequence = checkpoint.sequence;
        if sequence < self.next {
            return Offer::Old;
        }
        if sequence >= self.next.saturating_add(WINDOW) {
            return Offer::TooEarly;
        }
        let votes = self.votes.entry(sequence).or_default();
        if votes.of_node.contains_key(&node) {
            return Offer::Old;
        }
        votes.of_node.insert(node, checkpoint.digest);
        votes.bodies.entry(checkpoint.digest).or_insert(checkpoint);
        Offer::Counted
    }

    /// The next checkpoint, once enough nodes agree on it and it follows the one before.
    pub fn agreed(&mut self) -> Option<VerifiedCheckpoint> {
        let votes = self.votes.get_mut(&self.next)?;
        let digest = votes.leader().filter(|(_, count)| *count >= self.needed).map(|(digest, _)| digest)?;
        let body = votes.bodies.get(&digest)?;
        if self.previous.is_some() && body.previous != self.previous {
            // Enough nodes agree on something that does not follow what they agreed on before: no way on.
            return None;
        }
        let votes = self.votes.remove(&self.next)?;
        for (node, voted) in votes.of_node {
            if voted == digest {
                self.liars.remove(&node);
            } else {
                self.liars.insert(node, self.next);
            }
        }
        self.next += 1;
        self.previous = Some(digest);
        votes.bodies.into_iter().find_map(|(known, body)| (known == digest).then_some(body))
    }

    /// How many nodes have voted on the next checkpoint, how many of them agree, and who differs.
    pub fn standing(&self) -> Standing {
        let votes = self.votes.get(&self.next);
        let leader = votes.and_then(Votes::leader);
        let differing: BTreeSet<usize> = votes
            .iter()
            .flat_map(|votes| &votes.of_node)
            .filter(|(_, digest)| leader.is_some_and(|(best, _)| best != **digest))
            .map(|(node, _)| *node)
            .chain(self.liars.keys().copied())
            .collect();
        Standing {
            answered: votes.map_or(0, |votes| votes.of_node.len()),
            agreeing: leader.map_or(0, |(_, count)| count),
            differing,
        }
    }
}

/// Where the vote on the next checkpoint stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Nodes that have voted.
    pub answered: usize,
    /// Largest group.
    pub agreeing: usize,
    /// Nodes that contradict the largest group now, or contradicted what was agreed on last.
    pub differing: BTreeSet<usize>,
}

impl Votes {
    fn leader(&self) -> Option<(Digest, usize)> {
        self.bodies
            .keys()
            .map(|digest| (*digest, self.of_node.values().filter(|voted| *voted == digest).count()))
            .max_by_key(|(_, count)| *count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(sequence: u64, tint: u8, previous: u8) -> VerifiedCheckpoint {
        VerifiedCheckpoint {
            digest: Digest::new([tint; 32]),
            previous: Some(Digest::new([previous; 32])),
            sequence,
            timestamp_ms: sequence,
            events: Vec::new(),
        }
    }

    #[test]
    fn one_liar_changes_nothing_and_is_named() {
        let mut quorum = Quorum::new(2, 5);
        assert_eq!(quorum.offer(0, checkpoint(5, 66, 4)), Offer::Counted);
        assert_eq!(quorum.agreed(), None);
        quorum.offer(1, checkpoint(5, 5, 4));
        assert_eq!(quorum.agreed(), None);
        quorum.offer(2, checkpoint(5, 5, 4));
        assert_eq!(quorum.agreed().map(|agreed| agreed.digest), Some(Digest::new([5; 32])));
        assert_eq!(quorum.standing().differing, BTreeSet::from([0]));
    }

    #[test]
    fn a_frozen_node_does_not_hold_the_others_up() {
        let mut quorum = Quorum::new(2, 1);
        for sequence in 1..=3 {
            let tint = u8::try_from(sequence).unwrap();
            quorum.offer(0, checkpoint(sequence, tint, tint - 1));
            quorum.offer(1, checkpoint(sequence, tint, tint - 1));
            assert_eq!(quorum.agreed().map(|agreed| agreed.sequence), Some(sequence));
        }
    }

    #[test]
    fn a_node_votes_once() {
        let mut quorum = Quorum::new(2, 1);
        quorum.offer(0, checkpoint(1, 1, 0));
        assert_eq!(quorum.offer(0, checkpoint(1, 1, 0)), Offer::Old);
        assert_eq!(quorum.agreed(), None);
    }

    #[test]
    fn checkpoints_come_out_in_order_and_must_follow_each_other() {
        let mut quorum = Quorum::new(1, 1);
        quorum.offer(0, checkpoint(2, 2, 1));
        assert_eq!(quorum.agreed(), None);
        quorum.offer(0, checkpoint(1, 1, 0));
        assert_eq!(quorum.agreed().map(|agreed| agreed.sequence), Some(1));
        assert_eq!(quorum.agreed().map(|agreed| agreed.sequence), Some(2));
        quorum.offer(0, checkpoint(3, 3, 99));
        assert_eq!(quorum.agreed(), None);
    }

    #[test]
    fn votes_far_ahead_are_not_hoarded() {
        let mut quorum = Quorum::new(2, 1);
        assert_eq!(quorum.offer(0, checkpoint(1 + WINDOW, 1, 0)), Offer::TooEarly);
        assert_eq!(quorum.offer(0, checkpoint(0, 1, 0)), Offer::Old);
    }
}
