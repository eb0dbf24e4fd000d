//! Chains that have been verified already: an enclave's certificate lives three hours, its documents are many.

use std::collections::VecDeque;

use crate::UnixTime;
use crate::chain::CertifiedKey;
use crate::document::Payload;

/// A bounded memory of verified chains, owned by the caller. With it a further document of the same enclave costs one
/// signature instead of five.
///
/// An entry is found by all bytes of all certificates, root included, and is good only while every certificate is valid.
/// Whether the root is trusted is asked before each look-up. The longest unused entry makes room for a new one.
#[derive(Debug)]
pub struct ChainCache {
    /// Most recently used first.
    entries: VecDeque<Entry>,
    capacity: usize,
}

#[derive(Debug)]
struct Entry {
    certificate: Vec<u8>,
    cabundle: Vec<Vec<u8>>,
    certified: CertifiedKey,
}

impl ChainCache {
    /// Remembers at most `capacity` chains of about 4 KB each (11 KB at the limits of the format).
    pub fn new(capacity: usize) -> Self {
        Self { entries: VecDeque::with_capacity(capacity.min(64)), capacity }
    }

    /// How many chains it remembers.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it remembers none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The key of a chain that was verified before and is valid now.
    pub(crate) fn find(&mut self, payload: &Payload<'_>, now: UnixTime) -> Option<&CertifiedKey> {
        let index = self.entries.iter().position(|entry| entry.is_of(payload))?;
        let entry = self.entries.remove(index)?;
        let (not_before, not_after) = entry.certified.window;
        if !(not_before..=not_after).contains(&now.seconds()) {
            // Forgotten: the full verification names the certificate that is not valid.
            return None;
        }
        self.entries.push_front(entry);
        self.entries.front().map(|entry| &entry.certified)
    }

    pub(crate) fn remember(&mut self, payload: &Payload<'_>, certified: CertifiedKey) {
        if self.capacity == 0 {
            return;
        }
        self.entries.truncate(self.capacity - 1);
        self.entries.push_front(Entry {
            certificate: payload.certificate.to_vec(),
            cabundle: payload.cabundle.iter().map(|der| der.to_vec()).collect(),
            certified,
        });
    }
}

impl Entry {
    fn is_of(&self, payload: &Payload<'_>) -> bool {
        self.certificate == payload.certificate
            && self.cabundle.len() == payload.cabundle.len()
            && self.cabundle.iter().zip(&payload.cabundle).all(|(ours, theirs)| ours == theirs)
    }
}
