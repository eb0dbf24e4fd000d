//! daas-seal-token
