//! daas-devnet

pub mod execution;
