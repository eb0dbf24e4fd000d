use std::sync::atomic::Ordering;

use daas_seal_token::{LiveToken, Purpose, StakeStatus, Tier, TokenId};

use super::fake::{FakeView, NOW, bearer_of, name, node_subject, service_account, user_subject, world};
use super::*;

fn everybody() -> Vec<Subject> {
    let node = service_account(&[(NODE_NAME_EXTRA, name(6).as_str())]);
    let minted = service_account(&[(CREDENTIAL_EXTRA, "JTI=1")]);
    let proxy = Subject { user: "system:kube-proxy".to_owned(), ..node_subject(6) };
    vec![node_subject(6), user_subject(6, &[Tier::Worker]), proxy, node, minted]
}

fn with_minted() -> (FakeView, Verdicts<FakeView>) {
    let (view, verdicts) = world();
    let maker = verdicts.place(&user_subject(6, &[])).unwrap();
    verdicts.note_minted("JTI=1", maker, NOW);
    (view, verdicts)
}

#[test]
fn whoever_lives_on_chain_is_left_to_kubernetes() {
    let (_, verdicts) = with_minted();
    for subject in everybody() {
        assert_eq!(verdicts.access(&subject, None, NOW), Ok(()), "{}", subject.user);
    }
    let bearer = verdicts.bearer(&bearer_of(7, Purpose::Api).to_bearer(), NOW).unwrap();
    assert_eq!(bearer.tiers, Tier::ALL);
    assert_eq!(verdicts.joining(&bearer_of(6, Purpose::Join), Some(&name(6)), NOW).unwrap().name, name(6));
}

#[test]
fn whatever_ends_a_stake_or_token_ends_everybody_who_lives_by_it() {
    type End = (&'static str, fn(&mut LiveToken));
    let ends: [End; 7] = [
        ("slashed", |token| token.stake_status = StakeStatus::Slashed),
        ("unbonding", |token| token.stake_status = StakeStatus::Unbonding),
        ("withdrawn", |token| token.stake_status = StakeStatus::Withdrawn),
        ("suspended", |token| token.suspended = true),
        ("revoked", |token| token.revoked = true),
        ("expired", |token| token.expires_at_ms = NOW),
        ("too small", |token| token.staked = 9),
    ];
    for (what, end) in ends {
        let (view, verdicts) = with_minted();
        view.edit(6, end);
        for subject in everybody() {
            let verdict = verdicts.access(&subject, None, NOW);
            assert!(matches!(verdict, Err(Denial::Refused(_))), "{what}: {} {verdict:?}", subject.user);
        }
        assert!(verdicts.bearer(&bearer_of(6, Purpose::Api).to_bearer(), NOW).is_err(), "{what}");
        assert!(verdicts.joining(&bearer_of(6, Purpose::Join), None, NOW).is_err(), "{what}");
        // Nobody else.
        assert_eq!(verdicts.access(&node_subject(8), None, NOW), Ok(()));
    }
}

#[test]
fn a_token_that_the_chain_does_not_know_ends_everybody_who_lived_by_it() {
    let (view, verdicts) = with_minted();
    view.tokens.lock().unwrap().remove(&TokenId([6; 32]));
    for subject in everybody() {
        assert!(verdicts.access(&subject, None, NOW).is_err(), "{}", subject.user);
    }
}

#[test]
fn a_stale_registry_denies_everybody_but_the_control_plane_with_the_reason() {
    let (view, verdicts) = with_minted();
    view.stale.store(true, Ordering::SeqCst);
    for subject in everybody() {
        let denial = verdicts.access(&subject, None, NOW).unwrap_err();
        assert_eq!(
            denial.to_string(),
            "the view of the chain is 31000 ms old, 30000 ms are allowed",
            "{}",
            subject.user
        );
    }
    let control_plane = Subject { user: "system:kube-scheduler".to_owned(), ..Subject::default() };
    assert_eq!(verdicts.access(&control_plane, None, NOW), Ok(()));
    assert!(verdicts.bearer(&bearer_of(7, Purpose::Api).to_bearer(), NOW).is_err());
}

#[test]
fn a_rotated_key_ends_bearers_at_once_and_certificates_after_their_grace() {
    let (view, verdicts) = world();
    view.edit(6, |token| token.key_generation = 4);
    view.grace.store(true, Ordering::SeqCst);
    assert_eq!(verdicts.access(&user_subject(6, &[]), None, NOW), Err(Denial::Rotated));
    assert_eq!(verdicts.access(&node_subject(6), None, NOW), Ok(()));
    view.grace.store(false, Ordering::SeqCst);
    assert_eq!(verdicts.access(&node_subject(6), None, NOW), Err(Denial::Rotated));
}

#[test]
fn a_tier_that_was_taken_back_is_not_good_for_the_ten_seconds_that_a_review_is_remembered() {
    let (view, verdicts) = world();
    let admin = user_subject(7, &Tier::ALL);
    assert_eq!(verdicts.access(&admin, None, NOW), Ok(()));
    *view.grants.lock().unwrap() = vec![Tier::Reader, Tier::Worker];
    assert!(verdicts.access(&admin, None, NOW).is_err());
    // A worker keeps its tier, but not the reader's that it was granted on top.
    *view.grants.lock().unwrap() = Vec::new();
    assert_eq!(verdicts.access(&user_subject(6, &[Tier::Worker]), None, NOW), Ok(()));
    assert_eq!(verdicts.access(&user_subject(6, &[Tier::Reader, Tier::Worker]), None, NOW), Err(Denial::Mismatch));
    assert_eq!(verdicts.access(&user_subject(6, &[Tier::Admin]), None, NOW), Err(Denial::Mismatch));
}

#[test]
fn users_and_nodes_that_borrow_a_token_are_refused() {
    let (_, verdicts) = world();
    let other_owner = Subject { user: user_subject(7, &[]).user, ..user_subject(6, &[]) };
    assert_eq!(verdicts.access(&other_owner, None, NOW), Err(Denial::Mismatch));
    let mut other_node = node_subject(6);
    other_node.user = format!("system:node:{}", name(8));
    other_node.groups[1] = format!("seal:node:{}", name(8));
    assert_eq!(verdicts.access(&other_node, None, NOW), Err(Denial::Mismatch));
    // An admin's token opens no node path, whatever certificate somebody made of it.
    assert_eq!(verdicts.access(&node_subject(7), None, NOW), Err(Denial::Mismatch));
    assert!(verdicts.joining(&bearer_of(7, Purpose::Join), None, NOW).is_err());
    assert_eq!(
        verdicts.access(&service_account(&[(NODE_NAME_EXTRA, name(7).as_str())]), None, NOW),
        Err(Denial::NodeGone)
    );
}

#[test]
fn tokens_are_good_for_their_purpose_and_node_only() {
    let (_, verdicts) = world();
    assert!(verdicts.bearer(&bearer_of(6, Purpose::Join).to_bearer(), NOW).is_err());
    assert!(verdicts.joining(&bearer_of(6, Purpose::Api), None, NOW).is_err());
    assert!(verdicts.joining(&bearer_of(6, Purpose::Join), Some(&name(8)), NOW).is_err());
    assert!(matches!(verdicts.bearer("eyJhbGciOi", NOW), Err(Denial::Malformed(_))));
}

#[test]
fn a_token_whose_maker_was_slashed_or_is_unknown_is_refused() {
    let (view, verdicts) = world();
    let maker = verdicts.place(&user_subject(7, &Tier::ALL)).unwrap();
    verdicts.note_minted("JTI=1", maker, NOW);
    let account = service_account(&[(CREDENTIAL_EXTRA, "JTI=1")]);
    assert_eq!(verdicts.access(&account, None, NOW), Ok(()));
    assert_eq!(verdicts.access(&service_account(&[(CREDENTIAL_EXTRA, "JTI=2")]), None, NOW), Err(Denial::MakerUnknown));
    view.edit(7, |token| token.stake_status = StakeStatus::Slashed);
    assert!(verdicts.access(&account, None, NOW).is_err());
    verdicts.forget_minted_before(NOW + 1);
    assert_eq!(verdicts.access(&account, None, NOW), Err(Denial::MakerUnknown));
}

#[test]
fn controllers_live_as_long_as_the_control_plane_that_made_their_tokens() {
    let (view, verdicts) = world();
    verdicts.note_minted("JTI=9", Standing::ControlPlane, NOW);
    view.stale.store(true, Ordering::SeqCst);
    assert_eq!(verdicts.access(&service_account(&[(CREDENTIAL_EXTRA, "JTI=9")]), None, NOW), Ok(()));
}

#[test]
fn certificates_of_nobody_are_denied() {
    let (_, verdicts) = world();
    let csr_api = Subject {
        user: "system:node:worker-6-06060606".to_owned(),
        groups: vec!["system:nodes".to_owned()],
        extra: node_subject(6).extra,
    };
    assert_eq!(verdicts.access(&csr_api, None, NOW), Err(Denial::Unplaced(Unplaced::Stranger)));
}

#[test]
fn nodes_create_no_nodes_pods_or_certificate_requests() {
    let (_, verdicts) = world();
    let action = |verb: &str, group: &str, resource: &str, subresource: &str| Action {
        verb: verb.to_owned(),
        group: group.to_owned(),
        resource: resource.to_owned(),
        subresource: subresource.to_owned(),
    };
    let node = node_subject(6);
    for refused in [
        action("create", "", "nodes", ""),
        action("create", "", "pods", ""),
        action("create", "certificates.k8s.io", "certificatesigningrequests", ""),
    ] {
        assert!(matches!(verdicts.access(&node, Some(&refused), NOW), Err(Denial::NotForNodes(_))), "{refused:?}");
        assert_eq!(verdicts.access(&user_subject(7, &Tier::ALL), Some(&refused), NOW), Ok(()));
    }
    for left in [
        action("update", "", "nodes", "status"),
        action("create", "", "pods", "binding"),
        action("create", "", "events", ""),
        action("create", "", "serviceaccounts", "token"),
    ] {
        assert_eq!(verdicts.access(&node, Some(&left), NOW), Ok(()), "{left:?}");
    }
}
