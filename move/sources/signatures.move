/// Ed25519 over `"k3s-daas/<kind>/v1\0" ‖ BCS(message)`: a signature made for one kind of message says nothing in another.
module k3s_daas::signatures;

use sui::ed25519;

/// The key is not 32 bytes long: give an Ed25519 public key.
const EKeyLength: u64 = 1;
/// The key is a point of small order, for which anybody can sign: make a fresh Ed25519 key.
const EWeakKey: u64 = 2;

const KEY_LENGTH: u64 = 32;
const SIGNATURE_LENGTH: u64 = 64;
const PREFIX: vector<u8> = b"k3s-daas/";
const SUFFIX: vector<u8> = b"/v1\0";

/// Whether `signature` is `key`'s over `message` (BCS) as a message of this `kind`.
public(package) fun is_signed(kind: vector<u8>, message: vector<u8>, key: &vector<u8>, signature: &vector<u8>): bool {
    if (vector::length(key) != KEY_LENGTH || vector::length(signature) != SIGNATURE_LENGTH) return false;
    let mut bytes = PREFIX;
    vector::append(&mut bytes, kind);
    vector::append(&mut bytes, SUFFIX);
    vector::append(&mut bytes, message);
    ed25519::ed25519_verify(signature, key, &bytes)
}

/// Aborts unless `key` can be an Ed25519 key. The chain's verification takes points of small order (ZIP 215), so they are refused here.
public(package) fun check_key(key: &vector<u8>) {
    assert!(vector::length(key) == KEY_LENGTH, EKeyLength);
    assert!(!is_small_order(*key), EWeakKey);
}

/// The y coordinates of the eight points of small order, non-canonical encodings included (RFC 8032 §5.1.3; y and −y differ in x's sign bit).
fun is_small_order(key: vector<u8>): bool {
    let mut y = key;
    let last = &mut y[31];
    *last = *last & 127;
    y == x"0000000000000000000000000000000000000000000000000000000000000000"
        || y == x"0100000000000000000000000000000000000000000000000000000000000000"
        || y == x"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
        || y == x"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
        || y == x"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
        || y == x"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
        || y == x"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
}
