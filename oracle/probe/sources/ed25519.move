// Stand-ins for `0x2::ed25519`, whose native does not work in the machine: the harness verifies the signatures and says which of the two
// answers the case gets.

module genuine::ed25519 {
    public fun ed25519_verify(_signature: &vector<u8>, _public_key: &vector<u8>, _message: &vector<u8>): bool { true }
}

module forged::ed25519 {
    public fun ed25519_verify(_signature: &vector<u8>, _public_key: &vector<u8>, _message: &vector<u8>): bool { false }
}
