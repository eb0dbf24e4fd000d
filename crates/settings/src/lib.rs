//! daas-settings
