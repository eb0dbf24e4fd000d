//! The workers: who has registered, how they do, and how they leave.
//!
//! [`Book`] is what is remembered, in memory alone; it knows neither sockets nor clocks. [`Workers`] lets them in, and
//! [`leaving`] puts out whose identity is over.

mod book;
mod kube;
pub mod leaving;
mod register;

pub use book::{Book, BookError, Known, Reserved};
pub use kube::{Kube, NodeApi, NodeApiError, NodeFound};
pub use register::{ClusterFacts, Refused, Workers};
