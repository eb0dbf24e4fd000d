//! Programs as supervised children: started in order, watched, restarted, stopped; their logs and states told to others.
//!
//! Children die with this process even when it is killed, without `unsafe`: they are started through [`launch`], a program that asks the
//! kernel for that (`PR_SET_PDEATHSIG`) and then becomes the child.

mod backoff;
mod child;
mod error;
pub mod launch;
mod logs;
mod memory;
mod probe;
mod spawner;
mod state;
mod supervisor;

pub use backoff::Backoff;
pub use child::{ChildSpec, Limits, MemoryBound};
pub use error::{Error, Result};
pub use launch::Launcher;
pub use probe::{HttpsProbe, Probe};
pub use state::{Phase, State, States, metrics};
pub use supervisor::{Supervisor, Timing};
