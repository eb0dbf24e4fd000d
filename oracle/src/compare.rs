//! One transaction on both machines, and what differs.

use std::collections::BTreeMap;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use daas_devnet::execution::{Executed, ObjectReader};
use sui_sdk_types::{Address, Object, Owner, StructTag};

use crate::fault::Fault;
use crate::fields::Fields;
use crate::judge::{Answer, Judge, Note};
use crate::request::request;
use crate::transaction::Transaction;
use crate::world::{World, failure};

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
            verdict.failure = Some(ours.to_string());
            let theirs = Fault::judged(&status, sub_status, location.as_ref(), world);
            verdict.differ("failure", &ours.known_to(&theirs), &theirs);
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
