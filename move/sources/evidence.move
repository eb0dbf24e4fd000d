/// Evidence against stakes that the active instance signed; anyone submits it. Each proof counts once, for ever, and the stake's own terms say
/// what follows.
module k3s_daas::evidence;

use k3s_daas::cluster::{Self, Cluster};
use k3s_daas::enclave;
use k3s_daas::staking::{Self, Stake};
use std::hash;
use sui::clock::{Self, Clock};
use sui::dynamic_field;
use sui::event;

/// The offence is none that is reported here: use 0 (double identity) or 2 (silent).
const EOffence: u64 = 1;
/// The proof is empty or longer than 8 192 bytes.
const EProofLength: u64 = 2;
/// The proof was used before: each counts once.
const EProofUsed: u64 = 3;

const DOUBLE_IDENTITY: u8 = 0;
const FORGED_STATEMENT: u8 = 1;
const SILENT: u8 = 2;

const MAX_PROOF: u64 = 8_192;

public struct EvidenceKey has copy, drop, store { digest: vector<u8> }

public struct EvidenceRecord has copy, drop, store { stake: ID, offence: u8, at_ms: u64 }

public struct EvidenceRecorded has copy, drop {
    cluster: ID,
    stake: ID,
    instance: vector<u8>,
    sequence: u64,
    offence: u8,
    digest: vector<u8>,
    action: u8,
}

public fun report(
    cluster: &mut Cluster,
    stake: &mut Stake,
    instance: vector<u8>,
    sequence: u64,
    offence: u8,
    proof: vector<u8>,
    signature: vector<u8>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    assert!(offence == DOUBLE_IDENTITY || offence == SILENT, EOffence);
    record(cluster, stake, instance, sequence, offence, proof, signature, clock::timestamp_ms(clock), ctx)
}

/// For `k8s_gateway`, which has looked at the statement.
public(package) fun report_forged_statement(
    cluster: &mut Cluster,
    stake: &mut Stake,
    instance: vector<u8>,
    sequence: u64,
    statement: vector<u8>,
    signature: vector<u8>,
    now: u64,
    ctx: &mut TxContext,
) {
    record(cluster, stake, instance, sequence, FORGED_STATEMENT, statement, signature, now, ctx)
}

fun record(
    cluster: &mut Cluster,
    stake: &mut Stake,
    instance: vector<u8>,
    sequence: u64,
    offence: u8,
    proof: vector<u8>,
    signature: vector<u8>,
    now: u64,
    ctx: &mut TxContext,
) {
    cluster::check_version(cluster);
    staking::check_bonded(cluster, stake);
    let length = vector::length(&proof);
    assert!(length > 0 && length <= MAX_PROOF, EProofLength);
    let digest = hash::sha2_256(proof);
    let key = EvidenceKey { digest };
    assert!(!dynamic_field::exists_(cluster::uid(cluster), key), EProofUsed);
    let stake_id = staking::id(stake);
    enclave::accept_evidence(cluster, instance, sequence, stake_id, offence, digest, signature, now);
    dynamic_field::add(cluster::uid_mut(cluster), key, EvidenceRecord { stake: stake_id, offence, at_ms: now });
    let (action, amount) = staking::consequence(stake, offence);
    event::emit(EvidenceRecorded {
        cluster: cluster::id(cluster),
        stake: stake_id,
        instance,
        sequence,
        offence,
        digest,
        action,
    });
    staking::carry_out(cluster, stake, offence, action, amount, now, ctx)
}

#[test_only]
public fun evidence_for_testing(cluster: &Cluster, proof: vector<u8>): EvidenceRecord {
    *dynamic_field::borrow(cluster::uid(cluster), EvidenceKey { digest: hash::sha2_256(proof) })
}
