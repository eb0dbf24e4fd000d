/// A cluster: its settings, its grants, its active instance and its anchor. All else that belongs to it (releases, registrations, members,
/// names, evidence) hangs on it as dynamic fields, so that one listing shows everything.
///
/// The operator's `AdminCap` opens nothing but its own cluster. Money's way out (`staking::unstake`, `staking::withdraw`) needs neither the
/// cap nor a particular version of the package; every other function does ask for the version.
module k3s_daas::cluster;

use k3s_daas::consent;
use k3s_daas::labels;
use k3s_daas::settings::{Self, Endpoints, ReleaseRules, Settings};
use std::string::String;
use sui::clock::{Self, Clock};
use sui::dynamic_field;
use sui::event;

/// The cluster is at another version than this package: call the newest package, or migrate the cluster.
const EWrongVersion: u64 = 1;
/// The admin cap belongs to another cluster: use this cluster's own.
const EOtherAdminCap: u64 = 2;
/// The cluster is at this package's version already: there is nothing to migrate.
const ENothingToMigrate: u64 = 3;
/// Grants are for the reader (0) and admin (2) tiers only: workers come by stake alone.
const EGrantTier: u64 = 4;
/// The wallet has this grant already.
const EAlreadyGranted: u64 = 5;
/// The wallet has no such grant.
const ENotGranted: u64 = 6;
/// The cluster has no active instance: activate one.
const ENoActiveInstance: u64 = 7;

const VERSION: u64 = 1;
const MAX_NAME: u64 = 64;

public struct AdminCap has key, store { id: UID, cluster: ID }

public struct Cluster has key {
    id: UID,
    version: u64,
    name: String,
    admin_cap: ID,
    settings: Settings,
    endpoints: Endpoints,
    release_rules: ReleaseRules,
    generation: u64,
    active: Option<ActiveInstance>,
    anchor: Option<Anchor>,
    active_workers: u64,
}

/// The one enclave that speaks for the cluster. Anyone can run the genuine image with this cluster's id; nobody else is this instance.
public struct ActiveInstance has copy, drop, store {
    instance: vector<u8>,
    server_ca_sha256: vector<u8>,
    tls_spki_sha256: vector<u8>,
    successor_key: Option<vector<u8>>,
    since_ms: u64,
    pcrs: vector<u8>,
}

/// The newest sealed state that the chain knows: an older one is never restored.
public struct Anchor has copy, drop, store { epoch: u64, hash: vector<u8>, instance: vector<u8>, at_ms: u64 }

public struct GrantKey has copy, drop, store { wallet: address, tier: u8 }

public struct Grant has copy, drop, store { granted_at_ms: u64 }

public struct ClusterCreated has copy, drop {
    cluster: ID,
    admin_cap: ID,
    name: String,
    settings: Settings,
    endpoints: Endpoints,
}

public struct SettingsChanged has copy, drop { cluster: ID, settings: Settings }

public struct EndpointsChanged has copy, drop { cluster: ID, endpoints: Endpoints }

public struct ReleaseRulesChanged has copy, drop { cluster: ID, rules: ReleaseRules }

public struct Migrated has copy, drop { cluster: ID, version: u64 }

public struct Granted has copy, drop { cluster: ID, wallet: address, tier: u8 }

public struct Ungranted has copy, drop { cluster: ID, wallet: address, tier: u8 }

public struct InstanceActivated has copy, drop {
    cluster: ID,
    active: ActiveInstance,
    generation: u64,
    by_admin: bool,
}

public struct InstanceDropped has copy, drop { cluster: ID, generation: u64 }

public struct SuccessorNamed has copy, drop { cluster: ID, instance: vector<u8>, successor_key: vector<u8> }

public struct Anchored has copy, drop { cluster: ID, anchor: Anchor }

// === Made and set by the operator ===

public fun new(
    name: String,
    api: String,
    join: String,
    master: String,
    treasury: address,
    ctx: &mut TxContext,
): (Cluster, AdminCap) {
    labels::check_text(&name, 1, MAX_NAME);
    let id = object::new(ctx);
    let cluster = object::uid_to_inner(&id);
    let cap = AdminCap { id: object::new(ctx), cluster };
    let admin_cap = object::uid_to_inner(&cap.id);
    let settings = settings::new(treasury);
    let endpoints = settings::new_endpoints(api, join, master);
    event::emit(ClusterCreated { cluster, admin_cap, name, settings, endpoints });
    let cluster = Cluster {
        id,
        version: VERSION,
        name,
        admin_cap,
        settings,
        endpoints,
        release_rules: settings::new_release_rules(),
        generation: 0,
        active: option::none(),
        anchor: option::none(),
        active_workers: 0,
    };
    (cluster, cap)
}

#[allow(lint(share_owned, custom_state_change))]
public fun share(cluster: Cluster) {
    transfer::share_object(cluster)
}

public fun set_minimum_stake(cluster: &mut Cluster, cap: &AdminCap, tier: u8, mist: u64) {
    check_admin(cluster, cap);
    settings::set_minimum_stake(&mut cluster.settings, tier, mist);
    tell_settings(cluster)
}

public fun set_tier_open(cluster: &mut Cluster, cap: &AdminCap, tier: u8, open: bool) {
    check_admin(cluster, cap);
    settings::set_tier_open(&mut cluster.settings, tier, open);
    tell_settings(cluster)
}

public fun set_unbonding(cluster: &mut Cluster, cap: &AdminCap, ms: u64) {
    check_admin(cluster, cap);
    settings::set_unbonding(&mut cluster.settings, ms);
    tell_settings(cluster)
}

public fun set_max_workers(cluster: &mut Cluster, cap: &AdminCap, max: u64) {
    check_admin(cluster, cap);
    settings::set_max_workers(&mut cluster.settings, max);
    tell_settings(cluster)
}

public fun set_slash_share(cluster: &mut Cluster, cap: &AdminCap, bps: u64) {
    check_admin(cluster, cap);
    settings::set_slash_share(&mut cluster.settings, bps);
    tell_settings(cluster)
}

public fun set_treasury(cluster: &mut Cluster, cap: &AdminCap, treasury: address) {
    check_admin(cluster, cap);
    settings::set_treasury(&mut cluster.settings, treasury);
    tell_settings(cluster)
}

public fun set_offence(cluster: &mut Cluster, cap: &AdminCap, offence: u8, action: u8, share_bps: u64) {
    check_admin(cluster, cap);
    settings::set_offence(&mut cluster.settings, offence, action, share_bps);
    tell_settings(cluster)
}

public fun set_heartbeat_limit(cluster: &mut Cluster, cap: &AdminCap, ms: u64) {
    check_admin(cluster, cap);
    settings::set_heartbeat_limit(&mut cluster.settings, ms);
    tell_settings(cluster)
}

public fun set_freshness(cluster: &mut Cluster, cap: &AdminCap, document_max_age_ms: u64, registration_ms: u64) {
    check_admin(cluster, cap);
    settings::set_freshness(&mut cluster.settings, document_max_age_ms, registration_ms);
    tell_settings(cluster)
}

public fun set_config_pin(cluster: &mut Cluster, cap: &AdminCap, sha256: Option<vector<u8>>) {
    check_admin(cluster, cap);
    settings::set_config_pin(&mut cluster.settings, sha256);
    tell_settings(cluster)
}

public fun set_endpoints(cluster: &mut Cluster, cap: &AdminCap, api: String, join: String, master: String) {
    check_admin(cluster, cap);
    cluster.endpoints = settings::new_endpoints(api, join, master);
    event::emit(EndpointsChanged { cluster: id(cluster), endpoints: cluster.endpoints })
}

public fun set_release_delay(cluster: &mut Cluster, cap: &AdminCap, ms: u64) {
    check_admin(cluster, cap);
    settings::set_release_delay(&mut cluster.release_rules, ms);
    tell_rules(cluster)
}

/// Once there are auditors, the operator cannot change them alone: `threshold` of the present ones sign the change.
public fun set_auditors(
    cluster: &mut Cluster,
    cap: &AdminCap,
    auditors: vector<vector<u8>>,
    threshold: u64,
    signers: vector<vector<u8>>,
    signatures: vector<vector<u8>>,
) {
    check_admin(cluster, cap);
    consent::check(id(cluster), &cluster.release_rules, auditors, threshold, &signers, &signatures);
    settings::set_auditors(&mut cluster.release_rules, auditors, threshold);
    tell_rules(cluster)
}

public fun grant(cluster: &mut Cluster, cap: &AdminCap, wallet: address, tier: u8, clock: &Clock) {
    check_admin(cluster, cap);
    assert!(tier == settings::reader() || tier == settings::admin(), EGrantTier);
    let key = GrantKey { wallet, tier };
    assert!(!dynamic_field::exists_(&cluster.id, key), EAlreadyGranted);
    dynamic_field::add(&mut cluster.id, key, Grant { granted_at_ms: clock::timestamp_ms(clock) });
    event::emit(Granted { cluster: id(cluster), wallet, tier })
}

public fun ungrant(cluster: &mut Cluster, cap: &AdminCap, wallet: address, tier: u8) {
    check_admin(cluster, cap);
    let key = GrantKey { wallet, tier };
    assert!(dynamic_field::exists_(&cluster.id, key), ENotGranted);
    let Grant { granted_at_ms: _ } = dynamic_field::remove(&mut cluster.id, key);
    event::emit(Ungranted { cluster: id(cluster), wallet, tier })
}

/// After an upgrade of the package: the cluster leaves the old package's functions behind.
public fun migrate(cluster: &mut Cluster, cap: &AdminCap) {
    check_cap(cluster, cap);
    assert!(cluster.version < VERSION, ENothingToMigrate);
    cluster.version = VERSION;
    event::emit(Migrated { cluster: id(cluster), version: VERSION })
}

// === For the package's other modules ===

public(package) fun check_version(cluster: &Cluster) {
    assert!(cluster.version == VERSION, EWrongVersion)
}

public(package) fun check_admin(cluster: &Cluster, cap: &AdminCap) {
    check_version(cluster);
    check_cap(cluster, cap)
}

public(package) fun id(cluster: &Cluster): ID { object::uid_to_inner(&cluster.id) }

public(package) fun uid(cluster: &Cluster): &UID { &cluster.id }

public(package) fun uid_mut(cluster: &mut Cluster): &mut UID { &mut cluster.id }

public(package) fun settings(cluster: &Cluster): &Settings { &cluster.settings }

public(package) fun release_rules(cluster: &Cluster): &ReleaseRules { &cluster.release_rules }

public(package) fun generation(cluster: &Cluster): u64 { cluster.generation }

public(package) fun active_workers(cluster: &Cluster): u64 { cluster.active_workers }

public(package) fun worker_joined(cluster: &mut Cluster) { cluster.active_workers = cluster.active_workers + 1 }

public(package) fun worker_left(cluster: &mut Cluster) { cluster.active_workers = cluster.active_workers - 1 }

/// Whether `wallet` may hold a stake of this tier: the tier is open, or the operator granted it.
public(package) fun admits(cluster: &Cluster, wallet: address, tier: u8): bool {
    settings::is_tier_open(&cluster.settings, tier) || dynamic_field::exists_(&cluster.id, GrantKey { wallet, tier })
}

public(package) fun is_active(cluster: &Cluster, instance: &vector<u8>): bool {
    option::is_some(&cluster.active) && &option::borrow(&cluster.active).instance == instance
}

public(package) fun active(cluster: &Cluster): &ActiveInstance {
    assert!(option::is_some(&cluster.active), ENoActiveInstance);
    option::borrow(&cluster.active)
}

public(package) fun instance(active: &ActiveInstance): vector<u8> { active.instance }

public(package) fun successor_key(active: &ActiveInstance): &Option<vector<u8>> { &active.successor_key }

public(package) fun server_ca_sha256(active: &ActiveInstance): &vector<u8> { &active.server_ca_sha256 }

public(package) fun tls_spki_sha256(active: &ActiveInstance): &vector<u8> { &active.tls_spki_sha256 }

public(package) fun set_active(
    cluster: &mut Cluster,
    instance: vector<u8>,
    server_ca_sha256: vector<u8>,
    tls_spki_sha256: vector<u8>,
    pcrs: vector<u8>,
    by_admin: bool,
    since_ms: u64,
) {
    let active = ActiveInstance {
        instance,
        server_ca_sha256,
        tls_spki_sha256,
        successor_key: option::none(),
        since_ms,
        pcrs,
    };
    cluster.generation = cluster.generation + 1;
    cluster.active = option::some(active);
    event::emit(InstanceActivated { cluster: id(cluster), active, generation: cluster.generation, by_admin })
}

/// A compromised release: a new generation, and no active instance if it ran that release.
public(package) fun drop_release(cluster: &mut Cluster, pcrs: &vector<u8>) {
    cluster.generation = cluster.generation + 1;
    if (option::is_some(&cluster.active) && &option::borrow(&cluster.active).pcrs == pcrs) {
        cluster.active = option::none();
        event::emit(InstanceDropped { cluster: id(cluster), generation: cluster.generation })
    }
}

public(package) fun set_successor_key(cluster: &mut Cluster, successor_key: vector<u8>) {
    let cluster_id = id(cluster);
    let active = option::borrow_mut(&mut cluster.active);
    active.successor_key = option::some(successor_key);
    event::emit(SuccessorNamed { cluster: cluster_id, instance: active.instance, successor_key })
}

public(package) fun is_newer_epoch(cluster: &Cluster, epoch: u64): bool {
    option::is_none(&cluster.anchor) || epoch > option::borrow(&cluster.anchor).epoch
}

public(package) fun set_anchor(cluster: &mut Cluster, epoch: u64, hash: vector<u8>, instance: vector<u8>, at_ms: u64) {
    let anchor = Anchor { epoch, hash, instance, at_ms };
    cluster.anchor = option::some(anchor);
    event::emit(Anchored { cluster: id(cluster), anchor })
}

fun check_cap(cluster: &Cluster, cap: &AdminCap) {
    assert!(cap.cluster == id(cluster), EOtherAdminCap)
}

fun tell_settings(cluster: &Cluster) {
    event::emit(SettingsChanged { cluster: id(cluster), settings: cluster.settings })
}

fun tell_rules(cluster: &Cluster) {
    event::emit(ReleaseRulesChanged { cluster: id(cluster), rules: cluster.release_rules })
}

#[test_only]
public fun set_version_for_testing(cluster: &mut Cluster, version: u64) { cluster.version = version }

#[test_only]
public fun anchor_for_testing(cluster: &Cluster): (u64, vector<u8>) {
    let anchor = option::borrow(&cluster.anchor);
    (anchor.epoch, anchor.hash)
}

#[test_only]
public fun grant_for_testing(cluster: &Cluster, wallet: address, tier: u8): Grant {
    *dynamic_field::borrow(&cluster.id, GrantKey { wallet, tier })
}
