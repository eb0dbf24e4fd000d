//! Streams between enclave, parent, workers and clients.
//!
//! - [`accept`]: where connections come from, and how many of them there may be.
//! - [`stream`]: TCP and Unix sockets as one type; [`link`]: those between the enclave and its parent, by [port](ports).
//! - [`client_line`]: how the enclave learns whose connection the parent passes on.
//! - [`carry`]: bytes from one stream to another and back, with bounded memory, half-close, resets and counters.
//! - [`egress`]: how the enclave asks its parent for connections to the outside; [`loopback`]: the same for programs that
//!   know nothing of it, through names and loopback addresses.
//! - [`namespace`]: listeners in another network namespace; [`open_files`]: how many connections there can be at all.

pub mod accept;
pub mod carry;
pub mod client_line;
pub mod egress;
mod error;
mod line;
pub mod link;
pub mod loopback;
pub mod namespace;
pub mod open_files;
pub mod ports;
pub mod stream;

pub use error::{Error, Result};
pub use link::Link;
pub use stream::{Listener, Stream};
