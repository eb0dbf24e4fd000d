//! The dynamic fields of a transaction's objects.

use std::collections::BTreeMap;

use daas_devnet::execution::Executed;
use sui_sdk_types::{Address, Object, Owner, TypeTag};

use crate::transaction::Transaction;
use crate::world::World;

/// A dynamic field.
#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) parent: Address,
    pub(crate) name_type: TypeTag,
    pub(crate) value_type: TypeTag,
    pub(crate) name: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// Dynamic fields of the transaction's objects, before and after our execution.
pub(crate) struct Fields {
    pub(crate) before: BTreeMap<Address, Field>,
    pub(crate) after: BTreeMap<Address, Field>,
}

impl Fields {
    pub(crate) fn of(world: &World, transaction: &Transaction, executed: &Executed) -> Self {
        let before: BTreeMap<_, _> = transaction
            .objects()
            .flat_map(|(_, id, _)| {
                world.children(&id).map(|child| (child.object_id(), field(child))).collect::<Vec<_>>()
            })
            .collect();
        let mut after = before.clone();
        after.retain(|id, _| !executed.deleted.contains(id));
        for object in &executed.written {
            if let Owner::Object(_) = object.owner() {
                after.insert(object.object_id(), field(object));
            }
        }
        Self { before, after }
    }

    pub(crate) fn watched(&self) -> BTreeMap<Address, Field> {
        self.before.iter().chain(&self.after).map(|(id, field)| (*id, field.clone())).collect()
    }
}

fn field(object: &Object) -> Field {
    let data = object.as_struct().expect("a child is not a package");
    let [name_type, value_type] = data.object_type().type_params() else {
        panic!("{} is not a dynamic field", data.object_type());
    };
    let Owner::Object(parent) = object.owner() else { panic!("{} is nobody's field", object.object_id()) };
    let bytes = &data.contents()[Address::LENGTH..];
    let (name, value) = bytes.split_at(name_length(name_type, bytes));
    Field {
        parent: *parent,
        name_type: name_type.clone(),
        value_type: value_type.clone(),
        name: name.to_vec(),
        value: value.to_vec(),
    }
}

/// How long the BCS of a field's name is that begins `bytes`.
fn name_length(name_type: &TypeTag, bytes: &[u8]) -> usize {
    let TypeTag::Struct(tag) = name_type else { panic!("{name_type} is no key of the package") };
    match tag.name().as_str() {
        "GrantKey" => 33,
        "MemberKey" => 32,
        // One vector or string of less than 16 384 bytes.
        "NameKey" | "EvidenceKey" | "ReleaseKey" | "InstanceKey" => match bytes {
            [low, high, ..] if low & 128 != 0 => 2 + usize::from(low & 127) + (usize::from(*high) << 7),
            [length, ..] => 1 + usize::from(*length),
            [] => 0,
        },
        name => panic!("{name} is a new kind of field name: say here how long it is"),
    }
}
