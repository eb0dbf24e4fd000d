//! `daas-master`: see the library.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use daas_master::logs::{self, Logs, Shipper};
use daas_master::runtime::LogLevel;
use daas_master::{Options, run};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt, reload};

fn main() -> ExitCode {
    let options = Options::parse();
    let (filter, level) = reload::Layer::new(targets(LogLevel::Info));
    let (logs, shipper) = logs::pipe();
    tracing_subscriber::registry().with(filter).with(fmt::layer().json().with_writer(logs.clone())).init();
    let tell = move |chosen: LogLevel| {
        let _ = level.reload(targets(chosen));
    };
    start(options, &logs, shipper, tell)
}

/// Only our own code says more than what happens: what libraries say of their work may show what is secret.
fn targets(level: LogLevel) -> Targets {
    let own = level.as_str().parse().unwrap_or(LevelFilter::INFO);
    Targets::new().with_default(own.min(LevelFilter::INFO)).with_target("daas", own).with_target("component", own)
}

#[tokio::main]
#[allow(clippy::print_stderr)] // errors at their last station
async fn start(options: Options, logs: &Logs, shipper: Shipper, tell: impl FnOnce(LogLevel)) -> ExitCode {
    tokio::spawn(shipper.run(options.link.clone()));
    let ended = match stop_by_signal() {
        Ok(stop) => run(options, tell, stop).await,
        Err(cause) => Err(daas_master::Error::Signals(cause)),
    };
    if let Err(error) = &ended {
        tracing::error!(%error, "the master stopped");
        eprintln!("daas-master: {error}");
    }
    logs.drain(Duration::from_secs(1)).await;
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn stop_by_signal() -> std::io::Result<CancellationToken> {
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
    Ok(stop)
}
