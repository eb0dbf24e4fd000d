//! daas-fuzz
