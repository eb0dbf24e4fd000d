//! Enclave image files, version 4. The format is written down in `docs/eif.md`.

mod format;
mod reader;
mod writer;

pub use format::{Architecture, HEADER_BYTES, MAX_SECTIONS, SECTION_HEADER_BYTES, SectionKind, VERSION};
pub use reader::{Eif, Section};
pub use writer::{Contents, Image, Layout, MAX_CMDLINE_BYTES};
