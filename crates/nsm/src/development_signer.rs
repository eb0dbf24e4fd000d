//! Signs the documents of QEMU's security module, which leaves them unsigned.
//!
//! QEMU (`hw/virtio/virtio-nsm.c`) writes algorithm −1, and zeros for certificate, cabundle and signature. The signer runs on
//! the parent's side and puts a chain of the development root in: the rest of the payload stays as the device wrote it.

use daas_attestation::UnixTime;
use daas_attestation::cbor::{Fault, Reader};

use crate::sign1::{PROTECTED_ES384, Payload, sign1};
use crate::{Chain, DevelopmentRoot, Error, Location};

/// Holds the development root.
#[derive(Debug)]
pub struct DevelopmentSigner {
    root: DevelopmentRoot,
    location: Location,
    chain: Chain,
}

/// `{1: -1}`.
const PROTECTED_UNSIGNED: [u8; 3] = [0xa1, 0x01, 0x20];
/// QEMU's certificate, cabundle entry and signature.
const ZEROS: [u8; 64] = [0; 64];

impl DevelopmentSigner {
    /// A signer for the virtual machines of one development cluster.
    pub fn new(root: DevelopmentRoot, location: Location, now: UnixTime) -> Result<Self, Error> {
        let chain = Chain::issue(&root, &location, now)?;
        Ok(Self { root, location, chain })
    }

    /// The same document with a chain and a signature. Whatever else than QEMU's form is refused, above all what is signed.
    pub fn sign(&mut self, unsigned: &[u8], now: UnixTime) -> Result<Vec<u8>, Error> {
        let mut payload = parse_message(unsigned)?;
        if !self.chain.serves(now) {
            self.chain = Chain::issue(&self.root, &self.location, now)?;
        }
        payload.certificate.clone_from(&self.chain.certificate);
        payload.cabundle.clone_from(&self.chain.cabundle);
        sign1(&PROTECTED_ES384, &payload.encode(), &self.chain.key)
    }
}

fn parse_message(bytes: &[u8]) -> Result<Payload, Error> {
    let malformed = |_: Fault| not_unsigned("it is not a COSE_Sign1 in QEMU's form");
    let mut reader = Reader::new(bytes);
    let items = reader.array().map_err(malformed)?;
    let protected = reader.bytes().map_err(malformed)?;
    let unprotected = reader.map().map_err(malformed)?;
    if (items, unprotected) != (4, 0) {
        return Err(not_unsigned("it is not a COSE_Sign1 in QEMU's form"));
    }
    if protected != PROTECTED_UNSIGNED {
        return Err(not_unsigned("it names a signature algorithm"));
    }
    let payload = reader.bytes().map_err(malformed)?;
    if reader.bytes().map_err(malformed)? != ZEROS {
        return Err(not_unsigned("it has a signature"));
    }
    reader.finish().map_err(malformed)?;
    parse_payload(payload).map_err(malformed)?.ok_or_else(|| not_unsigned("its payload is not in QEMU's form"))
}

/// The fields in the order in which QEMU writes them.
fn parse_payload(bytes: &[u8]) -> Result<Option<Payload>, Fault> {
    let mut reader = Reader::new(bytes);
    let mut in_order = reader.map()? == 9;
    in_order &= reader.text()? == "module_id";
    let module_id = reader.text()?.to_owned();
    in_order &= reader.text()? == "digest" && reader.text()? == "SHA384" && reader.text()? == "timestamp";
    if !in_order {
        return Ok(None);
    }
    let timestamp = UnixTime::from_millis(reader.unsigned()?);
    in_order &= reader.text()? == "pcrs";
    let mut pcrs = Vec::new();
    for _ in 0..reader.map()? {
        let index = reader.unsigned()?;
        let Ok(value) = reader.bytes()?.try_into() else { return Ok(None) };
        pcrs.push((index, value));
    }
    in_order &= reader.text()? == "certificate" && reader.bytes()? == ZEROS;
    if !in_order {
        return Ok(None);
    }
    in_order &= reader.text()? == "cabundle" && reader.array()? == 1 && reader.bytes()? == ZEROS;
    if !in_order {
        return Ok(None);
    }
    in_order &= reader.text()? == "public_key";
    let public_key = reader.bytes_or_null()?.map(<[u8]>::to_vec);
    in_order &= reader.text()? == "user_data";
    let user_data = reader.bytes_or_null()?.map(<[u8]>::to_vec);
    in_order &= reader.text()? == "nonce";
    let nonce = reader.bytes_or_null()?.map(<[u8]>::to_vec);
    reader.finish()?;
    let (certificate, cabundle) = (Vec::new(), Vec::new());
    let payload = Payload { module_id, timestamp, pcrs, certificate, cabundle, public_key, user_data, nonce };
    Ok(in_order.then_some(payload))
}

fn not_unsigned(reason: &'static str) -> Error {
    Error::NotUnsigned { reason }
}
