//! One module for each group of commands. A command takes the invocation and its arguments and gives back a report.

pub(crate) mod attest;
mod cluster;
mod confirm;
mod doctor;
mod down;
mod exec_credential;
pub(crate) mod image;
mod kubeconfig;
mod node;
mod receipt;
mod release;
mod stake;
mod status;
mod token;
pub(crate) mod up;

use daas_diagnostics::{Diagnostic, codes};

use crate::arguments::Command;
use crate::invocation::Invocation;
use crate::output::Report;

/// What a command gives back.
type Answer = Result<Box<dyn Report>, Diagnostic>;

/// Runs one command.
pub(crate) async fn run(invocation: Invocation, command: Command) -> Answer {
    match command {
        Command::Up(arguments) => up::run(invocation, arguments).await,
        Command::Down(arguments) => down::run(&invocation, &arguments).await,
        Command::Status => status::run(&invocation).await,
        Command::Doctor(arguments) => doctor::run(&invocation, &arguments).await,
        Command::Cluster(command) => cluster::run(&invocation, command).await,
        Command::Release(command) => release::run(&invocation, command).await,
        Command::Stake(arguments) => stake::stake(&invocation, &arguments).await,
        Command::TopUp(arguments) => stake::top_up(&invocation, &arguments).await,
        Command::Unstake(node) => stake::unstake(&invocation, &node).await,
        Command::Withdraw(node) => stake::withdraw(&invocation, &node).await,
        Command::Slash(arguments) => stake::slash(&invocation, &arguments).await,
        Command::Token(arguments) => token::run(&invocation, &arguments).await,
        Command::Kubeconfig(arguments) => kubeconfig::run(&invocation, &arguments).await,
        Command::Node(command) => node::run(&invocation, command).await,
        Command::Attest(command) => attest::run(&invocation, command).await,
        Command::Image(command) => image::run(command).await,
        // Taken before settings are read: it needs none.
        Command::Detached(_) | Command::Adopt => Err(Diagnostic::new(codes::INTERNAL)),
    }
}
