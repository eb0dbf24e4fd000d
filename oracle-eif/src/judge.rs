//! Both tools build each image, unsigned and signed by three kinds of keys; both read both files.

use std::path::{Path, PathBuf};

use daas_measure::eif::{Contents, Eif};
use daas_measure::{Certificate, Registers, SigningKey, diff};

use crate::aws::{self, Pcrs, Signer};
use crate::images::{self, Inputs};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const CURVES: [&str; 3] = ["secp384r1", "prime256v1", "secp521r1"];

/// Judges all images; the error says which one the tools do not agree on.
pub fn run(signers: &Path) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let mut judged = 0;
    for inputs in images::all() {
        for curve in [None].into_iter().chain(CURVES.map(Some)) {
            let agreed = judge(&inputs, curve, signers, folder.path());
            let signer = curve.map_or(String::new(), |curve| format!(", signed on {curve}"));
            agreed.map_err(|error| format!("{}{signer}: {error}", inputs.name))?;
            println!("oracle-eif: {}{signer}: both read both, registers equal", inputs.name);
            judged += 1;
        }
    }
    println!("oracle-eif: {judged} images, AWS' tools and ours agree on every one");
    Ok(())
}

fn judge(inputs: &Inputs, curve: Option<&str>, signers: &Path, folder: &Path) -> Outcome<()> {
    let signer = curve.map(|curve| Signer {
        key: signers.join(format!("{curve}.key.pem")),
        certificate: signers.join(format!("{curve}.certificate.pem")),
    });
    let (ours_at, theirs_at) = (folder.join("ours.eif"), folder.join("theirs.eif"));
    let ours = build_ours(inputs, signer.as_ref())?;
    std::fs::write(&ours_at, &ours.0)?;
    let said = build_theirs(inputs, signer.as_ref(), folder, &theirs_at)?;
    same("the registers that the builders print", &pcrs(&ours.1), &said)?;

    let seen = aws::describe(&ours_at)?;
    same("registers of our image as AWS reads them", &seen.pcrs, &said)?;
    same("our checksum, judged by AWS", &seen.crc_ok, &true)?;
    same("our signature, judged by AWS", &seen.signature_ok, &curve.map(|_| true))?;
    let read = Eif::parse(&ours.0)?;
    same("our metadata as AWS reads it", &seen.metadata, &read.metadata()?)?;

    let theirs = std::fs::read(&theirs_at)?;
    let eif = Eif::parse(&theirs)?;
    same("registers of AWS' image as we read them", &pcrs(&eif.registers()), &said)?;
    if let Some(signature) = eif.signature() {
        signature.verify(&eif.registers().pcr0)?;
    }
    // Two tools, one image: only what no register measures may differ.
    let difference = diff(&eif, &read, 1 << 30);
    let unmeasured = difference.changes.iter().all(|change| ["metadata", "signature"].contains(&&*change.section));
    same("differences are in metadata and signature value only", &unmeasured, &true)?;
    same("no register differs", &difference.pcrs.len(), &0)
}

fn build_ours(inputs: &Inputs, signer: Option<&Signer>) -> Outcome<(Vec<u8>, Registers)> {
    let ramdisks = inputs.ramdisks.iter().map(Vec::as_slice).collect();
    let contents = Contents::new(&inputs.kernel, &inputs.cmdline, ramdisks);
    let image = match signer {
        None => contents.build()?,
        Some(signer) => {
            let certificate = Certificate::from_pem(&std::fs::read(&signer.certificate)?)?;
            let key = SigningKey::from_pem(&std::fs::read(&signer.key)?, &certificate)?;
            contents.build_signed(certificate, |message| key.sign(message))?
        }
    };
    Ok((image.to_bytes(), image.registers().clone()))
}

fn build_theirs(inputs: &Inputs, signer: Option<&Signer>, folder: &Path, out: &Path) -> Outcome<Pcrs> {
    let kernel = folder.join("kernel");
    std::fs::write(&kernel, &inputs.kernel)?;
    let mut ramdisks: Vec<PathBuf> = Vec::new();
    for (index, ramdisk) in inputs.ramdisks.iter().enumerate() {
        ramdisks.push(folder.join(format!("ramdisk-{index}")));
        std::fs::write(&ramdisks[index], ramdisk)?;
    }
    Ok(aws::build(&kernel, &inputs.cmdline, &ramdisks, signer, out))
}

fn pcrs(registers: &Registers) -> Pcrs {
    registers.by_index().into_iter().map(|(index, value)| (index.to_string(), value.to_string())).collect()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Outcome<()> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, not {expected:?}").into()) }
}
