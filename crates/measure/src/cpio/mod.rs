//! Ramdisks: newc cpio archives, as the kernel unpacks them (`Documentation/driver-api/early-userspace/buffer-format.rst`).

mod format;
mod reader;
mod tree;
mod unpacked;
mod writer;

pub use format::FileType;
pub use reader::{Archive, Entry};
pub use tree::{Content, Device, Node, Tree};
pub(crate) use unpacked::{File, Unpacked};
