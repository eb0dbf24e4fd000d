//! add-ons
