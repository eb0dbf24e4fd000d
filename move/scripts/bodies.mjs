// What the unit tests need of the framework beyond its interfaces: bodies for the functions that the package calls, natives of the virtual
// machine (declared here, implemented by the test runner), and the framework's own test-only functions. The compiled package is the same
// with or without them.

/// Public functions that are natives themselves.
export const NATIVES = new Set([
  "std::vector::empty", "std::vector::length", "std::vector::borrow", "std::vector::borrow_mut",
  "std::vector::push_back", "std::vector::pop_back", "std::vector::destroy_empty", "std::vector::swap",
  "std::hash::sha2_256", "std::bcs::to_bytes", "sui::ed25519::ed25519_verify", "sui::event::emit",
]);

/// Bodies, with the parameters called a0, a1, … as generated.
export const BODIES = {
  "std::vector::append": "reverse(&mut a1); while (!is_empty(&a1)) push_back(a0, pop_back(&mut a1)); destroy_empty(a1)",
  "std::vector::contains": "let (found, _) = index_of(a0, a1); found",
  "std::vector::index_of": "let mut i = 0; while (i < length(a0)) { if (borrow(a0, i) == a1) return (true, i); i = i + 1 }; (false, 0)",
  "std::vector::is_empty": "length(a0) == 0",
  "std::vector::reverse": "let n = length(a0); let mut i = 0; while (i < n / 2) { swap(a0, i, n - 1 - i); i = i + 1 }",
  "std::vector::swap_remove": "let last = length(a0) - 1; swap(a0, a1, last); pop_back(a0)",
  "std::option::none": "Option { vec: vector[] }",
  "std::option::some": "Option { vec: vector[a0] }",
  "std::option::is_none": "std::vector::is_empty(&a0.vec)",
  "std::option::is_some": "!std::vector::is_empty(&a0.vec)",
  "std::option::borrow": "&a0.vec[0]",
  "std::option::borrow_mut": "&mut a0.vec[0]",
  "std::string::utf8": "assert!(internal_check_utf8(&a0), 1); String { bytes: a0 }",
  "std::string::as_bytes": "&a0.bytes",
  "sui::balance::value": "a0.value",
  "sui::balance::zero": "Balance { value: 0 }",
  "sui::balance::join": "let Balance { value } = a1; a0.value = a0.value + value; a0.value",
  "sui::balance::split": "assert!(a0.value >= a1, 2); a0.value = a0.value - a1; Balance { value: a1 }",
  "sui::coin::value": "sui::balance::value(&a0.balance)",
  "sui::coin::into_balance": "let Coin { id, balance } = a0; sui::object::delete(id); balance",
  "sui::coin::from_balance": "Coin { id: sui::object::new(a1), balance: a0 }",
  "sui::clock::timestamp_ms": "a0.timestamp_ms",
  "sui::tx_context::sender": "native_sender()",
  "sui::tx_context::fresh_object_address": "fresh_id()",
  "sui::object::new": "UID { id: ID { bytes: sui::tx_context::fresh_object_address(a0) } }",
  "sui::object::delete": "let UID { id: ID { bytes } } = a0; delete_impl(bytes)",
  "sui::object::id_from_address": "ID { bytes: a0 }",
  "sui::object::uid_to_address": "a0.id.bytes",
  "sui::object::uid_to_inner": "a0.id",
  "sui::transfer::share_object": "share_object_impl(a0)",
  "sui::transfer::public_transfer": "transfer_impl(a0, a1)",
  "sui::dynamic_field::add":
    "let parent = sui::object::uid_to_address(a0); let id = sui::object::new_uid_from_hash(hash_type_and_key(parent, a1)); add_child_object(parent, Field { id, name: a1, value: a2 })",
  "sui::dynamic_field::exists_": "let parent = sui::object::uid_to_address(a0); has_child_object(parent, hash_type_and_key(parent, a1))",
  "sui::dynamic_field::borrow":
    "let id = hash_type_and_key(sui::object::uid_to_address(a0), a1); let field = borrow_child_object<Field<T0, T1>>(a0, id); &field.value",
  "sui::dynamic_field::borrow_mut":
    "let id = hash_type_and_key(sui::object::uid_to_address(a0), a1); let field = borrow_child_object_mut<Field<T0, T1>>(a0, id); &mut field.value",
  "sui::dynamic_field::remove":
    "let parent = sui::object::uid_to_address(a0); let id = hash_type_and_key(parent, a1); let Field { id, name: _, value } = remove_child_object<Field<T0, T1>>(parent, id); sui::object::delete(id); value",
  "sui::package::upgrade_package": "a0.package",
  "sui::package::upgrade_policy": "a0.policy",
  "sui::package::version": "a0.version",
  "sui::package::make_immutable": "let UpgradeCap { id, package: _, version: _, policy: _ } = a0; sui::object::delete(id)",
  "sui::package::authorize_upgrade":
    "let package = a0.package; a0.package = sui::object::id_from_address(@0x0); UpgradeTicket { cap: sui::object::uid_to_inner(&a0.id), package, policy: a1, digest: a2 }",
  "sui::package::commit_upgrade": "let UpgradeReceipt { cap: _, package } = a1; a0.package = package; a0.version = a0.version + 1",
};

/// Functions whose last parameters a body changes.
export const MUTABLE_PARAMETERS = new Set(["std::vector::append a1"]);

/// Lines added to a module: what is private or test-only there, which ABIs do not list.
export const ADDITIONS = {
  "std::string": ["native fun internal_check_utf8(bytes: &vector<u8>): bool;"],
  "sui::event": [
    "#[test_only] public native fun num_events(): u32;",
    "#[test_only] public native fun events_by_type<T: copy + drop>(): vector<T>;",
  ],
  "sui::tx_context": [
    "native fun native_sender(): address;",
    "native fun fresh_id(): address;",
    "#[test_only] native fun replace(sender: address, tx_hash: vector<u8>, epoch: u64, epoch_timestamp_ms: u64, ids_created: u64, gas_price: u64, gas_budget: u64, sponsor: vector<address>);",
    "#[test_only] public fun new_from_hint(sender: address, hint: u64, epoch: u64, epoch_timestamp_ms: u64, ids_created: u64): TxContext { let mut tx_hash = std::bcs::to_bytes(&hint); while (std::vector::length(&tx_hash) < 32) std::vector::push_back(&mut tx_hash, 0); replace(sender, tx_hash, epoch, epoch_timestamp_ms, ids_created, 1000, 1000, vector[]); TxContext { sender: @0x0, tx_hash, epoch: 0, epoch_timestamp_ms: 0, ids_created: 0 } }",
  ],
  "sui::object": [
    "native fun delete_impl(id: address);",
    "native fun record_new_uid(id: address);",
    "public(package) fun new_uid_from_hash(bytes: address): UID { record_new_uid(bytes); UID { id: ID { bytes } } }",
  ],
  "sui::transfer": [
    "native fun share_object_impl<T: key>(object: T);",
    "native fun transfer_impl<T: key>(object: T, recipient: address);",
  ],
  "sui::dynamic_field": [
    "native fun hash_type_and_key<K: copy + drop + store>(parent: address, key: K): address;",
    "native fun add_child_object<Child: key>(parent: address, child: Child);",
    "native fun has_child_object(parent: address, id: address): bool;",
    "native fun borrow_child_object<Child: key>(parent: &sui::object::UID, id: address): &Child;",
    "native fun borrow_child_object_mut<Child: key>(parent: &mut sui::object::UID, id: address): &mut Child;",
    "native fun remove_child_object<Child: key>(parent: address, id: address): Child;",
  ],
  "sui::clock": [
    "#[test_only] public fun create_for_testing(ctx: &mut sui::tx_context::TxContext): Clock { Clock { id: sui::object::new(ctx), timestamp_ms: 0 } }",
    "#[test_only] public fun set_for_testing(clock: &mut Clock, timestamp_ms: u64) { clock.timestamp_ms = timestamp_ms }",
    "#[test_only] public fun destroy_for_testing(clock: Clock) { let Clock { id, timestamp_ms: _ } = clock; sui::object::delete(id) }",
  ],
  "sui::coin": [
    "#[test_only] public fun mint_for_testing<T>(value: u64, ctx: &mut sui::tx_context::TxContext): Coin<T> { Coin { id: sui::object::new(ctx), balance: sui::balance::create_for_testing(value) } }",
    "#[test_only] public fun burn_for_testing<T>(coin: Coin<T>): u64 { sui::balance::destroy_for_testing(into_balance(coin)) }",
  ],
  "sui::balance": [
    "#[test_only] public fun create_for_testing<T>(value: u64): Balance<T> { Balance { value } }",
    "#[test_only] public fun destroy_for_testing<T>(balance: Balance<T>): u64 { let Balance { value } = balance; value }",
  ],
  "sui::package": [
    "#[test_only] public fun test_publish(package: sui::object::ID, ctx: &mut sui::tx_context::TxContext): UpgradeCap { UpgradeCap { id: sui::object::new(ctx), package, version: 1, policy: 0 } }",
    "#[test_only] public fun test_upgrade(ticket: UpgradeTicket): UpgradeReceipt { let UpgradeTicket { cap, package: _, policy: _, digest: _ } = ticket; UpgradeReceipt { cap, package: sui::object::id_from_address(@0xBEEF) } }",
  ],
};
