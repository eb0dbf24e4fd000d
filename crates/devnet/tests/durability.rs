//! `kill -9` at any moment loses nothing that was acknowledged.

#![allow(clippy::unwrap_used)]

mod scene;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use daas_devnet::{Config, ControlClient, Devnet};
use rand::Rng;
use scene::{Person, SUI, transfer};
use sui_crypto::bls12381::ValidatorCommitteeSignatureVerifier;
use sui_rpc::{
    Client,
    field::{FieldMask, FieldMaskUtil},
    proto::sui::rpc::v2 as pb,
};
use sui_sdk_types::{Address, Digest, ObjectReference, Transaction};
use tokio::sync::Mutex;

const KILLS: usize = 200;
const CLIENTS: usize = 4;

/// The real program on a data directory.
struct Process {
    child: Child,
    ready: PathBuf,
}

impl Process {
    fn spawn(dir: &Path) -> Self {
        let ready = dir.join("ready");
        let _ = std::fs::remove_file(&ready);
        let child = Command::new(env!("CARGO_BIN_EXE_daas-devnet"))
            .args(["--listen", "127.0.0.1:0", "--log-level", "error", "--checkpoint-interval-ms", "5"])
            .arg("--data-dir")
            .arg(dir.join("chain"))
            .arg("--ready-file")
            .arg(&ready)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, ready }
    }

    /// Chain id and address, once the chain answers.
    async fn ready(&mut self) -> (Digest, SocketAddr) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Ok(line) = std::fs::read_to_string(&self.ready) {
                let (chain, address) = line.trim().split_once(' ').unwrap();
                return (chain.parse().unwrap(), address.parse().unwrap());
            }
            assert!(self.child.try_wait().unwrap().is_none(), "the chain ended by itself");
            assert!(Instant::now() < deadline, "the chain does not start");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody who spends one coin again and again, and remembers what the chain has acknowledged.
struct Spender {
    person: Person,
    gas: ObjectReference,
    /// Sent, but no answer came: the chain may have it or not.
    unanswered: Option<Transaction>,
    acknowledged: Vec<Digest>,
}

impl Spender {
    /// Sends transactions until the chain is gone.
    async fn spend(&mut self, client: &Client) {
        loop {
            let transaction =
                self.unanswered.take().unwrap_or_else(|| transfer(self.person.address, &self.gas, Address::TWO, 1));
            let request = pb::ExecuteTransactionRequest::new(transaction.clone().into())
                .with_signatures(vec![self.person.sign(&transaction).into()])
                .with_read_mask(FieldMask::from_str("effects"));
            match client.clone().execution_client().execute_transaction(request).await {
                Ok(response) => {
                    let executed = response.into_inner().transaction.unwrap();
                    assert!(executed.effects().status().success());
                    self.gas = scene::gas_after(&executed);
                    self.acknowledged.push(transaction.digest());
                }
                Err(status) => {
                    assert!(
                        !matches!(status.code(), tonic::Code::InvalidArgument | tonic::Code::NotFound),
                        "what was acknowledged is gone: {status:?}"
                    );
                    self.unanswered = Some(transaction);
                    return;
                }
            }
        }
    }
}

async fn all_found(client: &Client, digests: &[Digest]) {
    let request = pb::BatchGetTransactionsRequest::default()
        .with_digests(digests.iter().map(Digest::to_string).collect())
        .with_read_mask(FieldMask::from_str("digest"));
    let found = client.clone().ledger_client().batch_get_transactions(request).await.unwrap().into_inner();
    for (digest, result) in digests.iter().zip(found.transactions) {
        assert_eq!(result.to_result().unwrap().digest(), digest.to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_minus_nine_at_200_random_points_loses_no_acknowledged_transaction() {
    let dir = tempfile::tempdir().unwrap();
    // The first kills hit a chain that is being born.
    for delay in [0, 2, 5, 10, 20] {
        let mut newborn = Process::spawn(dir.path());
        tokio::time::sleep(Duration::from_millis(delay)).await;
        newborn.kill();
    }
    let mut process = Process::spawn(dir.path());
    let (chain, mut address) = process.ready().await;
    let mut control = ControlClient::connect(&format!("http://{address}")).await.unwrap();
    let mut spenders = Vec::new();
    for _ in 0..CLIENTS {
        let person = Person::new();
        let gift = control.fund(person.address, &[1000 * SUI]).await.unwrap();
        let client = Client::new(format!("http://{address}")).unwrap();
        let coin = client
            .clone()
            .ledger_client()
            .get_object(pb::GetObjectRequest::new(&gift.coins[0].0))
            .await
            .unwrap()
            .into_inner();
        let coin = coin.object();
        let gas = ObjectReference::new(gift.coins[0].0, coin.version(), coin.digest().parse().unwrap());
        spenders.push(Arc::new(Mutex::new(Spender { person, gas, unanswered: None, acknowledged: Vec::new() })));
    }

    let mut checked = [0; CLIENTS];
    for _ in 0..KILLS {
        let client = Client::new(format!("http://{address}")).unwrap();
        let spending: Vec<_> = spenders
            .iter()
            .map(|spender| {
                let (spender, client) = (spender.clone(), client.clone());
                tokio::spawn(async move { spender.lock().await.spend(&client).await })
            })
            .collect();
        let moment = rand::thread_rng().gen_range(0..60_000);
        tokio::time::sleep(Duration::from_micros(moment)).await;
        process.kill();
        for task in spending {
            task.await.unwrap();
        }
        // Now and then the machine is so unlucky that the restart dies, too.
        if moment % 5 == 0 {
            let mut unlucky = Process::spawn(dir.path());
            tokio::time::sleep(Duration::from_micros(moment / 2)).await;
            unlucky.kill();
        }
        process = Process::spawn(dir.path());
        let (same, next) = process.ready().await;
        assert_eq!(same, chain);
        address = next;
        let client = Client::new(format!("http://{address}")).unwrap();
        for (spender, checked) in spenders.iter().zip(&mut checked) {
            let spender = spender.lock().await;
            all_found(&client, &spender.acknowledged[*checked..]).await;
            *checked = spender.acknowledged.len();
        }
    }
    process.kill();

    let mut acknowledged = Vec::new();
    for spender in spenders {
        acknowledged.extend(spender.lock().await.acknowledged.iter().copied());
    }
    assert!(acknowledged.len() > KILLS, "only {} transactions in {KILLS} rounds", acknowledged.len());
    unbroken(&dir.path().join("chain"), &acknowledged).await;
}

/// The checkpoints form one signed chain that holds every acknowledged transaction exactly once.
async fn unbroken(dir: &Path, acknowledged: &[Digest]) {
    let devnet = Devnet::start(Config::new(dir)).await.unwrap();
    let ledger = devnet.ledger();
    devnet.advance_clock(Duration::ZERO).await.unwrap();
    let verifier = ValidatorCommitteeSignatureVerifier::new(ledger.committee().clone()).unwrap();
    let mut previous = None;
    let mut seen = std::collections::HashMap::<Digest, usize>::new();
    for number in 0..=ledger.head().sequence_number() {
        let full = ledger.checkpoint(number, daas_devnet::ledger::Detail::Transactions).unwrap().unwrap();
        let summary = &full.checkpoint.summary;
        verifier.verify_checkpoint_summary(summary, &full.checkpoint.signature).unwrap();
        assert_eq!(summary.previous_digest, previous);
        assert_eq!(summary.content_digest, full.checkpoint.contents.digest());
        for (info, executed) in full.checkpoint.contents.transactions().iter().zip(&full.transactions) {
            assert_eq!(*info.effects(), executed.record.effects.digest());
            *seen.entry(*info.transaction()).or_default() += 1;
        }
        assert_eq!(summary.network_total_transactions, seen.len() as u64);
        previous = Some(summary.digest());
    }
    for digest in acknowledged {
        assert_eq!(seen.get(digest), Some(&1), "{digest}");
    }
    devnet.stop().await;
}
