//! `daas-parent --config FILE`: see the library.

use std::path::Path;
use std::process::ExitCode;

use daas_parent::{Configuration, run};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    tracing_subscriber::fmt().json().with_writer(std::io::stderr).init();
    let mut arguments = std::env::args_os().skip(1);
    let (Some(flag), Some(path), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        tracing::error!("usage: daas-parent --config FILE");
        return ExitCode::from(2);
    };
    if flag != "--config" {
        tracing::error!("usage: daas-parent --config FILE");
        return ExitCode::from(2);
    }
    match start(Path::new(&path)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the parent stopped");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn start(path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stopping = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stopping.cancel();
    });
    run(Configuration::read(path)?, stop).await?;
    Ok(())
}
