//! Attestation documents as the hypervisor writes them.

use daas_attestation::cbor::Writer;
use daas_attestation::{Pcr, UnixTime};

use crate::{Error, SigningKey};

/// `{1: -35}`: ES384.
pub const PROTECTED_ES384: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];

/// What a document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The module.
    pub module_id: String,
    /// When.
    pub timestamp: UnixTime,
    /// Index and value, in the order in which they are written.
    pub pcrs: Vec<(u64, Pcr)>,
    /// Of the key that signs.
    pub certificate: Vec<u8>,
    /// Root first.
    pub cabundle: Vec<Vec<u8>>,
    /// The enclave's.
    pub public_key: Option<Vec<u8>>,
    /// The enclave's.
    pub user_data: Option<Vec<u8>>,
    /// The caller's.
    pub nonce: Option<Vec<u8>>,
}

impl Payload {
    /// CBOR with the fields in AWS' order; fields without a value are null.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.map(9);
        writer.text("module_id").text(&self.module_id);
        writer.text("digest").text("SHA384");
        writer.text("timestamp").unsigned(self.timestamp.millis());
        writer.text("pcrs").map(self.pcrs.len() as u64);
        for (index, value) in &self.pcrs {
            writer.unsigned(*index).bytes(&value.0);
        }
        writer.text("certificate").bytes(&self.certificate);
        writer.text("cabundle").array(self.cabundle.len() as u64);
        for certificate in &self.cabundle {
            writer.bytes(certificate);
        }
        writer.text("public_key").bytes_or_null(self.public_key.as_deref());
        writer.text("user_data").bytes_or_null(self.user_data.as_deref());
        writer.text("nonce").bytes_or_null(self.nonce.as_deref());
        writer.into_bytes()
    }
}

/// An untagged COSE_Sign1 over `payload` (RFC 9052 §4.4), as the hypervisor sends it.
pub fn sign1(protected: &[u8], payload: &[u8], key: &SigningKey) -> Result<Vec<u8>, Error> {
    let mut signed = Writer::default();
    signed.array(4).text("Signature1").bytes(protected).bytes(&[]).bytes(payload);
    let signature = key.sign_fixed(&signed.into_bytes())?;
    let mut message = Writer::default();
    message.array(4).bytes(protected).map(0).bytes(payload).bytes(&signature);
    Ok(message.into_bytes())
}
