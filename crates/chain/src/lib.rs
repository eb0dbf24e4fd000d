//! daas-chain
