//! The faucet and the clock over HTTP, and what the chain refuses at its door.

#![allow(clippy::unwrap_used)]

mod scene;

use std::time::Duration;

use daas_devnet::{Config, ControlClient, Devnet, Error};
use scene::{Person, SUI, Scene};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One HTTP/1.1 exchange, as curl does it.
async fn post(scene: &Scene, path: &str, content_type: &str, body: &str) -> String {
    post_with(scene, path, &format!("content-type: {content_type}\r\n"), body).await
}

async fn post_with(scene: &Scene, path: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(scene.devnet.address()).await.unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test]
async fn the_faucet_gives_the_coins_that_were_asked_for() {
    let scene = Scene::new().await;
    let mut control = ControlClient::connect(&scene.devnet.url()).await.unwrap();
    let alice = Person::new();
    let gift = control.fund(alice.address, &[3, 2, 1]).await.unwrap();
    assert_eq!(gift.coins.iter().map(|(_, amount)| *amount).collect::<Vec<_>>(), [3, 2, 1]);
    let coins = scene.coins(alice.address).await;
    assert_eq!(
        gift.coins.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        coins.iter().map(|coin| *coin.object_id()).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn many_people_at_once_all_get_their_gift() {
    let scene = Scene::new().await;
    let people: Vec<_> = (0..40).map(|_| Person::new()).collect();
    let gifts = people.iter().map(|person| scene.devnet.faucet(person.address, &[SUI]));
    futures::future::try_join_all(gifts).await.unwrap();
    for person in people {
        assert_eq!(scene.balance(person.address).await, SUI);
    }
}

#[tokio::test]
async fn the_faucet_is_not_bottomless() {
    let scene = Scene::new().await;
    let mut control = ControlClient::connect(&scene.devnet.url()).await.unwrap();
    for amounts in [vec![], vec![0], vec![1; 257], vec![u64::MAX], vec![u64::MAX, u64::MAX]] {
        let refusal = control.fund(Person::new().address, &amounts).await.unwrap_err();
        assert!(matches!(refusal, Error::Control(_)), "{refusal}");
    }
}

#[tokio::test]
async fn sui_s_own_faucet_request_works_and_a_web_page_s_does_not() {
    let scene = Scene::new().await;
    let alice = Person::new();
    let body = format!(r#"{{"FixedAmountRequest":{{"recipient":"{}"}}}}"#, alice.address);
    let answer = post(&scene, "/v2/gas", "application/json", &body).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(answer.contains("\"status\":\"Success\"") && answer.contains("transferTxDigest"), "{answer}");
    assert_eq!(scene.balance(alice.address).await, 1000 * SUI);
    // A browser sends this without asking first.
    let answer = post(&scene, "/v2/gas", "text/plain", &body).await;
    assert!(answer.starts_with("HTTP/1.1 415"), "{answer}");
    let answer = post(&scene, "/v2/gas", "application/json", "{").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let answer = post(&scene, "/nothing", "application/json", "{}").await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

/// A name of the page's own site can be made to mean 127.0.0.1 after the page was loaded: to the browser the chain is then
/// the page's own site, and no permission is asked for.
#[tokio::test]
async fn a_web_page_whose_name_was_rebound_to_this_machine_gets_nothing() {
    let scene = Scene::new().await;
    let before = scene.devnet.ledger().now_ms();
    let alice = Person::new();
    let gift = format!(r#"{{"recipient":"{}","amounts":[1]}}"#, alice.address);
    let fixed = format!(r#"{{"FixedAmountRequest":{{"recipient":"{}"}}}}"#, alice.address);
    for header in ["origin: http://evil.example:9000", "sec-fetch-site: same-origin"] {
        let headers = format!("content-type: application/json\r\n{header}\r\n");
        for (path, body) in
            [("/dev/faucet", &*gift), ("/v2/gas", &*fixed), ("/dev/advance-clock", r#"{"milliseconds":86400000}"#)]
        {
            let answer = post_with(&scene, path, &headers, body).await;
            assert!(answer.starts_with("HTTP/1.1 403"), "{header} {path}: {answer}");
        }
    }
    assert_eq!(scene.balance(alice.address).await, 0);
    assert!(scene.devnet.ledger().now_ms() < before + 86_400_000);
}

#[tokio::test]
async fn the_clock_moves_when_asked_over_http() {
    let scene = Scene::new().await;
    let before = scene.devnet.ledger().now_ms();
    let mut control = ControlClient::connect(&scene.devnet.url()).await.unwrap();
    let after = control.advance_clock(Duration::from_hours(1)).await.unwrap();
    assert!(after >= before + 3_600_000);
    assert!(control.advance_clock(Duration::from_hours(24 * 366 * 11)).await.is_err());
}

#[tokio::test]
async fn a_second_process_on_the_same_directory_is_refused() {
    let scene = Scene::new().await;
    let second = Devnet::start(Config::new(scene.dir.path())).await;
    assert!(matches!(second, Err(Error::InUse { .. })));
}

#[tokio::test]
async fn an_address_that_others_reach_needs_to_be_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::new(dir.path());
    config.listen = "0.0.0.0:0".parse().unwrap();
    assert!(matches!(Devnet::start(config.clone()).await, Err(Error::NotLoopback(_))));
    config.listen_anywhere = true;
    Devnet::start(config).await.unwrap().stop().await;
}
