//! One transaction on both machines, and what differs.

use std::collections::BTreeMap;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use daas_devnet::execution::Executed;
use serde_json::json;
use sui_sdk_types::{Address, Digest, ExecutionError, MoveLocation, Object, Owner, StructTag, TypeTag};

use crate::judge::{
    Answer, Judge, JudgedLocation, Note, Request, RequestCommand, RequestField, RequestObject, RequestState,
};
use crate::transaction::{Given, Place, Step, Transaction};
use crate::world::{GAS_PRICE, World, failure};

/// What came of one transaction.
pub(crate) struct Verdict {
    /// One readable line each; none when the machines agree.
    pub(crate) differences: Vec<String>,
    /// The failure on our side, as `abort module code`, or `None` for success.
    pub(crate) failure: Option<String>,
    /// Dynamic fields whose new value the judge cannot show.
    pub(crate) unseen_fields: usize,
    /// What our side did.
    pub(crate) executed: Option<Executed>,
}

/// Executes on both sides. The world stays as it is.
pub(crate) fn compare(world: &mut World, transaction: &Transaction, judge: &mut Judge) -> io::Result<Verdict> {
    let (digest, executed) = world.execute(transaction);
    let executed = match executed {
        Ok(executed) => executed,
        Err(refused) => return Ok(Verdict::broken(format!("the chain refused the transaction: {refused}"))),
    };
    let fields = Fields::of(world, transaction, &executed);
    let request = request(world, transaction, digest, &executed, &fields);
    let mut verdict = Verdict { differences: Vec::new(), failure: None, unseen_fields: 0, executed: None };
    match (failure(&executed), judge.ask(request)?) {
        (_, Answer::Broken { broken }) => verdict.differences.push(format!("the judge has no verdict: {broken}")),
        (None, Answer::Success { notes, created }) => verdict.success(world, &executed, &fields, &notes, &created),
        (None, Answer::Failure { error, .. }) => {
            verdict.differences.push(format!("status: ours succeeded, the judge says {error}"));
        }
        (Some((error, command)), Answer::Failure { status, sub_status, location, command: judged, .. }) => {
            verdict.differ("command", &command, &judged);
            let ours = Fault::of(error, world);
            let theirs = Fault::judged(&status, sub_status, location.as_ref(), world);
            verdict.differ("failure", &ours, &theirs);
            verdict.failure = Some(ours.to_string());
        }
        (Some((error, command)), Answer::Success { .. }) => {
            let account = executed.failure.clone().unwrap_or_default();
            verdict.differences.push(format!(
                "status: ours failed at command {command:?} with {error:?} ({account}), the judge succeeded"
            ));
        }
    }
    verdict.executed = Some(executed);
    Ok(verdict)
}

impl Verdict {
    fn broken(why: String) -> Self {
        Self { differences: vec![why], failure: None, unseen_fields: 0, executed: None }
    }

    fn differ<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, ours: &T, theirs: &T) {
        if ours != theirs {
            self.differences.push(format!("{what}:\n    ours  {ours:?}\n    judge {theirs:?}"));
        }
    }

    fn success(&mut self, world: &World, executed: &Executed, fields: &Fields, notes: &[Note], created: &[String]) {
        let (ours, theirs) = (our_events(executed), judged_events(notes));
        self.differ("number of events", &ours.len(), &theirs.len());
        for (index, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            self.differ(&format!("event {index}"), ours, theirs);
        }

        let (ours, theirs) = (our_moves(world, executed), judged_moves(notes));
        for id in ours.keys().chain(theirs.keys().filter(|id| !ours.contains_key(*id))) {
            self.differ(&format!("object {id}"), &ours.get(id), &theirs.get(id));
        }

        for note in notes.iter().filter(|note| note.kind == "state") {
            let id: Address = parse(&note.address);
            let ours = executed.written.iter().find(|object| object.object_id() == id);
            let ours = ours.cloned().unwrap_or_else(|| (*world.expect(&id)).clone());
            self.differ(&format!("state of {id}"), &shown(contents(&ours)), &shown(&decode(&note.bytes)));
        }

        self.fields(fields, notes);

        // The machine's list lacks some objects that are sent away at once, and has values that did not last; objects are
        // compared above. Of new fields it tells the ids.
        let told = |id: &&Address| !created.iter().any(|told| parse::<Address>(told) == **id);
        let untold: Vec<_> = fields.after.keys().filter(|id| is_new(world, id)).filter(told).collect();
        self.differ("ids of new fields that the judge does not know", &untold, &Vec::new());
    }

    fn fields(&mut self, fields: &Fields, notes: &[Note]) {
        let judged: BTreeMap<Address, Vec<u8>> = notes
            .iter()
            .filter(|note| note.kind == "field")
            .map(|note| (parse(&note.address), decode(&note.bytes)))
            .collect();
        for (id, field) in &fields.watched() {
            let before = fields.before.get(id).map(|field| &field.value);
            let ours = fields.after.get(id).map(|field| &field.value);
            if before.is_some() && ours.is_some() && before != ours {
                // Written through `borrow_mut`: the machine forgets such writes between commands.
                self.unseen_fields += 1;
                continue;
            }
            let theirs = judged.get(id);
            self.differ(&format!("field {}", field.name_type), &ours.map(|v| shown(v)), &theirs.map(|v| shown(v)));
        }
    }
}

/// Where and why a transaction failed, as far as both machines can say.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    kind: &'static str,
    code: Option<u64>,
    module: String,
    /// Index and instruction; only of the package's own functions, those of the framework have no bytecode with us.
    position: Option<(u16, u16)>,
    function: Option<String>,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self.code.map(|code| format!(" {code}")).unwrap_or_default();
        write!(f, "{} {}{code}", self.kind, self.module)
    }
}

impl Fault {
    fn of(error: &ExecutionError, world: &World) -> Self {
        match error {
            ExecutionError::MoveAbort { location, code } => Self::at("abort", Some(*code), location, world),
            ExecutionError::MovePrimitiveRuntimeError { location: Some(location) } => {
                Self::at("primitive", None, location, world)
            }
            error => Self { kind: "other", code: None, module: format!("{error:?}"), position: None, function: None },
        }
    }

    fn at(kind: &'static str, code: Option<u64>, location: &MoveLocation, world: &World) -> Self {
        let own = location.package == world.package;
        Self {
            kind,
            code,
            module: location.module.to_string(),
            position: own.then_some((location.function, location.instruction)),
            function: location.function_name.as_ref().map(ToString::to_string),
        }
    }

    fn judged(status: &str, sub_status: Option<u64>, location: Option<&JudgedLocation>, world: &World) -> Self {
        let kind = match status {
            "ABORTED" => "abort",
            "ARITHMETIC_ERROR" | "VECTOR_OPERATION_ERROR" => "primitive",
            _ => "other",
        };
        let Some(location) = location.filter(|_| kind != "other") else {
            return Self { kind, code: sub_status, module: status.to_owned(), position: None, function: None };
        };
        let own = parse::<Address>(&location.address) == world.package;
        Self {
            kind,
            code: sub_status.filter(|_| kind == "abort"),
            module: location.module.clone(),
            position: own.then_some((location.function, location.instruction)),
            function: location.function_name.clone(),
        }
    }
}

/// A dynamic field.
#[derive(Clone)]
struct Field {
    parent: Address,
    name_type: TypeTag,
    value_type: TypeTag,
    name: Vec<u8>,
    value: Vec<u8>,
}

/// Dynamic fields of the transaction's objects, before and after our execution.
struct Fields {
    before: BTreeMap<Address, Field>,
    after: BTreeMap<Address, Field>,
}

impl Fields {
    fn of(world: &World, transaction: &Transaction, executed: &Executed) -> Self {
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

    fn watched(&self) -> BTreeMap<Address, Field> {
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

fn request(world: &World, transaction: &Transaction, digest: Digest, executed: &Executed, fields: &Fields) -> Request {
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

/// An object in the place where the transaction put it.
#[derive(Debug, PartialEq, Eq)]
struct Moved {
    type_: StructTag,
    to: String,
    contents: String,
}

fn our_events(executed: &Executed) -> Vec<(StructTag, String)> {
    let events = executed.events.iter().flat_map(|events| &events.0);
    events.map(|event| (event.type_.clone(), shown(&event.contents))).collect()
}

fn judged_events(notes: &[Note]) -> Vec<(StructTag, String)> {
    let events = notes.iter().filter(|note| note.kind == "event");
    events.map(|note| (judged_type(&note.type_), shown(&decode(&note.bytes)))).collect()
}

fn our_moves(world: &World, executed: &Executed) -> BTreeMap<Address, Moved> {
    executed
        .written
        .iter()
        .filter(|object| {
            is_new(world, &object.object_id()) || world.expect(&object.object_id()).owner() != object.owner()
        })
        .filter_map(|object| {
            let to = match object.owner() {
                Owner::Address(address) => format!("address {address}"),
                Owner::Shared(_) => "shared".to_owned(),
                Owner::Immutable => "immutable".to_owned(),
                _ => return None,
            };
            let data = object.as_struct()?;
            let moved = Moved { type_: data.object_type().clone(), to, contents: shown(data.contents()) };
            Some((object.object_id(), moved))
        })
        .collect()
}

fn judged_moves(notes: &[Note]) -> BTreeMap<Address, Moved> {
    notes
        .iter()
        .filter_map(|note| {
            let to = match note.kind.as_str() {
                "transfer" => format!("address {}", parse::<Address>(&note.address)),
                "share" => "shared".to_owned(),
                "freeze" => "immutable".to_owned(),
                _ => return None,
            };
            let contents = decode(&note.bytes);
            let id = Address::from_bytes(contents.get(..Address::LENGTH)?).ok()?;
            Some((id, Moved { type_: judged_type(&note.type_), to, contents: shown(&contents) }))
        })
        .collect()
}

fn is_new(world: &World, id: &Address) -> bool {
    use daas_devnet::execution::ObjectReader;
    world.object(id).is_none()
}

/// `std::type_name` writes addresses with all digits and without `0x`.
fn judged_type(name: &str) -> StructTag {
    let mut text = String::with_capacity(name.len() + 16);
    let mut rest = name;
    while let Some(at) = rest.find("::") {
        let head = &rest[..at];
        let start = head.rfind(|c: char| !c.is_ascii_hexdigit()).map_or(0, |i| i + 1);
        text.push_str(&head[..start]);
        if head.len() - start == 2 * Address::LENGTH {
            text.push_str("0x");
        }
        text.push_str(&head[start..]);
        text.push_str("::");
        rest = &rest[at + 2..];
    }
    text.push_str(rest);
    parse(&text)
}

fn contents(object: &Object) -> &[u8] {
    object.as_struct().map_or(&[], |data| data.contents())
}

fn shown(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

fn decode(bytes: &str) -> Vec<u8> {
    STANDARD.decode(bytes).expect("the judge writes base64")
}

fn parse<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap_or_else(|error| panic!("the judge wrote {text:?}: {error:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_of_the_machine_are_read() {
        let two = format!("{:064x}", 2);
        let name = format!("{two}::coin::Coin<{two}::sui::SUI>");
        assert_eq!(judged_type(&name).to_string(), StructTag::gas_coin().to_string());
    }
}
