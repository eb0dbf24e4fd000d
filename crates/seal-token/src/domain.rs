/// What a signature covers: `"k3s-daas/<kind>/v1\0" ‖ message`. The terminator keeps one kind from being the prefix of
/// another.
///
/// ```
/// assert_eq!(daas_seal_token::signed_bytes("anchor", &[1]), b"k3s-daas/anchor/v1\0\x01");
/// ```
pub fn signed_bytes(kind: &str, message: &[u8]) -> Vec<u8> {
    const PREFIX: &[u8] = b"k3s-daas/";
    const VERSION: &[u8] = b"/v1\0";
    let mut bytes = Vec::with_capacity(PREFIX.len() + kind.len() + VERSION.len() + message.len());
    for part in [PREFIX, kind.as_bytes(), VERSION, message] {
        bytes.extend_from_slice(part);
    }
    bytes
}
