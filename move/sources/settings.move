/// What a cluster's operator sets, and within which bounds. Reached through `cluster` only, which checks the admin cap and tells what changed.
module k3s_daas::settings;

use k3s_daas::labels;
use k3s_daas::signatures;
use std::string::String;

/// There is no such tier: use 0 (reader), 1 (worker) or 2 (admin).
const ETier: u64 = 1;
/// The minimum stake is zero: a place must cost something.
const EMinimumStake: u64 = 2;
/// The unbonding time is above 90 days: money may not be held longer.
const EUnbonding: u64 = 3;
/// The share is above 10 000 basis points: a share is at most the whole.
const EShare: u64 = 4;
/// The treasury is the zero address, where money is lost: give another one.
const ETreasury: u64 = 5;
/// There is no such offence: use 0 (double identity), 1 (forged statement) or 2 (silent).
const EOffence: u64 = 6;
/// There is no such consequence: use 0 (observe), 1 (eject) or 2 (slash).
const EAction: u64 = 7;
/// Silence may at most eject: whoever drops packets must not be able to slash.
const ESilenceSlashes: u64 = 8;
/// Only a slash has a share, and it is not zero: correct the pair.
const EActionShare: u64 = 9;
/// The heartbeat limit is not between one second and one day: correct it.
const EHeartbeatLimit: u64 = 10;
/// The age of a document is not between one second and three hours, for which its certificate lives: correct it.
const EDocumentAge: u64 = 11;
/// The life of a registration is not between one second and seven days: correct it.
const ERegistrationTime: u64 = 12;
/// The configuration's hash is not 32 bytes long: give a SHA-256.
const EConfigHash: u64 = 13;
/// The release delay is not longer than before: it can only grow.
const EDelayShorter: u64 = 14;
/// The release delay is above 90 days: choose a shorter one.
const EDelayTooLong: u64 = 15;
/// There are more than 32 auditors: name fewer.
const ETooManyAuditors: u64 = 16;
/// An auditor is named twice: name each once.
const EAuditorTwice: u64 = 17;
/// The threshold is zero with auditors, or above their number: correct it.
const EThreshold: u64 = 18;

const READER: u8 = 0;
const WORKER: u8 = 1;
const ADMIN: u8 = 2;
const SILENT: u8 = 2;
const EJECT: u8 = 1;
const SLASH: u8 = 2;

const MIST_PER_SUI: u64 = 1_000_000_000;
const SECOND_MS: u64 = 1_000;
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 86_400_000;
const MAX_UNBONDING_MS: u64 = 90 * 86_400_000;
const MAX_DELAY_MS: u64 = 90 * 86_400_000;
const WHOLE_BPS: u64 = 10_000;
const MAX_AUDITORS: u64 = 32;

public struct Settings has copy, drop, store {
    /// Reader, worker, admin; in MIST.
    minimum_stakes: vector<u64>,
    /// Whether a stake alone, without a grant, opens the tier.
    open_tiers: vector<bool>,
    unbonding_ms: u64,
    max_workers: u64,
    /// The most that all slashes together may take of a stake's principal.
    slash_share_bps: u64,
    treasury: address,
    /// Double identity, forged statement, silent.
    offences: vector<Consequence>,
    heartbeat_limit_ms: u64,
    document_max_age_ms: u64,
    registration_ms: u64,
    config_sha256: Option<vector<u8>>,
}

public struct Consequence has copy, drop, store { action: u8, share_bps: u64 }

/// `host:port` each; empty while not announced.
public struct Endpoints has copy, drop, store { api: String, join: String, master: String }

public struct ReleaseRules has copy, drop, store {
    delay_ms: u64,
    auditors: vector<vector<u8>>,
    threshold: u64,
}

public(package) fun new(treasury: address): Settings {
    check_treasury(treasury);
    let observe = Consequence { action: 0, share_bps: 0 };
    Settings {
        minimum_stakes: vector[MIST_PER_SUI / 10, MIST_PER_SUI, 10 * MIST_PER_SUI],
        open_tiers: vector[false, true, false],
        unbonding_ms: 7 * DAY_MS,
        max_workers: 1_000,
        slash_share_bps: WHOLE_BPS,
        treasury,
        offences: vector[observe, observe, observe],
        heartbeat_limit_ms: 120 * SECOND_MS,
        document_max_age_ms: 300 * SECOND_MS,
        registration_ms: 3 * HOUR_MS,
        config_sha256: option::none(),
    }
}

public(package) fun set_minimum_stake(settings: &mut Settings, tier: u8, mist: u64) {
    check_tier(tier);
    assert!(mist > 0, EMinimumStake);
    *&mut settings.minimum_stakes[tier as u64] = mist;
}

public(package) fun set_tier_open(settings: &mut Settings, tier: u8, open: bool) {
    check_tier(tier);
    *&mut settings.open_tiers[tier as u64] = open;
}

public(package) fun set_unbonding(settings: &mut Settings, ms: u64) {
    assert!(ms <= MAX_UNBONDING_MS, EUnbonding);
    settings.unbonding_ms = ms;
}

public(package) fun set_max_workers(settings: &mut Settings, max: u64) {
    settings.max_workers = max;
}

public(package) fun set_slash_share(settings: &mut Settings, bps: u64) {
    assert!(bps <= WHOLE_BPS, EShare);
    settings.slash_share_bps = bps;
}

public(package) fun set_treasury(settings: &mut Settings, treasury: address) {
    check_treasury(treasury);
    settings.treasury = treasury;
}

public(package) fun set_offence(settings: &mut Settings, offence: u8, action: u8, share_bps: u64) {
    assert!(offence <= SILENT, EOffence);
    assert!(action <= SLASH, EAction);
    assert!(offence != SILENT || action <= EJECT, ESilenceSlashes);
    assert!(share_bps <= WHOLE_BPS, EShare);
    assert!((action == SLASH) == (share_bps > 0), EActionShare);
    *&mut settings.offences[offence as u64] = Consequence { action, share_bps };
}

public(package) fun set_heartbeat_limit(settings: &mut Settings, ms: u64) {
    assert!(ms >= SECOND_MS && ms <= DAY_MS, EHeartbeatLimit);
    settings.heartbeat_limit_ms = ms;
}

public(package) fun set_freshness(settings: &mut Settings, document_max_age_ms: u64, registration_ms: u64) {
    assert!(document_max_age_ms >= SECOND_MS && document_max_age_ms <= 3 * HOUR_MS, EDocumentAge);
    assert!(registration_ms >= SECOND_MS && registration_ms <= 7 * DAY_MS, ERegistrationTime);
    settings.document_max_age_ms = document_max_age_ms;
    settings.registration_ms = registration_ms;
}

public(package) fun set_config_pin(settings: &mut Settings, sha256: Option<vector<u8>>) {
    if (option::is_some(&sha256)) assert!(vector::length(option::borrow(&sha256)) == 32, EConfigHash);
    settings.config_sha256 = sha256;
}

public(package) fun new_endpoints(api: String, join: String, master: String): Endpoints {
    labels::check_endpoint(&api);
    labels::check_endpoint(&join);
    labels::check_endpoint(&master);
    Endpoints { api, join, master }
}

public(package) fun new_release_rules(): ReleaseRules {
    ReleaseRules { delay_ms: 0, auditors: vector[], threshold: 0 }
}

public(package) fun set_release_delay(rules: &mut ReleaseRules, ms: u64) {
    assert!(ms > rules.delay_ms, EDelayShorter);
    assert!(ms <= MAX_DELAY_MS, EDelayTooLong);
    rules.delay_ms = ms;
}

public(package) fun set_auditors(rules: &mut ReleaseRules, auditors: vector<vector<u8>>, threshold: u64) {
    let count = vector::length(&auditors);
    assert!(count <= MAX_AUDITORS, ETooManyAuditors);
    assert!(threshold <= count && (threshold > 0) == (count > 0), EThreshold);
    let mut i = 0;
    while (i < count) {
        signatures::check_key(&auditors[i]);
        let mut j = 0;
        while (j < i) {
            assert!(auditors[i] != auditors[j], EAuditorTwice);
            j = j + 1;
        };
        i = i + 1;
    };
    rules.auditors = auditors;
    rules.threshold = threshold;
}

public(package) fun check_tier(tier: u8) {
    assert!(tier <= ADMIN, ETier);
}

public(package) fun reader(): u8 { READER }

public(package) fun worker(): u8 { WORKER }

public(package) fun admin(): u8 { ADMIN }

public(package) fun minimum_stake(settings: &Settings, tier: u8): u64 { settings.minimum_stakes[tier as u64] }

public(package) fun is_tier_open(settings: &Settings, tier: u8): bool { settings.open_tiers[tier as u64] }

public(package) fun unbonding_ms(settings: &Settings): u64 { settings.unbonding_ms }

public(package) fun max_workers(settings: &Settings): u64 { settings.max_workers }

public(package) fun slash_share_bps(settings: &Settings): u64 { settings.slash_share_bps }

public(package) fun treasury(settings: &Settings): address { settings.treasury }

public(package) fun offences(settings: &Settings): vector<Consequence> { settings.offences }

public(package) fun document_max_age_ms(settings: &Settings): u64 { settings.document_max_age_ms }

public(package) fun registration_ms(settings: &Settings): u64 { settings.registration_ms }

public(package) fun config_sha256(settings: &Settings): &Option<vector<u8>> { &settings.config_sha256 }

public(package) fun action(consequence: &Consequence): u8 { consequence.action }

public(package) fun share_bps(consequence: &Consequence): u64 { consequence.share_bps }

public(package) fun delay_ms(rules: &ReleaseRules): u64 { rules.delay_ms }

public(package) fun auditors(rules: &ReleaseRules): &vector<vector<u8>> { &rules.auditors }

public(package) fun threshold(rules: &ReleaseRules): u64 { rules.threshold }

fun check_treasury(treasury: address) {
    assert!(treasury != @0x0, ETreasury);
}
