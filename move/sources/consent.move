/// The auditors' consent: once a cluster has auditors, its operator cannot change them without them.
module k3s_daas::consent;

use k3s_daas::settings::{Self, ReleaseRules};
use k3s_daas::signatures;
use std::bcs;
use std::hash;

/// Signers and signatures differ in number: give one signature for each signer.
const ESignatureCount: u64 = 1;
/// A signer is named twice, or is not an auditor now: use signatures of different present auditors.
const ENotAuditor: u64 = 2;
/// A signature does not verify over the AuditorsStatement: sign exactly this change of the rules now in force.
const EAuditorSignature: u64 = 3;
/// Fewer present auditors than the threshold consent to the change: collect more signatures.
const ETooFewAuditors: u64 = 4;

/// What present auditors sign to let the rules change.
public struct AuditorsStatement has drop {
    cluster: ID,
    auditors: vector<vector<u8>>,
    threshold: u64,
    previous_sha256: vector<u8>,
}

/// Aborts unless as many present auditors as the rules ask for signed that `auditors` and `threshold` follow these rules.
public(package) fun check(
    cluster: ID,
    rules: &ReleaseRules,
    auditors: vector<vector<u8>>,
    threshold: u64,
    signers: &vector<vector<u8>>,
    signatures: &vector<vector<u8>>,
) {
    let previous_sha256 = hash::sha2_256(bcs::to_bytes(rules));
    let statement = bcs::to_bytes(&AuditorsStatement { cluster, auditors, threshold, previous_sha256 });
    let count = vector::length(signers);
    assert!(count == vector::length(signatures), ESignatureCount);
    assert!(count >= settings::threshold(rules), ETooFewAuditors);
    let mut waiting = *settings::auditors(rules);
    let mut i = 0;
    while (i < count) {
        let (present, at) = vector::index_of(&waiting, &signers[i]);
        assert!(present, ENotAuditor);
        assert!(signatures::is_signed(b"auditors", statement, &signers[i], &signatures[i]), EAuditorSignature);
        vector::swap_remove(&mut waiting, at);
        i = i + 1;
    }
}
