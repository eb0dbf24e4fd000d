/// Stands in for `0x2::event`: every event is emitted as before and also noted, in order, in a log that a later command
/// can read. The real module has no way to read events back.
module probe::event;

use probe::dynamic_field;
use probe::object::UID;
use std::ascii::String;
use std::bcs;
use std::type_name;

const EVENT: u8 = 0;
const STATE: u8 = 4;
const FIELD: u8 = 5;

/// One line of the log.
public struct Note has copy, drop { kind: u8, type_name: String, address: address, contents: vector<u8> }

public fun emit<T: copy + drop>(event: T) {
    note(EVENT, @0x0, &event);
    emit_authenticated_impl(event);
}

/// Notes the present state of an object.
public fun note_state<T>(id: address, object: &T) {
    note(STATE, id, object);
}

/// Notes the present value of a dynamic field, if there is one.
public fun note_field<K: copy + drop + store, V: store>(parent: &UID, id: address, name: K) {
    if (dynamic_field::exists_with_type<K, V>(parent, name)) {
        note(FIELD, id, dynamic_field::borrow<K, V>(parent, name));
    }
}

public(package) fun note<T>(kind: u8, address: address, value: &T) {
    let type_name = type_name::into_string(type_name::with_defining_ids<T>());
    emit_authenticated_impl(Note { kind, type_name, address, contents: bcs::to_bytes(value) });
}

/// BCS of all notes, one after the other.
public(package) fun log(): vector<u8> {
    events_by_type<Note>()
}

native fun emit_authenticated_impl<T: copy + drop>(event: T);
native fun events_by_type<T: copy + drop>(): vector<u8>;
