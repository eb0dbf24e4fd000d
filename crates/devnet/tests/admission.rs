//! What the chain takes and what it refuses.

#![allow(clippy::unwrap_used)]

mod scene;

use scene::{Person, SUI, Scene, gas_after, transfer};
use sui_crypto::multisig::MultisigAggregator;
use sui_crypto::{SuiSigner, secp256k1::Secp256k1PrivateKey, secp256r1::Secp256r1PrivateKey};
use sui_sdk_types::{
    Address, MultisigCommittee, MultisigMember, MultisigMemberPublicKey, SimpleSignature, TransactionExpiration,
    UserSignature,
};
use tonic::Code;

#[tokio::test]
async fn the_same_transaction_twice_has_the_same_effects_and_happens_once() {
    let scene = Scene::new().await;
    let alice = scene.person(&[SUI]).await;
    let gas = scene.coins(alice.address).await.remove(0);
    let transaction = transfer(alice.address, &gas, Address::TWO, 5);
    let signature = alice.sign(&transaction);
    let (first, second) = tokio::join!(
        scene.execute(&transaction, vec![signature.clone()]),
        scene.execute(&transaction, vec![signature.clone()])
    );
    let third = scene.execute(&transaction, vec![signature]).await.unwrap();
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.effects(), second.effects());
    assert_eq!(first.effects(), third.effects());
    assert_eq!(scene.balance(Address::TWO).await, 5);
}

#[tokio::test]
async fn of_two_transactions_with_the_same_coin_one_is_refused() {
    let scene = Scene::new().await;
    let alice = scene.person(&[SUI]).await;
    let gas = scene.coins(alice.address).await.remove(0);
    let (to, other) = (Person::new().address, Person::new().address);
    let (first, second) = (transfer(alice.address, &gas, to, 5), transfer(alice.address, &gas, other, 6));
    let results = tokio::join!(
        scene.execute(&first, vec![alice.sign(&first)]),
        scene.execute(&second, vec![alice.sign(&second)])
    );
    let refusal = match results {
        (Ok(_), Err(refusal)) | (Err(refusal), Ok(_)) => refusal,
        other => panic!("exactly one wins: {other:?}"),
    };
    assert_eq!(refusal.code(), Code::InvalidArgument);
    let text = refusal.message();
    assert!(text.contains("Transaction needs to be rebuilt because object"), "{text}");
    assert!(text.contains("is unavailable for consumption, current version:"), "{text}");
    let paid = scene.balance(to).await + scene.balance(other).await;
    assert!(paid == 5 || paid == 6);
}

#[tokio::test]
async fn a_refused_transaction_leaves_no_trace() {
    let scene = Scene::with(|config| config.pace.heartbeat = std::time::Duration::from_hours(1)).await;
    let alice = scene.person(&[SUI]).await;
    let stale = scene.coins(alice.address).await.remove(0);
    let transaction = transfer(alice.address, &stale, Address::TWO, 5);
    gas_after(&scene.succeed(&alice, &transaction).await);
    scene::eventually("its checkpoint", async || {
        scene
            .devnet
            .ledger()
            .head()
            .transactions
            .iter()
            .any(|executed| executed.record.digest() == transaction.digest())
    })
    .await;
    let clock = || scene.devnet.ledger().object(&Address::from_static("0x6")).unwrap().version();
    let before = clock();
    let late = transfer(alice.address, &stale, Address::TWO, 6);
    scene.execute(&late, vec![alice.sign(&late)]).await.unwrap_err();
    assert_eq!(clock(), before, "not even a tick of the clock");
    let mut ledger = scene.client.clone().ledger_client();
    let lookup = ledger.get_transaction(sui_rpc::proto::sui::rpc::v2::GetTransactionRequest::new(&late.digest())).await;
    assert_eq!(lookup.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn bad_signatures_are_refused() {
    let scene = Scene::new().await;
    let (alice, mallory) = (scene.person(&[SUI]).await, scene.person(&[SUI]).await);
    let gas = scene.coins(alice.address).await.remove(0);
    let transaction = transfer(alice.address, &gas, mallory.address, 5);
    let other = transfer(alice.address, &gas, mallory.address, 6);
    let mut flipped = alice.sign(&transaction);
    if let UserSignature::Simple(SimpleSignature::Ed25519 { signature, .. }) = &mut flipped {
        let mut bytes = signature.into_inner();
        bytes[10] ^= 1;
        *signature = sui_sdk_types::Ed25519Signature::new(bytes);
    }
    for (what, signatures) in [
        ("none", vec![]),
        ("somebody else's", vec![mallory.sign(&transaction)]),
        ("of another transaction", vec![alice.sign(&other)]),
        ("damaged", vec![flipped]),
        ("one too many", vec![alice.sign(&transaction), mallory.sign(&transaction)]),
        ("twice the same", vec![alice.sign(&transaction), alice.sign(&transaction)]),
    ] {
        let refusal = scene.execute(&transaction, signatures).await.expect_err(what);
        assert_eq!(refusal.code(), Code::InvalidArgument, "{what}: {refusal:?}");
    }
    assert_eq!(scene.balance(alice.address).await, SUI);
    scene.succeed(&alice, &transaction).await;
}

#[tokio::test]
async fn a_sponsor_pays_when_both_have_signed_and_only_then() {
    let scene = Scene::new().await;
    let (poor, sponsor) = (scene.person(&[]).await, scene.person(&[SUI]).await);
    let gas = scene.coins(sponsor.address).await.remove(0);
    let mut transaction = transfer(poor.address, &gas, Address::TWO, 0);
    let sui_sdk_types::TransactionKind::ProgrammableTransaction(programmable) = &mut transaction.kind else {
        panic!("a programmable transaction")
    };
    // A sponsored sender may not give away the sponsor's coin: an empty vector is work enough.
    programmable.commands = vec![sui_sdk_types::Command::MakeMoveVector(sui_sdk_types::MakeMoveVector {
        type_: Some(sui_sdk_types::TypeTag::U64),
        elements: Vec::new(),
    })];
    programmable.inputs.clear();
    transaction.gas_payment.owner = sponsor.address;
    for signatures in [
        vec![poor.sign(&transaction)],
        vec![sponsor.sign(&transaction)],
        vec![poor.sign(&transaction), poor.sign(&transaction)],
    ] {
        assert_eq!(scene.execute(&transaction, signatures).await.unwrap_err().code(), Code::InvalidArgument);
    }
    let executed =
        scene.execute(&transaction, vec![poor.sign(&transaction), sponsor.sign(&transaction)]).await.unwrap();
    assert!(executed.effects().status().success(), "{:?}", executed.effects().status());
    assert!(scene.balance(sponsor.address).await < SUI);
}

#[tokio::test]
async fn every_supported_signature_scheme_is_accepted() {
    let scene = Scene::new().await;
    let k1 = Secp256k1PrivateKey::new([7; 32]).unwrap();
    let r1 = Secp256r1PrivateKey::new([9; 32]);
    let ed = Person::new();
    for (address, signer) in [
        (k1.public_key().derive_address(), &k1 as &dyn Signs),
        (r1.public_key().derive_address(), &r1),
        (ed.address, &ed.key),
    ] {
        scene.devnet.faucet(address, &[SUI]).await.unwrap();
        let gas = scene.coins(address).await.remove(0);
        let transaction = transfer(address, &gas, Address::TWO, 1);
        let executed = scene.execute(&transaction, vec![signer.sign(&transaction)]).await.unwrap();
        assert!(executed.effects().status().success());
    }

    let committee = MultisigCommittee::new(
        vec![
            MultisigMember::new(MultisigMemberPublicKey::Secp256k1(k1.public_key()), 1),
            MultisigMember::new(MultisigMemberPublicKey::Secp256r1(r1.public_key()), 1),
            MultisigMember::new(MultisigMemberPublicKey::Ed25519(ed.key.public_key()), 1),
        ],
        2,
    );
    let address = committee.derive_address();
    scene.devnet.faucet(address, &[SUI]).await.unwrap();
    let gas = scene.coins(address).await.remove(0);
    let transaction = transfer(address, &gas, Address::TWO, 1);
    let mut aggregator = MultisigAggregator::new_with_transaction(committee, &transaction);
    aggregator.add_signature(k1.sign_transaction(&transaction).unwrap()).unwrap();
    assert!(aggregator.finish().is_err(), "one of two is not enough");
    aggregator.add_signature(ed.sign(&transaction)).unwrap();
    let signature = UserSignature::Multisig(aggregator.finish().unwrap());
    let executed = scene.execute(&transaction, vec![signature]).await.unwrap();
    assert!(executed.effects().status().success());
}

trait Signs {
    fn sign(&self, transaction: &sui_sdk_types::Transaction) -> UserSignature;
}

impl<S: SuiSigner> Signs for S {
    fn sign(&self, transaction: &sui_sdk_types::Transaction) -> UserSignature {
        self.sign_transaction(transaction).unwrap()
    }
}

#[tokio::test]
async fn a_transaction_for_another_chain_or_another_time_is_refused() {
    let scene = Scene::new().await;
    let alice = scene.person(&[SUI]).await;
    let gas = scene.coins(alice.address).await.remove(0);
    let valid_during = |chain, min, max| TransactionExpiration::ValidDuring {
        min_epoch: Some(min),
        max_epoch: Some(max),
        min_timestamp: None,
        max_timestamp: None,
        chain,
        nonce: 1,
    };
    let chain = scene.devnet.chain_id();
    for expiration in [valid_during(sui_sdk_types::Digest::ZERO, 0, 0), valid_during(chain, 1, 1)] {
        let mut transaction = transfer(alice.address, &gas, Address::TWO, 5);
        transaction.expiration = expiration;
        let refusal = scene.execute(&transaction, vec![alice.sign(&transaction)]).await.unwrap_err();
        assert_eq!(refusal.code(), Code::InvalidArgument, "{refusal:?}");
    }
    let mut transaction = transfer(alice.address, &gas, Address::TWO, 5);
    transaction.expiration = valid_during(chain, 0, 0);
    scene.succeed(&alice, &transaction).await;
}
