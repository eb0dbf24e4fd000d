//! Where a document comes from: a file, or an enclave that is asked for one.

use std::path::{Path, PathBuf};

use daas_attestation::MAX_DOCUMENT_BYTES;
use daas_attested_tls::{Endpoint, Live, ask};
use daas_diagnostics::{Diagnostic, codes};
use serde_json::{Value, json};

use super::{Claims, Verify};
use crate::invocation::Invocation;
use crate::places::file_failed;
use crate::session_keys::random_secret;

/// `FILE|URL`.
#[derive(Debug)]
pub(super) enum Source {
    /// A document that somebody stored.
    File(PathBuf),
    /// A master.
    Enclave(Endpoint),
}

/// A document, not verified, and what is known about how it came.
#[derive(Debug)]
pub(super) enum Received {
    /// From a file.
    Stored(Vec<u8>),
    /// In answer to a nonce of ours.
    Live(Box<(Endpoint, Live)>),
}

impl Source {
    pub(super) fn of(text: &Path) -> Result<Self, Diagnostic> {
        let address = text.to_string_lossy();
        if !address.contains("://") {
            return Ok(Self::File(text.to_owned()));
        }
        address.parse().map(Self::Enclave).map_err(|error| {
            Diagnostic::new(codes::BAD_VALUE)
                .with("name", "FILE|URL")
                .with_words("origin", "the command line", "명령줄")
                .with("value", without_user(&address))
                .with_words(
                    "expected",
                    "https://HOST:PORT of a master, without user or query",
                    "마스터의 https://호스트:포트 (사용자나 쿼리 없이)",
                )
                .caused_by(&error)
        })
    }

    /// An enclave is asked with a nonce of this command's own: one that is known before is no challenge.
    pub(super) fn check(&self, arguments: &Verify) -> Result<(), Diagnostic> {
        match (self, &arguments.nonce) {
            (Self::Enclave(_), Some(nonce)) => Err(Diagnostic::new(codes::BAD_VALUE)
                .with("name", "nonce")
                .with_words("origin", "the command line", "명령줄")
                .with("value", hex::encode(&nonce.0))
                .with_words(
                    "expected",
                    "none with an address: a random one is sent",
                    "주소를 지정하면 무작위 nonce를 보내므로 생략",
                )),
            // Without TLS nobody knows who is at the other end, whatever the document claims.
            (Self::Enclave(endpoint), None) if !endpoint.is_tls() && arguments.claims != Some(Claims::None) => {
                Err(Diagnostic::new(codes::BAD_VALUE)
                    .with("name", "FILE|URL")
                    .with_words("origin", "the command line", "명령줄")
                    .with("value", endpoint)
                    .with_words(
                        "expected",
                        "https://…: without TLS only the code can be judged, with --claims none",
                        "https://…: TLS가 없으면 --claims none으로 코드만 판정할 수 있습니다",
                    ))
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn read(self, invocation: &Invocation) -> Result<Received, Diagnostic> {
        match self {
            Self::File(path) => stored(&path).map(Received::Stored),
            Self::Enclave(endpoint) => {
                let nonce = *random_secret()?;
                let live = ask(&endpoint, nonce, invocation.settings.timeout).await.map_err(|error| {
                    Diagnostic::new(codes::NO_DOCUMENT_FROM_ENCLAVE)
                        .with("address", &endpoint)
                        .with("reason", &error)
                        .caused_by(&error)
                })?;
                Ok(Received::Live(Box::new((endpoint, live))))
            }
        }
    }
}

impl Received {
    pub(super) fn document(&self) -> &[u8] {
        match self {
            Self::Stored(document) => document,
            Self::Live(live) => &live.1.answer.document,
        }
    }

    /// How it came, for programs; null for a file.
    pub(super) fn connection_json(&self) -> Value {
        match self {
            Self::Stored(_) => Value::Null,
            Self::Live(live) => json!({
                "address": live.0.to_string(),
                "nonce": hex::encode(live.1.nonce),
                "tls_spki_sha256": live.1.tls_spki_sha256.map(hex::encode),
            }),
        }
    }
}

/// A password in an address is not shown.
fn without_user(address: &str) -> String {
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => address.to_owned(),
    }
}

/// The bytes of a file. More than a document can have are not read; the verifier then says so.
fn stored(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    use std::io::Read as _;
    let failed = |error| file_failed("read", path, &error);
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_DOCUMENT_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path).map_err(failed)?.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
