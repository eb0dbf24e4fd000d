mod client;
mod devnet;
mod staker;

pub use client::ClientSettings;
pub use devnet::DevnetSettings;
pub use staker::StakerSettings;

use crate::table::Table;

/// Every role.
pub(crate) const TABLES: [&Table; 3] = [StakerSettings::TABLE, ClientSettings::TABLE, DevnetSettings::TABLE];
