//! `daas`: what people type.

use std::process::ExitCode;

fn main() -> ExitCode {
    daas_cli::main(std::env::args_os())
}
