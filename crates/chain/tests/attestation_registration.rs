//! `enclave::register`, `renew` and `verify` end to end, with documents of simulated hardware.
#![allow(clippy::unwrap_used)]

mod attestation_scene;
mod world;

use attestation_scene::{HOUR_MS, MINUTE_MS, OTHER, OURS, Scene, assert_aborts, assert_not_loaded, names, release};
use daas_attestation::{Pcr, UnixTime};
use daas_chain::client::SettingChange;
use daas_chain::types::messages::RenewMessage;
use daas_chain::types::{Bytes, Event, Registration};
use daas_nsm::Image;

const AWS_DOCUMENT: &[u8] = include_bytes!("../../attestation/tests/vectors/production_2024-02-26.bin");

#[tokio::test(flavor = "multi_thread")]
async fn a_genuine_enclave_of_an_active_release_registers_and_is_seen() {
    let scene = Scene::new().await;
    let registry = scene.world.registry().await;
    let enclave = scene.enclave(1);
    assert_aborts(scene.is_registered_and_good(&enclave).await, "enclave", "ENotRegistered");

    let at = scene.now();
    // Anyone submits it: the instance owns no coins.
    let stranger = scene.world.staker(9).await;
    let receipt = stranger.register_instance(scene.cluster, &enclave.document(at)).await.unwrap();
    assert_eq!(names(&receipt), [("enclave", "Registered")]);

    let registration = scene.registration(&enclave).await.unwrap();
    let Some(Event::Registered(told)) = receipt.events.first() else { panic!("{receipt:?}") };
    assert_eq!(told.registration, registration);
    assert_eq!(registration.pcrs, release(OURS).pcrs());
    assert_eq!(registration.tls_spki_sha256.0, enclave.claims.tls_spki_sha256);
    assert_eq!(registration.server_ca_sha256.0, enclave.claims.server_ca_sha256);
    assert_eq!(registration.config_sha256.0, enclave.claims.config_sha256);
    assert_eq!(registration.state_epoch, enclave.claims.state_epoch);
    assert_eq!((registration.document_at_ms, registration.sequence), (at, at));
    assert_eq!(registration.expires_at_ms, at + 3 * HOUR_MS);

    scene.world.catch_up(&registry).await;
    // No event carries the sequences that an instance uses up, so the registry keeps none.
    let seen = registry.cluster().unwrap().registrations[&enclave.instance()].clone();
    assert_eq!(seen, Registration { sequence: seen.sequence, ..registration });
    scene.is_registered_and_good(&enclave).await.unwrap();
    assert_aborts(scene.is_active(&enclave).await, "enclave", "ENotActive");

    scene.pass(3 * HOUR_MS + MINUTE_MS).await;
    assert_aborts(scene.is_registered_and_good(&enclave).await, "enclave", "EExpired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retiring_release_registers_until_its_time_and_then_nothing_of_it_is_good() {
    let scene = Scene::new().await;
    let (early, late, too_late) = (scene.enclave(1), scene.enclave(2), scene.enclave(3));
    scene.register(&early).await.unwrap();
    let until = scene.now() + 10 * MINUTE_MS;
    scene.world.operator.retire_release(scene.cluster, &release(OURS).pcrs(), until).await.unwrap();
    scene.register(&late).await.unwrap();
    for enclave in [&early, &late] {
        scene.is_registered_and_good(enclave).await.unwrap();
    }
    scene.pass(11 * MINUTE_MS).await;
    for enclave in [&early, &late] {
        assert_aborts(scene.is_registered_and_good(enclave).await, "measurements", "ENotGood");
    }
    assert_aborts(scene.register(&too_late).await, "measurements", "ENotGood");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_release_registers_nobody_and_what_it_registered_is_not_verified_any_more() {
    let scene = Scene::new().await;
    let (before, after) = (scene.enclave(1), scene.enclave(2));
    scene.register(&before).await.unwrap();
    scene.is_registered_and_good(&before).await.unwrap();
    scene.world.operator.revoke_release(scene.cluster, &release(OURS).pcrs(), false).await.unwrap();
    assert_aborts(scene.is_registered_and_good(&before).await, "measurements", "ENotGood");
    assert_aborts(scene.register(&after).await, "measurements", "ENotGood");
    let now = scene.now();
    let renewal = before.renewal(scene.next_sequence(&before).await, now);
    let renewed = scene.world.operator.renew_instance(&renewal, &before.document(now), &before.sign(&renewal)).await;
    assert_aborts(renewed, "measurements", "ENotGood");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_whose_delay_runs_registers_nobody() {
    let scene = Scene::with_settings(vec![SettingChange::ReleaseDelay(HOUR_MS)]).await;
    let enclave = scene.enclave(1);
    assert_aborts(scene.register(&enclave).await, "measurements", "ENotGood");
    scene.pass(HOUR_MS + MINUTE_MS).await;
    scene.register(&enclave).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verifier_takes_a_genuine_debug_document_and_the_contract_refuses_its_zero_pcrs() {
    let scene = Scene::new().await;
    let debug = scene.enclave_of(1, Image::default());
    assert_aborts(scene.register(&debug).await, "measurements", "EZeroPcr");
    for index in 0..3 {
        let mut image = OURS;
        image[index] = Pcr::ZERO;
        let partly = scene.enclave_of(1, Image { pcrs: Some(image), ..Image::default() });
        assert_aborts(scene.register(&partly).await, "measurements", "EZeroPcr");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pcrs_of_another_image_in_another_order_or_missing_are_refused() {
    let scene = Scene::new().await;
    let [pcr0, pcr1, pcr2] = OURS;
    let others = [OTHER, [pcr1, pcr0, pcr2], [pcr0, pcr2, pcr1], [pcr2, pcr1, pcr0], [pcr0, pcr1, OTHER[2]]];
    for pcrs in others {
        let other = scene.enclave_of(1, Image { pcrs: Some(pcrs), ..Image::default() });
        assert_aborts(scene.register(&other).await, "measurements", "EUnknownRelease");
    }
    let enclave = scene.enclave(1);
    // The values of our release, moved up one register each: right at every position of the list but none at its index.
    let shifted = enclave.document_with(scene.now(), |payload| {
        payload.pcrs.retain(|(index, _)| *index > 3);
        payload.pcrs.extend((1_u64..).zip(OURS));
    });
    assert_aborts(scene.submit(&shifted).await, "attested", "EPcrMissing");
    for missing in 0..3 {
        let document =
            enclave.document_with(scene.now(), |payload| payload.pcrs.retain(|(index, _)| *index != missing));
        assert_aborts(scene.submit(&document).await, "attested", "EPcrMissing");
    }
    assert_eq!(scene.registration(&enclave).await, None);
    // The order in which a document lists them says nothing.
    let backwards = enclave.document_with(scene.now(), |payload| payload.pcrs.reverse());
    scene.submit(&backwards).await.unwrap();
    assert_eq!(scene.registration(&enclave).await.unwrap().pcrs, release(OURS).pcrs());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_image_is_registered_under_its_own_signer_only() {
    let scene = Scene::new().await;
    let signer = Pcr([0x18; 48]);
    let mut published = release(OTHER);
    published.pcr8 = Some(Bytes(signer.0));
    scene.world.operator.publish_release(scene.cluster, &published).await.unwrap();
    let image = |signer| Image { pcrs: Some(OTHER), signer, role: None };
    let unsigned = scene.enclave_of(1, image(None));
    assert_aborts(scene.register(&unsigned).await, "enclave", "EOtherPcr8");
    let foreign = scene.enclave_of(1, image(Some(Pcr([0x19; 48]))));
    assert_aborts(scene.register(&foreign).await, "enclave", "EOtherPcr8");
    // The right signer of a wrong image.
    let other_image = scene.enclave_of(1, Image { pcrs: Some([OTHER[1], OTHER[0], OTHER[2]]), ..image(Some(signer)) });
    assert_aborts(scene.register(&other_image).await, "measurements", "EUnknownRelease");
    scene.register(&scene.enclave_of(1, image(Some(signer)))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_document_and_one_of_the_future_are_refused() {
    let scene = Scene::new().await;
    let enclave = scene.enclave(1);
    let document = enclave.document(scene.now());
    scene.pass(4 * MINUTE_MS).await;
    let in_time = scene.enclave(2);
    scene.submit(&in_time.document(scene.now() - 4 * MINUTE_MS)).await.unwrap();
    scene.pass(MINUTE_MS + 1).await;
    // Its certificates are good for hours: only the contract looks at its age.
    assert_aborts(scene.submit(&document).await, "enclave", "EDocumentTooOld");
    let future = enclave.document_with(scene.now(), |payload| {
        payload.timestamp = UnixTime::from_millis(payload.timestamp.millis() + HOUR_MS);
    });
    assert_aborts(scene.submit(&future).await, "enclave", "EDocumentFromFuture");
    assert_eq!(scene.registration(&enclave).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_of_another_cluster_or_of_no_known_form_are_refused() {
    let scene = Scene::new().await;
    let enclave = scene.enclave(1);
    let with_data = |data: Option<Vec<u8>>| enclave.document_with(scene.now(), |payload| payload.user_data = data);
    let claims = enclave.claims.to_bytes().to_vec();

    let mut elsewhere = enclave.clone();
    elsewhere.claims.cluster[31] ^= 1;
    assert_aborts(scene.register(&elsewhere).await, "attested", "EOtherCluster");
    assert_aborts(scene.submit(&with_data(None)).await, "attested", "ENoUserData");
    assert_aborts(scene.submit(&with_data(Some(claims[..136].to_vec()))).await, "attested", "EClaimsLength");
    assert_aborts(scene.submit(&with_data(Some([&claims[..], &[0]].concat()))).await, "attested", "EClaimsLength");
    for version in [0, 2] {
        let mut other = claims.clone();
        other[0] = version;
        assert_aborts(scene.submit(&with_data(Some(other))).await, "attested", "EClaimsVersion");
    }

    let with_key = |key: Option<Vec<u8>>| enclave.document_with(scene.now(), |payload| payload.public_key = key);
    assert_aborts(scene.submit(&with_key(None)).await, "attested", "ENoPublicKey");
    assert_aborts(scene.submit(&with_key(Some(vec![1; 31]))).await, "signatures", "EKeyLength");
    let identity = [&[1][..], &[0; 31]].concat();
    assert_aborts(scene.submit(&with_key(Some(identity))).await, "signatures", "EWeakKey");
    assert_eq!(scene.read().await.active, None);
    assert_eq!(scene.registration(&enclave).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_configuration_is_the_only_one_that_registers() {
    let scene = Scene::new().await;
    let enclave = scene.enclave(1);
    let pin = |byte| [SettingChange::ConfigPin(Some(Bytes([byte; 32])))];
    scene.world.operator.change_settings(scene.cluster, &pin(4)).await.unwrap();
    assert_aborts(scene.register(&enclave).await, "enclave", "EOtherConfig");
    scene.world.operator.change_settings(scene.cluster, &pin(3)).await.unwrap();
    scene.register(&enclave).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_document_changes_nothing() {
    let scene = Scene::with_settings(vec![SettingChange::Freshness {
        document_max_age_ms: HOUR_MS,
        registration_ms: 30 * MINUTE_MS,
    }])
    .await;
    let enclave = scene.enclave(1);
    let document = enclave.document(scene.now());
    scene.submit(&document).await.unwrap();
    let first = scene.registration(&enclave).await.unwrap();
    scene.pass(10 * MINUTE_MS).await;
    let again = scene.submit(&document).await.unwrap();
    assert_eq!((again.events.len(), scene.registration(&enclave).await.unwrap()), (0, first.clone()));

    // Nor does a newer one without the instance's own word.
    let newer = enclave.document(scene.now());
    let taken = scene.submit(&newer).await.unwrap();
    assert_eq!((taken.events.len(), scene.registration(&enclave).await.unwrap()), (0, first.clone()));

    // Nor does the old one after the registration's end, fresh as it is by its age.
    scene.pass(21 * MINUTE_MS).await;
    let revived = scene.submit(&document).await.unwrap();
    assert_eq!((revived.events.len(), scene.registration(&enclave).await.unwrap()), (0, first));
    assert_aborts(scene.is_registered_and_good(&enclave).await, "enclave", "EExpired");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_trusted_hardware_did_not_sign_now_is_not_even_loaded() {
    const PARSE: u64 = 1;
    const VERIFY: u64 = 2;
    let (scene, elsewhere) = (Scene::new().await, Scene::new().await);
    let document = scene.enclave(1).document(scene.now());
    let mut broken = document.clone();
    *broken.last_mut().unwrap() ^= 1;
    assert_not_loaded(scene.submit(&broken).await, VERIFY);
    assert_not_loaded(elsewhere.submit(&document).await, VERIFY);
    let foreign = elsewhere.enclave(1).document(scene.now());
    assert_not_loaded(scene.submit(&foreign).await, VERIFY);
    assert_not_loaded(scene.submit(&document[..document.len() - 1]).await, PARSE);
    assert_not_loaded(scene.submit(&[]).await, PARSE);
    // AWS' hardware signed this, in 2024.
    assert_not_loaded(scene.submit(AWS_DOCUMENT).await, VERIFY);
    // The certificates end three hours after the document was made.
    scene.pass(4 * HOUR_MS).await;
    assert_not_loaded(scene.submit(&document).await, VERIFY);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_takes_effect_once_for_its_own_instance_document_and_cluster() {
    let scene = Scene::new().await;
    let registry = scene.world.registry().await;
    let (enclave, unknown) = (scene.enclave(1), scene.enclave(2));
    scene.register(&enclave).await.unwrap();
    let first = scene.registration(&enclave).await.unwrap();
    scene.pass(HOUR_MS).await;
    let now = scene.now();
    let document = enclave.document(now);
    let operator = &scene.world.operator;
    let next = first.sequence + 1;
    let renewal = enclave.renewal(next, now);
    let signature = enclave.sign(&renewal);

    let refused = async |message: &RenewMessage, document: &[u8], signature: &[u8; 64], module, constant| {
        assert_aborts(operator.renew_instance(message, document, signature).await, module, constant);
    };
    refused(&renewal, &unknown.document(now), &signature, "enclave", "ENotRegistered").await;
    refused(&renewal, &document, &unknown.sign(&renewal), "enclave", "ESignature").await;
    refused(&RenewMessage { sequence: next + 1, ..renewal.clone() }, &document, &signature, "enclave", "ESignature")
        .await;
    let used = enclave.renewal(first.sequence, now);
    refused(&used, &document, &enclave.sign(&used), "enclave", "ESequence").await;
    let foreign = RenewMessage { cluster: sui_sdk_types::Address::new([8; 32]), ..renewal.clone() };
    refused(&renewal, &document, &enclave.sign(&foreign), "enclave", "ESignature").await;
    let other_document = enclave.renewal(next, now - 1);
    refused(&renewal, &document, &enclave.sign(&other_document), "enclave", "ESignature").await;
    let mut moved = enclave.clone();
    moved.image.pcrs = Some(OTHER);
    refused(&renewal, &moved.document(now), &signature, "enclave", "EOtherMeasurements").await;
    assert_eq!(scene.registration(&enclave).await.unwrap(), first);

    let renewed = operator.renew_instance(&renewal, &document, &signature).await.unwrap();
    assert_eq!(names(&renewed), [("enclave", "Renewed")]);
    let second = scene.registration(&enclave).await.unwrap();
    assert_eq!((second.document_at_ms, second.expires_at_ms, second.sequence), (now, now + 3 * HOUR_MS, next));
    scene.world.catch_up(&registry).await;
    let seen = registry.cluster().unwrap().registrations[&enclave.instance()].expires_at_ms;
    assert_eq!(seen, second.expires_at_ms);

    refused(&renewal, &document, &signature, "enclave", "EDocumentNotNewer").await;
    // Past the first registration's end, not past the second's.
    scene.pass(2 * HOUR_MS + 30 * MINUTE_MS).await;
    scene.is_registered_and_good(&enclave).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_is_forgotten_and_comes_back_above_all_it_signed() {
    let scene = Scene::new().await;
    let (active, idle) = (scene.enclave(1), scene.enclave(2));
    scene.activate(&active).await;
    scene.register(&idle).await.unwrap();
    let operator = &scene.world.operator;
    let forget =
        async |enclave: &attestation_scene::Enclave| operator.forget_instance(scene.cluster, &enclave.instance()).await;
    assert_aborts(forget(&scene.enclave(3)).await, "enclave", "ENotRegistered");
    assert_aborts(forget(&idle).await, "enclave", "ENotExpired");
    let sequence = scene.registration(&idle).await.unwrap().sequence;
    scene.pass(4 * HOUR_MS).await;
    assert_aborts(forget(&active).await, "enclave", "EStillActive");
    assert_eq!(names(&forget(&idle).await.unwrap()), [("enclave", "Forgotten")]);
    assert_eq!(scene.registration(&idle).await, None);
    scene.register(&idle).await.unwrap();
    assert!(scene.registration(&idle).await.unwrap().sequence > sequence);
}
