//! Whole transactions, one for each thing that people do.

mod clusters;
mod instances;
mod packages;
mod releases;
mod staking;
mod tokens;

pub use clusters::{CreatedCluster, NewCluster, SettingChange};
pub use instances::ForgedStatement;
pub use releases::NewRelease;
pub use staking::{AccessStake, StakeNode, StakedNode};
pub use tokens::TokenRequest;
