//! The official SDK, unchanged, does on the development chain what it does on Sui.

#![allow(clippy::unwrap_used)]

mod scene;

use std::time::Duration;

use futures::TryStreamExt as _;
use scene::{Person, SUI, Scene, gas_after, transfer};
use sui_rpc::{
    field::{FieldMask, FieldMaskUtil},
    proto::sui::rpc::v2 as pb,
};
use sui_sdk_types::{Address, StructTag, Transaction};
use sui_transaction_builder::TransactionBuilder;
use tonic::Code;

#[tokio::test]
async fn the_chain_says_that_it_is_not_a_sui_network() {
    let scene = Scene::new().await;
    let info = scene
        .client
        .clone()
        .ledger_client()
        .get_service_info(pb::GetServiceInfoRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert!(info.server().contains("development chain, not a Sui network"), "{}", info.server());
    assert_eq!(info.chain(), "daas-devnet");
    assert_eq!(info.chain_id(), scene.devnet.chain_id().to_string());
    let genesis = scene
        .client
        .clone()
        .ledger_client()
        .get_checkpoint(pb::GetCheckpointRequest::by_sequence_number(0))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(genesis.checkpoint().digest(), info.chain_id(), "the identifier is the first checkpoint's digest");
}

#[tokio::test]
async fn two_chains_have_different_identifiers_and_one_keeps_its_own() {
    let (first, second) = (Scene::new().await, Scene::new().await);
    assert_ne!(first.devnet.chain_id(), second.devnet.chain_id());
    let (id, dir) = (first.devnet.chain_id(), first.dir);
    first.devnet.stop().await;
    let again = daas_devnet::Devnet::start(daas_devnet::Config::new(dir.path())).await.unwrap();
    assert_eq!(again.chain_id(), id);
    again.stop().await;
}

#[tokio::test]
async fn the_builder_resolves_gas_and_coins_and_the_transfer_lands_in_a_checkpoint() {
    let scene = Scene::new().await;
    let alice = scene.person(&[2 * SUI, 3 * SUI]).await;
    let bob = Person::new();
    let mut client = scene.client.clone();
    let mut builder = TransactionBuilder::new();
    let coin = builder.coin(StructTag::sui(), SUI);
    let to = builder.pure(&bob.address);
    builder.transfer_objects(vec![coin], to);
    builder.set_sender(alice.address);
    let transaction = builder.build(&mut client).await.unwrap();
    assert!(!transaction.gas_payment.objects.is_empty());

    let request = pb::ExecuteTransactionRequest::new(transaction.clone().into())
        .with_signatures(vec![alice.sign(&transaction).into()])
        .with_read_mask(FieldMask::from_str("*"));
    let response =
        client.execute_transaction_and_wait_for_checkpoint(request, Duration::from_secs(5)).await.unwrap().into_inner();
    let executed = response.transaction();
    assert!(executed.effects().status().success());
    assert!(executed.checkpoint_opt().is_some());
    assert_eq!(scene.balance(bob.address).await, SUI);
    let gas = executed.effects().gas_used();
    let paid = gas.computation_cost() + gas.storage_cost() - gas.storage_rebate();
    assert_eq!(scene.balance(alice.address).await, 4 * SUI - paid);

    let found = client
        .ledger_client()
        .get_transaction(pb::GetTransactionRequest::new(&transaction.digest()).with_read_mask(FieldMask::from_str("*")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(found.transaction().checkpoint_opt(), executed.checkpoint_opt());
    assert_eq!(Transaction::try_from(found.transaction().transaction()).unwrap(), transaction);
    assert_eq!(found.transaction().balance_changes.len(), 2);
    let coin_types: Vec<_> =
        found.transaction().effects().changed_objects().iter().map(pb::ChangedObject::object_type).collect();
    assert!(
        coin_types.iter().all(|name| name
            .ends_with("coin::Coin<0x0000000000000000000000000000000000000000000000000000000000000002::sui::SUI>")),
        "{coin_types:?}"
    );
}

#[tokio::test]
async fn a_simulation_estimates_and_changes_nothing() {
    let scene = Scene::new().await;
    let alice = scene.person(&[SUI]).await;
    let gas = scene.coins(alice.address).await.remove(0);
    let transaction = transfer(alice.address, &gas, Address::TWO, 5);
    let request = pb::SimulateTransactionRequest::new(transaction.clone().into());
    let simulated = scene.client.clone().execution_client().simulate_transaction(request).await.unwrap().into_inner();
    assert!(simulated.transaction().effects().status().success());
    assert_eq!(scene.balance(alice.address).await, SUI);
    let executed = scene.succeed(&alice, &transaction).await;
    assert_eq!(simulated.transaction().effects().gas_used(), executed.effects().gas_used());
}

#[tokio::test]
async fn a_read_mask_gives_exactly_the_fields_it_names() {
    let scene = Scene::new().await;
    let alice = scene.person(&[SUI]).await;
    let gas = scene.coins(alice.address).await.remove(0);
    let mut ledger = scene.client.clone().ledger_client();

    let request = pb::GetObjectRequest::new(gas.object_id());
    let default = ledger.get_object(request.clone()).await.unwrap().into_inner().object.unwrap();
    let mut expected = pb::Object::default();
    expected.object_id = Some(gas.object_id().to_string());
    expected.version = Some(gas.version());
    expected.digest = Some(gas.digest().to_string());
    assert_eq!(default, expected);

    let balance = request.clone().with_read_mask(FieldMask::from_str("balance"));
    let balance = ledger.get_object(balance).await.unwrap().into_inner().object.unwrap();
    let mut expected = pb::Object::default();
    expected.balance = Some(SUI);
    assert_eq!(balance, expected);

    let whole = request.clone().with_read_mask(FieldMask::from_str("bcs"));
    let whole = ledger.get_object(whole).await.unwrap().into_inner().object.unwrap();
    let object: sui_sdk_types::Object = whole.bcs().deserialize().unwrap();
    assert_eq!((object.object_id(), object.digest()), (*gas.object_id(), *gas.digest()));

    let unknown = request.with_read_mask(FieldMask::from_str("colour"));
    assert_eq!(ledger.get_object(unknown).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn past_versions_stay_readable_and_missing_ones_are_not_found() {
    let scene = Scene::new().await;
    let alice = scene.person(&[SUI]).await;
    let gas = scene.coins(alice.address).await.remove(0);
    let transaction = transfer(alice.address, &gas, Address::TWO, 5);
    let now = gas_after(&scene.succeed(&alice, &transaction).await);
    let mut ledger = scene.client.clone().ledger_client();
    for version in [gas.version(), now.version()] {
        let request = pb::GetObjectRequest::new(gas.object_id()).with_version(version);
        assert_eq!(ledger.get_object(request).await.unwrap().into_inner().object().version(), version);
    }
    let future = pb::GetObjectRequest::new(gas.object_id()).with_version(now.version() + 1);
    assert_eq!(ledger.get_object(future).await.unwrap_err().code(), Code::NotFound);

    let request = pb::BatchGetObjectsRequest::default()
        .with_requests(vec![pb::GetObjectRequest::new(gas.object_id()), pb::GetObjectRequest::new(&Address::TWO)]);
    let results = ledger.batch_get_objects(request).await.unwrap().into_inner().objects;
    assert_eq!(results[0].clone().to_result().unwrap().version(), now.version());
    let missing = results[1].clone().to_result().unwrap_err();
    assert_eq!(missing.code, i32::from(Code::NotFound));
    assert!(missing.message.contains("built in"), "{}", missing.message);

    let many =
        pb::BatchGetObjectsRequest::default().with_requests(vec![pb::GetObjectRequest::new(gas.object_id()); 1001]);
    assert_eq!(ledger.batch_get_objects(many).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn pages_hold_every_coin_once_and_a_token_serves_only_its_own_question() {
    let scene = Scene::new().await;
    let amounts: Vec<u64> = (1..=25).collect();
    let alice = scene.person(&amounts).await;
    let request = pb::ListOwnedObjectsRequest::default()
        .with_owner(alice.address.to_string())
        .with_page_size(7u32)
        .with_read_mask(FieldMask::from_str("balance"));
    let pages = scene.client.list_owned_objects(request.clone());
    let coins: Vec<pb::Object> = pages.try_collect().await.unwrap();
    let balances: Vec<u64> = coins.iter().map(pb::Object::balance).collect();
    assert_eq!(balances, (1..=25).rev().collect::<Vec<_>>(), "largest first");

    let mut state = scene.client.clone().state_client();
    let token = state.list_owned_objects(request.clone()).await.unwrap().into_inner().next_page_token.unwrap();
    let other = request.clone().with_owner(Address::TWO.to_string()).with_page_token(token);
    assert_eq!(state.list_owned_objects(other).await.unwrap_err().code(), Code::InvalidArgument);
    let junk = request.with_page_token(vec![1, 2, 3]);
    assert_eq!(state.list_owned_objects(junk).await.unwrap_err().code(), Code::InvalidArgument);

    let balances = pb::ListBalancesRequest::default().with_owner(alice.address.to_string());
    let balances: Vec<pb::Balance> = scene.client.list_balances(balances).try_collect().await.unwrap();
    assert_eq!(balances.len(), 1);
    assert_eq!(balances[0].balance(), 25 * 26 / 2);
}

#[tokio::test]
async fn the_epoch_names_the_committee_and_the_gas_price() {
    let scene = Scene::new().await;
    assert_eq!(scene.client.clone().get_reference_gas_price().await.unwrap(), 1000);
    let request = pb::GetEpochRequest::new(0).with_read_mask(FieldMask::from_str("*"));
    let epoch = scene.client.clone().ledger_client().get_epoch(request).await.unwrap().into_inner().epoch.unwrap();
    let committee = sui_sdk_types::ValidatorCommittee::try_from(epoch.committee()).unwrap();
    assert_eq!(&committee, scene.devnet.ledger().committee());
    let next = scene.client.clone().ledger_client().get_epoch(pb::GetEpochRequest::new(1)).await;
    assert_eq!(next.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn what_is_not_served_answers_unimplemented_and_says_so() {
    let scene = Scene::new().await;
    let mut client = scene.client.clone();
    let refusals = [
        client.ledger_client().list_checkpoints(pb::ListCheckpointsRequest::default()).await.err().unwrap(),
        client.ledger_client().list_transactions(pb::ListTransactionsRequest::default()).await.err().unwrap(),
        client.ledger_client().list_events(pb::ListEventsRequest::default()).await.err().unwrap(),
        client
            .subscription_client()
            .subscribe_transactions(pb::SubscribeTransactionsRequest::default())
            .await
            .err()
            .unwrap(),
        client.subscription_client().subscribe_events(pb::SubscribeEventsRequest::default()).await.err().unwrap(),
        client.package_client().get_function(pb::GetFunctionRequest::default()).await.err().unwrap(),
        client.package_client().get_datatype(pb::GetDatatypeRequest::default()).await.err().unwrap(),
        client.package_client().list_package_versions(pb::ListPackageVersionsRequest::default()).await.err().unwrap(),
    ];
    for refusal in refusals {
        assert_eq!(refusal.code(), Code::Unimplemented);
        assert!(refusal.message().contains("does not serve"), "{}", refusal.message());
    }
    let channel = tonic::transport::Channel::from_shared(scene.devnet.url()).unwrap().connect().await.unwrap();
    let names = pb::name_service_client::NameServiceClient::new(channel)
        .lookup_name(pb::LookupNameRequest::default())
        .await
        .unwrap_err();
    assert_eq!(names.code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_signature_is_verified_for_whoever_asks() {
    let scene = Scene::new().await;
    let alice = Person::new();
    let signature = sui_crypto::SuiSigner::sign_personal_message(
        &alice.key,
        &sui_sdk_types::PersonalMessage(b"hello".as_slice().into()),
    )
    .unwrap();
    let mut message = pb::Bcs::serialize(&b"hello".to_vec()).unwrap();
    message.name = Some("PersonalMessage".to_owned());
    let request = pb::VerifySignatureRequest::default()
        .with_message(message)
        .with_signature(signature)
        .with_address(alice.address.to_string());
    let mut service = scene.client.clone().signature_verification_client();
    assert!(service.verify_signature(request.clone()).await.unwrap().into_inner().is_valid());
    let other = request.with_address(Address::TWO.to_string());
    assert!(!service.verify_signature(other).await.unwrap().into_inner().is_valid());
}

/// A refusal that quoted all of the request in its header would end the connection without a word.
#[tokio::test]
async fn nonsense_of_any_length_is_refused_with_a_reason() {
    let scene = Scene::new().await;
    let mut state = scene.client.clone().state_client();
    let nested = format!("0x2::coin::Coin<{}u8{}>", "vector<".repeat(100_000), ">".repeat(100_000));
    let balance = pb::GetBalanceRequest::default().with_owner(Address::TWO.to_string()).with_coin_type(nested);
    let refusal = state.get_balance(balance).await.unwrap_err();
    assert_eq!(refusal.code(), Code::InvalidArgument);
    assert!(refusal.message().starts_with("coin_type: "), "{}", refusal.message());
    let path = vec!["contents"; 100_000].join(".");
    let mut object = pb::GetObjectRequest::new(&Address::TWO);
    object.read_mask = Some(FieldMask::from_paths([path]));
    let refusal = scene.client.clone().ledger_client().get_object(object).await.unwrap_err();
    assert_eq!(refusal.code(), Code::InvalidArgument);
    assert!(refusal.message().starts_with("read_mask: "), "{}", refusal.message());
}
