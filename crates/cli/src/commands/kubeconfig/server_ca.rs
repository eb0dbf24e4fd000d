//! The cluster's CA, as the join gateway gives it to everybody: worth nothing unless its hash is the attested one.

use std::time::Duration;

use daas_attested_tls::client_config;
use daas_diagnostics::{Diagnostic, codes};
use daas_https::client::{Request, exchange};
use http::{Method, StatusCode};
use sha2::{Digest as _, Sha256};

/// What everybody may ask the join gateway for (docs/join.md).
const PATH: &str = "/cacerts";
/// Two certificates are shorter.
const LONGEST: usize = 64 * 1024;

/// Asks `join` (host:port) for the CA; it must have this SHA-256.
pub(super) async fn fetch(join: &str, attested: &[u8; 32], patience: Duration) -> Result<Vec<u8>, Diagnostic> {
    let unreachable =
        |reason: String| Diagnostic::new(codes::SERVER_CA_UNREACHABLE).with("address", join).with("reason", reason);
    let body = match tokio::time::timeout(patience, ask(join)).await {
        Ok(answer) => answer.map_err(unreachable)?,
        Err(_) => return Err(unreachable(format!("no answer within {} s", patience.as_secs()))),
    };
    if <[u8; 32]>::from(Sha256::digest(&body)) != *attested {
        return Err(Diagnostic::new(codes::SERVER_CA_NOT_ATTESTED)
            .with("address", join)
            .technical(format!("it should have SHA-256 {}", hex::encode(attested))));
    }
    Ok(body)
}

/// Any certificate is taken: the bytes themselves are judged.
async fn ask(join: &str) -> Result<Vec<u8>, String> {
    let mut addresses = tokio::net::lookup_host(join).await.map_err(|error| error.to_string())?;
    let address = addresses.next().ok_or("no such host")?;
    let tls = client_config().map_err(|error| error.to_string())?;
    let (status, body) = exchange(address, tls, Request::plain(Method::GET, PATH), LONGEST).await?;
    if status == StatusCode::OK { Ok(body.to_vec()) } else { Err(format!("the status is {status}, not 200")) }
}
