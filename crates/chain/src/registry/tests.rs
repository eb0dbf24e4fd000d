use super::sample::{address, cluster, resident, stake, state, token, token_id};
use super::{Change, State, StateError};
use crate::types::enclave::InstanceKey;
use crate::types::measurements::ReleaseKey;
use crate::types::{ActionKind, Bytes, ClusterField, Offence, Registration, Release, ReleaseStatus, SealTokenObject};
use daas_seal_token::StakeId;

const TOKENS: u32 = 100_000;

/// Nodes are compared by what they say; the one whose state is taken must not be able to say it under other keys.
#[test]
fn a_release_or_registration_under_another_key_is_not_loaded() {
    let load = |field| State::load(cluster(), vec![field], Vec::new(), Vec::new()).map(drop);
    let released = |key| ClusterField::Release(ReleaseKey { pcrs: Bytes([key; 144]) }, release(7));
    assert_eq!(load(released(7)), Ok(()));
    assert_eq!(load(released(66)), Err(StateError::OtherKey));
    let registered = |key| ClusterField::Registration(InstanceKey { instance: Bytes([key; 32]) }, registration(3));
    assert_eq!(load(registered(3)), Ok(()));
    assert_eq!(load(registered(66)), Err(StateError::OtherKey));
}

#[test]
fn a_token_that_is_revoked_while_a_node_is_asked_leaves_nothing_behind() {
    let revoked = crate::types::Event::TokenRevoked(crate::types::events::TokenRevoked {
        cluster: address(1, 0),
        token: address(6, 1),
        by_admin: false,
    });
    let load = |token| State::load(cluster(), Vec::new(), vec![stake(1)], vec![token]).unwrap();
    let mut before = load(token(1));
    let mut between = load(SealTokenObject { revoked: true, ..token(1) });
    before.apply(revoked.clone(), 1).unwrap();
    between.apply(revoked, 1).unwrap();
    assert_eq!(before.tables().fingerprint(), between.tables().fingerprint());
}

#[test]
fn evidence_that_was_counted_is_told_to_whoever_signed_it() {
    let mut state = State::load(cluster(), Vec::new(), vec![stake(1)], Vec::new()).unwrap();
    let recorded = crate::types::events::EvidenceRecorded {
        cluster: address(1, 0),
        stake: address(5, 1),
        instance: Bytes([3; 32]),
        sequence: 9,
        offence: Offence::DoubleIdentity,
        digest: Bytes([4; 32]),
        action: ActionKind::Observe,
    };
    let told = Change::Evidence {
        stake: StakeId(address(5, 1).into_inner()),
        instance: Bytes([3; 32]),
        sequence: 9,
        digest: Bytes([4; 32]),
    };
    assert_eq!(state.apply(crate::types::Event::EvidenceRecorded(recorded), 1), Ok(vec![told]));
}

#[test]
fn a_hundred_thousand_tokens_fit_into_a_hundred_megabytes_and_all_are_found() {
    let before = resident();
    let state = state(TOKENS);
    let used = resident().saturating_sub(before);
    println!("{} MB for {TOKENS} tokens", used / 1_000_000);
    assert!(used <= 100_000_000, "{used}");

    let tables = state.tables();
    assert_eq!(tables.token_count(), TOKENS as usize);
    assert!(
        (0..TOKENS).all(|number| tables.token(&token_id(number)).is_some_and(|live| live.token == token_id(number)))
    );
    assert!(tables.token(&token_id(TOKENS)).is_none());
}

fn release(pcrs: u8) -> Box<Release> {
    Box::new(Release {
        pcrs: Bytes([pcrs; 144]),
        pcr8: None,
        worker_pcrs: Vec::new(),
        artifact_sha256: Bytes([2; 32]),
        source_revision: "r".into(),
        proposed_at_ms: 1,
        active_from_ms: 1,
        threshold: 0,
        approvals: Vec::new(),
        status: ReleaseStatus::Listed,
        retiring_until_ms: 0,
        compromised: false,
    })
}

fn registration(instance: u8) -> Box<Registration> {
    Box::new(Registration {
        instance: Bytes([instance; 32]),
        pcrs: Bytes([7; 144]),
        tls_spki_sha256: Bytes([instance; 32]),
        server_ca_sha256: Bytes([2; 32]),
        config_sha256: Bytes([2; 32]),
        state_epoch: 1,
        document_at_ms: 1,
        registered_at_ms: 1,
        expires_at_ms: 100,
        sequence: 1,
    })
}
