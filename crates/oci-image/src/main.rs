//! `daas-oci-image DEFINITION FOLDER ARCHIVE`: writes the folder's files as the image that the definition describes.

use std::error::Error;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use daas_oci_image::{Definition, Layer, archive};

#[allow(clippy::print_stderr)] // the only way to say why there is no image
fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let [definition, folder, file] = arguments.as_slice() else {
        eprintln!("usage: daas-oci-image DEFINITION FOLDER ARCHIVE");
        return ExitCode::from(2);
    };
    match write(Path::new(definition), Path::new(folder), Path::new(file)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("daas-oci-image: {}: {error}", definition.display());
            let mut cause = error.source();
            while let Some(inner) = cause {
                eprintln!("  because: {inner}");
                cause = inner.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn write(definition: &Path, folder: &Path, file: &Path) -> Result<(), Box<dyn Error>> {
    let definition = Definition::parse(&std::fs::read_to_string(definition)?)?;
    let layer = Layer::from_folder(folder, &definition.modes)?;
    std::fs::write(file, archive(&definition, layer)?)?;
    Ok(())
}
