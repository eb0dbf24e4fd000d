//! A cluster with one release, on a chain that takes documents of simulated hardware; and enclaves on that hardware.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::fmt::Debug;
use std::time::Duration;

use daas_attestation::{Claims, Pcr, UnixTime};
use daas_chain::Error;
use daas_chain::client::{NewRelease, Receipt, SettingChange};
use daas_chain::types::messages::{AnchorMessage, EvidenceMessage, HandOverMessage, RenewMessage, SuccessorMessage};
use daas_chain::types::{Bytes, Bytes32, Cluster, ClusterField, Event, Offence, Registration, SignedMessage};
use daas_devnet::AttestationRoot;
use daas_nsm::{DevelopmentRoot, Image, Location, PROTECTED_ES384, Payload, Request, Simulated, sign1};
use daas_seal_token::SigningKey;
use sui_sdk_types::Address;

use crate::world::{World, now_ms};

pub const MINUTE_MS: u64 = 60_000;
pub const HOUR_MS: u64 = 60 * MINUTE_MS;

/// The registers of the image that the release names, and of another one.
pub const OURS: [Pcr; 3] = [Pcr([0x10; 48]), Pcr([0x11; 48]), Pcr([0x12; 48])];
pub const OTHER: [Pcr; 3] = [Pcr([0x20; 48]), Pcr([0x21; 48]), Pcr([0x22; 48])];

pub struct Scene {
    pub world: World,
    pub cluster: Address,
    hardware: tempfile::TempDir,
}

/// An enclave that says what an enclave of this project says. Its instance key never changes, its device is as new.
#[derive(Clone)]
pub struct Enclave {
    pub image: Image,
    pub claims: Claims,
    pub key: SigningKey,
    hardware: std::path::PathBuf,
}

impl Scene {
    pub async fn new() -> Self {
        Self::with_settings(Vec::new()).await
    }

    pub async fn with_settings(settings: Vec<SettingChange>) -> Self {
        let hardware = tempfile::tempdir().unwrap();
        let root = DevelopmentRoot::load_or_generate(hardware.path(), UnixTime::from_millis(now_ms())).unwrap();
        let root = AttestationRoot::from_pem(&root.certificate_pem().unwrap()).unwrap();
        let world = World::trusting(vec![root], settings).await;
        world.operator.publish_release(world.cluster, &release(OURS)).await.unwrap();
        Self { cluster: world.cluster, world, hardware }
    }

    /// The chain's time.
    pub fn now(&self) -> u64 {
        self.world.devnet.ledger().now_ms()
    }

    /// Moves the chain's time on.
    pub async fn pass(&self, ms: u64) {
        self.world.devnet.advance_clock(Duration::from_millis(ms)).await.unwrap();
    }

    /// An enclave of our image, with keys of its own.
    pub fn enclave(&self, number: u8) -> Enclave {
        let image = Image { pcrs: Some(OURS), signer: None, role: None };
        self.enclave_of(number, image)
    }

    pub fn enclave_of(&self, number: u8, image: Image) -> Enclave {
        let claims = Claims {
            cluster: self.cluster.into_inner(),
            tls_spki_sha256: [number; 32],
            server_ca_sha256: [number.wrapping_add(1); 32],
            config_sha256: [3; 32],
            state_epoch: 5,
        };
        let key = SigningKey::from_bytes(&[number; 32]);
        Enclave { image, claims, key, hardware: self.hardware.path().to_owned() }
    }

    /// Registers with a document of now.
    pub async fn register(&self, enclave: &Enclave) -> Result<Receipt, Error> {
        self.submit(&enclave.document(self.now())).await
    }

    /// Registers and activates.
    pub async fn activate(&self, enclave: &Enclave) -> Receipt {
        self.register(enclave).await.unwrap();
        self.world.operator.activate(self.cluster, &enclave.instance()).await.unwrap()
    }

    /// Anyone may submit a document.
    pub async fn submit(&self, document: &[u8]) -> Result<Receipt, Error> {
        self.world.operator.register_instance(self.cluster, document).await
    }

    /// What the chain has of the instance.
    pub async fn registration(&self, enclave: &Enclave) -> Option<Registration> {
        let fields = self.world.node.dynamic_fields(self.cluster).await.unwrap();
        fields.iter().find_map(|field| match ClusterField::decode(field, &self.world.package.origin).unwrap() {
            ClusterField::Registration(key, registration) if key.instance == enclave.instance() => Some(*registration),
            _ => None,
        })
    }

    pub async fn read(&self) -> Cluster {
        self.world.node.read(self.cluster, &self.world.package.origin).await.unwrap()
    }

    /// A sequence that the instance has not used.
    pub async fn next_sequence(&self, enclave: &Enclave) -> u64 {
        self.registration(enclave).await.unwrap().sequence + 1
    }

    pub async fn is_registered_and_good(&self, enclave: &Enclave) -> Result<(), Error> {
        self.world.operator.verify_instance(self.cluster, &enclave.instance()).await
    }

    pub async fn is_active(&self, enclave: &Enclave) -> Result<(), Error> {
        self.world.operator.verify_active_instance(self.cluster, &enclave.instance()).await
    }
}

impl Enclave {
    pub fn instance(&self) -> Bytes32 {
        Bytes(self.key.public().to_bytes())
    }

    /// The device's document of this moment.
    pub fn document(&self, now_ms: u64) -> Vec<u8> {
        self.document_with(now_ms, |_| {})
    }

    /// A document that the device would not make, signed as correctly as those that it does.
    pub fn document_with(&self, now_ms: u64, change: impl FnOnce(&mut Payload)) -> Vec<u8> {
        let now = UnixTime::from_millis(now_ms);
        let text = str::to_owned;
        let location = Location {
            region: text("local-1"),
            instance: text("i-0123456789abcdef0"),
            enclave: text("0123456789abcdef"),
        };
        let root = DevelopmentRoot::load(&self.hardware).unwrap();
        let device = Simulated::start(root, location, &self.image, now).unwrap();
        let request = Request {
            public_key: Some(self.instance().to_vec()),
            user_data: Some(self.claims.to_bytes().to_vec()),
            nonce: None,
        };
        let mut payload = device.payload(&request, now);
        change(&mut payload);
        sign1(&PROTECTED_ES384, &payload.encode(), &device.chain().key).unwrap()
    }

    pub fn sign<M: SignedMessage>(&self, message: &M) -> [u8; 64] {
        sign(&self.key, message)
    }

    pub fn cluster(&self) -> Address {
        Address::new(self.claims.cluster)
    }

    pub fn renewal(&self, sequence: u64, document_at_ms: u64) -> RenewMessage {
        RenewMessage { cluster: self.cluster(), instance: self.instance(), sequence, document_at_ms }
    }

    pub fn anchor(&self, sequence: u64, epoch: u64) -> AnchorMessage {
        let (cluster, instance) = (self.cluster(), self.instance());
        AnchorMessage { cluster, instance, sequence, epoch, hash: Bytes([epoch.to_le_bytes()[0]; 32]) }
    }

    pub fn successor(&self, sequence: u64, successor_key: Bytes32) -> SuccessorMessage {
        SuccessorMessage { cluster: self.cluster(), instance: self.instance(), sequence, successor_key }
    }

    pub fn hand_over(&self, sequence: u64, successor: &Self) -> HandOverMessage {
        let (cluster, instance) = (self.cluster(), self.instance());
        HandOverMessage { cluster, instance, sequence, successor: successor.instance() }
    }

    pub fn evidence(&self, sequence: u64, stake: Address, offence: Offence, proof: &[u8]) -> EvidenceMessage {
        use sha2::Digest as _;
        let digest = Bytes(sha2::Sha256::digest(proof).into());
        EvidenceMessage { cluster: self.cluster(), instance: self.instance(), sequence, stake, offence, digest }
    }
}

pub fn sign<M: SignedMessage>(key: &SigningKey, message: &M) -> [u8; 64] {
    key.sign_message(M::KIND, &message.message_bytes())
}

pub fn release(pcrs: [Pcr; 3]) -> NewRelease {
    let pcrs = pcrs.map(|pcr| Bytes(pcr.0));
    NewRelease {
        pcr0: pcrs[0],
        pcr1: pcrs[1],
        pcr2: pcrs[2],
        pcr8: None,
        worker_pcrs: Vec::new(),
        artifact_sha256: Bytes([7; 32]),
        source_revision: "test".into(),
    }
}

/// The contract refused with this constant of this module.
#[track_caller]
pub fn assert_aborts<T: Debug>(result: Result<T, Error>, module: &str, constant: &str) {
    match result {
        Err(Error::Aborted(abort)) => assert!(abort.is(module, constant), "{module}::{constant}: {abort}"),
        other => panic!("{module}::{constant}: {other:?}"),
    }
}

/// The framework's verifier refused with this code of `sui::nitro_attestation`.
#[track_caller]
pub fn assert_not_loaded<T: Debug>(result: Result<T, Error>, code: u64) {
    match result {
        Err(Error::Aborted(abort)) => assert_eq!((abort.module.as_str(), abort.code), ("nitro_attestation", code)),
        other => panic!("nitro_attestation {code}: {other:?}"),
    }
}

/// The events of a transaction, by module and name.
pub fn names(receipt: &Receipt) -> Vec<(&'static str, &'static str)> {
    receipt.events.iter().map(Event::names).collect()
}
