//! A transaction and the state before it, for the judge.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use daas_devnet::execution::Executed;
use serde_json::json;
use sui_sdk_types::{Address, Digest, Owner};

use crate::fields::{Field, Fields};
use crate::judge::{Request, RequestCommand, RequestField, RequestObject, RequestState};
use crate::transaction::{Given, Place, Step, Transaction};
use crate::world::{GAS_PRICE, World};

/// The transaction with its state, as the judge takes it.
pub(crate) fn request(
    world: &World,
    transaction: &Transaction,
    digest: Digest,
    executed: &Executed,
    fields: &Fields,
) -> Request {
    let objects = transaction
        .objects()
        .map(|(_, id, mutable)| {
            let object = world.expect(&id);
            let data = object.as_struct().expect("inputs are not packages");
            RequestObject {
                id: id.to_string(),
                version: object.version(),
                type_: data.object_type().to_string(),
                bytes: STANDARD.encode(data.contents()),
                shared: matches!(object.owner(), Owner::Shared(_)),
                // Owned objects are passed as what they are; only shared ones can be asked for reading.
                mutable: mutable || !matches!(object.owner(), Owner::Shared(_)),
            }
        })
        .collect();
    let inputs = transaction
        .inputs
        .iter()
        .map(|given| match given {
            Given::Pure(bytes) => json!({ "pure": STANDARD.encode(bytes) }),
            Given::Object { id, .. } => json!({ "object": id.to_string() }),
        })
        .collect();
    let gone = |id: &Address| {
        executed.deleted.contains(id)
            || executed.wrapped.contains(id)
            || executed.written.iter().any(|o| o.object_id() == *id && o.owner() != world.expect(id).owner())
            || transaction.steps.iter().any(|step| match step {
                Step::Transfer { object: Place::Input(index), .. } => {
                    transaction.objects().any(|(i, o, _)| i == *index && o == *id)
                }
                _ => false,
            })
    };
    let states = transaction
        .objects()
        .filter(|(_, id, mutable)| *mutable && !gone(id))
        .map(|(index, id, _)| RequestState {
            id: id.to_string(),
            type_: world.expect(&id).as_struct().map(|data| data.object_type().to_string()).unwrap_or_default(),
            argument: argument(Place::Input(index)),
        })
        .collect();
    Request {
        digest: digest.to_string(),
        sender: transaction.sender.to_string(),
        epoch: 0,
        gas_price: GAS_PRICE,
        packages: BTreeMap::new(),
        genuine: transaction.genuine,
        objects,
        fields: fields.before.iter().map(|(id, field)| request_field(id, field)).collect(),
        inputs,
        commands: transaction.steps.iter().map(|step| request_command(step, world)).collect(),
        states,
        watch: fields.watched().iter().map(|(id, field)| request_field(id, field)).collect(),
    }
}

fn request_field(id: &Address, field: &Field) -> RequestField {
    RequestField {
        id: id.to_string(),
        parent: field.parent.to_string(),
        name_type: field.name_type.to_string(),
        value_type: field.value_type.to_string(),
        name: STANDARD.encode(&field.name),
        value: STANDARD.encode(&field.value),
    }
}

/// The other commands as the framework's functions that do the same, so that the machine's bytecode executes all of it.
fn request_command(step: &Step, world: &World) -> RequestCommand {
    let coin = || vec!["0x2::sui::SUI".to_owned()];
    let (package, module, function, types, arguments) = match step {
        Step::Call { module, function, arguments } => {
            (world.package, *module, *function, Vec::new(), arguments.clone())
        }
        Step::Transfer { object, type_, to } => {
            (Address::TWO, "transfer", "public_transfer", vec![type_.to_string()], vec![*object, *to])
        }
        Step::Split { coin: from, amount } => (Address::TWO, "coin", "split", coin(), vec![*from, *amount]),
        Step::Merge { into, from } => (Address::TWO, "coin", "join", coin(), vec![*into, *from]),
    };
    RequestCommand {
        package: package.to_string(),
        module: module.to_owned(),
        function: function.to_owned(),
        types,
        arguments: arguments.into_iter().map(argument).collect(),
    }
}

fn argument(place: Place) -> serde_json::Value {
    match place {
        Place::Input(index) => json!({ "input": index }),
        Place::Result(command, value) => json!({ "result": [command, value] }),
    }
}
