//! `daas-master`: see the library.

use std::process::ExitCode;

use clap::Parser as _;
use daas_master::{Options, run};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt, reload};

fn main() -> ExitCode {
    let options = Options::parse();
    let (filter, level) = reload::Layer::new(LevelFilter::INFO);
    tracing_subscriber::registry().with(filter).with(fmt::layer().json().with_writer(std::io::stderr)).init();
    let tell = move |chosen: daas_master::runtime::LogLevel| {
        let parsed = chosen.as_str().parse().unwrap_or(LevelFilter::INFO);
        let _ = level.reload(parsed);
    };
    match start(options, tell) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the master stopped");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn start(
    options: Options,
    tell: impl FnOnce(daas_master::runtime::LogLevel),
) -> Result<(), Box<dyn std::error::Error>> {
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
    run(options, tell, stop).await?;
    Ok(())
}
