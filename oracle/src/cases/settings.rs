use super::{Case, case, cluster::auditors};
use crate::stage::{ALICE, DAY, HOUR};
use crate::transaction::pure;
use sui_sdk_types::Address;

const M: &str = "settings";

macro_rules! set {
    ($name:expr, $expected:expr, $function:literal, $($argument:expr),+) => {
        case(M, $name, $expected, |s| {
            let cluster = s.cluster();
            s.admin(&cluster, "cluster", $function, [$(pure(&$argument)),+])
        })
    };
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        set!("the minimum stake of a tier is set", "ok", "set_minimum_stake", 2u8, 55u64),
        set!("there are three tiers", "abort settings 1", "set_minimum_stake", 3u8, 55u64),
        set!("a place costs something", "abort settings 2", "set_minimum_stake", 1u8, 0u64),
        set!("a tier opens", "ok", "set_tier_open", 0u8, true),
        set!("an unknown tier does not open", "abort settings 1", "set_tier_open", 255u8, true),
        set!("the unbonding time is set to its bound", "ok", "set_unbonding", 90 * DAY),
        set!("the unbonding time has a bound", "abort settings 3", "set_unbonding", 90 * DAY + 1),
        set!("the number of workers is set", "ok", "set_max_workers", u64::MAX),
        set!("the slash share is set", "ok", "set_slash_share", 2_500u64),
        set!("a share is at most the whole", "abort settings 4", "set_slash_share", 10_001u64),
        set!("the treasury is set", "ok", "set_treasury", ALICE),
        set!("the treasury is not the zero address", "abort settings 5", "set_treasury", Address::ZERO),
        set!("double identity may slash", "ok", "set_offence", 0u8, 2u8, 500u64),
        set!("there are three offences", "abort settings 6", "set_offence", 3u8, 0u8, 0u64),
        set!("there are three consequences", "abort settings 7", "set_offence", 0u8, 3u8, 0u64),
        set!("silence may at most eject", "abort settings 8", "set_offence", 2u8, 2u8, 1u64),
        set!("an offence's share is at most the whole", "abort settings 4", "set_offence", 1u8, 2u8, 10_001u64),
        set!("only a slash has a share", "abort settings 9", "set_offence", 1u8, 1u8, 1u64),
        set!("a slash has a share", "abort settings 9", "set_offence", 1u8, 2u8, 0u64),
        set!("the heartbeat limit is set", "ok", "set_heartbeat_limit", 1_000u64),
        set!("the heartbeat limit is a second at least", "abort settings 10", "set_heartbeat_limit", 999u64),
        set!("freshness is set", "ok", "set_freshness", 60_000u64, DAY),
        set!("documents are younger than their certificate", "abort settings 11", "set_freshness", 3 * HOUR + 1, DAY),
        set!("registrations live seven days at most", "abort settings 12", "set_freshness", 60_000u64, 7 * DAY + 1),
        set!("the configuration is pinned", "ok", "set_config_pin", Some(vec![5u8; 32])),
        set!("the configuration is unpinned", "ok", "set_config_pin", None::<Vec<u8>>),
        set!("a configuration's hash has 32 bytes", "abort settings 13", "set_config_pin", Some(vec![5u8; 31])),
        set!("the release delay grows", "ok", "set_release_delay", DAY),
        set!("the release delay has a bound", "abort settings 15", "set_release_delay", 90 * DAY + 1),
        set!("the release delay does not stay", "abort settings 14", "set_release_delay", 0u64),
    ];
    cases.extend([
        case(M, "there are 32 auditors at most", "abort settings 16", |s| {
            let cluster = s.cluster();
            let seeds: Vec<u8> = (1..=33).collect();
            s.admin(&cluster, "cluster", "set_auditors", auditors(&seeds, 1, &[], &[]))
        }),
        case(M, "an auditor is named once", "abort settings 17", |s| {
            let cluster = s.cluster();
            s.admin(&cluster, "cluster", "set_auditors", auditors(&[1, 2, 1], 1, &[], &[]))
        }),
        case(M, "the threshold is at most the number of auditors", "abort settings 18", |s| {
            let cluster = s.cluster();
            s.admin(&cluster, "cluster", "set_auditors", auditors(&[1, 2], 3, &[], &[]))
        }),
        case("signatures", "any other key is taken", "ok", |s| {
            let cluster = s.cluster();
            let none = Vec::<Vec<u8>>::new();
            let mut strong = vec![0u8; 32];
            (strong[0], strong[31]) = (2, 128);
            s.admin(&cluster, "cluster", "set_auditors", [pure(&vec![strong]), pure(&1u64), pure(&none), pure(&none)])
        }),
        case("signatures", "an auditor's key has 32 bytes", "abort signatures 1", |s| {
            let cluster = s.cluster();
            let none = Vec::<Vec<u8>>::new();
            let keys = vec![vec![1u8; 31]];
            s.admin(&cluster, "cluster", "set_auditors", [pure(&keys), pure(&1u64), pure(&none), pure(&none)])
        }),
        case("signatures", "an auditor's key is not of small order", "abort signatures 2", |s| {
            let cluster = s.cluster();
            let none = Vec::<Vec<u8>>::new();
            let mut weak = vec![0u8; 32];
            (weak[0], weak[31]) = (1, 128);
            s.admin(&cluster, "cluster", "set_auditors", [pure(&vec![weak]), pure(&1u64), pure(&none), pure(&none)])
        }),
    ]);
    cases
}
