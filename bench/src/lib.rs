//! daas-bench
