/// Seal tokens: the public half of a bearer credential. The session key signs tokens off chain; nothing here is secret.
///
/// One live token for each stake. A token counts while its stake is active and not suspended; revoked and expired are final. A worker
/// answers for what it signed with any session key that a token of its stake ever had, also after rotation, expiry and revocation.
module k3s_daas::k8s_gateway;

use k3s_daas::arithmetic;
use k3s_daas::cluster::{Self, AdminCap, Cluster};
use k3s_daas::evidence;
use k3s_daas::settings;
use k3s_daas::signatures;
use k3s_daas::staking::{Self, Stake};
use std::bcs;
use std::string::{Self, String};
use sui::clock::{Self, Clock};
use sui::event;

/// The stake's tier is not the one of this kind of token: workers have worker tokens, readers and admins access tokens.
const EWrongTier: u64 = 1;
/// The wallet has no grant for the tier (any more), and the tier is closed: ask the operator.
const ENotGranted: u64 = 2;
/// The stake has a live token already: use it, or revoke it first.
const EHasLiveToken: u64 = 3;
/// The lifetime is zero or above 366 days: choose another.
const ELifetime: u64 = 4;
/// The token belongs to another stake: pass the token's own stake.
const EOtherStake: u64 = 5;
/// The token is revoked: create another.
const ERevoked: u64 = 6;
/// The token has expired: create another.
const EExpired: u64 = 7;
/// The session key is the token's present one or a former one: make a fresh one.
const ESameKey: u64 = 8;
/// The new expiry would be earlier than the present one: extend by more.
const EEarlier: u64 = 9;
/// The statement is not the BCS of a statement: submit the exact bytes that were signed.
const EStatementFormat: u64 = 10;
/// The statement is of another cluster or another token.
const EStatementOfOther: u64 = 11;
/// The statement's signature does not verify under the token's session key of that generation.
const EStatementSignature: u64 = 12;
/// The statement names the token's own stake and name: it contradicts nothing.
const ENoContradiction: u64 = 13;
/// The token keeps 32 former session keys, and has them: revoke it and create another.
const ETooManyKeys: u64 = 14;
/// The token never had a session key of that generation: name the one that signed the statement.
const EKeyGeneration: u64 = 15;

const MAX_LIFETIME_MS: u64 = 366 * 86_400_000;
/// None is ever forgotten, so that nobody rotates out of what he signed; a token that is full still answers for all of them.
const MAX_FORMER_KEYS: u64 = 32;
/// cluster, token, stake (32 each), the length of the name (one byte), issued_at_ms.
const STATEMENT_WITHOUT_NAME: u64 = 105;
const NAME_AT: u64 = 97;
/// The longest length that ULEB128 writes in one byte; names have 63 characters at most.
const ONE_BYTE: u64 = 127;

public struct SealToken has key {
    id: UID,
    cluster: ID,
    owner: address,
    stake: ID,
    name: String,
    session_key: vector<u8>,
    key_generation: u64,
    tier: u8,
    created_at_ms: u64,
    expires_at_ms: u64,
    revoked: bool,
    /// Session keys of generation 1, 2, …, up to the one before the present.
    former_keys: vector<vector<u8>>,
}

public struct TokenCreated has copy, drop {
    cluster: ID,
    token: ID,
    stake: ID,
    owner: address,
    name: String,
    session_key: vector<u8>,
    key_generation: u64,
    tier: u8,
    expires_at_ms: u64,
}

public struct SessionKeyRotated has copy, drop { cluster: ID, token: ID, session_key: vector<u8>, key_generation: u64 }

public struct TokenExtended has copy, drop { cluster: ID, token: ID, expires_at_ms: u64 }

public struct TokenRevoked has copy, drop { cluster: ID, token: ID, by_admin: bool }

public fun create_worker_seal_token(
    cluster: &Cluster,
    stake: &mut Stake,
    session_key: vector<u8>,
    lifetime_ms: u64,
    clock: &Clock,
    ctx: &mut TxContext,
): ID {
    assert!(staking::tier(stake) == settings::worker(), EWrongTier);
    create(cluster, stake, session_key, lifetime_ms, clock, ctx)
}

public fun create_access_seal_token(
    cluster: &Cluster,
    stake: &mut Stake,
    session_key: vector<u8>,
    lifetime_ms: u64,
    clock: &Clock,
    ctx: &mut TxContext,
): ID {
    assert!(staking::tier(stake) != settings::worker(), EWrongTier);
    check_granted(cluster, stake);
    create(cluster, stake, session_key, lifetime_ms, clock, ctx)
}

public fun rotate_session_key(
    cluster: &Cluster,
    stake: &Stake,
    token: &mut SealToken,
    session_key: vector<u8>,
    clock: &Clock,
    ctx: &TxContext,
) {
    check_live(cluster, stake, token, clock::timestamp_ms(clock), ctx);
    signatures::check_key(&session_key);
    assert!(session_key != token.session_key && !vector::contains(&token.former_keys, &session_key), ESameKey);
    assert!(vector::length(&token.former_keys) < MAX_FORMER_KEYS, ETooManyKeys);
    vector::push_back(&mut token.former_keys, token.session_key);
    token.session_key = session_key;
    token.key_generation = token.key_generation + 1;
    event::emit(SessionKeyRotated {
        cluster: token.cluster,
        token: id(token),
        session_key,
        key_generation: token.key_generation,
    })
}

/// The expiry becomes now + `lifetime_ms`. An access token needs its grant again.
public fun extend(
    cluster: &Cluster,
    stake: &mut Stake,
    token: &mut SealToken,
    lifetime_ms: u64,
    clock: &Clock,
    ctx: &TxContext,
) {
    let now = clock::timestamp_ms(clock);
    check_live(cluster, stake, token, now, ctx);
    if (token.tier != settings::worker()) check_granted(cluster, stake);
    let expires_at_ms = expiry(now, lifetime_ms);
    assert!(expires_at_ms >= token.expires_at_ms, EEarlier);
    token.expires_at_ms = expires_at_ms;
    staking::set_token(stake, id(token), expires_at_ms);
    event::emit(TokenExtended { cluster: token.cluster, token: id(token), expires_at_ms })
}

public fun revoke(cluster: &Cluster, stake: &mut Stake, token: &mut SealToken, ctx: &TxContext) {
    cluster::check_version(cluster);
    staking::check_owner(stake, ctx);
    end(cluster, stake, token, false)
}

public fun revoke_by_admin(cluster: &Cluster, cap: &AdminCap, stake: &mut Stake, token: &mut SealToken) {
    cluster::check_admin(cluster, cap);
    end(cluster, stake, token, true)
}

/// A statement that verifies under the token's session key of `key_generation`, the present one or a former one, and names another stake or
/// another name than the token does. `signature` is the active instance's, over evidence whose digest is the SHA-256 of `statement`.
public fun report_forged_statement(
    cluster: &mut Cluster,
    stake: &mut Stake,
    token: &SealToken,
    instance: vector<u8>,
    sequence: u64,
    key_generation: u64,
    statement: vector<u8>,
    statement_signature: vector<u8>,
    signature: vector<u8>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    check_pair(cluster, stake, token);
    check_contradiction(token, key_generation, &statement, &statement_signature);
    let now = clock::timestamp_ms(clock);
    evidence::report_forged_statement(cluster, stake, instance, sequence, statement, signature, now, ctx)
}

fun create(
    cluster: &Cluster,
    stake: &mut Stake,
    session_key: vector<u8>,
    lifetime_ms: u64,
    clock: &Clock,
    ctx: &mut TxContext,
): ID {
    let token = new(cluster, stake, session_key, lifetime_ms, clock, ctx);
    let token_id = id(&token);
    transfer::share_object(token);
    token_id
}

fun new(
    cluster: &Cluster,
    stake: &mut Stake,
    session_key: vector<u8>,
    lifetime_ms: u64,
    clock: &Clock,
    ctx: &mut TxContext,
): SealToken {
    cluster::check_version(cluster);
    staking::check_cluster(cluster, stake);
    staking::check_owner(stake, ctx);
    staking::check_usable(stake);
    signatures::check_key(&session_key);
    let now = clock::timestamp_ms(clock);
    assert!(!staking::has_live_token(stake, now), EHasLiveToken);
    let expires_at_ms = expiry(now, lifetime_ms);
    let token = SealToken {
        id: object::new(ctx),
        cluster: cluster::id(cluster),
        owner: staking::owner(stake),
        stake: staking::id(stake),
        name: staking::name(stake),
        session_key,
        key_generation: 1,
        tier: staking::tier(stake),
        created_at_ms: now,
        expires_at_ms,
        revoked: false,
        former_keys: vector[],
    };
    staking::set_token(stake, id(&token), expires_at_ms);
    event::emit(TokenCreated {
        cluster: token.cluster,
        token: id(&token),
        stake: token.stake,
        owner: token.owner,
        name: token.name,
        session_key,
        key_generation: token.key_generation,
        tier: token.tier,
        expires_at_ms,
    });
    token
}

fun end(cluster: &Cluster, stake: &mut Stake, token: &mut SealToken, by_admin: bool) {
    check_pair(cluster, stake, token);
    assert!(!token.revoked, ERevoked);
    token.revoked = true;
    if (staking::has_token(stake, id(token))) staking::clear_token(stake);
    event::emit(TokenRevoked { cluster: token.cluster, token: id(token), by_admin })
}

fun id(token: &SealToken): ID { object::uid_to_inner(&token.id) }

/// Aborts unless sender, stake and token belong together and the token counts now.
fun check_live(cluster: &Cluster, stake: &Stake, token: &SealToken, now: u64, ctx: &TxContext) {
    cluster::check_version(cluster);
    check_pair(cluster, stake, token);
    staking::check_owner(stake, ctx);
    staking::check_usable(stake);
    assert!(!token.revoked, ERevoked);
    assert!(now < token.expires_at_ms, EExpired)
}

/// The stake's cluster is the token's: a token is made from its stake.
fun check_pair(cluster: &Cluster, stake: &Stake, token: &SealToken) {
    staking::check_cluster(cluster, stake);
    assert!(token.stake == staking::id(stake), EOtherStake)
}

fun check_granted(cluster: &Cluster, stake: &Stake) {
    assert!(cluster::admits(cluster, staking::owner(stake), staking::tier(stake)), ENotGranted)
}

fun expiry(now: u64, lifetime_ms: u64): u64 {
    assert!(lifetime_ms > 0 && lifetime_ms <= MAX_LIFETIME_MS, ELifetime);
    arithmetic::later(now, lifetime_ms)
}

fun check_contradiction(token: &SealToken, key_generation: u64, statement: &vector<u8>, signature: &vector<u8>) {
    let name = string::as_bytes(&token.name);
    assert!(is_statement(statement), EStatementFormat);
    assert!(
        holds_at(statement, 0, &bcs::to_bytes(&token.cluster)) && holds_at(statement, 32, &bcs::to_bytes(&id(token))),
        EStatementOfOther,
    );
    assert!(
        signatures::is_signed(b"statement", *statement, key_of(token, key_generation), signature),
        EStatementSignature,
    );
    let same_name = vector::length(statement) == STATEMENT_WITHOUT_NAME + vector::length(name)
        && holds_at(statement, NAME_AT, name);
    assert!(!same_name || !holds_at(statement, 64, &bcs::to_bytes(&token.stake)), ENoContradiction)
}

fun key_of(token: &SealToken, generation: u64): &vector<u8> {
    if (generation == token.key_generation) return &token.session_key;
    assert!(generation > 0 && generation < token.key_generation, EKeyGeneration);
    &token.former_keys[generation - 1]
}

/// BCS of `{ cluster, token, stake, name, issued_at_ms }` has this shape: a length byte and as many bytes of name.
fun is_statement(statement: &vector<u8>): bool {
    let length = vector::length(statement);
    length >= STATEMENT_WITHOUT_NAME && (statement[NAME_AT - 1] as u64) <= ONE_BYTE
        && length == STATEMENT_WITHOUT_NAME + (statement[NAME_AT - 1] as u64)
}

/// Whether `part` stands in `bytes` at `start`, which lies inside.
fun holds_at(bytes: &vector<u8>, start: u64, part: &vector<u8>): bool {
    let mut i = 0;
    while (i < vector::length(part)) {
        if (bytes[start + i] != part[i]) return false;
        i = i + 1;
    };
    true
}

#[test_only]
public fun new_for_testing(
    cluster: &Cluster,
    stake: &mut Stake,
    session_key: vector<u8>,
    lifetime_ms: u64,
    clock: &Clock,
    ctx: &mut TxContext,
): SealToken {
    new(cluster, stake, session_key, lifetime_ms, clock, ctx)
}

#[test_only]
public fun id_for_testing(token: &SealToken): ID { id(token) }

#[test_only]
public fun state_for_testing(token: &SealToken): (vector<u8>, u64, u64, bool) {
    (token.session_key, token.key_generation, token.expires_at_ms, token.revoked)
}

#[test_only]
public fun share_for_testing(token: SealToken) { transfer::share_object(token) }
