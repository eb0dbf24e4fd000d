//! Both verifiers' views of the same bytes.

use std::collections::BTreeMap;

use daas_attestation::sui::{Abort, DIGEST, Loaded, load_nitro_attestation};
use daas_attestation::{Pcr, Platform, Refusal, TrustedRoots, Unverified};
use fastcrypto::nitro_attestation::{AttestationDocument, parse_nitro_attestation, verify_nitro_attestation};

/// Its tables say, rule by rule, how Sui's verifier treats the same document.
const DOCUMENTATION: &str = include_str!("../../docs/attestation.md");
const SHOWN: usize = 10;

/// What the comparison found.
#[derive(Default)]
pub(crate) struct Tally {
    roots: Roots,
    /// What AWS' hardware signed.
    pub(crate) genuine: Vec<Vec<u8>>,
    both_read: u64,
    both_refuse: u64,
    verdicts: u64,
    /// It accepts, we refuse: by our rule.
    stricter: BTreeMap<&'static str, u64>,
    /// What must not be.
    wrong: Vec<String>,
}

struct Roots(TrustedRoots);

impl Default for Roots {
    fn default() -> Self {
        Self(TrustedRoots::aws())
    }
}

impl Tally {
    /// Parses with both; where both read, compares all fields, and the verdicts.
    pub(crate) fn compare(&mut self, bytes: &[u8], now: u64) {
        // Documents of a TPM are none of Sui's; its native refuses them, and so does ours.
        let ours = Unverified::parse(bytes).and_then(|said| match said.platform() {
            Platform::Enclave => Ok(said),
            Platform::NitroTpm => Err(Refusal::NotAnEnclave),
        });
        let theirs = parse_nitro_attestation(bytes, true, true, true);
        match (ours, theirs) {
            (Ok(ours), Ok((signature, message, document))) => {
                self.both_read += 1;
                if ours.signature()[..] != signature[..] || ours.signed_message() != message {
                    self.wrong("the signed message differs", bytes);
                }
                if !same_fields(&ours, &document) {
                    self.wrong("a field differs", bytes);
                }
                // Where the signed message was changed both verdicts are known; a sample of them is enough.
                if self.genuine.contains(&message) || self.both_read.is_multiple_of(20) {
                    self.judge_both(bytes, now);
                }
            }
            (Ok(_), Err(error)) => self.wrong(&format!("we parse it, Sui's verifier does not: {error}"), bytes),
            (Err(refusal), Ok(_)) => self.count_stricter(refusal.rule().code, bytes),
            (Err(_), Err(_)) => self.both_refuse += 1,
        }
    }

    /// The verdict of both on signature and certificates.
    pub(crate) fn judge_both(&mut self, bytes: &[u8], now: u64) {
        let now_ms = now.saturating_mul(1000);
        let theirs = parse_nitro_attestation(bytes, true, true, true).and_then(|(signature, message, document)| {
            verify_nitro_attestation(&signature, &message, &document, now_ms).map(|()| document)
        });
        self.verdicts += 1;
        match (load_nitro_attestation(bytes, &self.roots.0, now_ms), theirs) {
            (Ok(ours), Ok(theirs)) if !same_listing(&ours, &theirs) => self.wrong("the listing of PCRs differs", bytes),
            (Ok(_), Err(error)) => {
                self.wrong(&format!("we accept it at {now}, Sui's verifier does not: {error}"), bytes);
            }
            (Err(Abort::Parse(refusal) | Abort::Verify(refusal)), Ok(_)) => {
                self.count_stricter(refusal.rule().code, bytes);
            }
            _ => {}
        }
    }

    pub(crate) fn is_good(&self) -> bool {
        self.wrong.is_empty() && self.both_read > 0
    }

    pub(crate) fn report(&self, cases: u64) {
        println!("attestation oracle: {cases} mutations, {} verdicts", self.verdicts);
        println!(
            "  both read {}, both refuse {}, disagreements {}",
            self.both_read,
            self.both_refuse,
            self.wrong.len()
        );
        println!("  Sui's verifier accepts and we refuse, by our rule:");
        for (code, count) in &self.stricter {
            println!("    {code:<20} {count:>7}");
        }
        for wrong in self.wrong.iter().take(SHOWN) {
            println!("  WRONG: {wrong}");
        }
    }

    fn count_stricter(&mut self, code: &'static str, bytes: &[u8]) {
        *self.stricter.entry(code).or_default() += 1;
        if !is_documented(code) {
            self.wrong(
                &format!("Sui's verifier accepts what breaks {code}, which no class of differences explains"),
                bytes,
            );
        }
    }

    fn wrong(&mut self, what: &str, bytes: &[u8]) {
        let shown = &bytes[..bytes.len().min(2_000)];
        self.wrong.push(format!("{what}\n    {shown:02x?}"));
    }
}

/// Whether the documentation names the rule as one that Sui's verifier does not have.
fn is_documented(code: &str) -> bool {
    let row = format!("| `{code}` |");
    DOCUMENTATION.lines().any(|line| line.starts_with(&row) && !line.ends_with("| same |"))
}

/// What a parser alone says: ours has no listing yet, so registers are filtered here as Sui's parser does.
fn same_fields(ours: &Unverified<'_>, theirs: &AttestationDocument) -> bool {
    let is_listed = |index: u8, zero: bool| [0, 1, 2, 3, 4, 8].contains(&index) || !zero;
    let pcrs = ours.pcrs().iter().filter(|(index, value)| is_listed(*index, value.is_zero()));
    ours.module_id() == theirs.module_id
        && ours.timestamp().millis() == theirs.timestamp
        && theirs.digest == DIGEST
        && same_pcrs(pcrs, theirs)
        && ours.public_key() == theirs.public_key.as_deref()
        && ours.user_data() == theirs.user_data.as_deref()
        && ours.nonce() == theirs.nonce.as_deref()
        && ours.certificates().count() == theirs.get_cert_chain_length() + 1
}

/// What the development chain's native lists.
fn same_listing(ours: &Loaded<'_>, theirs: &AttestationDocument) -> bool {
    same_pcrs(ours.listed_pcrs(), theirs) && same_fields(ours.document(), theirs)
}

fn same_pcrs<'a>(ours: impl Iterator<Item = (u8, &'a Pcr)>, theirs: &AttestationDocument) -> bool {
    ours.map(|(index, value)| (index, &value.0[..]))
        .eq(theirs.pcr_map.iter().map(|(index, value)| (*index, &value[..])))
}
