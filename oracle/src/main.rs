//! Compares the development chain's execution with the real Move VM, case by case (docs/oracle.md).
#![allow(clippy::print_stdout, reason = "the result is what this program is for")]

mod cases;
mod compare;
mod fault;
mod fields;
mod judge;
mod report;
mod request;
mod run;
mod sequences;
mod stage;
mod transaction;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Executes every case on both machines. The status is 0 if they agree in all of them.
#[derive(Parser)]
pub(crate) struct Options {
    /// Python 3.11 that has the package `sui-sandbox`.
    #[arg(long)]
    python: PathBuf,
    /// Only cases whose module or name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Writes docs/oracle.md instead of comparing it.
    #[arg(long)]
    write: bool,
    /// How many sequences of random calls are compared as well.
    #[arg(long, default_value_t = 200)]
    sequences: u64,
}

fn main() -> ExitCode {
    match run::run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("oracle: {error}");
            ExitCode::FAILURE
        }
    }
}
