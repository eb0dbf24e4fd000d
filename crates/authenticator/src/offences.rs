//! What workers were seen doing that the cluster's terms may punish: the master fetches it over the control socket, and signs
//! and submits it as evidence. This process only observes.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::tunnel::{DoubleIdentity, Tunnel};

/// Offences that wait to be fetched; the oldest gives way.
const MAX_KEPT: usize = 256;

/// An offence as the master is told of it. Its JSON fits into a proof of the contract (8 192 bytes).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offence {
    /// Rises with each.
    pub id: u64,
    /// `double_identity`.
    pub kind: &'static str,
    /// The node.
    pub node: String,
    /// Its Seal token on chain.
    pub token: String,
    /// SHA-256 of the kubelet's public key, in hex.
    pub key_sha256: String,
    /// The key generations that the two certificates name: the older tunnel's, the newer's.
    pub key_generations: [u64; 2],
    /// From where the two came, as the parent says.
    pub from: [Option<String>; 2],
    /// The challenges that both answered, in hex.
    pub challenges: Vec<String>,
    /// The first challenge, Unix time.
    pub began_ms: u64,
    /// The last answer, Unix time.
    pub ended_ms: u64,
}

/// What was seen and not fetched yet.
#[derive(Debug, Default)]
pub struct Offences(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    given: u64,
    all: Vec<Offence>,
}

impl Offences {
    /// Notes one key in two tunnels. The same key is noted once as long as it has not been fetched and settled.
    pub fn note(&self, seen: &DoubleIdentity) {
        let mut kept = self.lock();
        let (token, key_sha256) = (seen.older.subject.token.to_string(), hex(&seen.older.key));
        if kept.all.iter().any(|offence| offence.token == token && offence.key_sha256 == key_sha256) {
            return;
        }
        if kept.all.len() >= MAX_KEPT {
            kept.all.remove(0);
        }
        kept.given += 1;
        let both = [&seen.older, &seen.newer];
        let offence = Offence {
            id: kept.given,
            kind: "double_identity",
            node: seen.older.subject.name.to_string(),
            token,
            key_sha256,
            key_generations: both.map(|tunnel| tunnel.subject.key_generation),
            from: both.map(|Tunnel { from, .. }| from.map(|address| address.to_string())),
            challenges: seen.challenges.iter().map(|challenge| hex(challenge)).collect(),
            began_ms: millis(seen.began),
            ended_ms: millis(seen.ended),
        };
        kept.all.push(offence);
    }

    /// All that are not settled.
    pub fn all(&self) -> Vec<Offence> {
        self.lock().all.clone()
    }

    /// Forgets one that the master has dealt with.
    pub fn settle(&self, id: u64) {
        self.lock().all.retain(|offence| offence.id != id);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use daas_join::NodeSubject;
    use daas_seal_token::TokenId;

    use super::*;
    use crate::tunnel::Tunnels;

    fn seen(number: u8) -> DoubleIdentity {
        let subject = NodeSubject { name: "one-dead000f".parse().unwrap(), token: TokenId([6; 32]), key_generation: 1 };
        let tunnel = Tunnel { subject, key: [number; 32], from: None, session: Tunnels::default().session() };
        let now = SystemTime::now();
        let challenges = vec![[7; 16]; 7];
        DoubleIdentity { older: tunnel.clone(), newer: tunnel, challenges, began: now, ended: now }
    }

    #[test]
    fn an_offence_waits_once_until_it_is_settled_and_fits_into_a_proof() {
        let offences = Offences::default();
        for number in [1, 1, 2] {
            offences.note(&seen(number));
        }
        let all = offences.all();
        assert_eq!(all.iter().map(|offence| offence.id).collect::<Vec<_>>(), [1, 2]);
        assert!(serde_json::to_vec(&all[0]).unwrap().len() < 8192);
        offences.settle(1);
        offences.note(&seen(1));
        assert_eq!(offences.all().iter().map(|offence| offence.id).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn nobody_fills_the_memory_with_offences() {
        let offences = Offences::default();
        for number in 0..=255 {
            let mut seen = seen(number);
            offences.note(&seen);
            seen.older.subject.token = TokenId([7; 32]);
            offences.note(&seen);
        }
        assert_eq!(offences.all().len(), MAX_KEPT);
    }
}
