//! daas-diagnostics
