//! TCP connections of clients, each passed on to the enclave's port of the same number, with one line before it that says whose it is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use daas_transport::accept::{Slots, each_connection};
use daas_transport::carry::{Limits, Traffic, carry};
use daas_transport::namespace::listen_in;
use daas_transport::{Link, Stream, client_line};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Result;
use crate::configuration::Inbound;

/// An enclave that is there takes a connection at once.
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// The open listeners, and what went through them.
pub struct Front {
    listeners: Vec<(TcpListener, u16, Arc<Slots>)>,
    traffic: Arc<Traffic>,
}

impl Front {
    /// Listens at all addresses.
    pub async fn open(inbound: &Inbound) -> Result<Self> {
        let mut listeners = Vec::new();
        let slots = of_each_port(inbound);
        for at in &inbound.listeners {
            for (port, slots) in &slots {
                let address = SocketAddr::new(at.address, *port);
                listeners.push((listen_in(at.netns.as_deref(), address).await?, *port, Arc::clone(slots)));
            }
        }
        Ok(Self { listeners, traffic: Arc::default() })
    }

    /// What has been carried; clients are on the left.
    pub fn traffic(&self) -> Arc<Traffic> {
        Arc::clone(&self.traffic)
    }

    /// Passes connections on until `stop`.
    pub fn serve(self, link: &Link, stop: &CancellationToken) {
        for (listener, port, slots) in self.listeners {
            let (link, traffic) = (link.clone(), Arc::clone(&self.traffic));
            let serve = move |stream: tokio::net::TcpStream, _| {
                let (link, traffic) = (link.clone(), Arc::clone(&traffic));
                async move { pass_on(stream, &link, port, &traffic).await }
            };
            tokio::spawn(each_connection(listener, slots, stop.clone(), serve));
        }
    }
}

/// Each port has places of its own: idle connections to one do not lock others out of the rest.
fn of_each_port(inbound: &Inbound) -> Vec<(u16, Arc<Slots>)> {
    let share = (inbound.connections / inbound.ports.len().max(1)).max(1);
    inbound.ports.iter().map(|port| (*port, Slots::new(share, inbound.connections_per_client))).collect()
}

async fn pass_on(client: tokio::net::TcpStream, link: &Link, port: u16, traffic: &Traffic) {
    let Ok(address) = client.peer_addr() else { return };
    let client = Stream::from(client);
    match tokio::time::timeout(CONNECT_TIME, reach(link, port, address)).await {
        Ok(Ok(enclave)) => {
            carry(client, enclave, Limits::default(), traffic).await;
        }
        // The enclave is starting, or gone: clients come again.
        Ok(Err(_)) | Err(_) => client.reset(),
    }
}

/// A connection to a port of the enclave for this client.
pub(crate) async fn reach(link: &Link, port: u16, client: SocketAddr) -> daas_transport::Result<Stream> {
    let mut enclave = link.connect(port).await?;
    client_line::write(&mut enclave, client).await?;
    Ok(enclave)
}
