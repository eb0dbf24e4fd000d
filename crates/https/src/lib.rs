//! A bounded HTTPS server, and one request to one.
//!
//! - [`server`]: HTTP/1.1 over TLS, bounded in connections, time and bytes; [`tls`]: what it is served with.
//! - [`client`]: a request on a connection of its own.

pub mod client;
mod error;
pub mod server;
pub mod tls;

pub use error::Error;
