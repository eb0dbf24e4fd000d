//! One node, spoken to in typed terms.

mod agreement;
pub mod calls;
mod execute;
mod gas;
mod journal;
mod node;
mod operations;
mod package;
mod ptb;
mod receipt;
mod refused;
mod send;
mod session;
mod time;

pub(crate) use agreement::place;
pub use journal::Journal;
pub use node::{Node, NodeOptions};
pub use operations::{
    AccessStake, CreatedCluster, ForgedStatement, NewCluster, NewRelease, SettingChange, StakeNode, StakedNode,
    TokenRequest,
};
pub use package::{Bytecode, Package, Published};
pub use ptb::{Access, Clock, Ptb};
pub use receipt::Receipt;
pub use session::{Session, Step};
