//! The join protocol: what a worker and the join gateway say to each other, and nothing of how the bytes travel.
//!
//! It is k3s' supervisor protocol, cut down to the paths that an agent needs and hardened (docs/join.md). Both sides use
//! this crate; it knows neither sockets nor clocks, and whatever comes from the other side becomes a type here or an error.
//!
//! - [`JoinToken`], [`BasicCredential`], [`CaHash`]: how a worker recognises the cluster and shows its Seal token.
//! - [`Endpoint`], [`NodeHeaders`]: the allow-list of paths and headers.
//! - [`AgentConfig`]: the document that tells an agent about the cluster.
//! - [`NodePassword`], [`PasswordBook`]: the password that ties a node's name to its first owner.
//! - [`CertificateRequest`], [`Profile`], [`NodeSubject`]: what is taken over from a request (its key), what a certificate says.
//! - [`Frame`]: the tunnel's messages. [`Backlog`]: how much of their data may wait.
//! - [`master_api`]: the master's own API, where a worker registers before it joins.

mod backlog;
mod certificate;
mod config;
mod csr;
mod error;
mod frame;
pub mod master_api;
mod password;
mod route;
mod token;

pub use backlog::{Backlog, Bound, Piece};
pub use certificate::{Audience, NodeFacts, NodeSubject, Profile, Validity, assemble};
pub use config::{AgentConfig, Network};
pub use csr::{CertificateRequest, KeyKind, MAX_REQUEST_BYTES};
pub use error::Error;
pub use frame::{END_OF_STREAM, Frame, MAX_CHUNK_BYTES, MAX_MESSAGE_BYTES, Message, StreamId};
pub use password::{NodePassword, PasswordBook};
pub use route::{Access, Endpoint, HEADER_NODE_ADDRESS, HEADER_NODE_NAME, HEADER_NODE_PASSWORD, Method, NodeHeaders};
pub use token::{BasicCredential, CaHash, JoinToken};
