//! The development setup: a chain alone, or a whole cluster on this machine.

mod devnet;
mod enclave;
mod kubectl;
mod lan;
mod lock;
mod part;
mod process;
mod programs;
mod record;
mod wallet;
mod worker;

pub use devnet::{DEFAULT_LISTEN, Devnet};
pub use enclave::Enclave;
pub use kubectl::{KubernetesNode, link_kubectl, nodes};
pub use lan::{CHAIN_PORT, Lan};
pub use lock::Lock;
pub use part::{ENCLAVE, MOST_WORKERS, Part, Starting};
pub use process::{Launch, Process, become_program, launch, log_tail};
pub use programs::{Kubernetes, Measured, find, sweep};
pub use record::Record;
pub use wallet::new_wallet;
pub use worker::Worker;
