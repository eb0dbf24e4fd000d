//! `daas image`: enclave images are built, described, measured and compared, without AWS' tools. No chain is asked.

mod build;
mod describe;
mod difference;
mod pcrs;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use daas_diagnostics::{Diagnostic, codes};
use daas_measure::eif::Eif;

use super::Answer;
use crate::places::file_failed;

/// Larger files are no images: an enclave needs memory of four times its image.
const MAX_IMAGE_BYTES: u64 = 8 << 30;
/// A compressed ramdisk is unpacked to this much when two images are compared; of a larger one only the bytes are.
const UNPACK_LIMIT: usize = 512 << 20;

/// `daas image …`.
#[derive(Debug, Subcommand)]
pub enum Image {
    /// Build an enclave image: the same inputs give the same bytes
    Build(Box<build::ImageBuild>),
    /// What an image is: header, sections, PCRs, metadata, signature
    Describe(ImageFile),
    /// The PCRs of an image, and its measurement file
    Pcrs(pcrs::ImagePcrs),
    /// Where two images differ, and whether the PCRs tell; exit status 1 if they are different enclaves
    Diff(ImageDiff),
}

/// An image.
#[derive(Debug, Args)]
pub struct ImageFile {
    /// The enclave image file
    #[arg(value_name = "EIF")]
    pub image: PathBuf,
}

/// `daas image diff`.
#[derive(Debug, Args)]
pub struct ImageDiff {
    /// The first image
    #[arg(value_name = "EIF")]
    pub before: PathBuf,
    /// The second image
    #[arg(value_name = "EIF")]
    pub after: PathBuf,
}

pub(super) async fn run(command: Image) -> Answer {
    // Hashing and files: not for the threads that answer events.
    let done = tokio::task::spawn_blocking(move || match command {
        Image::Build(arguments) => build::run(&arguments).map(boxed),
        Image::Describe(arguments) => describe::run(&arguments).map(boxed),
        Image::Pcrs(arguments) => pcrs::run(&arguments).map(boxed),
        Image::Diff(arguments) => difference::run(&arguments).map(boxed),
    });
    let report = done.await.map_err(|error| Diagnostic::new(codes::INTERNAL).caused_by(&error))??;
    Ok(report as Box<dyn crate::output::Report>)
}

type Sendable = Box<dyn crate::output::Report + Send>;

fn boxed(report: impl crate::output::Report + Send + 'static) -> Sendable {
    Box::new(report)
}

fn read_file(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    let failed = |error| file_failed("read", path, &error);
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut bytes = Vec::with_capacity(length.min(MAX_IMAGE_BYTES) as usize);
    // Its length may be another one by now.
    file.take(MAX_IMAGE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_IMAGE_BYTES {
        let reason = format!("it has more than {MAX_IMAGE_BYTES} bytes");
        return Err(Diagnostic::new(codes::IMAGE_INVALID).with("path", path.display()).with("reason", reason));
    }
    Ok(bytes)
}

fn parse<'a>(path: &Path, file: &'a [u8]) -> Result<Eif<'a>, Diagnostic> {
    Eif::parse(file).map_err(|error| invalid(path, &error))
}

fn invalid(path: &Path, error: &daas_measure::Error) -> Diagnostic {
    Diagnostic::new(codes::IMAGE_INVALID).with("path", path.display()).with("reason", error)
}

fn unusable(what: impl std::fmt::Display, reason: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::new(codes::IMAGE_INPUT_INVALID).with("what", what).with("reason", reason)
}
