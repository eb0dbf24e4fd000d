/// What an attestation document says, read strictly: the framework has checked its signature and certificates, and nothing else. It takes
/// debug documents and stale ones, and leaves zero PCRs above 4 out, so PCRs are looked up by index and never by position.
module k3s_daas::attested;

use k3s_daas::measurements;
use k3s_daas::signatures;
use std::bcs;
use sui::nitro_attestation::{Self, NitroAttestationDocument};

/// The document has no public key: it must carry the instance key.
const ENoPublicKey: u64 = 1;
/// The document has no user data: it must carry the claims.
const ENoUserData: u64 = 2;
/// The claims are not 137 bytes long: they are not this protocol's.
const EClaimsLength: u64 = 3;
/// The claims are of another version than 1: run a release that this package knows.
const EClaimsVersion: u64 = 4;
/// The claims name another cluster: the document is not for this one.
const EOtherCluster: u64 = 5;
/// A required PCR is missing from the document, or stands there twice.
const EPcrMissing: u64 = 6;

/// version u8, cluster, tls_spki_sha256, server_ca_sha256, config_sha256 (32 each), state_epoch u64.
const CLAIMS_LENGTH: u64 = 137;
const CLAIMS_VERSION: u8 = 1;

public struct Attested has copy, drop {
    /// The instance key.
    instance: vector<u8>,
    /// PCR0 ‖ PCR1 ‖ PCR2.
    pcrs: vector<u8>,
    pcr8: Option<vector<u8>>,
    at_ms: u64,
    tls_spki_sha256: vector<u8>,
    server_ca_sha256: vector<u8>,
    config_sha256: vector<u8>,
    state_epoch: u64,
}

/// What `document` says about an instance of `cluster`; aborts unless it is one.
public(package) fun read(document: &NitroAttestationDocument, cluster: ID): Attested {
    let entries = nitro_attestation::pcrs(document);
    let mut indexes = vector[];
    let mut values = vector[];
    let mut i = 0;
    while (i < vector::length(entries)) {
        vector::push_back(&mut indexes, nitro_attestation::index(&entries[i]));
        vector::push_back(&mut values, *nitro_attestation::value(&entries[i]));
        i = i + 1;
    };
    from_parts(
        nitro_attestation::public_key(document),
        nitro_attestation::user_data(document),
        indexes,
        values,
        *nitro_attestation::timestamp(document),
        cluster,
    )
}

public(package) fun from_parts(
    public_key: &Option<vector<u8>>,
    user_data: &Option<vector<u8>>,
    indexes: vector<u8>,
    values: vector<vector<u8>>,
    at_ms: u64,
    cluster: ID,
): Attested {
    assert!(option::is_some(public_key), ENoPublicKey);
    let instance = *option::borrow(public_key);
    assert!(option::is_some(user_data), ENoUserData);
    let claims = option::borrow(user_data);
    signatures::check_key(&instance);
    assert!(vector::length(claims) == CLAIMS_LENGTH, EClaimsLength);
    assert!(claims[0] == CLAIMS_VERSION, EClaimsVersion);
    assert!(slice(claims, 1, 32) == bcs::to_bytes(&cluster), EOtherCluster);
    let pcrs = measurements::join_pcrs(
        pcr(&indexes, &values, 0),
        pcr(&indexes, &values, 1),
        pcr(&indexes, &values, 2),
    );
    let pcr8 = if (vector::contains(&indexes, &8)) option::some(pcr(&indexes, &values, 8)) else option::none();
    Attested {
        instance,
        pcrs,
        pcr8,
        at_ms,
        tls_spki_sha256: slice(claims, 33, 32),
        server_ca_sha256: slice(claims, 65, 32),
        config_sha256: slice(claims, 97, 32),
        state_epoch: little_endian(claims, 129),
    }
}

public(package) fun instance(attested: &Attested): vector<u8> { attested.instance }

public(package) fun pcrs(attested: &Attested): vector<u8> { attested.pcrs }

public(package) fun pcr8(attested: &Attested): &Option<vector<u8>> { &attested.pcr8 }

public(package) fun at_ms(attested: &Attested): u64 { attested.at_ms }

public(package) fun tls_spki_sha256(attested: &Attested): vector<u8> { attested.tls_spki_sha256 }

public(package) fun server_ca_sha256(attested: &Attested): vector<u8> { attested.server_ca_sha256 }

public(package) fun config_sha256(attested: &Attested): vector<u8> { attested.config_sha256 }

public(package) fun state_epoch(attested: &Attested): u64 { attested.state_epoch }

fun pcr(indexes: &vector<u8>, values: &vector<vector<u8>>, wanted: u8): vector<u8> {
    let mut found = vector[];
    let mut times = 0u64;
    let mut i = 0;
    while (i < vector::length(indexes)) {
        if (indexes[i] == wanted) {
            found = values[i];
            times = times + 1;
        };
        i = i + 1;
    };
    assert!(times == 1, EPcrMissing);
    found
}

fun slice(bytes: &vector<u8>, start: u64, length: u64): vector<u8> {
    let mut part = vector[];
    let mut i = start;
    while (i < start + length) {
        vector::push_back(&mut part, bytes[i]);
        i = i + 1;
    };
    part
}

fun little_endian(bytes: &vector<u8>, start: u64): u64 {
    let mut value = 0;
    let mut i = 8;
    while (i > 0) {
        i = i - 1;
        value = (value << 8) | (bytes[start + i] as u64);
    };
    value
}
