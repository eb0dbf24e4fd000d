//! The live decision: registry view and time in, verdicts out. No I/O; every server of this crate asks here.

mod action;
mod denial;
#[cfg(test)]
pub(crate) mod fake;
mod judge;
mod minted;
mod signatures;
mod subject;
mod tally;
#[cfg(test)]
mod tests;
mod view;

pub use action::Action;
pub use denial::Denial;
pub use judge::{CONTROL_PLANE_USERS, Verdicts};
pub use minted::Minted;
pub use signatures::Signatures;
pub use subject::{CREDENTIAL_EXTRA, NODE_NAME_EXTRA, Standing, Subject, Unplaced};
pub use tally::Tally;
pub use view::RegistryView;
