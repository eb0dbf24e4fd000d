/// Names that people and Kubernetes read. A node's name ends in digits of its stake's id, so nobody can squat, front-run or reuse it.
module k3s_daas::labels;

use std::bcs;
use std::string::{Self, String};

/// The node id is empty or longer than 54 characters: choose a shorter one.
const ENodeIdLength: u64 = 1;
/// The node id has a character other than a-z, 0-9 and the dash: use a lower-case DNS label.
const ENodeIdCharacter: u64 = 2;
/// The node id begins or ends with a dash: remove it.
const ENodeIdDash: u64 = 3;
/// The node id has no letter, so it could be taken for an address: add one.
const ENodeIdNoLetter: u64 = 4;
/// The node id is reserved: choose another one than `localhost`.
const ENodeIdReserved: u64 = 5;
/// The text is too short or too long: keep within the documented number of bytes.
const ETextLength: u64 = 6;
/// The text has a control character: remove it.
const ETextCharacter: u64 = 7;
/// The endpoint is not `host:port` with a port from 1 to 65535: correct it.
const EEndpoint: u64 = 8;

/// A DNS label has 63 characters at most; a dash and eight hex digits are ours.
const MAX_NODE_ID: u64 = 54;
const ID_DIGITS: u64 = 8;
/// A DNS name (253), brackets of an IPv6 address, a colon and five digits.
const MAX_ENDPOINT: u64 = 261;
const LOCALHOST: vector<u8> = b"localhost";
const HEX: vector<u8> = b"0123456789abcdef";

/// The name of the node that `stake` pays for: `<node_id>-<first eight hex digits of the stake's id>`.
public(package) fun node_name(node_id: &String, stake: ID): String {
    let node_id = string::as_bytes(node_id);
    check_node_id(node_id);
    let mut name = *node_id;
    vector::push_back(&mut name, DASH);
    let id = bcs::to_bytes(&stake);
    let mut i = 0;
    while (i < ID_DIGITS / 2) {
        let byte = id[i];
        vector::push_back(&mut name, hex_digit(byte >> 4));
        vector::push_back(&mut name, hex_digit(byte & 15));
        i = i + 1;
    };
    string::utf8(name)
}

/// Aborts unless `text` has `least` to `most` bytes and no control character.
public(package) fun check_text(text: &String, least: u64, most: u64) {
    let bytes = string::as_bytes(text);
    let length = vector::length(bytes);
    assert!(length >= least && length <= most, ETextLength);
    let mut i = 0;
    while (i < length) {
        assert!(bytes[i] >= SPACE && bytes[i] != DELETE, ETextCharacter);
        i = i + 1;
    }
}

/// Aborts unless `endpoint` is empty (not announced) or `host:port`.
public(package) fun check_endpoint(endpoint: &String) {
    let bytes = string::as_bytes(endpoint);
    let length = vector::length(bytes);
    if (length == 0) return;
    assert!(length <= MAX_ENDPOINT, EEndpoint);
    let mut colon = length;
    let mut i = 0;
    while (i < length) {
        assert!(is_host_character(bytes[i]), EEndpoint);
        if (bytes[i] == COLON) colon = i;
        i = i + 1;
    };
    assert!(colon > 0 && colon < length, EEndpoint);
    let digits = length - colon - 1;
    assert!(digits >= 1 && digits <= 5, EEndpoint);
    let mut port = 0;
    i = colon + 1;
    while (i < length) {
        assert!(is_digit(bytes[i]), EEndpoint);
        port = port * 10 + ((bytes[i] - ZERO) as u64);
        i = i + 1;
    };
    assert!(port >= 1 && port <= 65_535, EEndpoint);
}

const DASH: u8 = 45;
const DOT: u8 = 46;
const ZERO: u8 = 48;
const COLON: u8 = 58;
const OPENING_BRACKET: u8 = 91;
const CLOSING_BRACKET: u8 = 93;
const SPACE: u8 = 32;
const DELETE: u8 = 127;

fun check_node_id(node_id: &vector<u8>) {
    let length = vector::length(node_id);
    assert!(length >= 1 && length <= MAX_NODE_ID, ENodeIdLength);
    assert!(node_id[0] != DASH && node_id[length - 1] != DASH, ENodeIdDash);
    let mut letters = false;
    let mut i = 0;
    while (i < length) {
        let character = node_id[i];
        let letter = is_lower_case(character);
        assert!(letter || is_digit(character) || character == DASH, ENodeIdCharacter);
        letters = letters || letter;
        i = i + 1;
    };
    assert!(letters, ENodeIdNoLetter);
    assert!(*node_id != LOCALHOST, ENodeIdReserved);
}

fun is_host_character(character: u8): bool {
    is_lower_case(character) || is_digit(character) || character == DASH || character == DOT || character == COLON
        || character == OPENING_BRACKET || character == CLOSING_BRACKET
}

fun is_lower_case(character: u8): bool {
    character >= 97 && character <= 122
}

fun is_digit(character: u8): bool {
    character >= ZERO && character <= 57
}

fun hex_digit(nibble: u8): u8 {
    let digits = HEX;
    digits[nibble as u64]
}

#[test_only]
public fun check_node_id_for_testing(node_id: vector<u8>) {
    check_node_id(&node_id)
}
