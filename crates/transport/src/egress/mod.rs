//! Connections from the enclave to the outside, opened by the parent.
//!
//! On a connection of its own the enclave asks `CONNECT host:port\n`; the parent answers `OK\n`, and the bytes of that destination follow, or
//! `ERR <code> <text>\n`, and the end. The enclave asks only for what its own [`Policy`] allows, and trusts nothing that
//! comes back: TLS or signatures are checked behind it. The parent opens only what its [`Routes`] name.

mod ask;
mod policy;
mod protocol;
mod serve;
mod target;

pub use ask::Client;
pub use policy::{Policy, Ports};
pub use protocol::{Refusal, RefusalCode};
pub use serve::{Gateway, Route, Routes};
pub use target::{Host, Target};
