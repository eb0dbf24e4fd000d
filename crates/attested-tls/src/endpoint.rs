//! Where an enclave answers challenges.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use thiserror::Error;

const PATH: &str = "/api/v1/attestation";

/// The address of a master's attestation: `https://HOST[:PORT]`, with a path only if it is not `/api/v1/attestation`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub(crate) is_tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) path: String,
}

/// Why text is no such address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Not `http://` or `https://`, or no host.
    #[error("an address begins with https:// or http:// and a host")]
    NotAnAddress,
    /// The nonce is the query, and nobody signs in.
    #[error("the address has a user, a password, a query or a fragment, and may have none")]
    TooMuch,
}

impl Endpoint {
    /// Whether a connection to it has a key that can be compared with a document's claims.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The header `Host` (RFC 9110 §7.2): the port is left out where it is the scheme's own.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == own_port(self.is_tls) { host } else { format!("{host}:{}", self.port) }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        // `Uri` drops fragments in silence.
        if text.contains('#') {
            return Err(EndpointError::TooMuch);
        }
        let uri: Uri = text.parse().map_err(|_| EndpointError::NotAnAddress)?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(EndpointError::NotAnAddress),
        };
        let authority = uri.authority().ok_or(EndpointError::NotAnAddress)?;
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(EndpointError::TooMuch);
        }
        // `Uri` takes a port that is too large for none.
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => own_port(is_tls),
            rest => rest.and_then(|rest| rest.strip_prefix(':')?.parse().ok()).ok_or(EndpointError::NotAnAddress)?,
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(EndpointError::NotAnAddress);
        }
        let path = if matches!(uri.path(), "" | "/") { PATH } else { uri.path() };
        Ok(Self { is_tls, host, port, path: path.to_owned() })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

fn own_port(is_tls: bool) -> u16 {
    if is_tls { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_host_port_and_path() {
        let read = |text: &str| text.parse::<Endpoint>().unwrap();
        for (text, shown) in [
            ("https://192.0.2.1:8443", "https://192.0.2.1:8443/api/v1/attestation"),
            ("https://master.example/", "https://master.example/api/v1/attestation"),
            ("http://[2001:db8::1]:80/x/y", "http://[2001:db8::1]/x/y"),
            ("https://[::1]:8443", "https://[::1]:8443/api/v1/attestation"),
        ] {
            assert_eq!(read(text).to_string(), shown);
            assert_eq!(read(shown), read(text));
        }
        assert_eq!(read("https://[::1]:8443").host, "::1");
        assert_eq!((read("https://a").port, read("http://a").port), (443, 80));
    }

    #[test]
    fn what_is_no_address_or_more_than_one_is_refused() {
        for text in ["", "a", "ftp://a", "https://", "https://:1", "//a", "https://a:99999", "https://a b"] {
            assert_eq!(text.parse::<Endpoint>(), Err(EndpointError::NotAnAddress), "{text}");
        }
        for text in ["https://me@a", "https://me:secret@a:1/", "https://a?nonce=00", "https://a/#x"] {
            assert_eq!(text.parse::<Endpoint>(), Err(EndpointError::TooMuch), "{text}");
        }
    }
}
