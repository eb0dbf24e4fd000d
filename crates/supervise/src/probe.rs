use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use rustls::ClientConfig;
use tokio::sync::watch;

use daas_https::client as https;

/// Asks a program how it is; the error is its answer, shortened.
pub type Probe = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// `GET` over TLS; 200 is health.
#[derive(Debug, Clone)]
pub struct HttpsProbe {
    /// Where it listens.
    pub address: SocketAddr,
    /// What to ask for.
    pub path: &'static str,
    /// Certificate and trust; follows renewals.
    pub tls: watch::Receiver<Arc<ClientConfig>>,
}

const SLOWEST: Duration = Duration::from_secs(5);
const LONGEST_ANSWER: usize = 16 * 1024;

impl HttpsProbe {
    /// As a [`Probe`].
    pub fn into_probe(self) -> Probe {
        Arc::new(move || {
            let probe = self.clone();
            Box::pin(async move { probe.ask().await })
        })
    }

    async fn ask(&self) -> Result<(), String> {
        let tls = Arc::clone(&self.tls.borrow());
        let request = https::Request::plain(Method::GET, self.path);
        let asked = https::exchange(self.address, tls, request, LONGEST_ANSWER);
        match tokio::time::timeout(SLOWEST, asked).await {
            Err(_) => Err(format!("no answer within {} s", SLOWEST.as_secs())),
            Ok(Err(cause)) => Err(cause),
            Ok(Ok((status, _))) if status.is_success() => Ok(()),
            Ok(Ok((status, body))) => {
                let text = String::from_utf8_lossy(&body);
                let failed: Vec<_> = text.lines().filter(|line| line.starts_with("[-]")).take(5).collect();
                Err(format!("{status} {}", failed.join(" ")))
            }
        }
    }
}
