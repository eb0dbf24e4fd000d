//! The development setup: a chain, the package, a cluster and one staker on this machine.

mod devnet;
mod lock;
mod process;
mod record;
mod wallet;

pub use devnet::{DEFAULT_LISTEN, Devnet};
pub use lock::Lock;
pub use process::{Launch, Process, become_program, launch, log_tail};
pub use record::Record;
pub use wallet::new_wallet;
