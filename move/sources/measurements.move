/// Releases: the measurements of images that may be this cluster's control plane.
///
/// A release is *active* when it is listed, its delay has passed and it has its auditors' approvals; delay and threshold are those of the day
/// it was proposed. It is *good* when active, or retiring and not past its time. Only an active release can retire: otherwise retiring
/// would be a way round delay and auditors. Nothing comes back: a retiring time only moves closer, revoked is final.
module k3s_daas::measurements;

use k3s_daas::arithmetic;
use k3s_daas::cluster::{Self, AdminCap, Cluster};
use k3s_daas::labels;
use k3s_daas::settings;
use k3s_daas::signatures;
use std::bcs;
use std::string::String;
use sui::clock::{Self, Clock};
use sui::dynamic_field;
use sui::event;

/// PCR0, PCR1, PCR2 and PCR8 are 48 bytes each (SHA-384): correct the one of another length.
const EPcrLength: u64 = 1;
/// A PCR is all zero, as those of a debug enclave are: measure a production image.
const EZeroPcr: u64 = 2;
/// There are more than eight worker PCRs: name fewer.
const ETooManyWorkerPcrs: u64 = 3;
/// Worker PCR indexes and values differ in number: give one value for each index.
const EWorkerPcrCount: u64 = 4;
/// Worker PCR indexes do not rise strictly, or one is above 23: sort them and name each once.
const EWorkerPcrIndex: u64 = 5;
/// A worker PCR is neither 32 nor 48 bytes long: give a SHA-256 or SHA-384 value.
const EWorkerPcrLength: u64 = 6;
/// The artifact's hash is not 32 bytes long: give a SHA-256.
const EArtifactHash: u64 = 7;
/// A release with these PCRs is known already: publish each image once.
const EReleaseExists: u64 = 8;
/// The cluster has no release with these PCRs: publish it first.
const EUnknownRelease: u64 = 9;
/// The release is not listed: only a listed one takes approvals.
const ENotListed: u64 = 10;
/// The key is not one of the cluster's auditors: sign with an auditor's key.
const ENotAuditor: u64 = 11;
/// This auditor has approved the release already.
const EApprovedBefore: u64 = 12;
/// The release has 32 approvals already: it needs no more.
const ETooManyApprovals: u64 = 13;
/// The signature does not verify over the ReleaseStatement: sign exactly this release.
const EAuditorSignature: u64 = 14;
/// The release is neither active nor retiring: wait for its delay and approvals, or revoke it.
const ENotActive: u64 = 15;
/// The time of retirement is past, or more than a year away: choose another.
const ERetiringTime: u64 = 16;
/// A retiring release may end sooner, never later.
const ERetiringLonger: u64 = 17;
/// The release is revoked already: nothing more can be done to it.
const ERevokedBefore: u64 = 18;
/// The release is not active, is past its retirement, or is revoked: run a good release.
const ENotGood: u64 = 19;

const LISTED: u8 = 0;
const RETIRING: u8 = 1;
const REVOKED: u8 = 2;
const PCR_LENGTH: u64 = 48;
const MAX_WORKER_PCRS: u64 = 8;
const MAX_WORKER_PCR_INDEX: u8 = 23;
const MAX_APPROVALS: u64 = 32;
const MAX_SOURCE_REVISION: u64 = 128;
const YEAR_MS: u64 = 366 * 86_400_000;

public struct ReleaseKey has copy, drop, store { pcrs: vector<u8> }

public struct Release has copy, drop, store {
    /// PCR0 ‖ PCR1 ‖ PCR2.
    pcrs: vector<u8>,
    pcr8: Option<vector<u8>>,
    worker_pcrs: vector<WorkerPcr>,
    artifact_sha256: vector<u8>,
    source_revision: String,
    proposed_at_ms: u64,
    active_from_ms: u64,
    threshold: u64,
    approvals: vector<vector<u8>>,
    status: u8,
    retiring_until_ms: u64,
    compromised: bool,
}

public struct WorkerPcr has copy, drop, store { index: u8, value: vector<u8> }

/// What an auditor signs to approve a release.
public struct ReleaseStatement has drop {
    cluster: ID,
    pcrs: vector<u8>,
    pcr8: Option<vector<u8>>,
    worker_pcrs: vector<WorkerPcr>,
    artifact_sha256: vector<u8>,
    source_revision: String,
}

public struct ReleasePublished has copy, drop { cluster: ID, release: Release }

public struct ReleaseApproved has copy, drop { cluster: ID, pcrs: vector<u8>, auditor: vector<u8> }

public struct ReleaseRetiring has copy, drop { cluster: ID, pcrs: vector<u8>, until_ms: u64 }

public struct ReleaseRevoked has copy, drop { cluster: ID, pcrs: vector<u8>, compromised: bool, generation: u64 }

public fun publish(
    cluster: &mut Cluster,
    cap: &AdminCap,
    pcr0: vector<u8>,
    pcr1: vector<u8>,
    pcr2: vector<u8>,
    pcr8: Option<vector<u8>>,
    worker_indexes: vector<u8>,
    worker_values: vector<vector<u8>>,
    artifact_sha256: vector<u8>,
    source_revision: String,
    clock: &Clock,
) {
    cluster::check_admin(cluster, cap);
    let pcrs = join_pcrs(pcr0, pcr1, pcr2);
    if (option::is_some(&pcr8)) check_pcr(option::borrow(&pcr8));
    let worker_pcrs = new_worker_pcrs(worker_indexes, worker_values);
    assert!(vector::length(&artifact_sha256) == 32, EArtifactHash);
    labels::check_text(&source_revision, 1, MAX_SOURCE_REVISION);
    let key = ReleaseKey { pcrs };
    assert!(!dynamic_field::exists_(cluster::uid(cluster), key), EReleaseExists);
    let rules = cluster::release_rules(cluster);
    let now = clock::timestamp_ms(clock);
    let release = Release {
        pcrs,
        pcr8,
        worker_pcrs,
        artifact_sha256,
        source_revision,
        proposed_at_ms: now,
        active_from_ms: arithmetic::later(now, settings::delay_ms(rules)),
        threshold: settings::threshold(rules),
        approvals: vector[],
        status: LISTED,
        retiring_until_ms: 0,
        compromised: false,
    };
    dynamic_field::add(cluster::uid_mut(cluster), key, release);
    event::emit(ReleasePublished { cluster: cluster::id(cluster), release })
}

/// Anyone submits a present auditor's signature.
public fun approve(cluster: &mut Cluster, pcrs: vector<u8>, auditor: vector<u8>, signature: vector<u8>) {
    cluster::check_version(cluster);
    assert!(vector::contains(settings::auditors(cluster::release_rules(cluster)), &auditor), ENotAuditor);
    let cluster_id = cluster::id(cluster);
    let release = release_mut(cluster, pcrs);
    assert!(release.status == LISTED, ENotListed);
    assert!(!vector::contains(&release.approvals, &auditor), EApprovedBefore);
    assert!(vector::length(&release.approvals) < MAX_APPROVALS, ETooManyApprovals);
    let statement = ReleaseStatement {
        cluster: cluster_id,
        pcrs,
        pcr8: release.pcr8,
        worker_pcrs: release.worker_pcrs,
        artifact_sha256: release.artifact_sha256,
        source_revision: release.source_revision,
    };
    assert!(signatures::is_signed(b"release", bcs::to_bytes(&statement), &auditor, &signature), EAuditorSignature);
    vector::push_back(&mut release.approvals, auditor);
    event::emit(ReleaseApproved { cluster: cluster_id, pcrs, auditor })
}

public fun retire(cluster: &mut Cluster, cap: &AdminCap, pcrs: vector<u8>, until_ms: u64, clock: &Clock) {
    cluster::check_admin(cluster, cap);
    let now = clock::timestamp_ms(clock);
    let cluster_id = cluster::id(cluster);
    let release = release_mut(cluster, pcrs);
    assert!(until_ms >= now && until_ms <= arithmetic::later(now, YEAR_MS), ERetiringTime);
    if (release.status == RETIRING) {
        assert!(until_ms <= release.retiring_until_ms, ERetiringLonger)
    } else {
        assert!(is_active(release, now), ENotActive)
    };
    release.status = RETIRING;
    release.retiring_until_ms = until_ms;
    event::emit(ReleaseRetiring { cluster: cluster_id, pcrs, until_ms })
}

/// `compromised` raises the generation and drops an active instance of this release; it may be said later of a release revoked without it.
public fun revoke(cluster: &mut Cluster, cap: &AdminCap, pcrs: vector<u8>, compromised: bool) {
    cluster::check_admin(cluster, cap);
    let release = release_mut(cluster, pcrs);
    assert!(release.status != REVOKED || (compromised && !release.compromised), ERevokedBefore);
    release.status = REVOKED;
    release.compromised = compromised;
    if (compromised) cluster::drop_release(cluster, &pcrs);
    event::emit(ReleaseRevoked {
        cluster: cluster::id(cluster),
        pcrs,
        compromised,
        generation: cluster::generation(cluster),
    })
}

// === For the package's other modules ===

/// Aborts unless the release is known and good, and `pcr8` is its own where it names one.
public(package) fun check_good(cluster: &Cluster, pcrs: vector<u8>, now: u64) {
    assert!(is_good(release(cluster, pcrs), now), ENotGood)
}

public(package) fun pcr8(cluster: &Cluster, pcrs: vector<u8>): Option<vector<u8>> {
    release(cluster, pcrs).pcr8
}

public(package) fun is_revoked(cluster: &Cluster, pcrs: vector<u8>): bool {
    release(cluster, pcrs).status == REVOKED
}

/// PCR0 ‖ PCR1 ‖ PCR2; aborts when one has another length than 48 or is all zero.
public(package) fun join_pcrs(pcr0: vector<u8>, pcr1: vector<u8>, pcr2: vector<u8>): vector<u8> {
    check_pcr(&pcr0);
    check_pcr(&pcr1);
    check_pcr(&pcr2);
    let mut pcrs = pcr0;
    vector::append(&mut pcrs, pcr1);
    vector::append(&mut pcrs, pcr2);
    pcrs
}

fun release(cluster: &Cluster, pcrs: vector<u8>): &Release {
    let key = ReleaseKey { pcrs };
    assert!(dynamic_field::exists_(cluster::uid(cluster), key), EUnknownRelease);
    dynamic_field::borrow(cluster::uid(cluster), key)
}

fun release_mut(cluster: &mut Cluster, pcrs: vector<u8>): &mut Release {
    let key = ReleaseKey { pcrs };
    assert!(dynamic_field::exists_(cluster::uid(cluster), key), EUnknownRelease);
    dynamic_field::borrow_mut(cluster::uid_mut(cluster), key)
}

fun is_active(release: &Release, now: u64): bool {
    release.status == LISTED && now >= release.active_from_ms
        && vector::length(&release.approvals) >= release.threshold
}

fun is_good(release: &Release, now: u64): bool {
    is_active(release, now) || (release.status == RETIRING && now <= release.retiring_until_ms)
}

fun check_pcr(pcr: &vector<u8>) {
    assert!(vector::length(pcr) == PCR_LENGTH, EPcrLength);
    let mut i = 0;
    while (i < PCR_LENGTH) {
        if (pcr[i] != 0) return;
        i = i + 1;
    };
    abort EZeroPcr
}

/// A TPM's PCR may well be zero (PCR12 must be, or the command line was added to); lengths are those of its SHA-256 and SHA-384 banks.
fun new_worker_pcrs(indexes: vector<u8>, values: vector<vector<u8>>): vector<WorkerPcr> {
    let count = vector::length(&indexes);
    assert!(count == vector::length(&values), EWorkerPcrCount);
    assert!(count <= MAX_WORKER_PCRS, ETooManyWorkerPcrs);
    let mut pcrs = vector[];
    let mut i = 0;
    while (i < count) {
        let index = indexes[i];
        assert!(index <= MAX_WORKER_PCR_INDEX && (i == 0 || index > indexes[i - 1]), EWorkerPcrIndex);
        let length = vector::length(&values[i]);
        assert!(length == 32 || length == 48, EWorkerPcrLength);
        vector::push_back(&mut pcrs, WorkerPcr { index, value: values[i] });
        i = i + 1;
    };
    pcrs
}

#[test_only]
public fun fill_approvals_for_testing(cluster: &mut Cluster, pcrs: vector<u8>, count: u64) {
    let release = release_mut(cluster, pcrs);
    while (vector::length(&release.approvals) < count) vector::push_back(&mut release.approvals, b"someone")
}

#[test_only]
public fun release_for_testing(cluster: &Cluster, pcrs: vector<u8>): Release { *release(cluster, pcrs) }
