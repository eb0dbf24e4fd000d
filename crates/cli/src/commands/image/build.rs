//! `daas image build`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use daas_diagnostics::Diagnostic;
use daas_measure::cpio::{Device, Node, Tree};
use daas_measure::eif::{Architecture, Contents, Image, Layout};
use daas_measure::{Certificate, Metadata, Packing, SigningKey, artifact_sha256, pack, read_folder};

use super::pcrs::{Measured, MeasurementOutput};
use super::{read_file, unusable};
use crate::places::file_failed;

/// `daas image build`.
#[derive(Debug, Args)]
pub struct ImageBuild {
    /// The kernel: bzImage, or Image for arm64
    #[arg(long, value_name = "FILE")]
    pub kernel: PathBuf,
    /// The kernel's command line
    #[arg(long, value_name = "TEXT", required_unless_present = "cmdline_file")]
    pub cmdline: Option<String>,
    /// A file with the command line; one line break at its end is left out
    #[arg(long, value_name = "FILE", conflicts_with = "cmdline")]
    pub cmdline_file: Option<PathBuf>,
    /// The boot ramdisk: a folder, or an archive that is taken as it is
    #[arg(long, value_name = "PATH")]
    pub boot: PathBuf,
    /// The application: a folder or an archive, may be repeated; each becomes a ramdisk
    #[arg(long = "app", value_name = "PATH")]
    pub applications: Vec<PathBuf>,
    /// A device in the boot ramdisk: path:c or b:major:minor:permissions, such as dev/console:c:5:1:600; may be repeated
    #[arg(long = "device", value_name = "DEVICE", value_parser = device)]
    pub devices: Vec<(String, Device)>,
    /// Compress ramdisks that are made from folders
    #[arg(long)]
    pub gzip: bool,
    /// The kernel is for arm64
    #[arg(long)]
    pub arm64: bool,
    /// Bytes of memory that the image asks for; not measured
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    pub memory: u64,
    /// Processors that the image asks for; not measured
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    pub cpus: u64,
    /// What the image is called; not measured
    #[arg(long, value_name = "TEXT", default_value = "k3s-daas")]
    pub name: String,
    /// Which version of it this is; not measured
    #[arg(long, value_name = "TEXT", default_value = "0")]
    pub image_version: String,
    /// The kernel's version; not measured
    #[arg(long, value_name = "TEXT", default_value = "unknown")]
    pub kernel_version: String,
    /// Certificate of the image's signer: PCR8
    #[arg(long, value_name = "PEM", requires = "signing_key")]
    pub signing_certificate: Option<PathBuf>,
    /// Its private key
    #[arg(long, value_name = "PEM", requires = "signing_certificate")]
    pub signing_key: Option<PathBuf>,
    /// Where the image is written
    #[arg(long, value_name = "EIF")]
    pub out: PathBuf,
    /// Where the measurement file goes, and what it says of the build
    #[command(flatten)]
    pub measurements: MeasurementOutput,
}

pub(super) fn run(arguments: &ImageBuild) -> Result<Measured, Diagnostic> {
    let kernel = read_file(&arguments.kernel)?;
    let cmdline = cmdline(arguments)?;
    let packing = if arguments.gzip { Packing::Gzip } else { Packing::Plain };
    let mut ramdisks = vec![ramdisk(&arguments.boot, packing, &arguments.devices)?];
    for application in &arguments.applications {
        ramdisks.push(ramdisk(application, packing, &[])?);
    }
    let contents = Contents {
        architecture: if arguments.arm64 { Architecture::Aarch64 } else { Architecture::X86_64 },
        metadata: Metadata {
            image_name: arguments.name.clone(),
            image_version: arguments.image_version.clone(),
            kernel_version: arguments.kernel_version.clone(),
        },
        default_memory: arguments.memory,
        default_cpus: arguments.cpus,
        ..Contents::new(&kernel, &cmdline, ramdisks.iter().map(Vec::as_slice).collect())
    };
    let failed = |error: io::Error| file_failed("write", &arguments.out, &error);
    let store = |layout: &Layout<'_>| (Draft::write(&arguments.out, layout), artifact_sha256(layout.pieces()));
    let (image, (draft, sha256)) = match (&arguments.signing_certificate, &arguments.signing_key) {
        (Some(certificate), Some(key)) => {
            let image = signed(contents, certificate, key)?;
            let stored = store(image.layout());
            (image, stored)
        }
        _ => contents.build_while(store).map_err(|error| unusable("these inputs", error))?,
    };
    let draft = draft.map_err(failed)?;
    let measured = Measured::new(&arguments.out, image.layout().length(), image.registers().clone(), sha256);
    // Both files are made before either gets its name, so that a bad option leaves no image without its measurements.
    let measurements = arguments.measurements.text(&measured)?;
    draft.keep(&arguments.out).map_err(failed)?;
    measurements.write()?;
    Ok(measured)
}

fn cmdline(arguments: &ImageBuild) -> Result<String, Diagnostic> {
    let Some(path) = &arguments.cmdline_file else { return Ok(arguments.cmdline.clone().unwrap_or_default()) };
    let text = String::from_utf8(read_file(path)?).map_err(|error| unusable(path.display(), error))?;
    Ok(text.strip_suffix('\n').map(str::to_owned).unwrap_or(text))
}

fn ramdisk(path: &Path, packing: Packing, devices: &[(String, Device)]) -> Result<Vec<u8>, Diagnostic> {
    if !path.is_dir() {
        if devices.is_empty() {
            return read_file(path);
        }
        return Err(unusable(path.display(), "a device can only be added to a ramdisk that is made from a folder"));
    }
    let refused = |error: daas_measure::Error| unusable(path.display(), error);
    let mut tree: Tree = read_folder(path).map_err(refused)?;
    for (name, device) in devices {
        tree.insert(name.as_bytes(), Node::Device(*device)).map_err(refused)?;
    }
    pack(&tree, packing).map_err(refused)
}

fn signed<'a>(contents: Contents<'a>, certificate: &Path, key: &Path) -> Result<Image<'a>, Diagnostic> {
    let parsed =
        Certificate::from_pem(&read_file(certificate)?).map_err(|error| unusable(certificate.display(), error))?;
    let secret = zeroize::Zeroizing::new(read_file(key)?);
    let secret = SigningKey::from_pem(&secret, &parsed).map_err(|error| unusable(key.display(), error))?;
    contents.build_signed(parsed, |message| secret.sign(message)).map_err(|error| unusable("these inputs", error))
}

/// An image under another name, removed unless it is kept: there is a whole one or none.
struct Draft(PathBuf);

impl Draft {
    fn write(out: &Path, layout: &Layout<'_>) -> io::Result<Self> {
        let mut name = out.as_os_str().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let name = PathBuf::from(name);
        // What has this name already is somebody else's, or a link to it: neither written nor removed.
        let mut file = fs::File::create_new(&name)?;
        let draft = Self(name);
        layout.write_to(&mut file)?;
        file.sync_all()?;
        Ok(draft)
    }

    fn keep(self, out: &Path) -> io::Result<()> {
        fs::rename(&self.0, out)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After `keep` there is nothing under this name.
        drop(fs::remove_file(&self.0));
    }
}

/// `dev/console:c:5:1:600`.
fn device(text: &str) -> Result<(String, Device), String> {
    let expected = || "a device is path:c:major:minor:permissions, such as dev/console:c:5:1:600".to_owned();
    let parts: Vec<&str> = text.split(':').collect();
    let [path, kind, major, minor, permissions] = parts[..] else { return Err(expected()) };
    let block = match kind {
        "b" => true,
        "c" => false,
        _ => return Err(expected()),
    };
    let number = |text: &str| text.parse().map_err(|_| expected());
    let permissions = u16::from_str_radix(permissions, 8).ok().filter(|bits| *bits <= 0o777).ok_or_else(expected)?;
    Ok((path.to_owned(), Device { block, major: number(major)?, minor: number(minor)?, permissions }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_written_through_no_link_and_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let (out, victim) = (folder.path().join("image.eif"), folder.path().join("victim"));
        let link = folder.path().join(format!("image.eif.{}.new", std::process::id()));
        fs::write(&victim, "text").unwrap();
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        let image = Contents::new(b"kernel", "", vec![b"boot"]).build().unwrap();
        assert!(Draft::write(&out, image.layout()).is_err());
        assert_eq!(fs::read_to_string(&victim).unwrap(), "text");
        assert!(link.is_symlink());
        fs::remove_file(&link).unwrap();
        Draft::write(&out, image.layout()).unwrap().keep(&out).unwrap();
        assert_eq!(fs::read(&out).unwrap(), image.to_bytes());
        drop(Draft::write(&out, image.layout()).unwrap());
        assert!(!link.exists());
    }

    #[test]
    fn devices_are_declared_in_one_way() {
        let console = Device { block: false, major: 5, minor: 1, permissions: 0o600 };
        assert_eq!(device("dev/console:c:5:1:600").unwrap(), ("dev/console".to_owned(), console));
        for wrong in ["", "dev/console", "a:x:1:1:600", "a:c:1:1:1000", "a:c:1:1:8", "a:c:-1:1:600", "a:c:1:1:600:2"] {
            assert!(device(wrong).is_err(), "{wrong}");
        }
    }
}
