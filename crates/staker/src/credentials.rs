//! What the node shows: keys made here, certificates of the join gateway, checked before they are used, each with its key in one file
//! that is replaced by a rename.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use daas_chain::private;
use daas_join::{Audience, NodePassword, NodeSubject};
use daas_seal_token::{NodeName, TokenId};
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PublicKeyData as _};
use rustls::pki_types::UnixTime;
use rustls::server::WebPkiClientVerifier;
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::pinned::{certificates, roots};
use crate::random;
use crate::state_file::write_private;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
/// Gateways sign for clocks that are behind; this machine's may be, too.
const CLOCKS: Duration = Duration::from_mins(5);

const SERVER_CA: &str = "server-ca.crt";
const CLIENT_CA: &str = "client-ca.crt";

/// The certificates that a node needs, in the order in which they are asked for.
pub const AUDIENCES: [Audience; 4] =
    [Audience::Kubelet, Audience::KubeletServing, Audience::KubeProxy, Audience::Controller];

/// A key without a certificate.
pub struct Asked {
    key: KeyPair,
    request: Vec<u8>,
}

/// A certificate with its key, checked.
pub struct Credential {
    pem: Zeroizing<String>,
    /// Its validity.
    pub life: Life,
}

/// When a certificate begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// The first moment.
    pub begins: SystemTime,
    /// The last.
    pub ends: SystemTime,
}

/// Whose certificate is expected.
#[derive(Debug, Clone)]
pub struct Expected<'a> {
    /// The node.
    pub name: &'a NodeName,
    /// Its Seal token.
    pub token: TokenId,
    /// The CA of client certificates, PEM.
    pub client_ca: &'a [u8],
}

impl Asked {
    /// A new key (P-256) and the request for its certificate: the key and nothing else.
    pub fn new() -> Result<Self, Error> {
        let failed = |_| Error::Crypto("making a key");
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let request = params.serialize_request(&key).map_err(failed)?.der().to_vec();
        Ok(Self { key, request })
    }

    /// The request, DER.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Takes the certificate that came back, if it is for this key and says what it should.
    pub fn answered(self, audience: Audience, pem: &[u8], expected: &Expected<'_>) -> Result<Credential, Error> {
        const WHAT: &str = "certificate";
        let refused = |why: &str| Error::handed(WHAT, why);
        let text = std::str::from_utf8(pem).map_err(|_| refused("it is not text"))?;
        if text.contains("PRIVATE KEY") {
            return Err(refused("it comes with a key; keys are made here"));
        }
        let chain = certificates(pem)?;
        let leaf = chain.first().ok_or_else(|| refused("there is none"))?;
        let certificate = Certificate::from_der(leaf).map_err(|error| Error::handed(WHAT, error))?;
        let of_certificate = certificate.tbs_certificate.subject_public_key_info.to_der();
        if of_certificate.ok().as_deref() != Some(&self.key.subject_public_key_info()) {
            return Err(refused("it is for another key"));
        }
        let subject = Subject::of(&certificate).ok_or_else(|| refused("its subject cannot be read"))?;
        subject.check(audience, leaf, expected)?;
        if audience == Audience::KubeletServing {
            check_names(&certificate, expected.name)?;
        } else {
            check_issuer(&chain, expected.client_ca)?;
        }
        let validity = &certificate.tbs_certificate.validity;
        let life = Life { begins: validity.not_before.to_system_time(), ends: validity.not_after.to_system_time() };
        let now = SystemTime::now();
        if now + CLOCKS < life.begins || now > life.ends {
            return Err(refused("it is not valid now"));
        }
        Ok(Credential { pem: Zeroizing::new(format!("{}\n{}", text.trim_end(), self.key.serialize_pem())), life })
    }
}

impl Credential {
    /// Certificates and key, PEM.
    pub fn pem(&self) -> &[u8] {
        self.pem.as_bytes()
    }
}

impl Life {
    /// Whether a third of it or less is left.
    pub fn is_due(&self, now: SystemTime) -> bool {
        self.due_in(now).is_zero()
    }

    /// How long until a third of it is left.
    pub fn due_in(&self, now: SystemTime) -> Duration {
        let whole = self.ends.duration_since(self.begins).unwrap_or_default();
        self.ends.duration_since(now).unwrap_or_default().saturating_sub(whole / 3)
    }
}

/// The folder of a node's credentials.
#[derive(Debug, Clone)]
pub struct CredentialFolder(PathBuf);

impl CredentialFolder {
    /// The folder below a worker's state folder.
    pub fn below(state: &Path) -> Result<Self, Error> {
        let folder = state.join("credentials");
        private::make_folder(&folder).map_err(Error::file("make the folder", &folder))?;
        Ok(Self(folder))
    }

    /// Where the certificate for an audience is.
    pub fn path(&self, audience: Audience) -> PathBuf {
        self.0.join(match audience {
            Audience::Kubelet => "kubelet-client.pem",
            Audience::KubeletServing => "kubelet-serving.pem",
            Audience::KubeProxy => "kube-proxy.pem",
            Audience::Controller => "controller.pem",
        })
    }

    /// Puts a certificate in its place.
    pub fn write(&self, audience: Audience, credential: &Credential) -> Result<(), Error> {
        write_private(&self.path(audience), credential.pem())
    }

    /// The node's password, made at the first use and kept: it ties the name to this machine.
    pub fn password(&self, name: &NodeName) -> Result<NodePassword, Error> {
        let path = self.0.join(format!("{name}.password"));
        match fs::read_to_string(&path).map(Zeroizing::new) {
            Ok(text) => NodePassword::parse(text.trim_end())
                .ok_or_else(|| Error::StateMalformed { path, reason: "it holds no password".to_owned() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text = Zeroizing::new(hex::encode(random::<16>()?));
                write_private(&path, text.as_bytes())?;
                NodePassword::parse(&text).ok_or(Error::Crypto("making a password"))
            }
            Err(error) => Err(Error::file("read", &path)(error)),
        }
    }

    /// Keeps the authorities' certificates, server's and clients', for a start that only has to end what ran.
    pub fn keep_authorities(&self, server_ca: &[u8], client_ca: &[u8]) -> Result<(), Error> {
        write_private(&self.0.join(SERVER_CA), server_ca)?;
        write_private(&self.0.join(CLIENT_CA), client_ca)
    }

    /// Those that were kept.
    pub fn authorities(&self) -> Result<Option<[String; 2]>, Error> {
        let read = |name| {
            let path = self.0.join(name);
            match fs::read_to_string(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                text => text.map(Some).map_err(Error::file("read", &path)),
            }
        };
        Ok(read(SERVER_CA)?.zip(read(CLIENT_CA)?).map(Into::into))
    }

    /// Removes everything that the node could show.
    pub fn remove(&self) -> Result<(), Error> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file("remove", &self.0)(error)),
            _ => Ok(()),
        }
    }
}

/// Common name and organizations of a certificate.
struct Subject {
    common_name: String,
    organizations: Vec<String>,
}

impl Subject {
    fn of(certificate: &Certificate) -> Option<Self> {
        let (mut common_name, mut organizations) = (None, Vec::new());
        for part in certificate.tbs_certificate.subject.0.iter().flat_map(|rdn| rdn.0.iter()) {
            let text = std::str::from_utf8(part.value.value()).ok()?.to_owned();
            match part.oid {
                COMMON_NAME if common_name.is_none() => common_name = Some(text),
                ORGANIZATION => organizations.push(text),
                _ => return None,
            }
        }
        Some(Self { common_name: common_name?, organizations })
    }

    fn check(&self, audience: Audience, leaf: &[u8], expected: &Expected<'_>) -> Result<(), Error> {
        let refused = |why: String| Err(Error::handed("certificate", why));
        let wanted = match audience {
            Audience::Kubelet => format!("system:node:{}", expected.name),
            Audience::KubeProxy => "system:kube-proxy".to_owned(),
            Audience::Controller => "system:k3s-controller".to_owned(),
            Audience::KubeletServing => expected.name.to_string(),
        };
        if self.common_name != wanted {
            return refused(format!("it is for {:?}, not {wanted}", self.common_name));
        }
        let subject = match audience {
            Audience::Kubelet => NodeSubject::of_kubelet(leaf),
            _ => NodeSubject::of_groups(&self.organizations),
        };
        match subject {
            Ok(subject) if subject.name == *expected.name && subject.token == expected.token => Ok(()),
            Ok(_) => refused("it is tied to another node or token".to_owned()),
            Err(error) => refused(error.to_string()),
        }
    }
}

fn check_names(certificate: &Certificate, name: &NodeName) -> Result<(), Error> {
    let names = certificate.tbs_certificate.get::<SubjectAltName>().ok().flatten();
    let has = names.is_some_and(|(_, names)| {
        names.0.iter().any(|entry| matches!(entry, GeneralName::DnsName(dns) if dns.as_str() == name.as_str()))
    });
    if has { Ok(()) } else { Err(Error::handed("certificate", "it does not serve for the node's name")) }
}

fn check_issuer(chain: &[rustls::pki_types::CertificateDer<'_>], client_ca: &[u8]) -> Result<(), Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(client_ca)?), provider).build();
    let verifier = verifier.map_err(|error| Error::handed("client CA", error))?;
    let [leaf, rest @ ..] = chain else { return Err(Error::handed("certificate", "there is none")) };
    verifier.verify_client_cert(leaf, rest, UnixTime::now()).map_err(|error| Error::handed("certificate", error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use daas_authenticator::issuer::{Issuer, Signer as _};
    use daas_https::tls::Identity;
    use daas_join::{CertificateRequest, NodeFacts, Profile};
    use daas_seal_token::NodeIdentity;
    use rcgen::{BasicConstraints, CertifiedIssuer, DnType, IsCa};

    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    struct Ca {
        pem: String,
        issuer: Issuer,
    }

    fn ca(name: &str, lifetime: Duration) -> Ca {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let (certificate, key) = (ca.pem().into_bytes(), ca.key().serialize_pem().into_bytes().into());
        Ca { pem: ca.pem(), issuer: Issuer::new(&Identity { certificate, key }, lifetime).unwrap() }
    }

    fn facts(name: &str, token: u8) -> NodeFacts {
        let (name, token) = (name.parse().unwrap(), TokenId([token; 32]));
        let identity = NodeIdentity { key_generation: 1, ..node_identity(name, token) };
        NodeFacts { identity, address: Some("172.30.0.11".parse().unwrap()) }
    }

    fn node_identity(name: NodeName, token: TokenId) -> NodeIdentity {
        NodeIdentity { name, token, owner: daas_seal_token::WalletAddress([1; 32]), key_generation: 1 }
    }

    /// What the worker says to a certificate that the gateway made with this profile for this request.
    fn taken(
        ca: &Ca,
        signed_as: (Audience, &str, u8),
        request: Option<&[u8]>,
        asked_for: Audience,
        client_ca: &Ca,
    ) -> Result<Credential, Error> {
        let asked = Asked::new().unwrap();
        let request = CertificateRequest::parse(request.unwrap_or(asked.request())).unwrap();
        let (audience, name, token) = signed_as;
        let pem = ca.issuer.sign(&Profile::new(audience, &facts(name, token)), &request).unwrap();
        let name = "worker-1-dededede".parse().unwrap();
        let expected = Expected { name: &name, token: TokenId([6; 32]), client_ca: client_ca.pem.as_bytes() };
        asked.answered(asked_for, pem.as_bytes(), &expected)
    }

    #[test]
    fn the_gateways_certificates_are_taken_with_their_keys() {
        let client = ca("client", DAY);
        for audience in AUDIENCES {
            let good = taken(&client, (audience, "worker-1-dededede", 6), None, audience, &client);
            let good = good.unwrap_or_else(|error| panic!("{audience:?}: {error}"));
            let text = std::str::from_utf8(good.pem()).unwrap();
            assert_eq!(text.matches("BEGIN PRIVATE KEY").count(), 1);
            assert!(text.starts_with("-----BEGIN CERTIFICATE-----"));
            assert!(!good.life.is_due(SystemTime::now()));
            assert!(good.life.is_due(SystemTime::now() + DAY * 3 / 4));
            assert!(good.life.is_due(SystemTime::now() + DAY * 2));
        }
    }

    #[test]
    fn a_certificate_for_another_name_token_key_use_or_authority_is_refused() {
        let (client, other) = (ca("client", DAY), ca("client", DAY));
        let foreign = Asked::new().unwrap();
        for audience in AUDIENCES {
            let name = "worker-1-dededede";
            for (what, refused) in [
                ("name", taken(&client, (audience, "worker-2-dededede", 6), None, audience, &client)),
                ("token", taken(&client, (audience, name, 7), None, audience, &client)),
                ("key", taken(&client, (audience, name, 6), Some(foreign.request()), audience, &client)),
            ] {
                assert!(matches!(refused, Err(Error::Handed { .. })), "{audience:?}: {what}");
            }
            for another in AUDIENCES.into_iter().filter(|another| *another != audience) {
                let refused = taken(&client, (another, name, 6), None, audience, &client);
                assert!(matches!(refused, Err(Error::Handed { .. })), "{another:?} for {audience:?}");
            }
            if audience != Audience::KubeletServing {
                let refused = taken(&other, (audience, name, 6), None, audience, &client);
                assert!(matches!(refused, Err(Error::Handed { .. })), "{audience:?}: another CA");
            }
        }
    }

    #[test]
    fn what_is_no_certificate_or_brings_a_key_is_refused() {
        let client = ca("client", DAY);
        let name = "worker-1-dededede".parse().unwrap();
        let expected = Expected { name: &name, token: TokenId([6; 32]), client_ca: client.pem.as_bytes() };
        let key = KeyPair::generate().unwrap().serialize_pem();
        for answer in
            ["", "hello", &format!("{}{key}", client.pem), &client.pem, &"-----BEGIN CERTIFICATE-----\n".repeat(9)]
        {
            let refused = Asked::new().unwrap().answered(Audience::Kubelet, answer.as_bytes(), &expected);
            assert!(matches!(refused, Err(Error::Handed { .. })), "{answer}");
        }
        let refused = Asked::new().unwrap().answered(Audience::Kubelet, &[0xff; 99], &expected);
        assert!(matches!(refused, Err(Error::Handed { .. })));
    }

    #[test]
    fn credentials_are_private_and_replaced_in_place_and_the_password_stays() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let credentials = CredentialFolder::below(folder.path()).unwrap();
        let client = ca("client", DAY);
        let name: NodeName = "worker-1-dededede".parse().unwrap();
        let path = credentials.path(Audience::Kubelet);
        let mut before = Vec::new();
        for _ in 0..2 {
            let new = taken(&client, (Audience::Kubelet, name.as_str(), 6), None, Audience::Kubelet, &client).unwrap();
            credentials.write(Audience::Kubelet, &new).unwrap();
            let now = fs::read(&path).unwrap();
            assert!(now != before && now == new.pem());
            before = now;
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let password = credentials.password(&name).unwrap();
        assert_eq!(credentials.password(&name).unwrap().expose(), password.expose());
        assert_eq!(password.expose().len(), 32);
        credentials.keep_authorities(b"server", b"client").unwrap();
        assert_eq!(credentials.authorities().unwrap().unwrap(), ["server", "client"]);
        credentials.remove().unwrap();
        credentials.remove().unwrap();
        assert!(!path.exists() && credentials.authorities().unwrap().is_none());
    }
}
