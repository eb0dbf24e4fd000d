//! One document that answers many challenges: its nonce is the root of a Merkle tree over all of them.
//!
//! The device takes tens of milliseconds a document, so an enclave asks it once per batch and gives each caller the path
//! from the caller's nonce to the root. The tree is RFC 9162's (§2.1), with SHA-256; a leaf is
//! `"k3s-daas/attest/v1\0" ‖ nonce`, so a root can be no leaf and no other protocol's nonce can be passed off as one.

use sha2::{Digest as _, Sha256};

/// Length of a caller's nonce.
pub const NONCE_LENGTH: usize = 32;

const CONTEXT: &[u8] = b"k3s-daas/attest/v1\0";
const LEAF: u8 = 0;
const NODE: u8 = 1;
/// No tree is deeper: 2³² callers at one instant.
pub const MAX_DEPTH: usize = 32;

type Hash = [u8; 32];

/// The way from one nonce to the root (RFC 9162 §2.1.3: an inclusion proof).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Which leaf.
    pub index: u64,
    /// How many leaves there are.
    pub count: u64,
    /// The hashes beside the way, from the leaf up.
    pub siblings: Vec<[u8; 32]>,
}

impl Path {
    /// The root that this path leads to from `nonce`; `None` if a tree of that size has no such path (RFC 9162 §2.1.3.2).
    pub fn root(&self, nonce: &[u8; NONCE_LENGTH]) -> Option<[u8; 32]> {
        if self.index >= self.count || self.siblings.len() > MAX_DEPTH {
            return None;
        }
        let (mut index, mut last) = (self.index, self.count - 1);
        let mut hash = leaf(nonce);
        for sibling in &self.siblings {
            if last == 0 {
                return None;
            }
            if index & 1 == 1 || index == last {
                hash = node(sibling, &hash);
                while index & 1 == 0 && index != 0 {
                    index >>= 1;
                    last >>= 1;
                }
            } else {
                hash = node(&hash, sibling);
            }
            index >>= 1;
            last >>= 1;
        }
        (last == 0).then_some(hash)
    }
}

/// The nonce of the document for these callers; none for nobody.
pub fn root(nonces: &[[u8; NONCE_LENGTH]]) -> Option<[u8; 32]> {
    if nonces.is_empty() { None } else { Some(subtree(nonces)) }
}

/// The path of the caller at `index`, if there is one.
pub fn path(nonces: &[[u8; NONCE_LENGTH]], index: usize) -> Option<Path> {
    if index >= nonces.len() {
        return None;
    }
    let mut siblings = Vec::new();
    let (mut part, mut at) = (nonces, index);
    while part.len() > 1 {
        let (left, right) = part.split_at(largest_power_below(part.len()));
        if at < left.len() {
            siblings.push(subtree(right));
            part = left;
        } else {
            siblings.push(subtree(left));
            at -= left.len();
            part = right;
        }
    }
    siblings.reverse();
    Some(Path { index: index as u64, count: nonces.len() as u64, siblings })
}

fn subtree(nonces: &[[u8; NONCE_LENGTH]]) -> Hash {
    match nonces {
        [nonce] => leaf(nonce),
        nonces => {
            let (left, right) = nonces.split_at(largest_power_below(nonces.len()));
            node(&subtree(left), &subtree(right))
        }
    }
}

/// The largest power of two that is smaller than `count`, which is at least 2.
fn largest_power_below(count: usize) -> usize {
    1 << (count - 1).ilog2()
}

fn leaf(nonce: &[u8; NONCE_LENGTH]) -> Hash {
    Sha256::new().chain_update([LEAF]).chain_update(CONTEXT).chain_update(nonce).finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([NODE]).chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonces(count: u8) -> Vec<[u8; 32]> {
        (0..count).map(|byte| [byte; 32]).collect()
    }

    #[test]
    fn every_caller_of_every_batch_finds_the_root() {
        for count in 1..=70 {
            let nonces = nonces(count);
            let root = root(&nonces).unwrap();
            for (index, nonce) in nonces.iter().enumerate() {
                let path = path(&nonces, index).unwrap();
                assert_eq!(path.root(nonce), Some(root), "{index} of {count}");
                assert_ne!(path.root(&[0xff; 32]), Some(root));
            }
        }
        assert_eq!(root(&[]), None);
        assert_eq!(path(&nonces(3), 3), None);
    }

    #[test]
    fn a_path_that_no_tree_of_its_size_has_leads_nowhere() {
        let nonces = nonces(5);
        let good = path(&nonces, 3).unwrap();
        let of = |change: fn(&mut Path)| {
            let mut path = good.clone();
            change(&mut path);
            path.root(&nonces[3])
        };
        assert_eq!(of(|path| path.index = 5), None);
        assert_eq!(of(|path| path.count = 0), None);
        assert_eq!(of(|path| path.siblings.push([0; 32])), None);
        assert_eq!(of(|path| path.siblings.truncate(1)), None);
        assert_eq!(of(|path| path.siblings = vec![[0; 32]; 33]), None);
        assert_ne!(of(|path| path.index = 2), root(&nonces));
        assert_ne!(of(|path| path.siblings.swap(0, 1)), root(&nonces));
    }

    /// Written out by hand: three leaves, `node(node(a, b), c)`.
    #[test]
    fn the_tree_is_that_of_the_standard() {
        let hash = |parts: &[&[u8]]| -> Hash { Sha256::digest(parts.concat()).into() };
        let [a, b, c] = [[0; 32], [1; 32], [2; 32]].map(|nonce| hash(&[&[0], b"k3s-daas/attest/v1\0", &nonce]));
        let ab = hash(&[&[1], &a, &b]);
        assert_eq!(root(&nonces(3)), Some(hash(&[&[1], &ab, &c])));
    }
}
