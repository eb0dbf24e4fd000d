//! The root of trust of a development cluster.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use daas_attestation::{TrustedRoots, UnixTime};
use x509_cert::der::pem::{self, LineEnding};
use zeroize::Zeroizing;

use crate::{Authority, Error, SigningKey, Subject};

/// A self-signed root, made once per development cluster; never AWS'.
#[derive(Debug)]
pub struct DevelopmentRoot(Authority);

const CERTIFICATE_FILE: &str = "attestation-root.pem";
const KEY_FILE: &str = "attestation-root.key";
const CERTIFICATE_LABEL: &str = "CERTIFICATE";
const KEY_LABEL: &str = "PRIVATE KEY";
const LIFETIME: Duration = Duration::from_hours(30 * 365 * 24);
/// Clocks of one machine's processes and virtual machines may differ.
const BACKDATED: u64 = 3600;

impl DevelopmentRoot {
    /// A new root with a new key, valid from an hour before `now`.
    pub fn generate(now: UnixTime) -> Result<Self, Error> {
        let from = UnixTime::from_seconds(now.seconds().saturating_sub(BACKDATED));
        Authority::self_signed(&Subject::regional("simulated.nitro-enclaves"), SigningKey::generate()?, from, LIFETIME)
            .map(Self)
    }

    /// The root in `folder`, or a new one that is written there: `attestation-root.pem`, and `attestation-root.key` which only
    /// the owner may read.
    pub fn load_or_generate(folder: &Path, now: UnixTime) -> Result<Self, Error> {
        if folder.join(KEY_FILE).exists() {
            return Self::load(folder);
        }
        let root = Self::generate(now)?;
        root.write(folder)?;
        Ok(root)
    }

    /// The root in `folder`.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let not_a_root = |reason| Error::NotARoot { path: folder.to_owned(), reason };
        let certificate_pem = Zeroizing::new(read(&folder.join(CERTIFICATE_FILE))?);
        let key_pem = Zeroizing::new(read(&folder.join(KEY_FILE))?);
        TrustedRoots::development(&certificate_pem).map_err(|_| not_a_root("the certificate is not a root's"))?;
        let certificate =
            decode(&certificate_pem, CERTIFICATE_LABEL).ok_or_else(|| not_a_root("no PEM certificate"))?;
        let pkcs8 = Zeroizing::new(decode(&key_pem, KEY_LABEL).ok_or_else(|| not_a_root("no PEM private key"))?);
        let key = SigningKey::from_pkcs8(&pkcs8).map_err(|_| not_a_root("the key is not a P-384 key"))?;
        Authority::from_certificate(certificate, key)
            .map(Self)
            .ok_or_else(|| not_a_root("the key is not the certificate's"))
    }

    /// Writes the root into `folder`; nothing is overwritten. The key comes first, so that a certificate is never without it.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        let key = encode(KEY_LABEL, self.0.key().pkcs8())?;
        create(&folder.join(KEY_FILE), 0o600, key.as_bytes())?;
        create(&folder.join(CERTIFICATE_FILE), 0o644, self.certificate_pem()?.as_bytes())
    }

    /// What a development verifier is given.
    pub fn certificate_pem(&self) -> Result<String, Error> {
        encode(CERTIFICATE_LABEL, self.0.certificate()).map(|text| text.to_string())
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.0
    }
}

/// Signs what tests compose.
impl std::ops::Deref for DevelopmentRoot {
    type Target = Authority;

    fn deref(&self) -> &Authority {
        &self.0
    }
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|source| Error::File { action: "read", path: path.to_owned(), source })
}

fn create(path: &Path, mode: u32, content: &[u8]) -> Result<(), Error> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .map_err(|source| Error::File { action: "written", path: path.to_owned(), source })
}

fn encode(label: &'static str, der: &[u8]) -> Result<Zeroizing<String>, Error> {
    pem::encode_string(label, LineEnding::LF, der).map(Zeroizing::new).map_err(|_| Error::Chain { what: "a PEM file" })
}

fn decode(text: &str, label: &str) -> Option<Vec<u8>> {
    let (found, der) = pem::decode_vec(text.as_bytes()).ok()?;
    (found == label).then_some(der)
}
