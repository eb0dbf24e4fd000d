//! The signature section: who signed an image, and whether they did.
//!
//! The section is CBOR: an array of one map `{"signing_certificate": [bytes of a PEM file], "signature": [bytes]}`, each byte an integer
//! of its own (AWS' `PcrSignature` as serde writes it). The signature is a COSE_Sign1 message (RFC 9052 §4.2) whose payload is the CBOR map
//! `{"register_index": 0, "register_value": [48 bytes of PCR0]}`. PCR8 measures the certificate's DER, whatever was signed.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, UnparsedPublicKey, VerificationAlgorithm,
};
use daas_attestation::cbor::{Fault, Reader, Writer};
use daas_attestation::der::lengths_fit;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Document};

use crate::Error;
use crate::registers::Register;

/// Longer than any certificate of one key.
const MAX_CERTIFICATE_BYTES: usize = 32 * 1024;
const MAX_COSE_BYTES: usize = 4096;
const COSE_SIGN1_TAG: u64 = 18;
const COSE_ALGORITHM: u64 = 1;
const PEM_BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const PEM_END: &str = "-----END CERTIFICATE-----";

/// A signature section whose form has been checked. Nobody has judged yet whether it signs the image around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    certificate: Certificate,
    cose: Vec<u8>,
}

/// The certificate of a signing key on P-256, P-384 or P-521.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    pem: Vec<u8>,
    der: Vec<u8>,
    subject: String,
    not_before: u64,
    not_after: u64,
    algorithm: Option<Algorithm>,
    key: Vec<u8>,
}

/// How the image is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
}

impl Signature {
    /// Reads a section.
    pub fn parse(section: &[u8]) -> Result<Self, Error> {
        let (certificate, cose) = read_section(section).map_err(|_| Error::Signature("it is not CBOR of AWS' form"))?;
        Ok(Self { certificate: Certificate::from_pem(&certificate)?, cose })
    }

    /// Signs a value of PCR0. What the key gives back is verified before it is used.
    pub(crate) fn make<E: std::fmt::Display>(
        certificate: Certificate,
        pcr0: &Register,
        sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
    ) -> Result<Self, Error> {
        let algorithm = certificate.algorithm.ok_or(UNKNOWN_KEY)?;
        let mut protected = Writer::default();
        protected.map(1).unsigned(COSE_ALGORITHM).integer(algorithm.cose_number());
        let (protected, payload) = (protected.into_bytes(), payload(pcr0));
        let raw = sign(&to_be_signed(&protected, &payload)).map_err(|error| Error::Signing(error.to_string()))?;
        let mut cose = Writer::default();
        cose.array(4).bytes(&protected).map(0).bytes(&payload).bytes(&raw);
        let signature = Self { certificate, cose: cose.into_bytes() };
        match signature.verify(pcr0) {
            Ok(()) => Ok(signature),
            Err(_) => Err(Error::Signing("the key is not the certificate's".into())),
        }
    }

    /// Whose key signed, by the certificate alone: whether anyone trusts it is not decided here.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The COSE_Sign1 message.
    pub fn cose(&self) -> &[u8] {
        &self.cose
    }

    /// Whether the certificate's key signed this value of PCR0. Its dates are not judged.
    pub fn verify(&self, pcr0: &Register) -> Result<(), Error> {
        let message =
            Message::parse(&self.cose).map_err(|_| Error::SignatureRefused("its message is not COSE_Sign1"))?;
        let algorithm = self.certificate.algorithm.ok_or(UNKNOWN_KEY)?;
        if message.algorithm != i128::from(algorithm.cose_number()) {
            return Err(Error::SignatureRefused("its algorithm is not the one of the certificate's key"));
        }
        if message.payload != payload(pcr0) {
            return Err(Error::SignatureRefused("it signs another image"));
        }
        UnparsedPublicKey::new(algorithm.verification(), &self.certificate.key)
            .verify(&to_be_signed(message.protected, message.payload), message.signature)
            .map_err(|_| Error::SignatureRefused("the certificate's key did not make it"))
    }

    /// The section's bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut section = Writer::default();
        section.array(1).map(2).text("signing_certificate");
        write_numbers(&mut section, &self.certificate.pem);
        section.text("signature");
        write_numbers(&mut section, &self.cose);
        section.into_bytes()
    }
}

impl Certificate {
    /// Reads the first certificate of a PEM file.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        if pem.len() > MAX_CERTIFICATE_BYTES {
            return Err(Error::Signature("the certificate is longer than 32 KiB"));
        }
        // AWS' tools look for the first block and ignore what stands around it; so does this, with the DER read strictly.
        let not_pem = Error::Signature("there is no PEM certificate in it");
        let text = std::str::from_utf8(pem).map_err(|_| Error::Signature("the certificate file is not text"))?;
        let begin = text.find(PEM_BEGIN).ok_or(not_pem)?;
        let length = text[begin..].find(PEM_END).ok_or(Error::Signature("the PEM certificate has no end"))?;
        let block = &text[begin..begin + length + PEM_END.len()];
        let (_, der) = Document::from_pem(block).map_err(|_| Error::Signature("the PEM certificate is malformed"))?;
        let certificate = Some(der.as_bytes())
            .filter(|der| lengths_fit(der))
            .and_then(|der| x509_cert::Certificate::from_der(der).ok())
            .ok_or(Error::Signature("the certificate is not DER"))?;
        let tbs = &certificate.tbs_certificate;
        let key = &tbs.subject_public_key_info;
        let parameters = key.algorithm.parameters.as_ref();
        let curve = parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok()).map(|oid| oid.to_string());
        let is_elliptic = key.algorithm.oid.to_string() == "1.2.840.10045.2.1";
        Ok(Self {
            pem: pem.to_vec(),
            der: der.as_bytes().to_vec(),
            subject: tbs.subject.to_string(),
            not_before: tbs.validity.not_before.to_unix_duration().as_secs(),
            not_after: tbs.validity.not_after.to_unix_duration().as_secs(),
            algorithm: curve.filter(|_| is_elliptic).and_then(|curve| Algorithm::of_curve(&curve)),
            key: key.subject_public_key.raw_bytes().to_vec(),
        })
    }

    /// What PCR8 measures.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The subject's name (RFC 4514).
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// When it begins and ends to be valid: Unix seconds.
    pub fn validity(&self) -> (u64, u64) {
        (self.not_before, self.not_after)
    }

    /// What its key signs with; none if the key is of a kind that signs no images.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }
}

impl Algorithm {
    /// The name that COSE has for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
        }
    }

    fn of_curve(oid: &str) -> Option<Self> {
        match oid {
            "1.2.840.10045.3.1.7" => Some(Self::Es256),
            "1.3.132.0.34" => Some(Self::Es384),
            "1.3.132.0.35" => Some(Self::Es512),
            _ => None,
        }
    }

    /// RFC 9053 §2.1.
    fn cose_number(self) -> i64 {
        match self {
            Self::Es256 => -7,
            Self::Es384 => -35,
            Self::Es512 => -36,
        }
    }

    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::Es256 => &ECDSA_P256_SHA256_FIXED,
            Self::Es384 => &ECDSA_P384_SHA384_FIXED,
            Self::Es512 => &ECDSA_P521_SHA512_FIXED,
        }
    }
}

const UNKNOWN_KEY: Error = Error::SignatureRefused("the certificate's key is not on P-256, P-384 or P-521");

/// The parts of a COSE_Sign1 message.
struct Message<'a> {
    protected: &'a [u8],
    algorithm: i128,
    payload: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Message<'a> {
    fn parse(cose: &'a [u8]) -> Result<Self, Fault> {
        let mut reader = Reader::new(cose);
        if !matches!(reader.tag()?, None | Some(COSE_SIGN1_TAG)) || reader.array()? != 4 {
            return Err(Fault::WrongType);
        }
        let protected = reader.bytes()?;
        // Nothing outside the signature: AWS' tools put nothing there.
        if reader.map()? != 0 {
            return Err(Fault::WrongType);
        }
        let (payload, signature) = (reader.bytes()?, reader.bytes()?);
        reader.finish()?;
        let mut header = Reader::new(protected);
        if header.map()? != 1 || header.unsigned()? != COSE_ALGORITHM {
            return Err(Fault::WrongType);
        }
        let algorithm = header.integer()?;
        header.finish()?;
        Ok(Self { protected, algorithm, payload, signature })
    }
}

/// RFC 9052 §4.4, with no external data.
fn to_be_signed(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut structure = Writer::default();
    structure.array(4).text("Signature1").bytes(protected).bytes(&[]).bytes(payload);
    structure.into_bytes()
}

fn payload(pcr0: &Register) -> Vec<u8> {
    let mut payload = Writer::default();
    payload.map(2).text("register_index").unsigned(0).text("register_value");
    write_numbers(&mut payload, &pcr0.0);
    payload.into_bytes()
}

fn read_section(section: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Fault> {
    let mut reader = Reader::new(section);
    if reader.array()? != 1 || reader.map()? != 2 || reader.text()? != "signing_certificate" {
        return Err(Fault::WrongType);
    }
    let certificate = read_numbers(&mut reader, MAX_CERTIFICATE_BYTES)?;
    if reader.text()? != "signature" {
        return Err(Fault::WrongType);
    }
    let cose = read_numbers(&mut reader, MAX_COSE_BYTES)?;
    reader.finish()?;
    Ok((certificate, cose))
}

fn write_numbers(writer: &mut Writer, bytes: &[u8]) {
    writer.array(bytes.len() as u64);
    for byte in bytes {
        writer.unsigned(u64::from(*byte));
    }
}

fn read_numbers(reader: &mut Reader<'_>, limit: usize) -> Result<Vec<u8>, Fault> {
    let count = reader.array()?;
    if count > limit as u64 {
        return Err(Fault::Truncated);
    }
    (0..count).map(|_| u8::try_from(reader.unsigned()?).map_err(|_| Fault::WrongType)).collect()
}
