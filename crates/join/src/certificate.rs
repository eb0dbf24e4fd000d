//! What a certificate says: composed from what the registry knows of a node, and read back from the certificates that
//! nodes show.

use std::net::IpAddr;

use daas_seal_token::{NodeIdentity, NodeName, TokenId};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::certificate::{CertificateInner, Rfc5280, TbsCertificateInner, Version};
use x509_cert::der::asn1::{
    Any, BitString, Ia5String, ObjectIdentifier, OctetString, PrintableStringRef, SetOfVec, Utf8StringRef,
};
use x509_cert::der::flagset::FlagSet;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::AlgorithmIdentifierOwned;

pub use x509_cert::time::Validity;

use crate::csr::CertificateRequest;
use crate::error::Error;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

const NODE_USER: &str = "system:node:";
const NODES: &str = "system:nodes";
const NODE_GROUP: &str = "seal:node:";
const TOKEN_GROUP: &str = "seal:token:";
const KEY_GROUP: &str = "seal:key:";

/// Which of a node's programs a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// The kubelet at the API server: `system:node:<name>`.
    Kubelet,
    /// kube-proxy at the API server.
    KubeProxy,
    /// The agent's own controller at the API server.
    Controller,
    /// The API server at the kubelet. Signed by a CA of its own, so that no node can pass for the API server.
    KubeletServing,
}

/// What the registry knows of a node.
#[derive(Debug, Clone)]
pub struct NodeFacts {
    /// Name, token and key generation, as the Seal token was verified.
    pub identity: NodeIdentity,
    /// The address that the node is registered with.
    pub address: Option<IpAddr>,
}

/// Everything that a certificate says, except its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    common_name: String,
    organizations: Vec<String>,
    addresses: Vec<IpAddr>,
    names: Vec<String>,
    usage: ObjectIdentifier,
}

impl Profile {
    /// The profile for one of a node's programs: nothing in it comes from a request.
    pub fn new(audience: Audience, node: &NodeFacts) -> Self {
        let name = &node.identity.name;
        let ties = vec![
            format!("{NODE_GROUP}{name}"),
            format!("{TOKEN_GROUP}{}", node.identity.token),
            format!("{KEY_GROUP}{}", node.identity.key_generation),
        ];
        let client = |common_name: String, organizations| Self {
            common_name,
            organizations,
            addresses: Vec::new(),
            names: Vec::new(),
            usage: CLIENT_AUTH,
        };
        match audience {
            Audience::Kubelet => client(format!("{NODE_USER}{name}"), [vec![NODES.to_owned()], ties].concat()),
            Audience::KubeProxy => client("system:kube-proxy".to_owned(), ties),
            Audience::Controller => client("system:k3s-controller".to_owned(), ties),
            Audience::KubeletServing => Self {
                common_name: name.to_string(),
                organizations: ties,
                addresses: node.address.into_iter().collect(),
                names: vec![name.to_string()],
                usage: SERVER_AUTH,
            },
        }
    }

    /// The certificate to be signed by `issuer` with `algorithm`.
    pub fn certificate(
        &self,
        request: &CertificateRequest,
        issuer: &CertificateInner<Rfc5280>,
        algorithm: AlgorithmIdentifierOwned,
        serial: [u8; 16],
        validity: Validity,
    ) -> Result<TbsCertificateInner<Rfc5280>, Error> {
        Ok(TbsCertificateInner {
            version: Version::V3,
            // Positive and never empty (RFC 5280 §4.1.2.2).
            serial_number: SerialNumber::new(&[&[0x01], serial.as_slice()].concat()).map_err(|_| Error::Encoding)?,
            signature: algorithm,
            issuer: issuer.tbs_certificate.subject.clone(),
            validity,
            subject: self.subject()?,
            subject_public_key_info: request.key().clone(),
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: Some(self.extensions(issuer)?),
        })
    }

    fn subject(&self) -> Result<Name, Error> {
        let organizations = self.organizations.iter().map(|name| (ORGANIZATION, name));
        let parts = organizations.chain([(COMMON_NAME, &self.common_name)]);
        parts.map(|(oid, text)| part(oid, text)).collect::<Result<Vec<_>, _>>().map(RdnSequence)
    }

    fn extensions(&self, issuer: &CertificateInner<Rfc5280>) -> Result<Vec<Extension>, Error> {
        let mut all = vec![
            extension(true, &KeyUsage(FlagSet::from(KeyUsages::DigitalSignature)))?,
            extension(false, &ExtendedKeyUsage(vec![self.usage]))?,
            extension(true, &BasicConstraints { ca: false, path_len_constraint: None })?,
        ];
        let key_id = issuer.tbs_certificate.extensions.iter().flatten();
        let key_id = key_id.filter(|extension| extension.extn_id == x509_cert::ext::pkix::SubjectKeyIdentifier::OID);
        for extension_of_issuer in key_id {
            let id = OctetString::from_der(extension_of_issuer.extn_value.as_bytes()).map_err(|_| Error::Encoding)?;
            all.push(extension(false, &AuthorityKeyIdentifier { key_identifier: Some(id), ..Default::default() })?);
        }
        let mut names = Vec::new();
        for name in &self.names {
            names.push(GeneralName::DnsName(Ia5String::new(name).map_err(|_| Error::Encoding)?));
        }
        for address in &self.addresses {
            let octets = match address {
                IpAddr::V4(address) => address.octets().to_vec(),
                IpAddr::V6(address) => address.octets().to_vec(),
            };
            names.push(GeneralName::IpAddress(OctetString::new(octets).map_err(|_| Error::Encoding)?));
        }
        if !names.is_empty() {
            all.push(extension(false, &SubjectAltName(names))?);
        }
        Ok(all)
    }
}

/// Puts the issuer's signature under a certificate: the DER that is sent.
pub fn assemble(tbs: TbsCertificateInner<Rfc5280>, signature: &[u8]) -> Result<Vec<u8>, Error> {
    let signature_algorithm = tbs.signature.clone();
    let signature = BitString::from_bytes(signature).map_err(|_| Error::Encoding)?;
    CertificateInner { tbs_certificate: tbs, signature_algorithm, signature }.to_der().map_err(|_| Error::Encoding)
}

/// Which node a client certificate of this cluster's client CA speaks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NodeSubject {
    /// The node's name.
    pub name: NodeName,
    /// Its token.
    pub token: TokenId,
    /// The generation of the session key that the certificate was asked for with.
    pub key_generation: u64,
}

impl NodeSubject {
    /// Reads the subject of a kubelet's certificate whose chain has been verified. Whether node and key are still
    /// good only the registry knows.
    pub fn of_kubelet(der: &[u8]) -> Result<Self, Error> {
        if !daas_attestation::der::lengths_fit(der) {
            return Err(Error::Subject);
        }
        let certificate = CertificateInner::<Rfc5280>::from_der(der).map_err(|_| Error::Subject)?;
        let mut user = None;
        let mut groups = Vec::new();
        for part in certificate.tbs_certificate.subject.0.iter().flat_map(|rdn| rdn.0.iter()) {
            let text = text_of(&part.value).ok_or(Error::Subject)?;
            match part.oid {
                COMMON_NAME if user.is_none() => user = Some(text),
                ORGANIZATION => groups.push(text),
                _ => return Err(Error::Subject),
            }
        }
        Self::of_user(user.ok_or(Error::Subject)?, &groups)
    }

    /// The same from user name and groups, as Kubernetes passes a certificate's subject on.
    pub fn of_user(user: &str, groups: &[impl AsRef<str>]) -> Result<Self, Error> {
        let subject = Self::of_groups(groups)?;
        let is_node = groups.iter().any(|group| group.as_ref() == NODES);
        if is_node && user.strip_prefix(NODE_USER) == Some(subject.name.as_str()) {
            Ok(subject)
        } else {
            Err(Error::Subject)
        }
    }

    /// From the groups alone: for kube-proxy and the controller, whose user names are not the node's.
    pub fn of_groups(groups: &[impl AsRef<str>]) -> Result<Self, Error> {
        let name = sole(groups, NODE_GROUP)?;
        let token = sole(groups, TOKEN_GROUP)?;
        let generation = sole(groups, KEY_GROUP)?;
        let key_generation: u64 = generation.parse().map_err(|_| Error::Subject)?;
        if key_generation.to_string() != generation {
            return Err(Error::Subject);
        }
        Ok(Self { name: name.parse()?, token: token.parse().map_err(|_| Error::Subject)?, key_generation })
    }
}

/// The rest of the only group with this prefix.
fn sole<'a>(groups: &'a [impl AsRef<str>], prefix: &str) -> Result<&'a str, Error> {
    let mut found = groups.iter().filter_map(|group| group.as_ref().strip_prefix(prefix));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(Error::Subject),
    }
}

fn text_of(value: &Any) -> Option<&str> {
    let utf8 = value.decode_as::<Utf8StringRef<'_>>().ok().map(|text| text.as_str());
    utf8.or_else(|| value.decode_as::<PrintableStringRef<'_>>().ok().map(|text| text.as_str()))
}

fn part(oid: ObjectIdentifier, text: &str) -> Result<RelativeDistinguishedName, Error> {
    let text = Utf8StringRef::new(text).map_err(|_| Error::Encoding)?;
    let mut set = SetOfVec::new();
    set.insert(AttributeTypeAndValue { oid, value: Any::from(text) }).map_err(|_| Error::Encoding)?;
    Ok(RelativeDistinguishedName(set))
}

fn extension<T: AssociatedOid + x509_cert::der::Encode>(critical: bool, value: &T) -> Result<Extension, Error> {
    let der = value.to_der().map_err(|_| Error::Encoding)?;
    Ok(Extension { extn_id: T::OID, critical, extn_value: OctetString::new(der).map_err(|_| Error::Encoding)? })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use daas_seal_token::WalletAddress;
    use proptest::prelude::*;
    use x509_cert::der::DecodePem as _;

    use super::*;

    fn facts() -> NodeFacts {
        let identity = NodeIdentity {
            owner: WalletAddress([5; 32]),
            token: TokenId([6; 32]),
            key_generation: 3,
            name: "worker-1-dead000f".parse().unwrap(),
        };
        NodeFacts { identity, address: Some("10.0.0.7".parse().unwrap()) }
    }

    fn der(audience: Audience) -> Vec<u8> {
        let request = CertificateRequest::parse(crate::csr::tests::GOOD).unwrap();
        let issuer = CertificateInner::<Rfc5280>::from_pem(include_bytes!("../tests/data/ca.pem")).unwrap();
        let algorithm = issuer.signature_algorithm.clone();
        let validity = Validity::from_now(Duration::from_mins(1)).unwrap();
        let tbs =
            Profile::new(audience, &facts()).certificate(&request, &issuer, algorithm, [7; 16], validity).unwrap();
        assemble(tbs, &[1, 2, 3]).unwrap()
    }

    fn groups(audience: Audience) -> Vec<String> {
        Profile::new(audience, &facts()).organizations
    }

    #[test]
    fn a_kubelets_certificate_names_the_node_its_token_and_its_key() {
        let subject = NodeSubject::of_kubelet(&der(Audience::Kubelet)).unwrap();
        let identity = facts().identity;
        let expected = NodeSubject { name: identity.name, token: identity.token, key_generation: 3 };
        assert_eq!(subject, expected);
        assert_eq!(NodeSubject::of_groups(&groups(Audience::KubeProxy)), Ok(expected));
    }

    #[test]
    fn other_certificates_of_a_node_are_no_kubelets() {
        for audience in [Audience::KubeProxy, Audience::Controller, Audience::KubeletServing] {
            assert_eq!(NodeSubject::of_kubelet(&der(audience)), Err(Error::Subject), "{audience:?}");
        }
        assert_eq!(NodeSubject::of_kubelet(b"\x30\x00"), Err(Error::Subject));
    }

    #[test]
    fn no_certificate_carries_a_system_group_beyond_the_nodes_own() {
        for audience in [Audience::Kubelet, Audience::KubeProxy, Audience::Controller, Audience::KubeletServing] {
            for group in groups(audience) {
                assert!(
                    group == "system:nodes" && audience == Audience::Kubelet || group.starts_with("seal:"),
                    "{group}"
                );
            }
        }
    }

    #[test]
    fn serving_certificates_are_for_the_registered_name_and_address_and_no_client() {
        let certificate =
            CertificateInner::<Rfc5280>::from_der(&der(Audience::KubeletServing)).unwrap().tbs_certificate;
        let (_, SubjectAltName(names)) = certificate.get::<SubjectAltName>().unwrap().unwrap();
        let name = GeneralName::DnsName(Ia5String::new("worker-1-dead000f").unwrap());
        assert_eq!(names, [name, GeneralName::IpAddress(OctetString::new([10, 0, 0, 7]).unwrap())]);
        let (_, ExtendedKeyUsage(usages)) = certificate.get::<ExtendedKeyUsage>().unwrap().unwrap();
        assert_eq!(usages, [SERVER_AUTH]);
        let (critical, constraints) = certificate.get::<BasicConstraints>().unwrap().unwrap();
        assert!(critical && !constraints.ca);
        let client = CertificateInner::<Rfc5280>::from_der(&der(Audience::Kubelet)).unwrap().tbs_certificate;
        assert_eq!(client.get::<ExtendedKeyUsage>().unwrap().unwrap().1.0, [CLIENT_AUTH]);
        assert!(client.get::<SubjectAltName>().unwrap().is_none());
    }

    #[test]
    fn groups_that_say_two_things_say_nothing() {
        let good = groups(Audience::Kubelet);
        let user = "system:node:worker-1-dead000f";
        assert!(NodeSubject::of_user(user, &good).is_ok());
        assert_eq!(NodeSubject::of_user("system:node:worker-2-dead000f", &good), Err(Error::Subject));
        assert_eq!(NodeSubject::of_user("worker-1-dead000f", &good), Err(Error::Subject));
        for index in 0..good.len() {
            let mut fewer = good.clone();
            fewer.remove(index);
            assert!(NodeSubject::of_user(user, &fewer).is_err(), "without {}", good[index]);
        }
        for more in ["seal:node:worker-2-dead000f", "seal:key:4", &format!("seal:token:{}", TokenId([7; 32]))] {
            let more = [good.clone(), vec![more.to_owned()]].concat();
            assert!(NodeSubject::of_user(user, &more).is_err());
        }
        let padded: Vec<_> = good.iter().map(|group| group.replace("seal:key:3", "seal:key:03")).collect();
        assert!(NodeSubject::of_user(user, &padded).is_err());
    }

    proptest! {
        #[test]
        fn a_changed_certificate_names_the_same_node_or_none(place in 0_usize..600, bit in 0..8_u32) {
            let mut der = der(Audience::Kubelet);
            let place = place % der.len();
            der[place] ^= 1 << bit;
            if let Ok(subject) = NodeSubject::of_kubelet(&der) {
                // Whatever is read has a form; only the CA's signature says that it is true.
                prop_assert!(subject.name.as_str().parse::<NodeName>().is_ok());
            }
        }
    }
}
