//! Asks an enclave for a fresh attestation document, and says which key the TLS connection has that it came through.
//!
//! [`ask`] sends a nonce to `GET /api/v1/attestation?nonce=<64 hex digits>` of a master and gives back the
//! [`Answer`](daas_attestation::Answer) with the SHA-256 of the peer's public key. It judges nothing:
//! [`verify`](daas_attestation::verify) does, with [`Live::nonce_rule`] and [`Live::tls_peer`] in its policy. Only that
//! makes the connection worth something, because here any certificate is taken: what an enclave is, its document says, and no
//! certificate authority. That the peer holds the key of its certificate is proven by the handshake.

mod any_certificate;
mod ask;
mod endpoint;

pub use any_certificate::{client_config, peer_spki_sha256};
pub use ask::{AskError, Live, ask};
pub use endpoint::{Endpoint, EndpointError};
