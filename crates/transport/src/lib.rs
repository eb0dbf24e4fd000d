//! Streams between enclave, parent, workers and clients.
//!
//! - [`accept`]: where connections come from, and how many of them there may be.

pub mod accept;
