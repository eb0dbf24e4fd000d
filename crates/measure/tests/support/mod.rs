//! Images for the scenarios.
#![allow(dead_code)] // each scenario uses some of these

use daas_measure::cpio::{Content, Node, Tree};
use daas_measure::eif::{Contents, Eif, HEADER_BYTES};
use daas_measure::{Certificate, SigningKey};

/// A regular file.
pub(crate) fn file(bytes: &[u8], executable: bool) -> Node {
    Node::File(Content { executable, bytes: bytes.to_vec() })
}

/// A boot ramdisk's files.
pub(crate) fn boot() -> Tree {
    let mut tree = Tree::default();
    tree.insert("init", file(b"\x7fELF init", true)).unwrap();
    tree.insert("nsm.ko", file(b"module", false)).unwrap();
    tree
}

/// An application's files.
pub(crate) fn application() -> Tree {
    let mut tree = Tree::default();
    tree.insert("rootfs/bin/sh", file(b"\x7fELF shell", true)).unwrap();
    tree.insert("rootfs/etc/hosts", file(b"127.0.0.1 localhost\n", false)).unwrap();
    tree.insert("rootfs/lib", Node::Link(b"usr/lib".to_vec())).unwrap();
    tree
}

/// The curves of the signers in `tests/signer`.
pub(crate) const CURVES: [&str; 3] = ["secp384r1", "prime256v1", "secp521r1"];

/// The certificate of a test signer.
pub(crate) fn certificate(curve: &str) -> Certificate {
    Certificate::from_pem(&signer_file(curve, "certificate")).unwrap()
}

/// Signs with the key of a test signer.
pub(crate) fn sign(curve: &str, message: &[u8]) -> Result<Vec<u8>, daas_measure::Error> {
    SigningKey::from_pem(&signer_file(curve, "key"), &certificate(curve))?.sign(message)
}

fn signer_file(curve: &str, what: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/signer");
    std::fs::read(folder.join(format!("{curve}.{what}.pem"))).unwrap()
}

/// A signed image with three ramdisks.
pub(crate) fn signed_image() -> Vec<u8> {
    let (boot, application) = (boot().to_archive(), application().to_archive());
    let contents = Contents::new(b"MZ kernel", "console=ttyS0", vec![&boot, &application, b"raw third"]);
    contents.build_signed(certificate("secp384r1"), |message| sign("secp384r1", message)).unwrap().to_bytes()
}

/// An image that differs from [`signed_image`] in having no signature.
pub(crate) fn unsigned_image() -> Vec<u8> {
    let (boot, application) = (boot().to_archive(), application().to_archive());
    Contents::new(b"MZ kernel", "console=ttyS0", vec![&boot, &application, b"raw third"]).build().unwrap().to_bytes()
}

/// Gives a changed file the checksum that it should have, by an implementation of the CRC that is not the one under test.
pub(crate) fn with_right_checksum(mut image: Vec<u8>) -> Vec<u8> {
    let crc = image[..HEADER_BYTES - 4].iter().chain(&image[HEADER_BYTES..]).fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    });
    image[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&(!crc).to_be_bytes());
    image
}

/// Where a section's content lies in the file.
pub(crate) fn content_range(eif: &Eif<'_>, index: usize) -> std::ops::Range<usize> {
    let section = eif.sections()[index];
    let begin = section.offset as usize + daas_measure::eif::SECTION_HEADER_BYTES;
    begin..begin + section.content.len()
}
