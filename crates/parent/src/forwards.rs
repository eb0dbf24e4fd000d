//! Connections from one of the machine's networks to another: from the LAN of the workers to the chain on the host.

use std::sync::Arc;
use std::time::Duration;

use daas_transport::Stream;
use daas_transport::accept::{Slots, each_connection};
use daas_transport::carry::{Limits, Traffic, carry};
use daas_transport::namespace::listen_in;
use tokio_util::sync::CancellationToken;

use crate::Result;
use crate::configuration::Forward;

const MAX_CONNECTIONS: usize = 1024;
const DIAL_TIME: Duration = Duration::from_secs(10);

/// Forwards until `stop`; gives back what is carried, with those who connect on the left.
pub async fn start(forwards: &[Forward], stop: &CancellationToken) -> Result<Arc<Traffic>> {
    let traffic = Arc::<Traffic>::default();
    let slots = Slots::new(MAX_CONNECTIONS, MAX_CONNECTIONS);
    for forward in forwards {
        let listener = listen_in(forward.netns.as_deref(), forward.listen).await?;
        let (to, traffic) = (Arc::<str>::from(forward.to.as_str()), Arc::clone(&traffic));
        let serve = move |stream: tokio::net::TcpStream, _| {
            let (to, traffic) = (Arc::clone(&to), Arc::clone(&traffic));
            async move { pass_on(stream.into(), &to, &traffic).await }
        };
        tokio::spawn(each_connection(listener, Arc::clone(&slots), stop.clone(), serve));
    }
    Ok(traffic)
}

async fn pass_on(from: Stream, to: &str, traffic: &Traffic) {
    match tokio::time::timeout(DIAL_TIME, Stream::connect_tcp(to)).await {
        Ok(Ok(to)) => {
            carry(from, to, Limits::default(), traffic).await;
        }
        Ok(Err(_)) | Err(_) => from.reset(),
    }
}
