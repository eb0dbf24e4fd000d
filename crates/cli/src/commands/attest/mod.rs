//! `daas attest`: looking at attestation documents, and judging them.

mod expectation;
mod judgement;
mod show;
mod source;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use daas_attestation::Verdict;
use daas_diagnostics::Diagnostic;

use super::Answer;
use crate::invocation::Invocation;
use source::Source;

/// `daas attest …`.
#[derive(Debug, Subcommand)]
pub enum Attest {
    /// What a document says; judges nothing
    Show(Show),
    /// Whether a document is genuine, of a good release, fresh, and of this cluster
    Verify(Verify),
}

/// `daas attest show`.
#[derive(Debug, Args)]
pub struct Show {
    /// The document, as the enclave sent it; or the address of a master, which is asked for one with a random nonce
    #[arg(value_name = "FILE|URL")]
    pub document: PathBuf,
}

/// `daas attest verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// The document, as the enclave sent it; or the address of a master, which is asked for one with a random nonce
    #[arg(value_name = "FILE|URL")]
    pub document: PathBuf,
    /// Measurement file of the image that must run, in place of the cluster's releases
    #[arg(long, value_name = "FILE")]
    pub pcrs: Option<PathBuf>,
    /// What the document must claim [default: active; with --pcrs: cluster]
    #[arg(long, value_enum, value_name = "WHOSE")]
    pub claims: Option<Claims>,
    /// The nonce that was sent, in hex digits; without it the document in a FILE must have none
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    pub nonce: Option<Nonce>,
    /// How old the document may be [default: as the cluster says, or 300; a FILE: while its certificate is valid]
    #[arg(long, value_name = "SECONDS")]
    pub max_age: Option<u64>,
    /// Judge as of this Unix time [default: now; on a development chain, its clock's]
    #[arg(long, value_name = "UNIX_SECONDS")]
    pub at: Option<u64>,
    /// Root certificate of simulated hardware, for development only
    #[arg(long, value_name = "PEM")]
    pub root: Option<PathBuf>,
}

/// What a document must claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Claims {
    /// To be the cluster's active instance, as the chain names it
    Active,
    /// To serve this cluster; any such enclave does
    Cluster,
    /// Nothing: only the code is judged
    None,
}

/// A challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce(pub Vec<u8>);

pub(super) async fn run(invocation: &Invocation, command: Attest) -> Answer {
    match command {
        Attest::Show(arguments) => Ok(show::looked(&Source::of(&arguments.document)?.read(invocation).await?)?),
        Attest::Verify(arguments) => {
            let source = Source::of(&arguments.document)?;
            source.check(&arguments)?;
            // What is expected is known before anything is asked: a fresh document should not wait for the chain.
            let expectation = expectation::Expectation::of(invocation, &arguments, &source).await?;
            let document = source.read(invocation).await?;
            Ok(Box::new(judgement::Judgement::of(&document, &expectation)))
        }
    }
}

/// The cluster's active instance, asked at `master` (host:port) and verified; `root` is of simulated hardware.
pub(super) async fn active_instance(
    invocation: &Invocation,
    master: &str,
    root: Option<PathBuf>,
) -> Result<Verdict, Diagnostic> {
    let document = PathBuf::from(format!("https://{master}"));
    let source = Source::of(&document)?;
    let claims = Some(Claims::Active);
    let arguments = Verify { document, pcrs: None, claims, nonce: None, max_age: None, at: None, root };
    let expectation = expectation::Expectation::of(invocation, &arguments, &source).await?;
    judgement::Judgement::of(&source.read(invocation).await?, &expectation).into_verdict()
}

fn nonce(text: &str) -> Result<Nonce, String> {
    match hex::decode(text) {
        Ok(bytes) if !bytes.is_empty() => Ok(Nonce(bytes)),
        _ => Err("hex digits, two a byte".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_whole_bytes_of_hex_digits() {
        assert_eq!(nonce("00fF").unwrap().0, [0, 255]);
        for wrong in ["", "0", "0x00", "zz", " 00"] {
            assert!(nonce(wrong).is_err(), "{wrong}");
        }
    }
}
