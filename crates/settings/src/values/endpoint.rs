use std::net::IpAddr;
use std::path::{Path, PathBuf};

use daas_diagnostics::Phrase;
use http::Uri;

use super::{Refusal, Value, text_form};

/// Where a service is reached: `http` or `https`, a host and a port; no path, no credentials.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    tls: bool,
    host: String,
    port: u16,
}

impl Endpoint {
    /// Whether the connection uses TLS.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The host: a name, or an address (IPv6 in brackets).
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the host is this machine by its very name or address.
    pub fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl Value for Endpoint {
    const FORM: Phrase = Phrase::new(
        "a URL of scheme, host and port only: `https://host:443`, `http://127.0.0.1:9000`",
        "프로토콜, 호스트, 포트만 있는 URL: `https://host:443`, `http://127.0.0.1:9000`",
    );

    fn parse(text: &str) -> Result<Self, Refusal> {
        endpoint(text).ok_or(Refusal::Expected(Self::FORM))
    }

    fn show(&self) -> String {
        format!("{}://{}:{}", if self.tls { "https" } else { "http" }, self.host, self.port)
    }
}

impl Value for Vec<Endpoint> {
    const FORM: Phrase = Phrase::new(
        "one URL of scheme, host and port, or several with commas between (in files: a list)",
        "프로토콜, 호스트, 포트로 된 URL 하나, 또는 쉼표로 나눈 여러 개(파일에서는 목록)",
    );
    const LIST: bool = true;

    fn parse(text: &str) -> Result<Self, Refusal> {
        let endpoints: Option<Self> = text.split(',').map(|item| endpoint(item.trim())).collect();
        let endpoints = endpoints.ok_or(Refusal::Expected(Self::FORM))?;
        // The same node twice would count twice in a quorum.
        let twice = endpoints.iter().enumerate().any(|(index, endpoint)| endpoints[..index].contains(endpoint));
        if twice {
            return Err(Refusal::Expected(Phrase::new("each Sui node once", "Sui 노드는 한 번씩만")));
        }
        Ok(endpoints)
    }

    fn show(&self) -> String {
        self.iter().map(Value::show).collect::<Vec<_>>().join(",")
    }
}

/// The socket of a container runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CriEndpoint(PathBuf);

impl CriEndpoint {
    /// The path of the socket.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Value for CriEndpoint {
    const FORM: Phrase = Phrase::new(
        "a Unix socket: `unix:///run/containerd/containerd.sock`",
        "유닉스 소켓: `unix:///run/containerd/containerd.sock`",
    );

    fn parse(text: &str) -> Result<Self, Refusal> {
        let path = Path::new(text.strip_prefix("unix://").unwrap_or(text));
        if path.is_absolute() { Ok(Self(path.to_owned())) } else { Err(Refusal::Expected(Self::FORM)) }
    }

    fn show(&self) -> String {
        format!("unix://{}", self.0.display())
    }
}

text_form!(Endpoint, CriEndpoint);

fn endpoint(text: &str) -> Option<Endpoint> {
    // `Uri` drops a fragment silently.
    if text.contains(['#', '@', '?']) {
        return None;
    }
    let uri: Uri = text.parse().ok()?;
    let tls = match uri.scheme_str()? {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let authority = uri.authority()?;
    let host = authority.host().to_ascii_lowercase();
    let port = match authority.as_str().get(authority.host().len()..)? {
        "" if tls => 443,
        "" => 80,
        _ => authority.port_u16().filter(|port| *port > 0)?,
    };
    (is_host(&host) && uri.path() == "/").then_some(Endpoint { tls, host, port })
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    host.len() <= 253 && host.trim_end_matches('.').split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_read() {
        for (text, shown) in [
            ("https://fullnode.testnet.sui.io:443", "https://fullnode.testnet.sui.io:443"),
            ("http://127.0.0.1:9000/", "http://127.0.0.1:9000"),
            ("https://Node.Example", "https://node.example:443"),
            ("http://[::1]:9000", "http://[::1]:9000"),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!(shown.parse::<Endpoint>().unwrap(), endpoint);
        }
        assert!("http://[::1]:9000".parse::<Endpoint>().unwrap().is_loopback());
        assert!(!"http://10.0.0.1:9000".parse::<Endpoint>().unwrap().is_loopback());
    }

    #[test]
    fn anything_more_or_less_is_refused() {
        for bad in [
            "",
            "host:443",
            "ftp://host:1",
            "https://",
            "https://:443",
            "https://user:pw@host:443",
            "https://host/path",
            "https://host:0",
            "https://host:65536",
            "https://host:",
            "https://ho st",
            "https://host?x",
            "https://host#x",
            "https://a..b:1",
            "https://-a:1",
            "http://[::g]:1",
            "https://host:443,https://b:443",
        ] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_list_names_each_node_once() {
        assert_eq!(Vec::<Endpoint>::parse("http://a:1, http://b:1").unwrap().len(), 2);
        assert!(Vec::<Endpoint>::parse("http://a:80,http://A").is_err());
        assert!(Vec::<Endpoint>::parse("http://a:1,").is_err());
    }

    #[test]
    fn cri_sockets_are_absolute() {
        assert_eq!("unix:///run/x.sock".parse::<CriEndpoint>().unwrap().path(), Path::new("/run/x.sock"));
        assert!("tcp://1.2.3.4:5".parse::<CriEndpoint>().is_err());
        assert!("run/x.sock".parse::<CriEndpoint>().is_err());
    }
}
