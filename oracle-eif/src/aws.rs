//! AWS' builder and reader, as `nitro-cli` calls them.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use aws_nitro_enclaves_image_format::defs::{EifBuildInfo, EifIdentityInfo};
use aws_nitro_enclaves_image_format::utils::eif_reader::EifReader;
use aws_nitro_enclaves_image_format::utils::{EifBuilder, PcrSignatureChecker, SignKeyData};
use sha2::{Digest as _, Sha384};

/// Registers by index, as hex digits.
pub type Pcrs = BTreeMap<String, String>;

/// What AWS' reader says about a file.
pub struct Seen {
    /// The registers.
    pub pcrs: Pcrs,
    /// Whether the checksum is right.
    pub crc_ok: bool,
    /// The metadata section, written again.
    pub metadata: Option<serde_json::Value>,
    /// Whether the signature is right, if there is one.
    pub signature_ok: Option<bool>,
}

/// Key and certificate files of a signer.
pub struct Signer {
    /// PEM.
    pub key: PathBuf,
    /// PEM.
    pub certificate: PathBuf,
}

/// Builds an image file.
pub fn build(kernel: &Path, cmdline: &str, ramdisks: &[PathBuf], signer: Option<&Signer>, out: &Path) -> Pcrs {
    let signer = signer.map(|signer| {
        SignKeyData::new(&signer.key.display().to_string(), &signer.certificate).expect("the signer's files")
    });
    let mut builder = EifBuilder::new(kernel, cmdline.to_owned(), signer, Sha384::new(), 0, identity());
    ramdisks.iter().for_each(|ramdisk| builder.add_ramdisk(ramdisk));
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(true).open(out).expect("the image's file");
    by_index(builder.write_to(&mut file))
}

/// Reads an image file as `nitro-cli describe-eif` does.
pub fn describe(file: &Path) -> Result<Seen, String> {
    let mut reader = EifReader::from_eif(file.display().to_string())?;
    let pcrs = reader.get_measurements()?;
    let metadata = reader.get_metadata().map(|metadata| serde_json::to_value(metadata).expect("JSON"));
    let signature_ok = match reader.signature_section {
        Some(_) => {
            reader.get_certificate_info(pcrs.clone())?;
            let checked = PcrSignatureChecker::from_eif(&file.display().to_string())?.verify().is_ok();
            Some(checked && reader.sign_check == Some(true))
        }
        None => None,
    };
    Ok(Seen { pcrs: by_index(pcrs), crc_ok: reader.check_crc(), metadata, signature_ok })
}

fn identity() -> EifIdentityInfo {
    EifIdentityInfo {
        img_name: "peer".into(),
        img_version: "1".into(),
        build_info: EifBuildInfo {
            build_time: "2026-01-01T00:00:00+00:00".into(),
            build_tool: "peer".into(),
            build_tool_version: "1".into(),
            img_os: "Linux".into(),
            img_kernel: "6".into(),
        },
        docker_info: serde_json::json!({ "RepoTags": ["peer:latest"] }),
        custom_info: serde_json::json!({}),
    }
}

/// `PCR0` → `0`; AWS' map also names the hash.
fn by_index(pcrs: BTreeMap<String, String>) -> Pcrs {
    pcrs.into_iter().filter_map(|(name, value)| Some((name.strip_prefix("PCR")?.to_owned(), value))).collect()
}
