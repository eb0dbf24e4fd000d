//! COSE_Sign1 (RFC 9052 §4.2) as the Nitro hypervisor writes it.

use crate::Refusal;
use crate::cbor::{Fault, Reader, Writer};

const COSE_SIGN1_TAG: u64 = 18;
const LABEL_ALG: i128 = 1;
const LABEL_CRIT: i128 = 2;
const ES384: i128 = -35;
/// RFC 9053 §2.1: r and s of 48 bytes each.
pub(crate) const SIGNATURE_LENGTH: usize = 96;
const MAX_PAYLOAD: usize = 16_383;

/// A message in its only accepted form; nothing is verified.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sign1<'a> {
    protected: &'a [u8],
    pub(crate) payload: &'a [u8],
    pub(crate) signature: &'a [u8; SIGNATURE_LENGTH],
}

impl<'a> Sign1<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes);
        let in_message = |fault| refuse("message", fault);
        match reader.tag().map_err(in_message)? {
            Some(COSE_SIGN1_TAG) if reader.tag().map_err(in_message)?.is_some() => return Err(Refusal::NestedTag),
            None | Some(COSE_SIGN1_TAG) => {}
            Some(tag) => return Err(Refusal::CoseTag { tag }),
        }
        let items = reader.array().map_err(in_message)?;
        if items != 4 {
            return Err(Refusal::CoseLength { items });
        }
        let protected = reader.bytes().map_err(|fault| refuse("protected", fault))?;
        check_protected(protected)?;
        let unprotected = reader.map().map_err(|fault| refuse("unprotected", fault))?;
        if unprotected != 0 {
            return Err(Refusal::UnprotectedHeader { items: unprotected });
        }
        let payload = reader.bytes().map_err(|fault| refuse("payload", fault))?;
        if payload.is_empty() || payload.len() > MAX_PAYLOAD {
            return Err(Refusal::PayloadLength { length: payload.len() });
        }
        let signature = reader.bytes().map_err(|fault| refuse("signature", fault))?;
        let signature = signature.try_into().map_err(|_| Refusal::SignatureLength { length: signature.len() })?;
        reader.finish().map_err(in_message)?;
        Ok(Self { protected, payload, signature })
    }

    /// What is signed: RFC 9052 §4.4, `Sig_structure` without external data.
    pub(crate) fn signed_message(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.array(4).text("Signature1").bytes(self.protected).bytes(&[]).bytes(self.payload);
        writer.into_bytes()
    }
}

/// Turns what is wrong with an encoding into a refusal that names the field.
pub(crate) fn refuse(field: &'static str, fault: Fault) -> Refusal {
    match fault {
        Fault::Truncated => Refusal::Truncated { field },
        Fault::IndefiniteLength => Refusal::IndefiniteLength { field },
        Fault::NotShortest => Refusal::NotShortest { field },
        Fault::Reserved => Refusal::ReservedEncoding { field },
        Fault::WrongType => Refusal::WrongType { field },
        Fault::NotUtf8 => Refusal::NotUtf8 { field },
        Fault::TrailingBytes => Refusal::TrailingBytes { field },
    }
}

/// The header must be `{1: -35}` and nothing else. The loop ends at the first foreign parameter: at most two rounds.
fn check_protected(bytes: &[u8]) -> Result<(), Refusal> {
    let in_header = |fault| refuse("protected", fault);
    let mut reader = Reader::new(bytes);
    let mut algorithm = None;
    for _ in 0..reader.map().map_err(in_header)? {
        match reader.integer().map_err(in_header)? {
            LABEL_ALG if algorithm.is_some() => return Err(Refusal::ProtectedHeaderRepeats { label: LABEL_ALG }),
            LABEL_ALG => algorithm = Some(reader.integer().map_err(in_header)?),
            LABEL_CRIT => return Err(Refusal::CriticalHeader),
            label => return Err(Refusal::UnknownHeader { label }),
        }
    }
    reader.finish().map_err(in_header)?;
    match algorithm {
        Some(ES384) => Ok(()),
        Some(alg) => Err(Refusal::Algorithm { alg }),
        None => Err(Refusal::AlgorithmMissing),
    }
}
