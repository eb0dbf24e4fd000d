use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;

use arc_swap::ArcSwap;

/// Shards of a map: a power of two.
const SHARDS: usize = 1024;
/// The bits of a hash that choose the shard lie above those that choose the bucket in it and below those that are kept
/// beside the bucket.
const SHARD_BIT: u32 = 40;

/// Entries found by a part of themselves, for many readers and one writer. Reading takes no lock and waits for nobody;
/// writing copies one shard, about a thousandth of all.
pub(super) struct Shards<E> {
    shards: Box<[ArcSwap<HashSet<E, Keyed>>]>,
    keyed: Keyed,
}

impl<E: Hash + Eq + Clone> Shards<E> {
    pub(super) fn new() -> Self {
        let keyed = Keyed::random();
        let empty = || ArcSwap::from_pointee(HashSet::with_hasher(keyed));
        Self { shards: (0..SHARDS).map(|_| empty()).collect(), keyed }
    }

    pub(super) fn get<K>(&self, key: &K) -> Option<E>
    where
        E: Borrow<K>,
        K: Hash + Eq,
    {
        self.shard(key).load().get(key).cloned()
    }

    /// Adds the entry, in place of one with the same key.
    pub(super) fn insert(&self, entry: E) {
        let shard = self.shard(&entry);
        let mut copy = HashSet::clone(&shard.load());
        copy.replace(entry);
        shard.store(Arc::new(copy));
    }

    pub(super) fn remove<K>(&self, key: &K)
    where
        E: Borrow<K>,
        K: Hash + Eq,
    {
        let shard = self.shard(key);
        if shard.load().contains(key) {
            let mut copy = HashSet::clone(&shard.load());
            copy.remove(key);
            shard.store(Arc::new(copy));
        }
    }

    /// Everything, shard by shard.
    pub(super) fn entries(&self) -> Vec<E> {
        self.shards.iter().flat_map(|shard| shard.load().iter().cloned().collect::<Vec<_>>()).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.load().len()).sum()
    }

    fn shard<K: Hash>(&self, key: &K) -> &ArcSwap<HashSet<E, Keyed>> {
        let chosen = (self.keyed.hash_one(key) >> SHARD_BIT) & (SHARDS as u64 - 1);
        // The mask keeps the index inside.
        &self.shards[usize::try_from(chosen).unwrap_or_default()]
    }
}

/// Hashes under a key that is drawn when the map is made, so that nobody can aim at one shard or bucket.
///
/// Each 16 bytes are multiplied with each other after the key was mixed in, and the product is folded (as in wyhash).
/// That takes a fifth of SipHash's time; who sees no hash and no timing of single look-ups cannot learn the key.
#[derive(Clone, Copy)]
struct Keyed([u64; 2]);

impl Keyed {
    fn random() -> Self {
        // The standard library's keys come from the operating system; what they hash to is as unknown as they are.
        Self([0, 1].map(|number: u64| RandomState::new().hash_one(number)))
    }
}

impl BuildHasher for Keyed {
    type Hasher = Fold;

    fn build_hasher(&self) -> Fold {
        Fold { key: self.0, state: 0 }
    }
}

struct Fold {
    key: [u64; 2],
    state: u64,
}

impl Fold {
    fn mix(&mut self, left: u64, right: u64) {
        let product = u128::from(left ^ self.key[0] ^ self.state) * u128::from(right ^ self.key[1]);
        let bytes = product.to_le_bytes();
        self.state = word(&bytes[..8]) ^ word(&bytes[8..]);
    }
}

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        let mut parts = bytes.chunks_exact(16);
        for part in &mut parts {
            self.mix(word(&part[..8]), word(&part[8..]));
        }
        let rest = parts.remainder();
        if !rest.is_empty() {
            let (left, right) = rest.split_at(rest.len().min(8));
            self.mix(word(left), word(right));
        }
    }

    fn write_usize(&mut self, length: usize) {
        // Lengths come before what is hashed.
        self.state ^= length as u64;
    }

    fn finish(&self) -> u64 {
        let mut last = Self { key: self.key, state: self.state };
        last.mix(self.key[1], self.state);
        last.state
    }
}

/// Up to eight bytes as a number.
fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_found_until_it_is_taken_out() {
        let map = Shards::new();
        for key in 0..5000_u32 {
            map.insert(key.to_le_bytes());
        }
        assert_eq!(map.len(), 5000);
        let find = |key: u32| map.get(&key.to_le_bytes());
        assert!((0..5000_u32).all(|key| find(key) == Some(key.to_le_bytes())));
        map.insert(8_u32.to_le_bytes());
        map.remove(&7_u32.to_le_bytes());
        map.remove(&7_u32.to_le_bytes());
        assert_eq!((find(7), find(8), map.len()), (None, Some(8_u32.to_le_bytes()), 4999));
        assert_eq!(map.entries().len(), 4999);
    }

    /// Hashes of keys that differ in one bit, or only in their length, share nothing.
    #[test]
    fn every_bit_of_a_key_changes_about_half_of_its_hash() {
        let keyed = Keyed::random();
        let base = [0x5a_u8; 32];
        let mut changed = 0;
        for bit in 0..256 {
            let mut other = base;
            other[bit / 8] ^= 1 << (bit % 8);
            changed += (keyed.hash_one(base) ^ keyed.hash_one(other)).count_ones();
        }
        assert!((256 * 26..256 * 38).contains(&changed), "{changed} of {}", 256 * 64);
        let texts: HashSet<u64> = (0..40).map(|length| keyed.hash_one("a".repeat(length))).collect();
        assert_eq!(texts.len(), 40);
        assert_ne!(Keyed::random().hash_one(base), keyed.hash_one(base), "the key counts");
    }

    #[test]
    fn keys_that_count_upwards_spread_over_the_shards() {
        let map = Shards::new();
        for key in 0..100_000_u64 {
            map.insert([key, 0, 0, 0]);
        }
        let largest = map.shards.iter().map(|shard| shard.load().len()).max().unwrap();
        assert!(largest < 200, "about a hundred are expected, {largest} found");
    }
}
