//! One module for each group of commands. A command takes the session and its arguments and gives back a report.

mod doctor;
mod down;

use daas_diagnostics::{Diagnostic, codes};

use crate::arguments::Command;
use crate::output::Report;
use crate::session::Session;

/// What a command gives back.
type Answer = Result<Box<dyn Report>, Diagnostic>;

/// Runs one command.
pub(crate) async fn run(session: Session, command: Command) -> Answer {
    match command {
        Command::Doctor(arguments) => doctor::run(&session, &arguments).await,
        Command::Down(arguments) => down::run(&session, &arguments).await,
        _ => Err(Diagnostic::new(codes::INTERNAL)),
    }
}
