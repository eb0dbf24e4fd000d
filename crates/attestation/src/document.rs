//! The attestation document inside the message (AWS, `attestation_process.md` §2.2 and §3.2.2).

use crate::cbor::Reader;
use crate::certificate::{self, CertificateSummary, Place};
use crate::cose::{Sign1, refuse};
use crate::{Pcr, Pcrs, Refusal, UnixTime};

/// No document is longer: payload, signature and headers at their limits.
pub const MAX_DOCUMENT_BYTES: usize = 16_384 + 112;

const MAX_CERTIFICATE: usize = 1024;
const MAX_CABUNDLE: u64 = 10;
const MAX_PUBLIC_KEY: usize = 1024;
const MAX_USER_DATA: usize = 512;
const MAX_NONCE: usize = 512;

/// Which device made a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// A Nitro enclave: `pcrs`.
    Enclave,
    /// The NitroTPM of an instance: `nitrotpm_pcrs`.
    NitroTpm,
}

/// What a document says, and nobody has verified: for looking, not for judging.
///
/// No function takes it where a verdict is wanted.
#[derive(Debug, Clone)]
pub struct Unverified<'a> {
    pub(crate) message: Sign1<'a>,
    pub(crate) payload: Payload<'a>,
}

impl<'a> Unverified<'a> {
    /// Reads a document; every rule of the stage [`Stage::Parse`](crate::Stage::Parse) holds afterwards.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        if bytes.len() > MAX_DOCUMENT_BYTES {
            return Err(Refusal::TooLarge { length: bytes.len(), limit: MAX_DOCUMENT_BYTES });
        }
        let message = Sign1::parse(bytes)?;
        let payload = Payload::parse(message.payload)?;
        Ok(Self { message, payload })
    }

    /// The device that says it made the document.
    pub fn module_id(&self) -> &'a str {
        self.payload.module_id
    }

    /// When it says so.
    pub fn timestamp(&self) -> UnixTime {
        UnixTime::from_millis(self.payload.timestamp_ms)
    }

    /// Enclave or TPM.
    pub fn platform(&self) -> Platform {
        self.payload.platform
    }

    /// The registers, by index.
    pub fn pcrs(&self) -> &Pcrs {
        &self.payload.pcrs
    }

    /// What the enclave had put into `public_key`.
    pub fn public_key(&self) -> Option<&'a [u8]> {
        self.payload.public_key
    }

    /// What the enclave had put into `user_data`.
    pub fn user_data(&self) -> Option<&'a [u8]> {
        self.payload.user_data
    }

    /// What the enclave had put into `nonce`.
    pub fn nonce(&self) -> Option<&'a [u8]> {
        self.payload.nonce
    }

    /// What the signature is over (RFC 9052 §4.4, `Sig_structure`).
    pub fn signed_message(&self) -> Vec<u8> {
        self.message.signed_message()
    }

    /// The signature, r ‖ s.
    pub fn signature(&self) -> &'a [u8; 96] {
        self.message.signature
    }

    /// The DER certificates in signing order: root first, the document's signer last.
    pub fn certificates(&self) -> impl Iterator<Item = &'a [u8]> {
        self.payload.cabundle.iter().copied().chain([self.payload.certificate])
    }

    /// What the certificates say, in the same order.
    pub fn certificate_summaries(&self) -> Vec<Result<CertificateSummary, Refusal>> {
        let last = self.payload.cabundle.len();
        self.certificates()
            .enumerate()
            .map(|(index, der)| {
                let place = if index == last { Place::Leaf } else { Place::Cabundle(index) };
                certificate::Certificate::parse(der, place).map(|certificate| certificate.summary())
            })
            .collect()
    }
}

/// What a verified document says; part of a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    module_id: String,
    timestamp: UnixTime,
    pcrs: Pcrs,
    public_key: Option<Vec<u8>>,
    user_data: Option<Vec<u8>>,
    nonce: Option<Vec<u8>>,
}

impl Document {
    pub(crate) fn of(payload: &Payload<'_>) -> Self {
        Self {
            module_id: payload.module_id.to_owned(),
            timestamp: UnixTime::from_millis(payload.timestamp_ms),
            pcrs: payload.pcrs.clone(),
            public_key: payload.public_key.map(<[u8]>::to_vec),
            user_data: payload.user_data.map(<[u8]>::to_vec),
            nonce: payload.nonce.map(<[u8]>::to_vec),
        }
    }

    /// The device.
    pub fn module_id(&self) -> &str {
        &self.module_id
    }

    /// When the device made the document.
    pub fn timestamp(&self) -> UnixTime {
        self.timestamp
    }

    /// The registers, by index.
    pub fn pcrs(&self) -> &Pcrs {
        &self.pcrs
    }

    /// `public_key`.
    pub fn public_key(&self) -> Option<&[u8]> {
        self.public_key.as_deref()
    }

    /// `user_data`.
    pub fn user_data(&self) -> Option<&[u8]> {
        self.user_data.as_deref()
    }

    /// `nonce`.
    pub fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }
}

/// The fields, borrowed from the document's bytes.
#[derive(Debug, Clone)]
pub(crate) struct Payload<'a> {
    pub(crate) module_id: &'a str,
    pub(crate) timestamp_ms: u64,
    pub(crate) platform: Platform,
    pub(crate) pcrs: Pcrs,
    pub(crate) certificate: &'a [u8],
    pub(crate) cabundle: Vec<&'a [u8]>,
    pub(crate) public_key: Option<&'a [u8]>,
    pub(crate) user_data: Option<&'a [u8]>,
    pub(crate) nonce: Option<&'a [u8]>,
}

impl<'a> Payload<'a> {
    /// Reads the fields in any order, each at most once. A round of the loop ends at an unknown or repeated name, so there
    /// are at most as many rounds as names.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes);
        let mut fields = Fields::default();
        for _ in 0..reader.map().map_err(|fault| refuse("payload", fault))? {
            let name = reader.text().map_err(|fault| refuse("payload", fault))?;
            fields.read(name, &mut reader)?;
        }
        reader.finish().map_err(|fault| refuse("payload", fault))?;
        fields.complete()
    }
}

/// The value of a field that may be null.
type Optional<'a> = Option<&'a [u8]>;

/// The fields that have been read so far.
#[derive(Default)]
struct Fields<'a> {
    module_id: Option<&'a str>,
    digest: Option<()>,
    timestamp_ms: Option<u64>,
    pcrs: Option<(Platform, Pcrs)>,
    certificate: Option<&'a [u8]>,
    cabundle: Option<Vec<&'a [u8]>>,
    public_key: Option<Optional<'a>>,
    user_data: Option<Optional<'a>>,
    nonce: Option<Optional<'a>>,
}

impl<'a> Fields<'a> {
    fn read(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<(), Refusal> {
        match name {
            "module_id" => once("module_id", &mut self.module_id, module_id(reader)?),
            "digest" => once("digest", &mut self.digest, digest(reader)?),
            "timestamp" => once("timestamp", &mut self.timestamp_ms, timestamp(reader)?),
            "pcrs" => once("pcrs", &mut self.pcrs, (Platform::Enclave, pcrs(reader)?)),
            "nitrotpm_pcrs" => once("pcrs", &mut self.pcrs, (Platform::NitroTpm, pcrs(reader)?)),
            "certificate" => {
                once("certificate", &mut self.certificate, certificate_bytes(reader, "certificate", Place::Leaf)?)
            }
            "cabundle" => once("cabundle", &mut self.cabundle, cabundle(reader)?),
            "public_key" => once("public_key", &mut self.public_key, optional(reader, "public_key", MAX_PUBLIC_KEY)?),
            "user_data" => once("user_data", &mut self.user_data, optional(reader, "user_data", MAX_USER_DATA)?),
            "nonce" => once("nonce", &mut self.nonce, optional(reader, "nonce", MAX_NONCE)?),
            name => Err(Refusal::UnknownField { name: name.chars().take(40).collect() }),
        }
    }

    fn complete(self) -> Result<Payload<'a>, Refusal> {
        let missing = |field| Refusal::MissingField { field };
        self.digest.ok_or_else(|| missing("digest"))?;
        let (platform, pcrs) = self.pcrs.ok_or_else(|| missing("pcrs"))?;
        Ok(Payload {
            module_id: self.module_id.ok_or_else(|| missing("module_id"))?,
            timestamp_ms: self.timestamp_ms.ok_or_else(|| missing("timestamp"))?,
            platform,
            pcrs,
            certificate: self.certificate.ok_or_else(|| missing("certificate"))?,
            cabundle: self.cabundle.ok_or_else(|| missing("cabundle"))?,
            public_key: self.public_key.flatten(),
            user_data: self.user_data.flatten(),
            nonce: self.nonce.flatten(),
        })
    }
}

fn once<T>(field: &'static str, place: &mut Option<T>, value: T) -> Result<(), Refusal> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Refusal::RepeatedField { field }),
    }
}

fn module_id<'a>(reader: &mut Reader<'a>) -> Result<&'a str, Refusal> {
    let text = reader.text().map_err(|fault| refuse("module_id", fault))?;
    if text.is_empty() { Err(Refusal::EmptyModuleId) } else { Ok(text) }
}

fn digest(reader: &mut Reader<'_>) -> Result<(), Refusal> {
    match reader.text().map_err(|fault| refuse("digest", fault))? {
        "SHA384" => Ok(()),
        _ => Err(Refusal::Digest),
    }
}

fn timestamp(reader: &mut Reader<'_>) -> Result<u64, Refusal> {
    match reader.unsigned().map_err(|fault| refuse("timestamp", fault))? {
        0 => Err(Refusal::ZeroTimestamp),
        millis => Ok(millis),
    }
}

fn pcrs(reader: &mut Reader<'_>) -> Result<Pcrs, Refusal> {
    let count = reader.map().map_err(|fault| refuse("pcrs", fault))?;
    if !(1..=Pcrs::COUNT as u64).contains(&count) {
        return Err(Refusal::PcrCount { count });
    }
    let mut pcrs = Pcrs::empty();
    for _ in 0..count {
        let index = reader.unsigned().map_err(|fault| refuse("pcrs", fault))?;
        let value = reader.bytes().map_err(|fault| refuse("pcrs", fault))?;
        let slot = pcrs.slot(index).ok_or(Refusal::PcrIndex { index })?;
        let value = Pcr::try_from(value).map_err(|_| Refusal::PcrLength { index, length: value.len() })?;
        if slot.replace(value).is_some() {
            return Err(Refusal::PcrRepeats { index });
        }
    }
    Ok(pcrs)
}

fn cabundle<'a>(reader: &mut Reader<'a>) -> Result<Vec<&'a [u8]>, Refusal> {
    let count = reader.array().map_err(|fault| refuse("cabundle", fault))?;
    if !(1..=MAX_CABUNDLE).contains(&count) {
        return Err(Refusal::ChainLength { count });
    }
    (0..count as usize).map(|index| certificate_bytes(reader, "cabundle", Place::Cabundle(index))).collect()
}

fn certificate_bytes<'a>(reader: &mut Reader<'a>, field: &'static str, place: Place) -> Result<&'a [u8], Refusal> {
    let bytes = reader.bytes().map_err(|fault| refuse(field, fault))?;
    if bytes.is_empty() || bytes.len() > MAX_CERTIFICATE {
        return Err(Refusal::CertificateLength { certificate: place.to_string(), length: bytes.len() });
    }
    Ok(bytes)
}

/// Absent fields are null in AWS' documents, and may be left out.
fn optional<'a>(reader: &mut Reader<'a>, field: &'static str, limit: usize) -> Result<Option<&'a [u8]>, Refusal> {
    let value = reader.bytes_or_null().map_err(|fault| refuse(field, fault))?;
    match value {
        Some(bytes) if bytes.len() > limit => Err(Refusal::FieldLength { field, length: bytes.len(), limit }),
        value => Ok(value),
    }
}
