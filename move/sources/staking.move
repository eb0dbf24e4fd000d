/// Stakes: the deposit that buys a place, in an object of its own that is shared, so that slashing needs nobody's cooperation.
///
/// `Active → Unbonding → Withdrawn`, or `→ Slashed` from the first two for good. The terms are those of the day of staking. Only the owner moves
/// the money out; the operator can take at most the terms' share, to the treasury of those terms, and can never hold the rest longer than the
/// unbonding time: neither a slash nor a suspension nor a lost admin cap moves `releases_at_ms`. What is still bonded can be slashed, also after
/// that instant, until it is withdrawn.
module k3s_daas::staking;

use k3s_daas::arithmetic;
use k3s_daas::cluster::{Self, AdminCap, Cluster};
use k3s_daas::labels;
use k3s_daas::settings;
use k3s_daas::terms::{Self, Terms};
use std::bcs;
use std::string::{Self, String};
use sui::balance::{Self, Balance};
use sui::clock::{Self, Clock};
use sui::coin::{Self, Coin};
use sui::dynamic_field;
use sui::event;
use sui::sui::SUI;

/// The stake belongs to another cluster: pass the stake's own cluster.
const EOtherCluster: u64 = 1;
/// The sender is not the stake's owner: only the owner moves a stake.
const ENotOwner: u64 = 2;
/// The payment is below the tier's minimum stake: pay at least that.
const EBelowMinimum: u64 = 3;
/// The tier is closed to this wallet: ask the operator for a grant.
const ETierClosed: u64 = 4;
/// The cluster has as many active workers as it allows: wait for one to leave.
const EClusterFull: u64 = 5;
/// The worker tier (1) is staked with `stake_for_node`, the others (0, 2) with `stake_for_access`.
const EWrongTier: u64 = 6;
/// The name was given before: choose another node id.
const ENameTaken: u64 = 7;
/// The stake is not active: it is unbonding, withdrawn or slashed.
const ENotActive: u64 = 8;
/// The sum is zero, or too large for one stake.
const EAmount: u64 = 9;
/// The stake is not unbonding or slashed: unstake first.
const ENotReleasing: u64 = 10;
/// The unbonding time has not passed yet: withdraw from `releases_at_ms` on.
const EStillUnbonding: u64 = 11;
/// The stake was withdrawn before: nothing of it is left here.
const EWithdrawnBefore: u64 = 12;
/// The slashes together would take more than the stake's terms allow: slash less.
const EAboveSlashShare: u64 = 13;
/// The stake is suspended already.
const EAlreadySuspended: u64 = 14;
/// The stake is not suspended.
const ENotSuspended: u64 = 15;
/// The stake is suspended: ask the operator to resume it.
const ESuspended: u64 = 16;
/// The cluster's terms are not those that the staker agreed to: read them again, and stake if they still suit.
const EOtherTerms: u64 = 17;

const ACTIVE: u8 = 0;
const UNBONDING: u8 = 1;
const WITHDRAWN: u8 = 2;
const SLASHED: u8 = 3;

/// In place of an offence: the operator's own decision.
const BY_ADMIN: u8 = 255;

const MAX_REASON: u64 = 256;

public struct Stake has key {
    id: UID,
    cluster: ID,
    owner: address,
    node_id: String,
    name: String,
    tier: u8,
    status: u8,
    suspended: bool,
    balance: Balance<SUI>,
    /// All that was paid in, and all that slashes took.
    principal: u64,
    slashed: u64,
    terms: Terms,
    staked_at_ms: u64,
    releases_at_ms: u64,
    token: Option<TokenRef>,
}

/// The newest Seal token of the stake; live until it expires, gone when revoked.
public struct TokenRef has copy, drop, store { id: ID, expires_at_ms: u64 }

public struct MemberKey has copy, drop, store { stake: ID }

public struct Member has copy, drop, store { name: String }

public struct NameKey has copy, drop, store { name: String }

public struct Staked has copy, drop {
    cluster: ID, stake: ID, owner: address, node_id: String, name: String, tier: u8, amount: u64, terms: Terms, at_ms: u64,
}

public struct ToppedUp has copy, drop { cluster: ID, stake: ID, added: u64, amount: u64 }

public struct Unstaked has copy, drop { cluster: ID, stake: ID, amount: u64, releases_at_ms: u64 }

public struct Withdrawn has copy, drop { cluster: ID, stake: ID, owner: address, amount: u64, status: u8 }

public struct Slashed has copy, drop {
    cluster: ID, stake: ID, amount: u64, remaining: u64, offence: u8, reason: String, treasury: address, releases_at_ms: u64,
}

public struct Suspended has copy, drop { cluster: ID, stake: ID, offence: u8 }

public struct Resumed has copy, drop { cluster: ID, stake: ID }

// === The owner's ===

/// A worker's stake. Share it in the same transaction. `agreed_terms` is the BCS of the `Terms` that the staker has read: what an operator
/// changes between reading and paying binds nobody.
public fun stake_for_node(
    cluster: &mut Cluster,
    payment: Coin<SUI>,
    node_id: String,
    agreed_terms: vector<u8>,
    clock: &Clock,
    ctx: &mut TxContext,
): Stake {
    let max = settings::max_workers(cluster::settings(cluster));
    assert!(cluster::active_workers(cluster) < max, EClusterFull);
    let stake = new(cluster, payment, settings::worker(), node_id, agreed_terms, clock, ctx);
    cluster::worker_joined(cluster);
    stake
}

/// A reader's or admin's stake, which needs a grant or an open tier as well. Share it in the same transaction.
public fun stake_for_access(
    cluster: &mut Cluster,
    payment: Coin<SUI>,
    tier: u8,
    node_id: String,
    agreed_terms: vector<u8>,
    clock: &Clock,
    ctx: &mut TxContext,
): Stake {
    assert!(tier == settings::reader() || tier == settings::admin(), EWrongTier);
    new(cluster, payment, tier, node_id, agreed_terms, clock, ctx)
}

#[allow(lint(share_owned, custom_state_change))]
public fun share(stake: Stake) {
    transfer::share_object(stake)
}

public fun top_up(cluster: &Cluster, stake: &mut Stake, payment: Coin<SUI>, ctx: &TxContext) {
    cluster::check_version(cluster);
    check_cluster(cluster, stake);
    check_owner(stake, ctx);
    assert!(stake.status == ACTIVE, ENotActive);
    let added = coin::value(&payment);
    assert!(added > 0 && arithmetic::fits(stake.principal, added), EAmount);
    stake.principal = stake.principal + added;
    let amount = balance::join(&mut stake.balance, coin::into_balance(payment));
    event::emit(ToppedUp { cluster: stake.cluster, stake: id(stake), added, amount })
}

/// Asks for no version: the way out stays open whatever package the cluster is at.
public fun unstake(cluster: &mut Cluster, stake: &mut Stake, clock: &Clock, ctx: &TxContext) {
    check_cluster(cluster, stake);
    check_owner(stake, ctx);
    assert!(stake.status == ACTIVE, ENotActive);
    leave(cluster, stake, UNBONDING, clock::timestamp_ms(clock));
    let amount = balance::value(&stake.balance);
    event::emit(Unstaked { cluster: stake.cluster, stake: id(stake), amount, releases_at_ms: stake.releases_at_ms })
}

/// Asks for no version, as `unstake`. A slashed stake stays Slashed; what was left of it goes back all the same.
public fun withdraw(cluster: &mut Cluster, stake: &mut Stake, clock: &Clock, ctx: &mut TxContext): Coin<SUI> {
    check_cluster(cluster, stake);
    check_owner(stake, ctx);
    let key = MemberKey { stake: id(stake) };
    assert!(dynamic_field::exists_(cluster::uid(cluster), key), EWithdrawnBefore);
    assert!(stake.status == UNBONDING || stake.status == SLASHED, ENotReleasing);
    assert!(clock::timestamp_ms(clock) >= stake.releases_at_ms, EStillUnbonding);
    let _: Member = dynamic_field::remove(cluster::uid_mut(cluster), key);
    if (stake.status == UNBONDING) stake.status = WITHDRAWN;
    let amount = balance::value(&stake.balance);
    event::emit(Withdrawn {
        cluster: stake.cluster,
        stake: id(stake),
        owner: stake.owner,
        amount,
        status: stake.status,
    });
    coin::from_balance(balance::split(&mut stake.balance, amount), ctx)
}

// === The operator's ===

public fun slash(
    cluster: &mut Cluster,
    cap: &AdminCap,
    stake: &mut Stake,
    amount: u64,
    reason: String,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    cluster::check_admin(cluster, cap);
    check_bonded(cluster, stake);
    labels::check_text(&reason, 0, MAX_REASON);
    assert!(amount > 0, EAmount);
    assert!(amount <= slashable(stake), EAboveSlashShare);
    take(cluster, stake, amount, BY_ADMIN, reason, clock::timestamp_ms(clock), ctx)
}

/// Ends the stake's tokens until `resume`; the owner can still unstake.
public fun suspend(cluster: &Cluster, cap: &AdminCap, stake: &mut Stake) {
    cluster::check_admin(cluster, cap);
    check_cluster(cluster, stake);
    assert!(stake.status == ACTIVE, ENotActive);
    assert!(!stake.suspended, EAlreadySuspended);
    put_aside(stake, BY_ADMIN)
}

public fun resume(cluster: &Cluster, cap: &AdminCap, stake: &mut Stake) {
    cluster::check_admin(cluster, cap);
    check_cluster(cluster, stake);
    assert!(stake.suspended, ENotSuspended);
    stake.suspended = false;
    event::emit(Resumed { cluster: stake.cluster, stake: id(stake) })
}

// === For the package's other modules ===

public(package) fun check_cluster(cluster: &Cluster, stake: &Stake) {
    assert!(stake.cluster == cluster::id(cluster), EOtherCluster)
}

public(package) fun check_owner(stake: &Stake, ctx: &TxContext) {
    assert!(stake.owner == tx_context::sender(ctx), ENotOwner)
}

/// Aborts unless the stake is this cluster's and its money is still here.
public(package) fun check_bonded(cluster: &Cluster, stake: &Stake) {
    check_cluster(cluster, stake);
    assert!(dynamic_field::exists_(cluster::uid(cluster), MemberKey { stake: id(stake) }), EWithdrawnBefore)
}

/// Aborts unless tokens of this stake count: active and not suspended.
public(package) fun check_usable(stake: &Stake) {
    assert!(stake.status == ACTIVE, ENotActive);
    assert!(!stake.suspended, ESuspended)
}

public(package) fun id(stake: &Stake): ID { object::uid_to_inner(&stake.id) }

public(package) fun owner(stake: &Stake): address { stake.owner }

public(package) fun name(stake: &Stake): String { stake.name }

public(package) fun tier(stake: &Stake): u8 { stake.tier }

/// Whether the stake has a token that is neither revoked nor expired.
public(package) fun has_live_token(stake: &Stake, now: u64): bool {
    option::is_some(&stake.token) && now < option::borrow(&stake.token).expires_at_ms
}

public(package) fun has_token(stake: &Stake, token: ID): bool {
    option::is_some(&stake.token) && option::borrow(&stake.token).id == token
}

public(package) fun set_token(stake: &mut Stake, token: ID, expires_at_ms: u64) {
    stake.token = option::some(TokenRef { id: token, expires_at_ms })
}

public(package) fun clear_token(stake: &mut Stake) {
    stake.token = option::none()
}

/// Action and sum that the stake's terms give for an offence now. Only an active stake that is not suspended can be ejected.
public(package) fun consequence(stake: &Stake, offence: u8): (u8, u64) {
    let can_be_ejected = stake.status == ACTIVE && !stake.suspended;
    terms::consequence(&stake.terms, offence, stake.principal, slashable(stake), can_be_ejected)
}

/// Does to the stake what `consequence` says.
public(package) fun carry_out(
    cluster: &mut Cluster,
    stake: &mut Stake,
    offence: u8,
    action: u8,
    amount: u64,
    now: u64,
    ctx: &mut TxContext,
) {
    if (terms::is_slash(action)) take(cluster, stake, amount, offence, string::utf8(b"evidence"), now, ctx)
    else if (terms::is_ejection(action)) put_aside(stake, offence)
}

fun new(
    cluster: &mut Cluster,
    payment: Coin<SUI>,
    tier: u8,
    node_id: String,
    agreed_terms: vector<u8>,
    clock: &Clock,
    ctx: &mut TxContext,
): Stake {
    cluster::check_version(cluster);
    let owner = tx_context::sender(ctx);
    assert!(cluster::admits(cluster, owner, tier), ETierClosed);
    let terms = terms::of_today(cluster::settings(cluster), tier);
    assert!(bcs::to_bytes(&terms) == agreed_terms, EOtherTerms);
    let amount = coin::value(&payment);
    assert!(amount >= terms::minimum_stake(&terms), EBelowMinimum);
    let id = object::new(ctx);
    let stake = object::uid_to_inner(&id);
    let name = labels::node_name(&node_id, stake);
    assert!(!dynamic_field::exists_(cluster::uid(cluster), NameKey { name }), ENameTaken);
    dynamic_field::add(cluster::uid_mut(cluster), NameKey { name }, stake);
    dynamic_field::add(cluster::uid_mut(cluster), MemberKey { stake }, Member { name });
    let at_ms = clock::timestamp_ms(clock);
    let cluster = cluster::id(cluster);
    event::emit(Staked { cluster, stake, owner, node_id, name, tier, amount, terms, at_ms });
    Stake {
        id,
        cluster,
        owner,
        node_id,
        name,
        tier,
        status: ACTIVE,
        suspended: false,
        balance: coin::into_balance(payment),
        principal: amount,
        slashed: 0,
        terms,
        staked_at_ms: at_ms,
        releases_at_ms: 0,
        token: option::none(),
    }
}

/// The stake stops being active and its release time is set, once.
fun leave(cluster: &mut Cluster, stake: &mut Stake, status: u8, now: u64) {
    stake.status = status;
    stake.releases_at_ms = terms::releases_at_ms(&stake.terms, now);
    if (stake.tier == settings::worker()) cluster::worker_left(cluster)
}

fun slashable(stake: &Stake): u64 {
    terms::slashable(&stake.terms, stake.principal, stake.slashed, balance::value(&stake.balance))
}

fun take(
    cluster: &mut Cluster,
    stake: &mut Stake,
    amount: u64,
    offence: u8,
    reason: String,
    now: u64,
    ctx: &mut TxContext,
) {
    if (stake.status == ACTIVE) leave(cluster, stake, SLASHED, now) else stake.status = SLASHED;
    stake.slashed = stake.slashed + amount;
    let treasury = terms::treasury(&stake.terms);
    transfer::public_transfer(coin::from_balance(balance::split(&mut stake.balance, amount), ctx), treasury);
    event::emit(Slashed {
        cluster: stake.cluster,
        stake: id(stake),
        amount,
        remaining: balance::value(&stake.balance),
        offence,
        reason,
        treasury,
        releases_at_ms: stake.releases_at_ms,
    })
}

fun put_aside(stake: &mut Stake, offence: u8) {
    stake.suspended = true;
    event::emit(Suspended { cluster: stake.cluster, stake: id(stake), offence })
}

#[test_only]
public fun state_for_testing(stake: &Stake): (u8, u64, u64, u64) {
    (stake.status, balance::value(&stake.balance), stake.slashed, stake.releases_at_ms)
}

#[test_only]
public fun is_suspended_for_testing(stake: &Stake): bool { stake.suspended }

#[test_only]
public fun set_principal_for_testing(stake: &mut Stake, principal: u64) { stake.principal = principal }

#[test_only]
public fun take_name_for_testing(cluster: &mut Cluster, name: String, stake: ID) {
    dynamic_field::add(cluster::uid_mut(cluster), NameKey { name }, stake)
}
