//! Container images as OCI archives (OCI image format 1.1, image layout), which `ctr images import` and other tools read.
//!
//! An image is a [`Definition`] (names, what runs, as whom) and a folder with its files, in one layer. The same definition and the
//! same files give the same bytes, whoever writes them, when, and under which umask: of each file its path, bytes, kind and
//! owner's execute bit count, and nothing else.

mod archive;
mod definition;
mod error;
mod layer;

pub use archive::archive;
pub use definition::{Definition, ImageName};
pub use error::Error;
pub use layer::Layer;
