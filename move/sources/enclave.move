/// Instances of the control plane: registered by their attestation document, believed only while registered, fresh and of a good release.
///
/// A registration says "this key lives in the measured image". Anyone can run that image with this cluster's id, so only the *active* instance,
/// which the operator or its predecessor chose, anchors state, reports offences and hands over. The instance owns no coins: anyone submits what it
/// signed. Registering twice changes nothing and does not depend on the sender, so copying a document gains nothing.
module k3s_daas::enclave;

use k3s_daas::arithmetic;
use k3s_daas::attested::{Self, Attested};
use k3s_daas::cluster::{Self, AdminCap, Cluster};
use k3s_daas::measurements;
use k3s_daas::settings;
use k3s_daas::signatures;
use std::bcs;
use sui::clock::{Self, Clock};
use sui::dynamic_field;
use sui::event;
use sui::nitro_attestation::NitroAttestationDocument;

/// The document is older than the cluster allows: ask the enclave for a new one.
const EDocumentTooOld: u64 = 1;
/// The document's time is after the chain's: submit it again in a moment, or correct the clock.
const EDocumentFromFuture: u64 = 2;
/// The document's configuration hash is not the one that the cluster pins: start the enclave with the pinned configuration.
const EOtherConfig: u64 = 3;
/// The release names a PCR8 that the document does not have: run the signed image.
const EOtherPcr8: u64 = 4;
/// No such instance is registered: register it first.
const ENotRegistered: u64 = 5;
/// The instance's registration has expired: renew it with a new document.
const EExpired: u64 = 6;
/// The instance is not the cluster's active one.
const ENotActive: u64 = 7;
/// The instance is the active one already.
const EAlreadyActive: u64 = 8;
/// The sequence is not above the last one: sign with a higher one.
const ESequence: u64 = 9;
/// The signature does not verify over the message: sign exactly these values.
const ESignature: u64 = 10;
/// The document is not newer than the registered one: ask the enclave for a new one.
const EDocumentNotNewer: u64 = 12;
/// The document has other PCRs than the registered one: an instance keeps its image.
const EOtherMeasurements: u64 = 13;
/// The active instance may not change its server CA or TLS key: hand over instead.
const EActiveIdentityChanged: u64 = 14;
/// The signer is neither the active instance nor its named successor key.
const ENotSigner: u64 = 15;
/// The active instance's release is revoked: the operator activates the next one.
const ERevokedSigner: u64 = 16;
/// The hash is not 32 bytes long: give a SHA-256.
const EHashLength: u64 = 17;
/// The epoch is not above the anchored one: an anchor never goes back.
const EEpoch: u64 = 18;
/// The registration has not expired yet: wait.
const ENotExpired: u64 = 19;
/// The instance is active: its registration is kept for the hand-over.
const EStillActive: u64 = 20;

const HASH_LENGTH: u64 = 32;

public struct InstanceKey has copy, drop, store { instance: vector<u8> }

public struct Registration has copy, drop, store {
    instance: vector<u8>,
    pcrs: vector<u8>,
    tls_spki_sha256: vector<u8>,
    server_ca_sha256: vector<u8>,
    config_sha256: vector<u8>,
    state_epoch: u64,
    document_at_ms: u64,
    registered_at_ms: u64,
    expires_at_ms: u64,
    sequence: u64,
}

public struct Renew has drop { cluster: ID, instance: vector<u8>, sequence: u64, document_at_ms: u64 }

public struct AnchorMessage has drop {
    cluster: ID,
    instance: vector<u8>,
    sequence: u64,
    epoch: u64,
    hash: vector<u8>,
}

public struct Evidence has drop {
    cluster: ID,
    instance: vector<u8>,
    sequence: u64,
    stake: ID,
    offence: u8,
    digest: vector<u8>,
}

public struct Successor has drop { cluster: ID, instance: vector<u8>, sequence: u64, successor_key: vector<u8> }

public struct Handover has drop { cluster: ID, instance: vector<u8>, sequence: u64, successor: vector<u8> }

public struct Registered has copy, drop { cluster: ID, registration: Registration }

public struct Renewed has copy, drop { cluster: ID, registration: Registration }

public struct Forgotten has copy, drop { cluster: ID, instance: vector<u8> }

/// An unexpired registration, or a document not newer than the registered one, stays as it is: renewing is the instance's own word.
public fun register(cluster: &mut Cluster, document: NitroAttestationDocument, clock: &Clock) {
    let attested = attested::read(&document, cluster::id(cluster));
    admit(cluster, attested, clock::timestamp_ms(clock))
}

public fun renew(
    cluster: &mut Cluster,
    document: NitroAttestationDocument,
    sequence: u64,
    signature: vector<u8>,
    clock: &Clock,
) {
    let attested = attested::read(&document, cluster::id(cluster));
    readmit(cluster, attested, sequence, signature, clock::timestamp_ms(clock))
}

/// Aborts unless the instance is registered, unexpired and of a good release.
public fun verify(cluster: &Cluster, instance: vector<u8>, clock: &Clock) {
    cluster::check_version(cluster);
    check_live(cluster, instance, clock::timestamp_ms(clock))
}

/// Aborts unless the instance is all that and the active one.
public fun verify_active(cluster: &Cluster, instance: vector<u8>, clock: &Clock) {
    cluster::check_version(cluster);
    check_live_active(cluster, instance, clock::timestamp_ms(clock))
}

public fun activate(cluster: &mut Cluster, cap: &AdminCap, instance: vector<u8>, clock: &Clock) {
    cluster::check_admin(cluster, cap);
    make_active(cluster, instance, true, clock::timestamp_ms(clock))
}

/// The key that may hand over in the active instance's place, kept in the sealed state for the day that the instance is gone.
public fun name_successor(
    cluster: &mut Cluster,
    instance: vector<u8>,
    sequence: u64,
    successor_key: vector<u8>,
    signature: vector<u8>,
    clock: &Clock,
) {
    cluster::check_version(cluster);
    check_live_active(cluster, instance, clock::timestamp_ms(clock));
    signatures::check_key(&successor_key);
    let message = Successor { cluster: cluster::id(cluster), instance, sequence, successor_key };
    accept(cluster, instance, sequence, b"successor", bcs::to_bytes(&message), &instance, &signature);
    cluster::set_successor_key(cluster, successor_key)
}

/// The signer may be past its registration, as after an outage; its release may be retired, but not revoked.
public fun hand_over(
    cluster: &mut Cluster,
    signer: vector<u8>,
    sequence: u64,
    successor: vector<u8>,
    signature: vector<u8>,
    clock: &Clock,
) {
    cluster::check_version(cluster);
    let active = cluster::active(cluster);
    let instance = cluster::instance(active);
    let successor_key = cluster::successor_key(active);
    let named = option::is_some(successor_key) && option::borrow(successor_key) == &signer;
    assert!(signer == instance || named, ENotSigner);
    assert!(!measurements::is_revoked(cluster, registration(cluster, instance).pcrs), ERevokedSigner);
    let message = Handover { cluster: cluster::id(cluster), instance, sequence, successor };
    accept(cluster, instance, sequence, b"handover", bcs::to_bytes(&message), &signer, &signature);
    make_active(cluster, successor, false, clock::timestamp_ms(clock))
}

public fun anchor(
    cluster: &mut Cluster,
    instance: vector<u8>,
    sequence: u64,
    epoch: u64,
    hash: vector<u8>,
    signature: vector<u8>,
    clock: &Clock,
) {
    cluster::check_version(cluster);
    let now = clock::timestamp_ms(clock);
    check_live_active(cluster, instance, now);
    assert!(vector::length(&hash) == HASH_LENGTH, EHashLength);
    assert!(cluster::is_newer_epoch(cluster, epoch), EEpoch);
    let message = AnchorMessage { cluster: cluster::id(cluster), instance, sequence, epoch, hash };
    accept(cluster, instance, sequence, b"anchor", bcs::to_bytes(&message), &instance, &signature);
    cluster::set_anchor(cluster, epoch, hash, instance, now)
}

/// Anyone clears away what has expired, except the active instance's registration.
public fun forget_expired(cluster: &mut Cluster, instance: vector<u8>, clock: &Clock) {
    cluster::check_version(cluster);
    assert!(!cluster::is_active(cluster, &instance), EStillActive);
    assert!(clock::timestamp_ms(clock) > registration(cluster, instance).expires_at_ms, ENotExpired);
    let _: Registration = dynamic_field::remove(cluster::uid_mut(cluster), InstanceKey { instance });
    event::emit(Forgotten { cluster: cluster::id(cluster), instance })
}

// === For the package's other modules ===

/// Aborts unless the live active instance signed this evidence; uses its sequence up.
public(package) fun accept_evidence(
    cluster: &mut Cluster,
    instance: vector<u8>,
    sequence: u64,
    stake: ID,
    offence: u8,
    digest: vector<u8>,
    signature: vector<u8>,
    now: u64,
) {
    check_live_active(cluster, instance, now);
    let message = Evidence { cluster: cluster::id(cluster), instance, sequence, stake, offence, digest };
    accept(cluster, instance, sequence, b"evidence", bcs::to_bytes(&message), &instance, &signature)
}

/// A first registration counts its sequence from the document's time: one that was forgotten and comes back is then above all that it ever signed.
public(package) fun admit(cluster: &mut Cluster, attested: Attested, now: u64) {
    cluster::check_version(cluster);
    let key = InstanceKey { instance: attested::instance(&attested) };
    let mut sequence = attested::at_ms(&attested);
    if (dynamic_field::exists_(cluster::uid(cluster), key)) {
        let known: &Registration = dynamic_field::borrow(cluster::uid(cluster), key);
        if (now <= known.expires_at_ms || attested::at_ms(&attested) <= known.document_at_ms) return;
        if (known.sequence > sequence) sequence = known.sequence;
        check_same_identity(cluster, known, &attested);
    };
    let registration = fresh_registration(cluster, attested, sequence, now);
    put(cluster, registration);
    event::emit(Registered { cluster: cluster::id(cluster), registration })
}

public(package) fun readmit(
    cluster: &mut Cluster,
    attested: Attested,
    sequence: u64,
    signature: vector<u8>,
    now: u64,
) {
    cluster::check_version(cluster);
    let instance = attested::instance(&attested);
    let document_at_ms = attested::at_ms(&attested);
    let known = registration(cluster, instance);
    assert!(document_at_ms > known.document_at_ms, EDocumentNotNewer);
    check_same_identity(cluster, known, &attested);
    let message = Renew { cluster: cluster::id(cluster), instance, sequence, document_at_ms };
    accept(cluster, instance, sequence, b"renew", bcs::to_bytes(&message), &instance, &signature);
    let registration = fresh_registration(cluster, attested, sequence, now);
    put(cluster, registration);
    event::emit(Renewed { cluster: cluster::id(cluster), registration })
}

fun fresh_registration(cluster: &Cluster, attested: Attested, sequence: u64, now: u64): Registration {
    let settings = cluster::settings(cluster);
    let at = attested::at_ms(&attested);
    assert!(at <= now, EDocumentFromFuture);
    assert!(now - at <= settings::document_max_age_ms(settings), EDocumentTooOld);
    let config_sha256 = attested::config_sha256(&attested);
    let pin = settings::config_sha256(settings);
    assert!(option::is_none(pin) || option::borrow(pin) == &config_sha256, EOtherConfig);
    let pcrs = attested::pcrs(&attested);
    measurements::check_good(cluster, pcrs, now);
    let pcr8 = measurements::pcr8(cluster, pcrs);
    assert!(option::is_none(&pcr8) || &pcr8 == attested::pcr8(&attested), EOtherPcr8);
    Registration {
        instance: attested::instance(&attested),
        pcrs,
        tls_spki_sha256: attested::tls_spki_sha256(&attested),
        server_ca_sha256: attested::server_ca_sha256(&attested),
        config_sha256,
        state_epoch: attested::state_epoch(&attested),
        document_at_ms: at,
        registered_at_ms: now,
        expires_at_ms: arithmetic::later(at, settings::registration_ms(settings)),
        sequence,
    }
}

fun put(cluster: &mut Cluster, registration: Registration) {
    let key = InstanceKey { instance: registration.instance };
    if (dynamic_field::exists_(cluster::uid(cluster), key)) {
        *dynamic_field::borrow_mut(cluster::uid_mut(cluster), key) = registration
    } else {
        dynamic_field::add(cluster::uid_mut(cluster), key, registration)
    }
}

/// An instance key is born in one boot of one image; once others rely on its CA and TLS key, those stay too.
fun check_same_identity(cluster: &Cluster, known: &Registration, attested: &Attested) {
    assert!(known.pcrs == attested::pcrs(attested), EOtherMeasurements);
    if (!cluster::is_active(cluster, &known.instance)) return;
    let active = cluster::active(cluster);
    assert!(
        cluster::server_ca_sha256(active) == &attested::server_ca_sha256(attested)
            && cluster::tls_spki_sha256(active) == &attested::tls_spki_sha256(attested),
        EActiveIdentityChanged,
    )
}

fun make_active(cluster: &mut Cluster, instance: vector<u8>, by_admin: bool, now: u64) {
    assert!(!cluster::is_active(cluster, &instance), EAlreadyActive);
    check_live(cluster, instance, now);
    let registration = *registration(cluster, instance);
    cluster::set_active(
        cluster,
        instance,
        registration.server_ca_sha256,
        registration.tls_spki_sha256,
        registration.pcrs,
        by_admin,
        now,
    )
}

fun registration(cluster: &Cluster, instance: vector<u8>): &Registration {
    let key = InstanceKey { instance };
    assert!(dynamic_field::exists_(cluster::uid(cluster), key), ENotRegistered);
    dynamic_field::borrow(cluster::uid(cluster), key)
}

fun check_live(cluster: &Cluster, instance: vector<u8>, now: u64) {
    let registration = registration(cluster, instance);
    assert!(now <= registration.expires_at_ms, EExpired);
    measurements::check_good(cluster, registration.pcrs, now)
}

fun check_live_active(cluster: &Cluster, instance: vector<u8>, now: u64) {
    assert!(cluster::is_active(cluster, &instance), ENotActive);
    check_live(cluster, instance, now)
}

/// Checks `signer`'s signature over a message of `instance` and moves the instance's sequence on.
fun accept(
    cluster: &mut Cluster,
    instance: vector<u8>,
    sequence: u64,
    kind: vector<u8>,
    message: vector<u8>,
    signer: &vector<u8>,
    signature: &vector<u8>,
) {
    assert!(sequence > registration(cluster, instance).sequence, ESequence);
    assert!(signatures::is_signed(kind, message, signer, signature), ESignature);
    let key = InstanceKey { instance };
    let registration: &mut Registration = dynamic_field::borrow_mut(cluster::uid_mut(cluster), key);
    registration.sequence = sequence
}

#[test_only]
public fun state_for_testing(cluster: &Cluster, instance: vector<u8>): (u64, u64, u64) {
    let registration = registration(cluster, instance);
    (registration.document_at_ms, registration.expires_at_ms, registration.sequence)
}

#[test_only]
public fun hand_over_for_testing(cluster: &mut Cluster, successor: vector<u8>, clock: &Clock) {
    make_active(cluster, successor, false, clock::timestamp_ms(clock))
}

#[test_only]
public fun registration_for_testing(cluster: &Cluster, instance: vector<u8>): Registration { *registration(cluster, instance) }
