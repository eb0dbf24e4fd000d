//! An enclave of a development cluster on simulated hardware, a verifier that expects it, and documents that the hardware
//! would not make, signed as correctly as those that it does.
#![allow(dead_code, reason = "each test file uses a part")]

use std::time::Duration;

use daas_attestation::cbor::Writer;
use daas_attestation::{
    AgeRule, BoundTo, ChainCache, Claims, Measurements, Network, NonceRule, Pcr, Policy, Refusal, Release, TlsPeer,
    TrustedRoots, UnixTime, Verdict, verify,
};
use daas_nsm::{
    Authority, Chain, DevelopmentRoot, Image, Location, Nsm, PROTECTED_ES384, Payload, Request, SigningKey, Simulated,
    sign1,
};

pub(crate) const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
pub(crate) const PCRS: [Pcr; 3] = [Pcr([0x10; 48]), Pcr([0x11; 48]), Pcr([0x12; 48])];
pub(crate) const SIGNER: Pcr = Pcr([0x18; 48]);
pub(crate) const INSTANCE_KEY: [u8; 32] = [0x77; 32];
pub(crate) const NONCE: [u8; 32] = [0x99; 32];
pub(crate) const CLAIMS: Claims = Claims {
    cluster: [1; 32],
    tls_spki_sha256: [2; 32],
    server_ca_sha256: [3; 32],
    config_sha256: [4; 32],
    state_epoch: 5,
};

pub(crate) struct Scene {
    pub(crate) nsm: Simulated,
    pub(crate) roots: TrustedRoots,
}

pub(crate) fn location() -> Location {
    let text = str::to_owned;
    Location { region: text("local-1"), instance: text("i-0123456789abcdef0"), enclave: text("0123456789abcdef") }
}

pub(crate) fn image() -> Image {
    Image { pcrs: Some(PCRS), signer: Some(SIGNER), role: Some("arn:aws:iam::1:role/enclave".into()) }
}

pub(crate) fn scene() -> Scene {
    scene_of(&image())
}

pub(crate) fn scene_of(image: &Image) -> Scene {
    let root = DevelopmentRoot::generate(NOW).unwrap();
    let roots = TrustedRoots::development(&root.certificate_pem().unwrap()).unwrap();
    Scene { nsm: Simulated::start(root, location(), image, NOW).unwrap(), roots }
}

pub(crate) fn release() -> Release {
    Release::active(Measurements::new(PCRS[0], PCRS[1], PCRS[2]).unwrap())
}

pub(crate) fn bound() -> BoundTo<'static> {
    BoundTo {
        cluster: &CLAIMS.cluster,
        tls: TlsPeer::Spki(&CLAIMS.tls_spki_sha256),
        instance: Some(&INSTANCE_KEY),
        server_ca_sha256: Some(&CLAIMS.server_ca_sha256),
        config_sha256: Some(&CLAIMS.config_sha256),
    }
}

pub(crate) fn request() -> Request {
    Request {
        public_key: Some(INSTANCE_KEY.to_vec()),
        user_data: Some(CLAIMS.to_bytes().to_vec()),
        nonce: Some(NONCE.to_vec()),
    }
}

impl Scene {
    pub(crate) fn policy<'a>(&'a self, releases: &'a [Release]) -> Policy<'a, BoundTo<'a>> {
        Policy {
            network: Network::Development(&self.roots),
            now: NOW,
            releases,
            nonce: NonceRule::Exactly(&NONCE),
            age: AgeRule::AtMost(Duration::from_mins(5)),
            claims: bound(),
        }
    }

    /// As the policy of every test that changes the document alone judges it.
    pub(crate) fn judge(&self, document: &[u8]) -> Result<Verdict, Refusal> {
        self.judge_at(document, NOW)
    }

    pub(crate) fn judge_at(&self, document: &[u8], now: UnixTime) -> Result<Verdict, Refusal> {
        let releases = [release()];
        let policy = Policy { now, age: AgeRule::WhileCertified, ..self.policy(&releases) };
        let cold = verify(document, &policy, None);
        // A cache changes the time that verification takes, never the verdict.
        let mut cache = ChainCache::new(4);
        assert_eq!(verify(document, &policy, Some(&mut cache)), cold);
        assert_eq!(verify(document, &policy, Some(&mut cache)), cold);
        cold
    }

    /// The device's own document.
    pub(crate) fn document(&self) -> Vec<u8> {
        self.sign(&self.payload().encode())
    }

    pub(crate) fn payload(&self) -> Payload {
        self.nsm.payload(&request(), NOW)
    }

    /// A correctly signed message with any payload.
    pub(crate) fn sign(&self, payload: &[u8]) -> Vec<u8> {
        sign1(&PROTECTED_ES384, payload, &self.nsm.chain().key).unwrap()
    }

    /// A correctly signed message with any protected header.
    pub(crate) fn sign_with_header(&self, protected: &[u8]) -> Vec<u8> {
        sign1(protected, &self.payload().encode(), &self.nsm.chain().key).unwrap()
    }

    /// A document that `chain` signs correctly.
    pub(crate) fn sign_under(&self, chain: &Chain) -> Vec<u8> {
        let Chain { cabundle, certificate, .. } = chain;
        let payload = Payload { cabundle: cabundle.clone(), certificate: certificate.clone(), ..self.payload() };
        sign1(&PROTECTED_ES384, &payload.encode(), &chain.key).unwrap()
    }

    /// The names and encoded values of the payload, in order, to be changed and joined again.
    pub(crate) fn fields(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        fields(&self.payload())
    }

    pub(crate) fn sign_fields(&self, fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
        self.sign(&join(fields))
    }
}

pub(crate) fn encoded(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    write(&mut writer);
    writer.into_bytes()
}

pub(crate) fn text(value: &str) -> Vec<u8> {
    encoded(|writer| {
        writer.text(value);
    })
}

pub(crate) fn fields(payload: &Payload) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pcrs = encoded(|writer| {
        writer.map(payload.pcrs.len() as u64);
        for (index, value) in &payload.pcrs {
            writer.unsigned(*index).bytes(&value.0);
        }
    });
    let cabundle = encoded(|writer| {
        writer.array(payload.cabundle.len() as u64);
        for der in &payload.cabundle {
            writer.bytes(der);
        }
    });
    let optional = |value: &Option<Vec<u8>>| {
        encoded(|writer| {
            writer.bytes_or_null(value.as_deref());
        })
    };
    vec![
        (text("module_id"), text(&payload.module_id)),
        (text("digest"), text("SHA384")),
        (
            text("timestamp"),
            encoded(|writer| {
                writer.unsigned(payload.timestamp.millis());
            }),
        ),
        (text("pcrs"), pcrs),
        (
            text("certificate"),
            encoded(|writer| {
                writer.bytes(&payload.certificate);
            }),
        ),
        (text("cabundle"), cabundle),
        (text("public_key"), optional(&payload.public_key)),
        (text("user_data"), optional(&payload.user_data)),
        (text("nonce"), optional(&payload.nonce)),
    ]
}

pub(crate) fn join(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = encoded(|writer| {
        writer.map(fields.len() as u64);
    });
    for (name, value) in fields {
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(value);
    }
    bytes
}

/// The fields with the value of `name` replaced.
pub(crate) fn with(mut fields: Vec<(Vec<u8>, Vec<u8>)>, name: &str, value: Vec<u8>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let name = text(name);
    fields.iter_mut().find(|field| field.0 == name).unwrap().1 = value;
    fields
}

/// The fields without `name`.
pub(crate) fn without(mut fields: Vec<(Vec<u8>, Vec<u8>)>, name: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let name = text(name);
    fields.retain(|field| field.0 != name);
    fields
}

pub(crate) fn nsm_of(scene: Scene) -> (Nsm, TrustedRoots) {
    (Nsm::Simulated(Box::new(scene.nsm)), scene.roots)
}

/// A chain that a test has issued link by link.
pub(crate) fn chain_of(scene: &Scene, authorities: &[&Authority], certificate: Vec<u8>, key: SigningKey) -> Chain {
    let root = scene.nsm.root().certificate().to_vec();
    let below = authorities.iter().map(|authority| authority.certificate().to_vec());
    Chain::of([root].into_iter().chain(below).collect(), certificate, key, NOW)
}
