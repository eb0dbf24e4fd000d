//! Whoever stands in for the enclave gets neither a registration nor a certificate request.
#![allow(clippy::unwrap_used)]

mod scene;

use daas_attestation::Refusal;
use daas_staker::Error;
use daas_staker::chain::Chain;
use daas_staker::enclave::{Roots, verify_enclave};
use daas_staker::gateway::Gateway;
use daas_staker::life::Enclave as Known;
use daas_staker::master::Master;
use scene::{Enclave, OTHER, Papers, Scene, WorkerFolder};

async fn chain(scene: &Scene, worker: &WorkerFolder) -> Chain {
    let account = daas_chain::wallet::Account::from_ed25519([11; 32]);
    assert_eq!(scene.chain.node.chain(), scene.chain.devnet.chain_id());
    Chain::connect(&worker.settings().settings, account).await.unwrap()
}

/// What a worker says of an enclave that answers at the cluster's address, when `honest` is the active one.
async fn verdict(scene: &Scene, asked: &Enclave) -> Result<Known, Error> {
    let worker = WorkerFolder::new(scene, 11).await;
    let roots = Roots::of(Some(&scene.root_file), false).unwrap();
    verify_enclave(&chain(scene, &worker).await, &roots, &asked.master.to_string()).await
}

fn refusal(verdict: Result<Known, Error>) -> Refusal {
    match verdict {
        Err(Error::EnclaveRefused { source, .. }) => source,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_active_instance_with_a_good_release_and_a_fresh_document_for_this_connection_counts() {
    let scene = Scene::new().await;
    let honest = Enclave::start(&scene, 1).await;
    let worker = WorkerFolder::new(&scene, 11).await;
    let nobody = verdict(&scene, &honest).await;
    assert!(matches!(nobody, Err(Error::NoInstance { .. })), "{nobody:?}");
    scene.activate(&honest).await;
    let known = verdict(&scene, &honest).await.unwrap();
    assert_eq!(known.instance, honest.instance());

    let theirs = honest.documents.clone();
    // A relay: the honest enclave's own words, over somebody else's connection.
    let relay = Enclave::with(&scene, 3, |papers: &mut Papers| *papers = theirs.clone()).await;
    assert_eq!(refusal(verdict(&scene, &relay).await), Refusal::OtherTlsKey);
    // The genuine image, started by somebody else for this very cluster.
    let elsewhere = Enclave::start(&scene, 4).await;
    let found = refusal(verdict(&scene, &elsewhere).await);
    assert!(matches!(found, Refusal::OtherServerCa | Refusal::OtherInstance), "{found:?}");
    // Other code.
    let other = Enclave::with(&scene, 5, |papers| papers.pcrs = OTHER).await;
    assert!(matches!(
        refusal(verdict(&scene, &other).await),
        Refusal::Measurement { .. } | Refusal::UnknownRelease { .. }
    ));
    // An old answer to another question.
    let replaying = Enclave::with(&scene, 6, |papers| papers.replayed = Some(papers.make(Some([9; 32])))).await;
    assert_eq!(refusal(verdict(&scene, &replaying).await), Refusal::NonceMismatch);
    // Another cluster's.
    let foreign = Enclave::with(&scene, 7, |papers| papers.claims.cluster = [9; 32]).await;
    assert_eq!(refusal(verdict(&scene, &foreign).await), Refusal::OtherCluster);
    // Simulated hardware where no root was named.
    let aws = Roots::of(None, false).unwrap();
    let strict = verify_enclave(&chain(&scene, &worker).await, &aws, &honest.master.to_string()).await;
    assert_eq!(refusal(strict), Refusal::UnknownRoot);
    assert!(Roots::of(Some(&scene.root_file), true).is_err());

    // A release that is revoked while the enclave runs.
    let pcrs = scene::OURS.iter().flat_map(|pcr| pcr.0).collect::<Vec<_>>();
    let pcrs = daas_chain::types::Bytes(pcrs.try_into().unwrap());
    scene.chain.operator.revoke_release(scene.chain.cluster, &pcrs, false).await.unwrap();
    assert!(verdict(&scene, &honest).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verified_enclaves_key_and_ca_are_held_to_on_every_connection() {
    let scene = Scene::new().await;
    let honest = Enclave::start(&scene, 1).await;
    scene.activate(&honest).await;
    let known = verdict(&scene, &honest).await.unwrap();
    let other = Enclave::start(&scene, 2).await;
    // The gateway of another enclave shows another CA.
    assert!(Gateway::find(&honest.join.to_string(), &known).await.is_ok());
    assert!(matches!(Gateway::find(&other.join.to_string(), &known).await, Err(Error::OtherCa)));
    // Its master has another key: no token is shown to it.
    let worker = WorkerFolder::new(&scene, 11).await;
    let chain = chain(&scene, &worker).await;
    let tokened = chain.stake().await.unwrap();
    let token = chain.bearer(&tokened).unwrap();
    let resources = daas_staker::resources::machine().unwrap();
    let address = scene::ip("172.30.0.11");
    let shown = Master::new(&other.master.to_string(), &known).unwrap();
    let refused = shown.register(&token, &tokened.staked, address, resources).await;
    assert!(matches!(&refused, Err(Error::Exchange { why, .. }) if why.contains("TLS")), "{refused:?}");
    let good = Master::new(&honest.master.to_string(), &known).unwrap();
    scene.chain.catch_up(&scene.chain.registry().await).await;
    let place = good.register(&token, &tokened.staked, address, resources).await;
    assert!(place.is_ok(), "{place:?}");
}
