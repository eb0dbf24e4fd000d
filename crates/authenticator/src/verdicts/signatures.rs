//! Signatures that were found true. A client shows one token many times; the Ed25519 check is most of a verdict's cost and
//! its answer never changes. Everything else is asked every time: the token's window, its purpose, and what the chain says
//! of token, key and stake at this moment.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use daas_seal_token::{
    CLOCK_SKEW_MS, LiveToken, SealToken, SessionKey, Stale, Tier, TokenId, TokenView, WalletAddress,
};
use zeroize::Zeroizing;

/// Callers wait for each other only where their tokens' hashes begin alike.
const SHARDS: usize = 16;
/// Signatures of a half of a shard: 16 384 in all. Whoever signs more than that makes others' be checked again, no more.
const HALF: usize = 512;

type Hash = [u8; 32];

/// The signatures that are remembered: by the hash of the whole token, so that no token lies in memory for longer.
#[derive(Debug, Default)]
pub struct Signatures {
    shards: [Mutex<Shard>; SHARDS],
    checked: AtomicU64,
    remembered: AtomicU64,
}

/// What was seen lately, and what was before. When the one is full it becomes the other, which is forgotten.
#[derive(Debug, Default)]
struct Shard {
    lately: HashMap<Hash, Known>,
    before: HashMap<Hash, Known>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    key: [u8; 32],
    until_ms: u64,
}

impl Signatures {
    /// Whether this key signed this token.
    pub fn hold(&self, token: &SealToken, key: &SessionKey, now_ms: u64) -> bool {
        let hash = hash(token);
        let key_bytes = key.to_bytes();
        if self.shard(&hash).find(&hash).is_some_and(|known| known.key == key_bytes && now_ms <= known.until_ms) {
            self.remembered.fetch_add(1, Ordering::Relaxed);
            return true;
        }
        self.checked.fetch_add(1, Ordering::Relaxed);
        // Outside the lock: others need not wait for the curve.
        let good = token.is_signed_by(key);
        if good {
            let until_ms = token.claims().expires_at_ms.saturating_add(CLOCK_SKEW_MS);
            self.shard(&hash).put(hash, Known { key: key_bytes, until_ms });
        }
        good
    }

    /// How many were checked, and how many were known already.
    pub fn counts(&self) -> (u64, u64) {
        (self.checked.load(Ordering::Relaxed), self.remembered.load(Ordering::Relaxed))
    }

    fn shard(&self, hash: &Hash) -> MutexGuard<'_, Shard> {
        let [first, ..] = *hash;
        self.shards[usize::from(first) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn find(&self, hash: &Hash) -> Option<Known> {
        self.lately.get(hash).or_else(|| self.before.get(hash)).copied()
    }

    fn put(&mut self, hash: Hash, known: Known) {
        if self.lately.len() >= HALF {
            self.before = std::mem::take(&mut self.lately);
        }
        self.lately.insert(hash, known);
    }
}

fn hash(token: &SealToken) -> Hash {
    let text = Zeroizing::new(token.to_bearer());
    let mut hash = [0; 32];
    // SHA-256 has 32 bytes.
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}

/// A registry's view that knows signatures again.
pub(super) struct Remembering<'a, V> {
    pub(super) view: &'a V,
    pub(super) signatures: &'a Signatures,
    pub(super) now_ms: u64,
}

impl<V: TokenView> TokenView for Remembering<'_, V> {
    fn check_fresh(&self, now_ms: u64) -> Result<(), Stale> {
        self.view.check_fresh(now_ms)
    }

    fn token(&self, id: &TokenId) -> Option<Arc<LiveToken>> {
        self.view.token(id)
    }

    fn admits(&self, owner: &WalletAddress, tier: Tier) -> bool {
        self.view.admits(owner, tier)
    }

    fn is_signed(&self, token: &SealToken, key: &SessionKey) -> bool {
        self.signatures.hold(token, key, self.now_ms)
    }
}

#[cfg(test)]
mod tests {
    use daas_seal_token::{Claims, ClusterId, NetworkId, Purpose};

    use super::*;
    use crate::verdicts::fake::{NOW, bearer_of, key};

    fn numbered(number: u32) -> SealToken {
        let mut nonce = [0; 16];
        nonce[..4].copy_from_slice(&number.to_be_bytes());
        let (network, cluster, id) = (NetworkId([1; 32]), ClusterId([2; 32]), TokenId([6; 32]));
        key(6).sign(&Claims::new(network, cluster, id, Purpose::Api, NOW, 60_000, nonce).unwrap())
    }

    #[test]
    fn a_signature_is_checked_once_and_only_for_the_key_that_it_was_found_true_for() {
        let signatures = Signatures::default();
        let token = bearer_of(6, Purpose::Api);
        for _ in 0..3 {
            assert!(signatures.hold(&token, &key(6).public(), NOW));
        }
        assert_eq!(signatures.counts(), (1, 2));
        // A key that was rotated in since has signed nothing, and what it did not sign is not remembered.
        for _ in 0..2 {
            assert!(!signatures.hold(&token, &key(7).public(), NOW));
        }
        assert_eq!(signatures.counts(), (3, 2));
        assert!(!signatures.hold(&bearer_of(7, Purpose::Api), &key(6).public(), NOW));
    }

    #[test]
    fn nothing_is_remembered_beyond_the_tokens_window() {
        let signatures = Signatures::default();
        let token = bearer_of(6, Purpose::Api);
        let last = token.claims().expires_at_ms + CLOCK_SKEW_MS;
        assert!(signatures.hold(&token, &key(6).public(), last));
        assert!(signatures.hold(&token, &key(6).public(), last));
        assert!(signatures.hold(&token, &key(6).public(), last + 1));
        assert_eq!(signatures.counts(), (2, 1));
    }

    #[test]
    fn whoever_signs_without_end_takes_bounded_memory_and_nobodys_access() {
        let signatures = Signatures::default();
        let honest = bearer_of(7, Purpose::Api);
        for number in 0..4 * u32::try_from(SHARDS * HALF).unwrap() / 8 {
            let token = numbered(number);
            let known = Known { key: key(6).public().to_bytes(), until_ms: u64::MAX };
            // As if checked: signatures by the thousand take their time.
            for copy in 0..8 {
                let mut hash = hash(&token);
                hash[31] ^= copy;
                signatures.shard(&hash).put(hash, known);
            }
        }
        let held: usize = signatures
            .shards
            .iter()
            .map(|shard| shard.lock().unwrap())
            .map(|shard| shard.lately.len() + shard.before.len())
            .sum();
        assert!(held <= 2 * SHARDS * HALF, "{held}");
        assert!(signatures.hold(&honest, &key(7).public(), NOW));
    }
}
