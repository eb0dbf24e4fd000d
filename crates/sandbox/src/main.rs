//! `daas-sandbox lan | run | sweep`: see the library.

use std::process::ExitCode;

use clap::Parser as _;
use daas_sandbox::arguments::{Arguments, Command};
use daas_sandbox::{cgroup, inside, lan, run};

/// When the sandbox itself fails; shells say the same of programs that could not be started.
const FAILED: u8 = 125;

#[allow(clippy::print_stderr)] // errors at their last station
fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Lan(arguments) => lan::hold(&arguments).map(|()| 0),
        Command::Run(arguments) => run::run(arguments),
        Command::Sweep => cgroup::sweep().map(|()| 0),
        Command::Inside => inside::main(),
        Command::Become { program } => inside::become_program(&program),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("daas-sandbox: {error}");
            ExitCode::from(FAILED)
        }
    }
}
