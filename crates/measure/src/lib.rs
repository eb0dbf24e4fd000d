//! Enclave image files and their ramdisks: read, write, measure, compare.
//!
//! The same inputs give the same bytes, whatever the folder, user, umask, time or order of files. The core takes bytes and gives
//! bytes; [`read_folder`] alone touches files. Everything that is read is bounded and refused with its own [`Error`]; nothing
//! panics. The formats and their sources are written down in `docs/eif.md`.
//!
//! ```
//! use daas_measure::cpio::{Content, Node, Tree};
//! use daas_measure::eif::{Contents, Eif};
//! use daas_measure::{Packing, pack};
//!
//! let mut boot = Tree::default();
//! boot.insert("init", Node::File(Content { executable: true, bytes: b"\x7fELF".to_vec() }))?;
//! let ramdisk = pack(&boot, Packing::Plain)?;
//! let image = Contents::new(b"a kernel", "console=ttyS0", vec![&ramdisk]).build()?;
//!
//! let file = image.to_bytes();
//! let read = Eif::parse(&file)?;
//! assert_eq!(read.registers(), *image.registers());
//! # Ok::<(), daas_measure::Error>(())
//! ```

pub mod cpio;
mod describe;
pub mod diff;
pub mod eif;
mod error;
mod folder;
mod measurements;
mod metadata;
mod ramdisk;
mod registers;
mod signature;
mod signing_key;

pub use describe::{Description, SectionDescription, SignatureDescription};
pub use diff::{Difference, diff};
pub use error::{CpioFault, Error};
pub use folder::read_folder;
pub use measurements::{MeasuredKind, Provenance, artifact_sha256, measurement_file};
pub use metadata::Metadata;
pub use ramdisk::{Packing, pack, unpack};
pub use registers::{Register, Registers, SANDBOX_KERNEL, measure, measure_sandbox};
pub use signature::{Algorithm, Certificate, Signature};
pub use signing_key::SigningKey;
