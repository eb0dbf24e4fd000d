use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::Arc;

use arc_swap::ArcSwap;

/// Shards of a map: a power of two.
const SHARDS: usize = 1024;

/// A map for many readers and one writer. Reading takes no lock and waits for nobody; writing copies one shard, about a
/// thousandth of the map.
pub(super) struct Shards<K, V> {
    shards: Box<[ArcSwap<HashMap<K, V>>]>,
    chooser: RandomState,
}

impl<K: Hash + Eq + Clone, V: Clone> Shards<K, V> {
    pub(super) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| ArcSwap::default()).collect(), chooser: RandomState::new() }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.shard(key).load().get(key).cloned()
    }

    pub(super) fn insert(&self, key: K, value: V) {
        let shard = self.shard(&key);
        let mut copy = HashMap::clone(&shard.load());
        copy.insert(key, value);
        shard.store(Arc::new(copy));
    }

    pub(super) fn remove(&self, key: &K) {
        let shard = self.shard(key);
        if shard.load().contains_key(key) {
            let mut copy = HashMap::clone(&shard.load());
            copy.remove(key);
            shard.store(Arc::new(copy));
        }
    }

    /// Everything, shard by shard.
    pub(super) fn values(&self) -> Vec<V> {
        self.shards.iter().flat_map(|shard| shard.load().values().cloned().collect::<Vec<_>>()).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.load().len()).sum()
    }

    fn shard(&self, key: &K) -> &ArcSwap<HashMap<K, V>> {
        // The mask keeps the index inside; the hash is keyed, so nobody can aim at one shard.
        let index = usize::try_from(self.chooser.hash_one(key) & (SHARDS as u64 - 1)).unwrap_or_default();
        &self.shards[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_found_until_it_is_taken_out() {
        let map = Shards::new();
        for key in 0..5000_u32 {
            map.insert(key, key * 2);
        }
        assert_eq!(map.len(), 5000);
        assert!((0..5000).all(|key| map.get(&key) == Some(key * 2)));
        map.remove(&7);
        map.remove(&7);
        assert_eq!((map.get(&7), map.get(&8), map.len()), (None, Some(16), 4999));
        assert_eq!(map.values().len(), 4999);
    }
}
