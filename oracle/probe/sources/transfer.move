/// Stands in for `0x2::transfer`: every transfer happens as before and is also noted with the object's contents, which the
/// machine does not report.
module probe::transfer;

use probe::event;
use probe::object::{ID, UID};

const TRANSFER: u8 = 1;
const SHARE: u8 = 2;
const FREEZE: u8 = 3;

public struct Receiving<phantom T: key> has drop { id: ID, version: u64 }

public fun transfer<T: key>(object: T, recipient: address) {
    event::note(TRANSFER, recipient, &object);
    transfer_impl(object, recipient)
}

public fun public_transfer<T: key + store>(object: T, recipient: address) {
    event::note(TRANSFER, recipient, &object);
    transfer_impl(object, recipient)
}

public fun share_object<T: key>(object: T) {
    event::note(SHARE, @0x0, &object);
    share_object_impl(object)
}

public fun public_share_object<T: key + store>(object: T) {
    event::note(SHARE, @0x0, &object);
    share_object_impl(object)
}

public fun freeze_object<T: key>(object: T) {
    event::note(FREEZE, @0x0, &object);
    freeze_object_impl(object)
}

public fun public_freeze_object<T: key + store>(object: T) {
    event::note(FREEZE, @0x0, &object);
    freeze_object_impl(object)
}

/// Needed by other framework modules, called by none of the cases.
public fun receive<T: key>(_parent: &mut UID, _ticket: Receiving<T>): T { abort 0 }

native fun transfer_impl<T: key>(object: T, recipient: address);
native fun share_object_impl<T: key>(object: T);
native fun freeze_object_impl<T: key>(object: T);
