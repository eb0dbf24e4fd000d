//! The chain: typed calls, objects and events of the package, wallets, and the live registry.
pub mod types;
