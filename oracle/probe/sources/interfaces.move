// Signatures of framework functions that the other modules call. Compiled, then left out: the machine has the real ones.

module probe::object {
    public struct ID has copy, drop, store { bytes: address }
    public struct UID has store { id: ID }

    public(package) fun new_uid_from_hash(_bytes: address): UID { abort 0 }
}

module probe::address {
    public fun from_bytes(_bytes: vector<u8>): address { abort 0 }
}

module probe::dynamic_field {
    use probe::object::UID;

    public fun exists_with_type<K: copy + drop + store, V: store>(_object: &UID, _name: K): bool { abort 0 }
    public fun borrow<K: copy + drop + store, V: store>(_object: &UID, _name: K): &V { abort 0 }
}
