//! `daas-devnet`: the development chain as a program.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use clap::Parser as _;
use daas_devnet::Options;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let filter = match EnvFilter::try_new(&options.log_level) {
        Ok(filter) => filter,
        Err(error) => return fail(&format!("--log-level {}: {error}", options.log_level), 2),
    };
    let ansi = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(ansi).init();
    match daas_devnet::serve(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string(), 1),
    }
}

fn fail(message: &str, code: u8) -> ExitCode {
    // Nothing can be done when standard error is closed.
    let _ = writeln!(io::stderr(), "daas-devnet: {message}");
    ExitCode::from(code)
}
