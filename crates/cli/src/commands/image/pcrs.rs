//! `daas image pcrs`, and the measurement file that builds write, too.

use std::path::{Path, PathBuf};

use clap::Args;
use daas_diagnostics::Diagnostic;
use daas_measure::{MeasuredKind, Provenance, Registers, artifact_sha256, measurement_file};
use serde_json::{Value, json};

use super::{parse, read_file, unusable};
use crate::output::{Page, Report};
use crate::places::file_failed;

/// `daas image pcrs`.
#[derive(Debug, Args)]
pub struct ImagePcrs {
    /// The enclave image file
    #[arg(value_name = "EIF")]
    pub image: PathBuf,
    /// Where the measurement file goes, and what it says of the build
    #[command(flatten)]
    pub measurements: MeasurementOutput,
}

/// The measurement file of an image.
#[derive(Debug, Args)]
pub struct MeasurementOutput {
    /// Write the measurement file here (for `daas release publish`)
    #[arg(long, value_name = "FILE", requires_all = ["source_revision", "provider_lock"])]
    pub measurements: Option<PathBuf>,
    /// The commit that the image was built from
    #[arg(long, value_name = "COMMIT")]
    pub source_revision: Option<String>,
    /// What provided the inputs of the build
    #[arg(long, value_name = "TEXT", default_value = "offline")]
    pub provider: String,
    /// The provider's lock file; its SHA-256 is written
    #[arg(long, value_name = "FILE")]
    pub provider_lock: Option<PathBuf>,
}

/// An image and its registers.
pub(super) struct Measured {
    image: PathBuf,
    length: u64,
    registers: Registers,
    sha256: [u8; 32],
}

/// A measurement file before it is written, if one was asked for.
pub(super) struct Draft<'a>(Option<(&'a Path, String)>);

pub(super) fn run(arguments: &ImagePcrs) -> Result<Measured, Diagnostic> {
    let file = read_file(&arguments.image)?;
    let registers = parse(&arguments.image, &file)?.registers();
    let sha256 = artifact_sha256([file.as_slice()]);
    let measured = Measured::new(&arguments.image, file.len() as u64, registers, sha256);
    arguments.measurements.text(&measured)?.write()?;
    Ok(measured)
}

impl MeasurementOutput {
    /// The measurement file of this image.
    pub(super) fn text(&self, measured: &Measured) -> Result<Draft<'_>, Diagnostic> {
        let (Some(path), Some(revision), Some(lock)) = (&self.measurements, &self.source_revision, &self.provider_lock)
        else {
            return Ok(Draft(None));
        };
        let provenance = Provenance {
            source_revision: revision.clone(),
            provider: self.provider.clone(),
            provider_lock_sha256: artifact_sha256([read_file(lock)?.as_slice()]),
        };
        let text = measurement_file(MeasuredKind::Eif, &measured.registers, &measured.sha256, &provenance)
            .map_err(|error| unusable("these options", error))?;
        Ok(Draft(Some((path, text))))
    }
}

impl Draft<'_> {
    /// Writes the file.
    pub(super) fn write(&self) -> Result<(), Diagnostic> {
        let Some((path, text)) = &self.0 else { return Ok(()) };
        std::fs::write(path, text).map_err(|error| file_failed("write", path, &error))
    }
}

impl Measured {
    pub(super) fn new(image: &Path, length: u64, registers: Registers, sha256: [u8; 32]) -> Self {
        Self { image: image.to_owned(), length, registers, sha256 }
    }
}

impl Report for Measured {
    fn json(&self) -> Value {
        json!({
            "image": self.image.display().to_string(),
            "length": self.length,
            "artifact_sha256": hex::encode(self.sha256),
            "pcrs": self.registers.by_index(),
        })
    }

    fn human(&self, page: &mut Page) {
        let registers = self.registers.by_index();
        let names: Vec<_> = registers.iter().map(|(index, value)| (format!("PCR{index}"), value.to_string())).collect();
        page.fields([
            ("image", self.image.display().to_string()),
            ("bytes", self.length.to_string()),
            ("SHA-256", hex::encode(self.sha256)),
        ]);
        page.fields(names.iter().map(|(name, value)| (name.as_str(), value.clone())));
    }
}
