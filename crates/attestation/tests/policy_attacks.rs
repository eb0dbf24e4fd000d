//! Genuine documents that are not what the caller expects (docs/threat-model.md, 1, 2, 9, 10, 11, 49, 50).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod scene;

use std::time::Duration;

use daas_attestation::{
    AgeRule, BoundTo, Claims, Measurements, Network, NonceRule, Pcr, Policy, Refusal, Release, ReleaseState, TlsPeer,
    TrustedRoots, Unchecked, UnixTime, Verdict, merkle, verify,
};
use daas_nsm::{DevelopmentRoot, Image, Payload, Request};
use scene::*;

#[test]
fn the_document_of_a_good_enclave_is_accepted_and_says_who_it_is() {
    let scene = scene();
    let verdict = scene.judge(&scene.document()).unwrap();
    assert_eq!(verdict.claims(), &CLAIMS);
    assert_eq!(verdict.instance_key(), &INSTANCE_KEY);
    assert_eq!(verdict.release(), 0);
    assert!(verdict.is_simulated() && !verdict.is_production());
    assert_eq!(verdict.document().timestamp(), NOW);
}

#[test]
fn an_enclave_in_debug_mode_is_refused() {
    let scene = scene_of(&Image { pcrs: None, ..image() });
    assert_eq!(scene.judge(&scene.document()), Err(Refusal::DebugMode { index: 0 }));
    for index in 0..3 {
        let mut pcrs = PCRS;
        pcrs[usize::from(index)] = Pcr::ZERO;
        let scene = scene_of(&Image { pcrs: Some(pcrs), ..image() });
        assert_eq!(scene.judge(&scene.document()), Err(Refusal::DebugMode { index }));
    }
}

#[test]
fn zero_measurements_cannot_even_be_expected() {
    let zero = Measurements::new(PCRS[0], Pcr::ZERO, PCRS[2]);
    assert_eq!(zero, Err(Refusal::ZeroMeasurement { index: 1 }));
    let signer = release().measurements.and(8, Pcr::ZERO);
    assert_eq!(signer, Err(Refusal::ZeroMeasurement { index: 8 }));
    assert_eq!(release().measurements.and(32, SIGNER), Err(Refusal::PcrIndex { index: 32 }));
}

#[test]
fn a_missing_pcr_is_not_an_equal_one() {
    let scene = scene();
    for index in 0..3 {
        let mut payload = scene.payload();
        payload.pcrs.retain(|(found, _)| *found != u64::from(index));
        assert_eq!(scene.judge(&scene.sign(&payload.encode())), Err(Refusal::PcrMissing { index }));
    }
    let mut payload = scene.payload();
    payload.pcrs.retain(|(found, _)| *found != 8);
    let releases = [Release::active(release().measurements.and(8, SIGNER).unwrap())];
    let document = scene.sign(&payload.encode());
    assert_eq!(verify(&document, &scene.policy(&releases), None), Err(Refusal::PcrMissing { index: 8 }));
}

#[test]
fn pcrs_are_found_by_index_and_not_by_position() {
    let scene = scene();
    let mut payload = scene.payload();
    payload.pcrs.reverse();
    assert!(scene.judge(&scene.sign(&payload.encode())).is_ok());
    // The right values at the wrong indexes.
    let mut payload = scene.payload();
    (payload.pcrs[0].1, payload.pcrs[1].1) = (payload.pcrs[1].1, payload.pcrs[0].1);
    let refusal = scene.judge(&scene.sign(&payload.encode())).unwrap_err();
    assert!(matches!(refusal, Refusal::Measurement { index: 0, .. }), "{refusal}");
}

#[test]
fn the_signer_of_the_image_does_not_stand_for_the_image() {
    let scene = scene_of(&Image { pcrs: Some([PCRS[2], PCRS[1], PCRS[0]]), ..image() });
    let releases = [Release::active(release().measurements.and(8, SIGNER).unwrap())];
    let refusal = verify(&scene.document(), &scene.policy(&releases), None).unwrap_err();
    assert!(matches!(refusal, Refusal::Measurement { index: 0, .. }), "{refusal}");
    let other_signer = [Release::active(release().measurements.and(8, Pcr([0x19; 48])).unwrap())];
    let scene = scene_of(&image());
    let refusal = verify(&scene.document(), &scene.policy(&other_signer), None).unwrap_err();
    assert!(matches!(refusal, Refusal::Measurement { index: 8, .. }), "{refusal}");
    assert!(verify(&scene.document(), &scene.policy(&releases), None).is_ok());
}

#[test]
fn role_and_instance_swapped_are_refused() {
    let scene = scene();
    let pcrs = scene.payload().pcrs;
    let (role, instance) = (pcrs[3].1, pcrs[4].1);
    let pinned =
        |role, instance| [Release::active(release().measurements.and(3, role).unwrap().and(4, instance).unwrap())];
    assert!(verify(&scene.document(), &scene.policy(&pinned(role, instance)), None).is_ok());
    let refusal = verify(&scene.document(), &scene.policy(&pinned(instance, role)), None).unwrap_err();
    assert!(matches!(refusal, Refusal::Measurement { index: 3, .. }), "{refusal}");
}

#[test]
fn only_a_good_release_of_several_is_accepted() {
    let scene = scene();
    let other = || Release::active(Measurements::new(PCRS[1], PCRS[1], PCRS[2]).unwrap());
    let in_state = |state| [other(), Release { state, ..release() }];
    let judged =
        |state| verify(&scene.document(), &scene.policy(&in_state(state)), None).map(|verdict| verdict.release());
    let before = UnixTime::from_millis(NOW.millis() - 1);
    assert_eq!(judged(ReleaseState::Active), Ok(1));
    assert_eq!(judged(ReleaseState::Retiring { until: NOW }), Ok(1));
    assert_eq!(
        judged(ReleaseState::Retiring { until: before }),
        Err(Refusal::ReleaseRetired { until_ms: before.millis() })
    );
    assert_eq!(judged(ReleaseState::Revoked), Err(Refusal::ReleaseRevoked));
    assert_eq!(judged(ReleaseState::Pending), Err(Refusal::ReleaseNotActive));
    let unknown = verify(&scene.document(), &scene.policy(&[other(), other()]), None);
    assert_eq!(unknown, Err(Refusal::UnknownRelease { pcr0: PCRS[0].to_string() }));
    assert_eq!(verify(&scene.document(), &scene.policy(&[]), None), Err(Refusal::NoReleases));
}

#[test]
fn an_old_document_replayed_answers_another_nonce() {
    let scene = scene();
    let releases = [release()];
    let asked = |nonce| Policy { nonce, ..scene.policy(&releases) };
    let document = scene.document();
    assert_eq!(verify(&document, &asked(NonceRule::Exactly(&[0x98; 32])), None), Err(Refusal::NonceMismatch));
    assert_eq!(verify(&document, &asked(NonceRule::Exactly(&NONCE[..31])), None), Err(Refusal::NonceMismatch));
    assert_eq!(verify(&document, &asked(NonceRule::None), None), Err(Refusal::NonceUnexpected));
    let silent = scene.sign(&scene.nsm.payload(&Request { nonce: None, ..request() }, NOW).encode());
    assert_eq!(scene.judge(&silent), Err(Refusal::NonceMissing));
    // An empty nonce is a nonce.
    let empty = scene.sign(&scene.nsm.payload(&Request { nonce: Some(Vec::new()), ..request() }, NOW).encode());
    assert_eq!(scene.judge(&empty), Err(Refusal::NonceMismatch));
}

#[test]
fn one_document_answers_every_caller_of_a_batch_and_nobody_else() {
    let scene = scene();
    let nonces: Vec<[u8; 32]> = (0..5).map(|byte| [byte; 32]).collect();
    let root = merkle::root(&nonces).unwrap();
    let document = scene.sign(&scene.nsm.payload(&Request { nonce: Some(root.to_vec()), ..request() }, NOW).encode());
    let releases = [release()];
    let judged = |nonce: &[u8; 32], path: &merkle::Path| {
        verify(&document, &Policy { nonce: NonceRule::Batched { nonce, path }, ..scene.policy(&releases) }, None)
    };
    for (index, nonce) in nonces.iter().enumerate() {
        assert!(judged(nonce, &merkle::path(&nonces, index).unwrap()).is_ok());
    }
    let path = merkle::path(&nonces, 0).unwrap();
    assert_eq!(judged(&[9; 32], &path), Err(Refusal::NonceMismatch));
    // The root itself, passed off as a caller's nonce with an empty path.
    let empty = merkle::Path { index: 0, count: 1, siblings: Vec::new() };
    assert_eq!(judged(&root, &empty), Err(Refusal::NonceMismatch));
}

#[test]
fn a_stale_document_and_one_from_the_future_are_refused() {
    let scene = scene();
    let releases = [release()];
    let at = |millis| Policy { now: UnixTime::from_millis(millis), ..scene.policy(&releases) };
    let document = |made| scene.sign(&scene.nsm.payload(&request(), UnixTime::from_millis(made)).encode());
    let now = NOW.millis() + 3_600_000;
    assert!(verify(&document(now - 300_000), &at(now), None).is_ok());
    assert_eq!(
        verify(&document(now - 300_001), &at(now), None),
        Err(Refusal::TooOld { age_ms: 300_001, limit_ms: 300_000 })
    );
    assert!(verify(&document(now + 5_000), &at(now), None).is_ok());
    assert_eq!(verify(&document(now + 5_001), &at(now), None), Err(Refusal::FromTheFuture { ahead_ms: 5_001 }));
    let eternal = Policy { age: AgeRule::AtMost(Duration::MAX), ..at(now) };
    assert!(verify(&document(1), &eternal, None).is_ok());
}

#[test]
fn a_genuine_document_of_another_enclave_is_refused() {
    // Another instance and account of the same hardware, another image.
    let scene = scene_of(&Image { pcrs: Some([PCRS[1], PCRS[2], PCRS[0]]), ..image() });
    assert!(matches!(scene.judge(&scene.document()), Err(Refusal::Measurement { .. })));
}

fn judge_claims(user_data: Option<Vec<u8>>, public_key: Option<Vec<u8>>) -> Result<Verdict, Refusal> {
    let scene = scene();
    scene.judge(&scene.sign(&Payload { user_data, public_key, ..scene.payload() }.encode()))
}

#[test]
fn the_genuine_image_with_claims_of_another_cluster_is_refused() {
    let claims = Claims { cluster: [9; 32], ..CLAIMS };
    let refusal = judge_claims(Some(claims.to_bytes().to_vec()), Some(INSTANCE_KEY.to_vec()));
    assert_eq!(refusal, Err(Refusal::OtherCluster));
}

#[test]
fn the_genuine_image_run_elsewhere_with_this_clusters_id_is_not_its_active_instance() {
    let good = CLAIMS.to_bytes().to_vec();
    assert_eq!(judge_claims(Some(good.clone()), Some(vec![0x78; 32])), Err(Refusal::OtherInstance));
    let other_ca = Claims { server_ca_sha256: [9; 32], ..CLAIMS };
    let refusal = judge_claims(Some(other_ca.to_bytes().to_vec()), Some(INSTANCE_KEY.to_vec()));
    assert_eq!(refusal, Err(Refusal::OtherServerCa));
    assert!(judge_claims(Some(good), Some(INSTANCE_KEY.to_vec())).is_ok());
}

#[test]
fn a_configuration_that_the_parent_swapped_is_refused() {
    let claims = Claims { config_sha256: [9; 32], ..CLAIMS };
    let refusal = judge_claims(Some(claims.to_bytes().to_vec()), Some(INSTANCE_KEY.to_vec()));
    assert_eq!(refusal, Err(Refusal::OtherConfiguration));
}

#[test]
fn a_document_relayed_through_another_tls_session_is_refused() {
    let scene = scene();
    let releases = [release()];
    let seen = |spki| Policy { claims: BoundTo { tls: spki, ..bound() }, ..scene.policy(&releases) };
    let document = scene.document();
    assert_eq!(verify(&document, &seen(TlsPeer::Spki(&[9; 32])), None), Err(Refusal::OtherTlsKey));
    assert!(verify(&document, &seen(TlsPeer::NoConnection), None).is_ok());
}

#[test]
fn claims_that_are_missing_or_of_another_form_are_refused() {
    let key = || Some(INSTANCE_KEY.to_vec());
    assert_eq!(judge_claims(None, key()), Err(Refusal::ClaimsMissing));
    assert_eq!(judge_claims(Some(Vec::new()), key()), Err(Refusal::ClaimsLength { length: 0 }));
    let mut longer = CLAIMS.to_bytes().to_vec();
    longer.push(0);
    assert_eq!(judge_claims(Some(longer), key()), Err(Refusal::ClaimsLength { length: 138 }));
    let mut newer = CLAIMS.to_bytes().to_vec();
    newer[0] = 2;
    assert_eq!(judge_claims(Some(newer), key()), Err(Refusal::ClaimsVersion { version: 2 }));
    let good = || Some(CLAIMS.to_bytes().to_vec());
    assert_eq!(judge_claims(good(), None), Err(Refusal::InstanceKeyMissing));
    assert_eq!(judge_claims(good(), Some(vec![7; 33])), Err(Refusal::InstanceKeyMissing));
}

#[test]
fn simulated_hardware_counts_nowhere_but_where_its_root_is_given() {
    let scene = scene();
    let releases = [release()];
    let document = scene.document();
    let production = Policy { network: Network::Production, ..scene.policy(&releases) };
    assert_eq!(verify(&document, &production, None), Err(Refusal::UnknownRoot));
    let foreign = production_of(&scene, &releases);
    assert_eq!(verify(&document, &foreign, None), Err(Refusal::UnknownRoot));
    let aws = TrustedRoots::aws();
    let aws_only = Policy { network: Network::Development(&aws), ..scene.policy(&releases) };
    assert_eq!(verify(&document, &aws_only, None), Err(Refusal::UnknownRoot));
    let other = DevelopmentRoot::generate(NOW).unwrap();
    let other = TrustedRoots::development(&other.certificate_pem().unwrap()).unwrap();
    let other_root = Policy { network: Network::Development(&other), ..scene.policy(&releases) };
    assert_eq!(verify(&document, &other_root, None), Err(Refusal::UnknownRoot));
}

#[test]
fn a_chain_cached_in_development_is_not_trusted_in_production() {
    let scene = scene();
    let releases = [release()];
    let document = scene.document();
    let mut cache = daas_attestation::ChainCache::new(4);
    verify(&document, &scene.policy(&releases), Some(&mut cache)).unwrap();
    assert_eq!(cache.len(), 1);
    let production = Policy { network: Network::Production, ..scene.policy(&releases) };
    assert_eq!(verify(&document, &production, Some(&mut cache)), Err(Refusal::UnknownRoot));
}

fn production_of<'a>(scene: &'a Scene, releases: &'a [Release]) -> Policy<'a, Unchecked> {
    let policy = scene.policy(releases);
    Policy {
        network: Network::Production,
        now: policy.now,
        releases,
        nonce: policy.nonce,
        age: policy.age,
        claims: Unchecked,
    }
}
