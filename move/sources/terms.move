/// What owner and operator agreed on the day of staking. Settings that change later do not reach an older stake.
module k3s_daas::terms;

use k3s_daas::arithmetic;
use k3s_daas::settings::{Self, Consequence, Settings};

const OBSERVE: u8 = 0;
const EJECT: u8 = 1;
const SLASH: u8 = 2;
const SILENT: u8 = 2;

public struct Terms has copy, drop, store {
    minimum_stake: u64,
    unbonding_ms: u64,
    slash_share_bps: u64,
    treasury: address,
    offences: vector<Consequence>,
}

/// The terms that a stake of this tier gets today.
public(package) fun of_today(settings: &Settings, tier: u8): Terms {
    Terms {
        minimum_stake: settings::minimum_stake(settings, tier),
        unbonding_ms: settings::unbonding_ms(settings),
        slash_share_bps: settings::slash_share_bps(settings),
        treasury: settings::treasury(settings),
        offences: settings::offences(settings),
    }
}

public(package) fun minimum_stake(terms: &Terms): u64 { terms.minimum_stake }

public(package) fun treasury(terms: &Terms): address { terms.treasury }

/// When a stake that stops being active now can be withdrawn.
public(package) fun releases_at_ms(terms: &Terms, now: u64): u64 { arithmetic::later(now, terms.unbonding_ms) }

/// What slashes may still take: the share of the principal, less what they took, and never more than is there.
public(package) fun slashable(terms: &Terms, principal: u64, slashed: u64, balance: u64): u64 {
    arithmetic::min(arithmetic::share_of(principal, terms.slash_share_bps) - slashed, balance)
}

/// Action and sum that follow from an offence, as far as they can be had: a slash that has nothing to take ejects, and only what can be
/// ejected is. Silence never slashes: whoever drops packets must not be able to.
public(package) fun consequence(
    terms: &Terms,
    offence: u8,
    principal: u64,
    slashable: u64,
    can_be_ejected: bool,
): (u8, u64) {
    let consequence = &terms.offences[offence as u64];
    let mut action = settings::action(consequence);
    if (action == SLASH && offence != SILENT) {
        let share = arithmetic::share_of(principal, settings::share_bps(consequence));
        let amount = arithmetic::min(share, slashable);
        if (amount > 0) return (SLASH, amount);
    };
    if (action == SLASH) action = EJECT;
    if (action == EJECT && !can_be_ejected) action = OBSERVE;
    (action, 0)
}

public(package) fun is_slash(action: u8): bool { action == SLASH }

public(package) fun is_ejection(action: u8): bool { action == EJECT }

#[test_only]
public fun slashing_silence_for_testing(terms: Terms): Terms {
    let mut changed = terms;
    let slash = changed.offences[0];
    *&mut changed.offences[2] = slash;
    changed
}
