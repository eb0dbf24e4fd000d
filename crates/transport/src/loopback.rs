//! The outside for programs of the enclave that know nothing of the link: each allowed host has a loopback address under its name,
//! and what connects there is connected through the parent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::accept::{Slots, each_connection};
use crate::carry::{Limits, Traffic, carry};
use crate::egress::{Client, Host, Target};
use crate::namespace::listen_in;
use crate::{Error, Listener, Result, Stream};

/// Connections at once to all hosts together.
const MAX_CONNECTIONS: usize = 1024;

/// Forwards loopback addresses to hosts outside, until it is dropped.
#[derive(Debug)]
pub struct Forwarder {
    addresses: BTreeMap<Host, Ipv4Addr>,
    traffic: Arc<Traffic>,
    stop: CancellationToken,
}

impl Forwarder {
    /// Listens for these destinations, all of which the client's policy must allow.
    pub async fn start(client: Client, targets: &[Target]) -> Result<Self> {
        if let Some(refused) = targets.iter().find(|target| !client.policy().allows(target)) {
            return Err(Error::NotAllowed(refused.clone()));
        }
        let addresses = addresses(targets)?;
        let forwarder = Self { addresses, traffic: Arc::default(), stop: CancellationToken::new() };
        let slots = Slots::new(MAX_CONNECTIONS, MAX_CONNECTIONS);
        for target in targets.iter().collect::<BTreeSet<_>>() {
            let address = SocketAddr::new(forwarder.addresses[&target.host].into(), target.port);
            let listener = Listener::from(listen_in(None, address).await?);
            let (client, target, traffic) = (client.clone(), target.clone(), Arc::clone(&forwarder.traffic));
            let serve = move |stream, _| forward(stream, client.clone(), target.clone(), Arc::clone(&traffic));
            tokio::spawn(each_connection(listener, Arc::clone(&slots), forwarder.stop.clone(), serve));
        }
        Ok(forwarder)
    }

    /// The text of a hosts file (hosts(5)) that names the addresses.
    pub fn hosts_file(&self) -> String {
        let mut text = String::from("127.0.0.1 localhost\n::1 localhost\n");
        for (host, address) in &self.addresses {
            let _ = writeln!(text, "{address} {host}");
        }
        text
    }

    /// What has been carried; the enclave's programs are on the left.
    pub fn traffic(&self) -> Arc<Traffic> {
        Arc::clone(&self.traffic)
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// 127.0.1.1, 127.0.1.2, … in the order of the names.
fn addresses(targets: &[Target]) -> Result<BTreeMap<Host, Ipv4Addr>> {
    let hosts: BTreeSet<_> = targets.iter().map(|target| &target.host).collect();
    let count = hosts.len();
    let numbers = 1..=254_u8;
    if count > numbers.len() {
        return Err(Error::TooManyHosts(count));
    }
    Ok(hosts.into_iter().zip(numbers).map(|(host, number)| (host.clone(), Ipv4Addr::new(127, 0, 1, number))).collect())
}

async fn forward(program: Stream, client: Client, target: Target, traffic: Arc<Traffic>) {
    match client.connect(&target).await {
        Ok(outside) => {
            carry(program, outside, Limits::default(), &traffic).await;
        }
        Err(error) => {
            tracing::warn!(%target, %error, "no connection to the outside");
            program.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_has_one_address_whatever_its_ports() {
        let targets: Vec<_> = ["b.x:1", "a.x:1", "b.x:2"].map(|text| Target::parse(text).unwrap()).into();
        let found: Vec<_> = addresses(&targets).unwrap().into_iter().collect();
        let expected = [("a.x", Ipv4Addr::new(127, 0, 1, 1)), ("b.x", Ipv4Addr::new(127, 0, 1, 2))];
        assert_eq!(found, expected.map(|(host, address)| (Host::parse(host).unwrap(), address)));
        let many: Vec<_> = (0..255).map(|number| Target::parse(&format!("h{number}:1")).unwrap()).collect();
        assert!(matches!(addresses(&many), Err(Error::TooManyHosts(255))));
        assert_eq!(addresses(&many[..254]).unwrap().len(), 254);
    }
}
