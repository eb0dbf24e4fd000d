//! `daas-staker`: see the library.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use daas_diagnostics::{Diagnose, Diagnostic, Style};
use daas_settings::{Environment, Flags, Sources, StakerSettings};
use daas_staker::daemon::{Ports, run};
use daas_staker::node::{Installed, LAUNCH};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if arguments.first().is_some_and(|first| first == LAUNCH) {
        return daas_supervise::launch::main(arguments.into_iter().skip(1));
    }
    // A core file would hold every key of this worker, and what it starts inherits the limit.
    let _ = nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0);
    let config = match arguments.as_slice() {
        [] => None,
        [flag, path] if flag == "--config" => Some(PathBuf::from(path)),
        _ => {
            let _ = writeln!(std::io::stderr(), "usage: daas-staker [--config FILE]");
            return ExitCode::from(2);
        }
    };
    match start(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(diagnostic) => {
            let style = Style::detect(None, false, |name| std::env::var(name).ok());
            let _ = writeln!(std::io::stderr(), "{}", diagnostic.render(style));
            ExitCode::from(diagnostic.code().exit_status())
        }
    }
}

fn start(config: Option<PathBuf>) -> Result<(), Diagnostic> {
    let environment = Environment::collect();
    let sources = Sources { flags: Flags::new(), environment, config };
    let loaded = StakerSettings::load(&sources).map_err(|error| error.diagnostic())?;
    let filter = EnvFilter::new(loaded.settings.log_level.as_str());
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    let internal = |error: std::io::Error| Diagnostic::new(daas_diagnostics::codes::INTERNAL).caused_by(&error);
    let runtime = tokio::runtime::Runtime::new().map_err(internal)?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        let mut terminate = signal(SignalKind::terminate()).map_err(internal)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(internal)?;
        let stopping = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            stopping.cancel();
        });
        let programs = Installed::new(&loaded.settings);
        Box::pin(run(loaded.settings, loaded.listing, &sources.environment, Ports::default(), programs, stop))
            .await
            .map(drop)
            .map_err(|error| error.diagnostic())
    })
}
