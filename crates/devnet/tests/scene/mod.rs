//! A running chain, the official client and people with money: what the scenarios share.

// Every test file is a crate of its own and uses a part of this.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use daas_devnet::{Config, Devnet};
use sui_crypto::{SuiSigner, ed25519::Ed25519PrivateKey};
use sui_rpc::{
    Client,
    field::{FieldMask, FieldMaskUtil},
    proto::sui::rpc::v2 as pb,
};
use sui_sdk_types::{Address, ObjectReference, Transaction, UserSignature};
use sui_transaction_builder::{ObjectInput, TransactionBuilder};
use tempfile::TempDir;

pub const SUI: u64 = 1_000_000_000;

/// A chain that lives as long as the scene.
pub struct Scene {
    pub devnet: Devnet,
    pub client: Client,
    pub dir: TempDir,
}

/// Somebody with a key.
pub struct Person {
    pub key: Ed25519PrivateKey,
    pub address: Address,
}

impl Scene {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::new(dir.path());
        change(&mut config);
        let devnet = Devnet::start(config).await.unwrap();
        let client = Client::new(devnet.url()).unwrap();
        Self { devnet, client, dir }
    }

    /// A new person with one coin per amount.
    pub async fn person(&self, amounts: &[u64]) -> Person {
        let person = Person::new();
        if !amounts.is_empty() {
            self.devnet.faucet(person.address, amounts).await.unwrap();
        }
        person
    }

    /// The person's coins, largest first.
    pub async fn coins(&self, owner: Address) -> Vec<ObjectReference> {
        let request = pb::ListOwnedObjectsRequest::default()
            .with_owner(owner.to_string())
            .with_object_type("0x2::coin::Coin<0x2::sui::SUI>")
            .with_read_mask(FieldMask::from_str("object_id,version,digest"));
        let page = self.client.clone().state_client().list_owned_objects(request).await.unwrap().into_inner();
        page.objects
            .iter()
            .map(|coin| {
                ObjectReference::new(coin.object_id().parse().unwrap(), coin.version(), coin.digest().parse().unwrap())
            })
            .collect()
    }

    /// SUI of an address in MIST.
    pub async fn balance(&self, owner: Address) -> u64 {
        let request = pb::GetBalanceRequest::default().with_owner(owner.to_string()).with_coin_type("0x2::sui::SUI");
        self.client.clone().state_client().get_balance(request).await.unwrap().into_inner().balance.unwrap().balance()
    }

    /// Executes with the given signatures.
    pub async fn execute(
        &self,
        transaction: &Transaction,
        signatures: Vec<UserSignature>,
    ) -> Result<pb::ExecutedTransaction, tonic::Status> {
        let request = pb::ExecuteTransactionRequest::new(transaction.clone().into())
            .with_signatures(signatures.into_iter().map(Into::into).collect())
            .with_read_mask(FieldMask::from_str("*"));
        let response = self.client.clone().execution_client().execute_transaction(request).await?;
        Ok(response.into_inner().transaction.unwrap())
    }

    /// Signs as the person and executes; the transaction must succeed.
    pub async fn succeed(&self, person: &Person, transaction: &Transaction) -> pb::ExecutedTransaction {
        let executed = self.execute(transaction, vec![person.sign(transaction)]).await.unwrap();
        assert!(executed.effects().status().success(), "{:?}", executed.effects().status());
        executed
    }
}

/// A transaction of `sender`, paid with `gas`, that sends `amount` to `recipient`.
pub fn transfer(sender: Address, gas: &ObjectReference, recipient: Address, amount: u64) -> Transaction {
    let mut builder = TransactionBuilder::new();
    let coin = builder.gas();
    let amount = builder.pure(&amount);
    let coins = builder.split_coins(coin, vec![amount]);
    let recipient = builder.pure(&recipient);
    builder.transfer_objects(coins, recipient);
    builder.set_sender(sender);
    builder.set_gas_budget(50_000_000);
    builder.set_gas_price(1000);
    builder.add_gas_objects([ObjectInput::owned(*gas.object_id(), gas.version(), *gas.digest())]);
    builder.try_build().unwrap()
}

impl Person {
    pub fn new() -> Self {
        let key = Ed25519PrivateKey::new(rand::random());
        let address = key.public_key().derive_address();
        Self { key, address }
    }

    pub fn sign(&self, transaction: &Transaction) -> UserSignature {
        self.key.sign_transaction(transaction).unwrap()
    }
}

/// The gas coin after a transaction.
pub fn gas_after(executed: &pb::ExecutedTransaction) -> ObjectReference {
    let gas = executed.effects().gas_object();
    ObjectReference::new(gas.object_id().parse().unwrap(), gas.output_version(), gas.output_digest().parse().unwrap())
}

/// Waits until the condition holds, and fails when that takes too long.
pub async fn eventually<F: AsyncFnMut() -> bool>(what: &str, mut condition: F) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition().await {
        assert!(Instant::now() < deadline, "still waiting for: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
