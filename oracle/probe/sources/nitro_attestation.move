/// Stands in for `0x2::nitro_attestation`, which the machine cannot load: its native is missing there. Documents come from the harness.
module probe::nitro_attestation;

public struct PCREntry has drop { index: u8, value: vector<u8> }

public struct NitroAttestationDocument has drop {
    module_id: vector<u8>,
    timestamp: u64,
    digest: vector<u8>,
    pcrs: vector<PCREntry>,
    public_key: Option<vector<u8>>,
    user_data: Option<vector<u8>>,
    nonce: Option<vector<u8>>,
}

public fun module_id(document: &NitroAttestationDocument): &vector<u8> { &document.module_id }

public fun timestamp(document: &NitroAttestationDocument): &u64 { &document.timestamp }

public fun digest(document: &NitroAttestationDocument): &vector<u8> { &document.digest }

public fun pcrs(document: &NitroAttestationDocument): &vector<PCREntry> { &document.pcrs }

public fun public_key(document: &NitroAttestationDocument): &Option<vector<u8>> { &document.public_key }

public fun user_data(document: &NitroAttestationDocument): &Option<vector<u8>> { &document.user_data }

public fun nonce(document: &NitroAttestationDocument): &Option<vector<u8>> { &document.nonce }

public fun index(entry: &PCREntry): u8 { entry.index }

public fun value(entry: &PCREntry): &vector<u8> { &entry.value }
