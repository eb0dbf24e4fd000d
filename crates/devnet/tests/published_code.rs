//! Code that a client publishes runs, and what it leaves behind can be read: events, dynamic fields, packages.

#![allow(clippy::unwrap_used)]

mod scene;

use futures::TryStreamExt as _;
use scene::{Person, SUI, Scene, eventually};
use sui_rpc::{
    field::{FieldMask, FieldMaskUtil},
    proto::sui::rpc::v2::{self as pb, dynamic_field::DynamicFieldKind},
};
use sui_sdk_types::{Address, Identifier};
use sui_transaction_builder::{Argument, Function, ObjectInput, TransactionBuilder};
use tonic::Code;

/// Somebody who has published the package `rules` (`fixtures/execution/rules`).
struct Publisher {
    scene: Scene,
    person: Person,
    package: Address,
}

fn rules() -> Vec<Vec<u8>> {
    let folder = format!("{}/tests/fixtures/execution/bytecode/rules", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

impl Publisher {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let person = scene.person(&[100 * SUI]).await;
        let mut publisher = Self { scene, person, package: Address::ZERO };
        let executed = publisher
            .run(|builder| {
                let framework = [Address::from_static("0x1"), Address::TWO];
                let cap = builder.publish(rules(), framework.to_vec());
                let owner = builder.pure(&publisher.person.address);
                builder.transfer_objects(vec![cap], owner);
            })
            .await;
        publisher.package = created(&executed, "package");
        publisher
    }

    /// Builds with the node's help, signs, executes; the transaction must succeed.
    async fn run(&self, build: impl FnOnce(&mut TransactionBuilder)) -> pb::ExecutedTransaction {
        let mut builder = TransactionBuilder::new();
        build(&mut builder);
        builder.set_sender(self.person.address);
        let transaction = builder.build(&mut self.scene.client.clone()).await.unwrap();
        self.scene.succeed(&self.person, &transaction).await
    }

    fn function(&self, module: &str, name: &str) -> Function {
        Function::new(self.package, Identifier::new(module).unwrap(), Identifier::new(name).unwrap())
    }

    /// A call whose first argument is the shared object `id`.
    async fn call_on(
        &self,
        id: Address,
        name: &str,
        arguments: impl FnOnce(&mut TransactionBuilder) -> Vec<Argument>,
    ) -> pb::ExecutedTransaction {
        self.run(|builder| {
            let mut all = vec![builder.object(ObjectInput::new(id))];
            all.extend(arguments(builder));
            builder.move_call(self.function("fields", name), all);
        })
        .await
    }
}

/// Id of the object that the transaction created with this type.
fn created(executed: &pb::ExecutedTransaction, type_: &str) -> Address {
    let changes = executed.effects().changed_objects().iter();
    let mut matching = changes.filter(|change| {
        change.id_operation() == pb::changed_object::IdOperation::Created && change.object_type().ends_with(type_)
    });
    matching.next().unwrap_or_else(|| panic!("a created {type_}")).object_id().parse().unwrap()
}

#[tokio::test]
async fn a_published_package_can_be_read_back() {
    let publisher = Publisher::new().await;
    let request = pb::GetPackageRequest::default().with_package_id(publisher.package.to_string());
    let package = publisher.scene.client.clone().package_client().get_package(request).await.unwrap().into_inner();
    let object = pb::GetObjectRequest::new(&publisher.package).with_read_mask(FieldMask::from_str("bcs,digest"));
    let object = publisher.scene.client.clone().ledger_client().get_object(object).await.unwrap().into_inner();
    let stored: sui_sdk_types::Object = object.object().bcs().deserialize().unwrap();
    assert_eq!(stored.digest().to_string(), object.object().digest());
    let sui_sdk_types::ObjectData::Package(stored) = stored.data() else { panic!("a package") };
    assert_eq!(stored.modules.len(), rules().len());
    let served: Vec<_> =
        package.package().modules().iter().map(|module| (module.name(), module.contents().to_vec())).collect();
    let stored: Vec<_> = stored.modules.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    assert_eq!(served, stored);
    assert_eq!(package.package().original_id(), publisher.package.to_string());
    let unknown = pb::GetPackageRequest::default().with_package_id("0x77");
    let unknown = publisher.scene.client.clone().package_client().get_package(unknown).await;
    assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn events_carry_their_place_in_the_chain() {
    let publisher = Publisher::new().await;
    let executed = publisher
        .run(|builder| {
            let arguments = vec![builder.pure(&7u64), builder.pure(&"hello")];
            builder.move_call(publisher.function("calls", "say"), arguments);
        })
        .await;
    assert_eq!(executed.events().events().len(), 1);
    let digest = executed.digest().parse().unwrap();
    let mut ledger = publisher.scene.client.clone().ledger_client();
    let request = pb::GetTransactionRequest::new(&digest).with_read_mask(FieldMask::from_str("events,checkpoint"));
    eventually("its checkpoint", async || {
        let found = ledger.get_transaction(request.clone()).await.unwrap().into_inner();
        found.transaction().checkpoint_opt().is_some()
    })
    .await;
    let found = ledger.get_transaction(request).await.unwrap().into_inner();
    let event = &found.transaction().events().events()[0];
    assert!(event.event_type().ends_with("::calls::Happened"), "{}", event.event_type());
    assert_eq!(event.checkpoint_opt(), found.transaction().checkpoint_opt());
    assert_eq!((event.transaction_digest(), event.event_index()), (executed.digest(), 0));
    let mut contents = 7u64.to_le_bytes().to_vec();
    contents.extend(publisher.person.address.as_bytes());
    contents.extend(bcs::to_bytes("hello").unwrap());
    assert_eq!(event.contents().value(), contents);
}

#[tokio::test]
async fn dynamic_fields_are_listed_with_their_names_and_values() {
    let publisher = Publisher::new().await;
    let opened = publisher
        .run(|builder| {
            builder.move_call(publisher.function("fields", "open"), vec![]);
        })
        .await;
    let book = created(&opened, "::fields::Book");
    for name in 0..5u8 {
        publisher
            .call_on(book, "note", |builder| vec![builder.pure(&name), builder.pure(&(u64::from(name) * 10))])
            .await;
    }
    publisher
        .run(|builder| {
            let value = builder.pure(&99u64);
            let item = builder.move_call(publisher.function("items", "new"), vec![value]);
            let arguments = vec![builder.object(ObjectInput::new(book)), builder.pure(&200u8), item];
            builder.move_call(publisher.function("fields", "hang"), arguments);
        })
        .await;

    let request = pb::ListDynamicFieldsRequest::default()
        .with_parent(book.to_string())
        .with_page_size(2u32)
        .with_read_mask(FieldMask::from_str("*"));
    let fields: Vec<pb::DynamicField> =
        publisher.scene.client.list_dynamic_fields(request).try_collect().await.unwrap();
    assert_eq!(fields.len(), 6, "each once, over three pages");
    let mut notes: Vec<(u8, u64)> = fields
        .iter()
        .filter(|field| field.kind() == DynamicFieldKind::Field)
        .map(|field| (field.name().deserialize().unwrap(), field.value().deserialize().unwrap()))
        .collect();
    notes.sort_unstable();
    assert_eq!(notes, (0..5).map(|name| (name, u64::from(name) * 10)).collect::<Vec<_>>());

    let hung: Vec<_> = fields.iter().filter(|field| field.kind() == DynamicFieldKind::Object).collect();
    assert_eq!(hung.len(), 1);
    assert_eq!(hung[0].name().deserialize::<u8>().unwrap(), 200);
    assert!(hung[0].value_type().ends_with("::items::Item"), "{}", hung[0].value_type());
    assert_eq!(hung[0].child_object().object_id(), hung[0].child_id());
}
