/// A cluster, a release, an instance and a worker to test with. Ids come from fixed transaction hints, so that `vectors` can sign over them.
#[test_only]
module k3s_daas::fixture;

use k3s_daas::attested::{Self, Attested};
use k3s_daas::cluster::{Self, AdminCap, Cluster};
use k3s_daas::enclave;
use k3s_daas::k8s_gateway::{Self, SealToken};
use k3s_daas::measurements;
use k3s_daas::staking::{Self, Stake};
use k3s_daas::terms;
use k3s_daas::vectors;
use std::bcs;
use std::string;
use sui::clock::{Self, Clock};
use sui::coin::{Self, Coin};
use sui::sui::SUI;

const OPERATOR: address = @0xA;
const STAKER: address = @0xB;
const TREASURY: address = @0xC;
const NOW: u64 = 1_000_000_000;
const SUI_MIST: u64 = 1_000_000_000;

public fun operator(): address { OPERATOR }

public fun staker(): address { STAKER }

public fun stranger(): address { @0xD }

public fun now(): u64 { NOW }

public fun one_sui(): u64 { SUI_MIST }

/// A transaction of `sender`; the hint decides the ids that it makes.
public fun by(sender: address, hint: u64): TxContext { tx_context::new_from_hint(sender, hint, 0, 0, 0) }

public fun clock(): Clock {
    let mut clock = clock::create_for_testing(&mut by(OPERATOR, 2));
    clock::set_for_testing(&mut clock, NOW);
    clock
}

public fun cluster(): (Cluster, AdminCap, Clock) {
    let (cluster, cap) = new_cluster(1);
    assert!(bcs::to_bytes(&cluster::id(&cluster)) == vectors::cluster_id());
    (cluster, cap, clock())
}

public fun other_cluster(): (Cluster, AdminCap) { new_cluster(3) }

fun new_cluster(hint: u64): (Cluster, AdminCap) {
    let endpoints = string::utf8(b"api.example:6443");
    let name = string::utf8(b"test");
    cluster::new(name, endpoints, string::utf8(b""), string::utf8(b""), TREASURY, &mut by(OPERATOR, hint))
}

public fun sui(mist: u64, ctx: &mut TxContext): Coin<SUI> { coin::mint_for_testing(mist, ctx) }

/// The staker's worker stake of two SUI.
public fun worker(cluster: &mut Cluster, clock: &Clock): Stake {
    let stake = worker_with(cluster, b"worker-a", 2 * SUI_MIST, clock, 10);
    assert!(bcs::to_bytes(&staking::id(&stake)) == vectors::stake_id());
    stake
}

public fun worker_with(cluster: &mut Cluster, node_id: vector<u8>, mist: u64, clock: &Clock, hint: u64): Stake {
    let mut ctx = by(STAKER, hint);
    let payment = sui(mist, &mut ctx);
    let terms = terms_today(cluster, 1);
    staking::stake_for_node(cluster, payment, string::utf8(node_id), terms, clock, &mut ctx)
}

/// What a staker reads before staking for this tier.
public fun terms_today(cluster: &Cluster, tier: u8): vector<u8> {
    bcs::to_bytes(&terms::of_today(cluster::settings(cluster), tier))
}

/// A stake of another tier, of ten SUI.
public fun access(cluster: &mut Cluster, tier: u8, clock: &Clock): Stake {
    let mut ctx = by(STAKER, 12);
    let payment = sui(10 * SUI_MIST, &mut ctx);
    let terms = if (tier > 2) vector[] else terms_today(cluster, tier);
    staking::stake_for_access(cluster, payment, tier, string::utf8(b"person"), terms, clock, &mut ctx)
}

public fun token(cluster: &Cluster, stake: &mut Stake, clock: &Clock): SealToken {
    let mut ctx = by(STAKER, 11);
    let token = k8s_gateway::new_for_testing(cluster, stake, vectors::session_key(), 3_600_000, clock, &mut ctx);
    assert!(bcs::to_bytes(&k8s_gateway::id_for_testing(&token)) == vectors::token_id());
    token
}

public fun filled(byte: u8, length: u64): vector<u8> {
    let mut bytes = vector[];
    while (vector::length(&bytes) < length) vector::push_back(&mut bytes, byte);
    bytes
}

public fun pcrs(): vector<u8> { measurements::join_pcrs(filled(1, 48), filled(2, 48), filled(3, 48)) }

/// Publishes the release that `attested` runs; active at once unless the cluster asks for more.
public fun publish(cluster: &mut Cluster, cap: &AdminCap, clock: &Clock) {
    measurements::publish(
        cluster,
        cap,
        filled(1, 48),
        filled(2, 48),
        filled(3, 48),
        option::some(filled(8, 48)),
        vector[4, 12],
        vector[filled(4, 48), filled(0, 48)],
        vectors::hash(),
        string::utf8(b"git:0123456789"),
        clock,
    )
}

/// What a document of this instance says, the PCRs in no particular order.
public fun attested(instance: vector<u8>, at_ms: u64): Attested {
    attested::from_parts(
        &option::some(instance),
        &option::some(vectors::claims()),
        vector[8, 3, 1, 0, 2],
        vector[filled(8, 48), filled(0, 48), filled(2, 48), filled(1, 48), filled(3, 48)],
        at_ms,
        object::id_from_address(@0xd726ecf6f7036ee3557cd6c7b93a49b231070e8eecada9cfa157e40e3f02e5d3),
    )
}

/// Publishes the release and registers the instance with a document of a second ago.
public fun register(cluster: &mut Cluster, cap: &AdminCap, clock: &Clock) {
    publish(cluster, cap, clock);
    enclave::admit(cluster, attested(vectors::instance_key(), NOW - 1_000), NOW)
}

public fun activate(cluster: &mut Cluster, cap: &AdminCap, clock: &Clock) {
    register(cluster, cap, clock);
    enclave::activate(cluster, cap, vectors::instance_key(), clock)
}

public fun finish(cluster: Cluster, cap: AdminCap, clock: Clock) {
    cluster::share(cluster);
    transfer::public_transfer(cap, OPERATOR);
    clock::destroy_for_testing(clock)
}
