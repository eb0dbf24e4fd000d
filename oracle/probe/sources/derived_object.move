/// Stands in for `0x2::derived_object`, which the package does not use and which may make objects with ids of its choice.
/// The machine reports the ids of created objects and nothing else of a transaction's results, so ids carry the log out.
module probe::derived_object;

use probe::address;
use probe::event;
use probe::object::{Self, UID};
use std::bcs;

const MAGIC: vector<u8> = b"k3slog";
const LETTERS: u64 = 24;

/// Gives the log page by page: each id is `MAGIC ‖ u16 index ‖ 24 bytes` of the BCS of the log, a vector of bytes.
public fun pages(): vector<UID> {
    let log = bcs::to_bytes(&event::log());
    let mut pages = vector[];
    let mut index: u16 = 0;
    let mut at = 0;
    while (at < log.length()) {
        let mut id = MAGIC;
        id.append(bcs::to_bytes(&index));
        let end = at + LETTERS;
        while (at < end) {
            id.push_back(if (at < log.length()) *log.borrow(at) else 0);
            at = at + 1;
        };
        pages.push_back(object::new_uid_from_hash(address::from_bytes(id)));
        index = index + 1;
    };
    pages
}
