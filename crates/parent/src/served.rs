//! What the enclave is given on its parent's ports: 9001 configuration, 9002 egress, 9003 logs.

use std::sync::Arc;
use std::time::Duration;

use daas_transport::accept::{Slots, each_connection};
use daas_transport::carry::Traffic;
use daas_transport::egress::{Gateway, Host, Route, Routes};
use daas_transport::{Link, Stream, ports};
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;

use crate::Result;
use crate::configuration::Egress;
use crate::logs::LogSink;

/// The enclave asks once in its life.
const MAX_READERS: usize = 8;
const WRITE_TIME: Duration = Duration::from_secs(5);
/// Programs of the enclave that write logs, each with a connection.
const MAX_LOGS: usize = 16;

/// Gives the runtime configuration to whoever connects, and closes.
pub fn configuration(link: &Link, bytes: Vec<u8>, stop: &CancellationToken) -> Result<()> {
    let listener = link.listen(ports::CONFIGURATION)?;
    let bytes = Arc::<[u8]>::from(bytes);
    let serve = move |mut stream: Stream, _| {
        let bytes = Arc::clone(&bytes);
        async move {
            let write = async {
                stream.write_all(&bytes).await?;
                stream.shutdown().await
            };
            // An enclave that does not read asks again.
            let _ = tokio::time::timeout(WRITE_TIME, write).await;
        }
    };
    tokio::spawn(each_connection(listener, Slots::new(MAX_READERS, MAX_READERS), stop.clone(), serve));
    Ok(())
}

/// Opens connections to the outside; gives back what is carried, with the enclave on the left.
pub fn egress(link: &Link, egress: &Egress, stop: &CancellationToken) -> Result<Arc<Traffic>> {
    let routes = egress
        .routes
        .iter()
        .map(|route| Ok(Route { host: Host::parse(&route.host)?, port: route.port, to: route.to.clone() }));
    let routes = Routes::new(routes.collect::<Result<Vec<_>>>()?);
    let gateway = Gateway::new(routes, egress.connections);
    let traffic = gateway.traffic();
    tokio::spawn(gateway.serve(link.listen(ports::EGRESS)?, stop.clone()));
    Ok(traffic)
}

/// Takes the enclave's logs.
pub fn logs(link: &Link, sink: &LogSink, stop: &CancellationToken) -> Result<()> {
    let listener = link.listen(ports::LOGS)?;
    let sink = sink.clone();
    let serve = move |stream: Stream, _| {
        let sink = sink.clone();
        async move { sink.take(stream).await }
    };
    tokio::spawn(each_connection(listener, Slots::new(MAX_LOGS, MAX_LOGS), stop.clone(), serve));
    Ok(())
}
