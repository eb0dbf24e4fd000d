//! Token forms, as in k3s' `pkg/clientaccess/token.go`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daas_attestation::der::certificate_from_pem;
use daas_seal_token::{BEARER_LENGTH, SealToken};
use sha2::{Digest as _, Sha256};
use x509_cert::der::Encode as _;
use zeroize::Zeroizing;

use crate::error::Error;

const PINNED_PREFIX: &str = "K10";
const USER_PREFIX: &str = "node:";
const BASIC_PREFIX: &str = "Basic ";
/// A chain of more certificates or bytes is not a CA's.
const MAX_CA_CERTIFICATES: usize = 8;
const MAX_CA_BYTES: usize = 32 * 1024;
const PEM_END: &str = "-----END CERTIFICATE-----";

/// What pins the cluster's server CA: SHA-256 of the `/cacerts` bytes if they hold one certificate, of the DER of the
/// root (the last one) if they hold a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CaHash(pub [u8; 32]);

impl CaHash {
    /// The hash of what `/cacerts` answered.
    pub fn of_cacerts(pem: &[u8]) -> Result<Self, Error> {
        let text =
            std::str::from_utf8(pem).ok().filter(|text| text.len() <= MAX_CA_BYTES).ok_or(Error::CaCertificates)?;
        let mut chain = Vec::new();
        for piece in text.trim_end().split_inclusive(PEM_END) {
            chain.push(certificate_from_pem(piece.trim_start().as_bytes()).map_err(|_| Error::CaCertificates)?);
        }
        match chain.as_slice() {
            [_] => Ok(Self(Sha256::digest(pem).into())),
            [_, .., root] if chain.len() <= MAX_CA_CERTIFICATES => {
                let der = root.to_der().map_err(|_| Error::CaCertificates)?;
                Ok(Self(Sha256::digest(der).into()))
            }
            _ => Err(Error::CaCertificates),
        }
    }
}

impl fmt::Display for CaHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// `K10<hash of the CA>::node:<Seal token>`: what an agent is started with. Its `Debug` and `Display` are masked.
///
/// The hash comes from an attested enclave, so that nobody between worker and enclave can show another CA.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken {
    /// The CA that the agent must find at `/cacerts`.
    pub ca: CaHash,
    /// The Seal token, of the join purpose.
    pub token: SealToken,
}

impl JoinToken {
    /// Reads the text. One token has one spelling.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let rest = text.strip_prefix(PINNED_PREFIX).ok_or(Error::JoinToken)?;
        let (hash, rest) = rest.split_at_checked(64).ok_or(Error::JoinToken)?;
        if !hash.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(Error::JoinToken);
        }
        let mut ca = [0; 32];
        hex::decode_to_slice(hash, &mut ca).map_err(|_| Error::JoinToken)?;
        let bearer = rest.strip_prefix("::").and_then(|rest| rest.strip_prefix(USER_PREFIX)).ok_or(Error::JoinToken)?;
        Ok(Self { ca: CaHash(ca), token: SealToken::parse(bearer)? })
    }

    /// The text: a secret.
    pub fn to_text(&self) -> Zeroizing<String> {
        let bearer = Zeroizing::new(self.token.to_bearer());
        Zeroizing::new(format!("{PINNED_PREFIX}{}::{USER_PREFIX}{}", self.ca, bearer.as_str()))
    }
}

impl fmt::Display for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PINNED_PREFIX}{}::{USER_PREFIX}{}", self.ca, self.token)
    }
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The `Authorization` header of a joining node: HTTP Basic with the user `node` and a Seal token as password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasicCredential(pub SealToken);

impl BasicCredential {
    /// Reads the header's value.
    pub fn parse(header: &str) -> Result<Self, Error> {
        // RFC 7617 leaves the scheme's case open; Go writes it like this and nobody else joins.
        let encoded = header.strip_prefix(BASIC_PREFIX).ok_or(Error::Credential)?;
        if encoded.len() > (USER_PREFIX.len() + BEARER_LENGTH).div_ceil(3) * 4 {
            return Err(Error::Credential);
        }
        let decoded = Zeroizing::new(BASE64.decode(encoded).map_err(|_| Error::Credential)?);
        let text = std::str::from_utf8(&decoded).map_err(|_| Error::Credential)?;
        let bearer = text.strip_prefix(USER_PREFIX).ok_or(Error::Credential)?;
        Ok(Self(SealToken::parse(bearer)?))
    }

    /// The header's value: a secret.
    pub fn to_header(&self) -> Zeroizing<String> {
        let bearer = Zeroizing::new(self.0.to_bearer());
        let text = Zeroizing::new(format!("{USER_PREFIX}{}", bearer.as_str()));
        Zeroizing::new(format!("{BASIC_PREFIX}{}", BASE64.encode(text.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use daas_seal_token::{Claims, ClusterId, NetworkId, Purpose, SigningKey, TokenId};
    use proptest::prelude::*;

    use super::*;

    fn seal_token() -> SealToken {
        let claims =
            Claims::new(NetworkId([1; 32]), ClusterId([2; 32]), TokenId([3; 32]), Purpose::Join, 1, 1, [4; 16])
                .unwrap();
        SigningKey::from_bytes(&[7; 32]).sign(&claims)
    }

    #[test]
    fn a_join_token_has_one_spelling_and_prints_masked() {
        let token = JoinToken { ca: CaHash([0xab; 32]), token: seal_token() };
        let text = token.to_text();
        assert_eq!(*text, format!("K10{}::node:{}", "ab".repeat(32), seal_token().to_bearer()));
        assert_eq!(JoinToken::parse(&text), Ok(token.clone()));
        assert_eq!(format!("{token} {token:?}").matches("seal1.…").count(), 2);
        let bearer = seal_token().to_bearer();
        for wrong in [
            String::new(),
            bearer.clone(),
            format!("K10{}::node:{bearer}", "AB".repeat(32)),
            format!("K10{}::server:{bearer}", "ab".repeat(32)),
            format!("K10{}::{bearer}", "ab".repeat(32)),
            format!("K10{}::node:{bearer} ", "ab".repeat(32)),
            format!("K11{}::node:{bearer}", "ab".repeat(32)),
            format!("K10{}é::node:{bearer}", "a".repeat(63)),
        ] {
            assert!(JoinToken::parse(&wrong).is_err(), "{wrong}");
        }
    }

    /// The header as Go's `req.SetBasicAuth("node", "x")` writes it for a short password: RFC 7617's form.
    #[test]
    fn the_credential_is_basic_of_the_user_node() {
        assert_eq!(BASE64.encode("node:x"), "bm9kZTp4");
        let credential = BasicCredential(seal_token());
        assert_eq!(BasicCredential::parse(&credential.to_header()), Ok(credential));
        let bearer = seal_token().to_bearer();
        for (scheme, user) in [("Basic ", "server:"), ("Basic ", ""), ("Bearer ", "node:"), ("basic ", "node:")] {
            let header = format!("{scheme}{}", BASE64.encode(format!("{user}{bearer}")));
            assert!(BasicCredential::parse(&header).is_err(), "{scheme}{user}");
        }
        assert_eq!(
            BasicCredential::parse("Basic bm9kZTp4"),
            Err(Error::SealToken(daas_seal_token::ParseError::Length))
        );
    }

    /// Made by `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=ca`; the hashes by
    /// `sha256sum`.
    #[test]
    fn one_certificate_is_pinned_by_its_bytes_and_a_chain_by_its_root() {
        let one = include_bytes!("../tests/data/ca.pem");
        assert_eq!(CaHash::of_cacerts(one).unwrap().to_string(), include_str!("../tests/data/ca.pem.sha256").trim());
        let chain = [include_bytes!("../tests/data/other.pem").as_slice(), one].concat();
        assert_eq!(CaHash::of_cacerts(&chain).unwrap().to_string(), include_str!("../tests/data/ca.der.sha256").trim());
        assert_eq!(CaHash::of_cacerts(b""), Err(Error::CaCertificates));
        assert_eq!(CaHash::of_cacerts(b"not a certificate"), Err(Error::CaCertificates));
        let cut = b"-----BEGIN CERTIFICATE-----\nMIIv\n-----END CERTIFICATE-----\n";
        assert_eq!(CaHash::of_cacerts(cut), Err(Error::CaCertificates));
        let trailing = [one.as_slice(), b"more"].concat();
        assert_eq!(CaHash::of_cacerts(&trailing), Err(Error::CaCertificates));
        assert_eq!(CaHash::of_cacerts(&one.repeat(9)), Err(Error::CaCertificates));
    }

    proptest! {
        #[test]
        fn arbitrary_text_is_an_error_or_has_one_spelling(text in "(K10)?[0-9a-f]{60,66}(::node:)?.{0,20}|Basic .{0,40}") {
            if let Ok(token) = JoinToken::parse(&text) {
                prop_assert_eq!(&*token.to_text(), &text);
            }
            if let Ok(credential) = BasicCredential::parse(&text) {
                prop_assert_eq!(&*credential.to_header(), &text);
            }
        }
    }
}
