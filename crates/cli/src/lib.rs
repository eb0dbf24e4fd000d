//! The command `daas`: one module for each group of commands, one place each for output, settings and processes.

pub mod arguments;
mod commands;
mod connection;
pub mod development;
pub mod doctor;
pub mod invocation;
pub mod measurements;
mod moment;
mod nodes;
pub mod output;
pub mod places;
pub mod reference;
mod session_keys;
pub mod sheet;
mod views;
mod waiting;
mod wallets;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;
use daas_diagnostics::{Diagnostic, codes};

use arguments::{Arguments, Command};
use invocation::{Invocation, first_screen};
use output::Screen;

/// Runs one command: 0 done or true, 1 refused or failed, 2 wrong usage.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    // A core file would hold every key that this command reads, and what it starts inherits the limit. Less is always allowed.
    let _ = nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0);
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        // Help and version are answers; clap knows which stream each belongs to and exits with 0 or 2.
        Err(error) => error.exit(),
    };
    let screen = first_screen(&arguments.global);
    if let Command::Detached(detached) = &arguments.command {
        let Err(error) = development::become_program(&detached.pid_file, &detached.command);
        screen.error(&error);
        return ExitCode::from(error.code().exit_status());
    }
    if let Command::Adopt = &arguments.command {
        return adopt(screen);
    }
    let invocation = match Invocation::open(&arguments.global, screen) {
        Ok(invocation) => invocation,
        Err(error) => {
            screen.error(&error);
            return ExitCode::from(error.code().exit_status());
        }
    };
    let screen = invocation.screen;
    match run(invocation, arguments.command) {
        Ok(code) => code,
        Err(error) => {
            screen.error(&error);
            ExitCode::from(error.code().exit_status())
        }
    }
}

/// What is handed over comes on standard input; what was made of it is told to the process that handed it over.
fn adopt(screen: Screen) -> ExitCode {
    use std::io::Write as _;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let made = runtime
        .map_err(|error| Diagnostic::new(codes::INTERNAL).caused_by(&error))
        .and_then(|runtime| runtime.block_on(commands::up::handover::adopt(screen)));
    match made {
        Ok(made) => ExitCode::from(u8::from(writeln!(std::io::stdout(), "{made}").is_err())),
        Err(error) => {
            screen.error(&error);
            ExitCode::from(error.code().exit_status())
        }
    }
}

fn run(invocation: Invocation, command: Command) -> Result<ExitCode, Diagnostic> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Diagnostic::new(codes::INTERNAL).caused_by(&error))?;
    let screen = invocation.screen;
    let report = runtime.block_on(async {
        tokio::select! {
            report = commands::run(invocation, command) => report,
            _ = tokio::signal::ctrl_c() => {
                Err(Diagnostic::new(codes::INTERRUPTED).with_words("what", "this command", "이 명령"))
            }
        }
    })?;
    screen.answer(report.as_ref());
    Ok(ExitCode::from(u8::from(!report.holds())))
}
