//! The allow-list of paths and headers.
//!
//! k3s: `pkg/server/handlers/router.go`. What is for servers there (`/server-bootstrap`, `/token`, `/encrypt/*`,
//! `/cert/cacerts`, `/static`, `CONNECT`) is not served here.

use std::net::IpAddr;

use daas_seal_token::NodeName;

use crate::error::Error;
use crate::password::NodePassword;

/// The node's name, on the paths that give a node its certificates.
pub const HEADER_NODE_NAME: &str = "k3s-node-name";
/// The node's password.
pub const HEADER_NODE_PASSWORD: &str = "k3s-node-password";
/// The node's addresses, with commas between them.
pub const HEADER_NODE_ADDRESS: &str = "k3s-node-ip";

/// A node has at most this many addresses.
const MAX_ADDRESSES: usize = 8;

/// What is served, and nothing else is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// The server CA: `GET /cacerts`.
    CaCerts,
    /// Alive: `GET /ping`.
    Ping,
    /// The cluster's settings: [`crate::AgentConfig`].
    Config,
    /// The CA of client certificates.
    ClientCa,
    /// The server CA again, for whoever has shown a token.
    ServerCa,
    /// The control plane is ready.
    Ready,
    /// Where the API servers are.
    ApiServers,
    /// The kubelet's serving certificate, for a request.
    ServingKubelet,
    /// The kubelet's client certificate, for a request.
    ClientKubelet,
    /// kube-proxy's client certificate, for a request.
    ClientKubeProxy,
    /// The agent controller's client certificate, for a request.
    ClientController,
    /// The tunnel, a websocket.
    Connect,
}

/// A method that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Brings a certificate request.
    Post,
}

/// What a caller must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: the answer is public.
    Open,
    /// A live Seal token of the join purpose, or a live kubelet certificate.
    TokenOrCertificate,
    /// The same, and who the node is: [`NodeHeaders`].
    Node,
    /// A live kubelet certificate.
    Certificate,
}

const TABLE: [(&str, Method, Endpoint); 12] = [
    ("/cacerts", Method::Get, Endpoint::CaCerts),
    ("/ping", Method::Get, Endpoint::Ping),
    ("/v1-k3s/config", Method::Get, Endpoint::Config),
    ("/v1-k3s/client-ca.crt", Method::Get, Endpoint::ClientCa),
    ("/v1-k3s/server-ca.crt", Method::Get, Endpoint::ServerCa),
    ("/v1-k3s/readyz", Method::Get, Endpoint::Ready),
    ("/v1-k3s/apiservers", Method::Get, Endpoint::ApiServers),
    ("/v1-k3s/serving-kubelet.crt", Method::Post, Endpoint::ServingKubelet),
    ("/v1-k3s/client-kubelet.crt", Method::Post, Endpoint::ClientKubelet),
    ("/v1-k3s/client-kube-proxy.crt", Method::Post, Endpoint::ClientKubeProxy),
    ("/v1-k3s/client-k3s-controller.crt", Method::Post, Endpoint::ClientController),
    ("/v1-k3s/connect", Method::Get, Endpoint::Connect),
];

impl Endpoint {
    /// Finds what a request is for. The target is compared byte for byte: no query, no escapes, no double slashes, so
    /// that no two readers of a path can disagree about it.
    pub fn route(method: &str, target: &str) -> Result<Self, Error> {
        let (_, wanted, endpoint) = TABLE.iter().find(|(path, _, _)| *path == target).ok_or(Error::Path)?;
        match (method, wanted) {
            ("GET", Method::Get) | ("POST", Method::Post) => Ok(*endpoint),
            // Stock k3s answers this with the shared private key (`signAndSend` in `pkg/server/handlers/handlers.go`).
            ("GET", Method::Post) => Err(Error::NoRequest),
            _ => Err(Error::Method),
        }
    }

    /// The path.
    pub fn path(self) -> &'static str {
        self.row().0
    }

    /// The method.
    pub fn method(self) -> Method {
        self.row().1
    }

    /// What a caller must show.
    pub fn access(self) -> Access {
        match self {
            Self::CaCerts | Self::Ping => Access::Open,
            Self::Config
            | Self::ClientCa
            | Self::ServerCa
            | Self::Ready
            | Self::ApiServers
            | Self::ClientKubeProxy
            | Self::ClientController => Access::TokenOrCertificate,
            Self::ServingKubelet | Self::ClientKubelet => Access::Node,
            Self::Connect => Access::Certificate,
        }
    }

    fn row(self) -> (&'static str, Method, Self) {
        // Every variant stands in the table: `every_endpoint_has_its_row`.
        TABLE.into_iter().find(|(_, _, endpoint)| *endpoint == self).unwrap_or(TABLE[0])
    }
}

/// Who a node says it is. What it is comes from the chain: the name must be the token's, the addresses the registered ones.
#[derive(Debug)]
pub struct NodeHeaders {
    /// The name.
    pub name: NodeName,
    /// The password.
    pub password: NodePassword,
    /// The addresses, maybe none.
    pub addresses: Vec<IpAddr>,
}

impl NodeHeaders {
    /// Reads the three headers; each may stand in the request once. `values` gives all values of a header.
    pub fn read<'a, I>(values: impl Fn(&'static str) -> I) -> Result<Self, Error>
    where
        I: Iterator<Item = &'a [u8]>,
    {
        let name = single(&values, HEADER_NODE_NAME)?.ok_or(Error::MissingHeader(HEADER_NODE_NAME))?;
        let password = single(&values, HEADER_NODE_PASSWORD)?.ok_or(Error::MissingHeader(HEADER_NODE_PASSWORD))?;
        let addresses = single(&values, HEADER_NODE_ADDRESS)?.unwrap_or_default();
        Ok(Self {
            name: name.parse()?,
            password: NodePassword::parse(password).ok_or(Error::MalformedHeader(HEADER_NODE_PASSWORD))?,
            addresses: read_addresses(addresses).ok_or(Error::MalformedHeader(HEADER_NODE_ADDRESS))?,
        })
    }
}

fn single<'a, I>(values: &impl Fn(&'static str) -> I, header: &'static str) -> Result<Option<&'a str>, Error>
where
    I: Iterator<Item = &'a [u8]>,
{
    let mut all = values(header);
    let Some(first) = all.next() else { return Ok(None) };
    if all.next().is_some() {
        return Err(Error::RepeatedHeader(header));
    }
    std::str::from_utf8(first).map(Some).map_err(|_| Error::MalformedHeader(header))
}

fn read_addresses(text: &str) -> Option<Vec<IpAddr>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let addresses: Vec<_> =
        text.split(',').take(MAX_ADDRESSES + 1).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    (addresses.len() <= MAX_ADDRESSES).then_some(addresses)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_endpoint_has_its_row() {
        for (path, method, endpoint) in TABLE {
            assert_eq!((endpoint.path(), endpoint.method()), (path, method));
            let verb = if method == Method::Get { "GET" } else { "POST" };
            assert_eq!(Endpoint::route(verb, path), Ok(endpoint));
        }
    }

    #[test]
    fn paths_of_servers_and_tricks_with_paths_are_not_served() {
        for target in [
            "/",
            "*",
            "",
            "/v1-k3s/server-bootstrap",
            "/v1-k3s/token",
            "/v1-k3s/encrypt/status",
            "/v1-k3s/cert/cacerts",
            "/static/charts",
            "/api/v1/nodes",
            "//cacerts",
            "/cacerts/",
            "/cacerts?x=1",
            "/CACERTS",
            "/v1-k3s//config",
            "/v1-k3s/./config",
            "/v1-k3s/x/../config",
            "/v1-k3s/%63onfig",
            "/v1-k3s%2fconfig",
            "/v1-rke2/config",
            "https://127.0.0.1:9345/cacerts",
        ] {
            assert_eq!(Endpoint::route("GET", target), Err(Error::Path), "{target}");
        }
        assert_eq!(Endpoint::route("CONNECT", "w1:10250"), Err(Error::Path));
        assert_eq!(Endpoint::route("POST", "/cacerts"), Err(Error::Method));
        assert_eq!(Endpoint::route("get", "/cacerts"), Err(Error::Method));
    }

    #[test]
    fn a_certificate_without_a_request_is_refused() {
        for (path, method, _) in TABLE {
            if method == Method::Post {
                assert_eq!(Endpoint::route("GET", path), Err(Error::NoRequest), "{path}");
            }
        }
    }

    #[test]
    fn the_tunnel_wants_a_certificate_and_a_nodes_certificates_its_headers() {
        assert_eq!(Endpoint::Connect.access(), Access::Certificate);
        assert_eq!(Endpoint::ClientKubelet.access(), Access::Node);
        assert_eq!(Endpoint::ServingKubelet.access(), Access::Node);
        let open: Vec<_> = TABLE.iter().filter(|(_, _, endpoint)| endpoint.access() == Access::Open).collect();
        assert_eq!(open.len(), 2);
    }

    fn read(headers: &[(&'static str, &str)]) -> Result<NodeHeaders, Error> {
        NodeHeaders::read(|name| {
            headers.iter().filter(move |(header, _)| *header == name).map(|(_, value)| value.as_bytes())
        })
    }

    const NAME: (&str, &str) = (HEADER_NODE_NAME, "worker-1-dead000f");
    const PASSWORD: (&str, &str) = (HEADER_NODE_PASSWORD, "0123456789abcdef0123456789abcdef");

    #[test]
    fn headers_are_read_once_or_refused() {
        let node = read(&[NAME, PASSWORD, (HEADER_NODE_ADDRESS, "10.0.0.7,fd00::7")]).unwrap();
        assert_eq!(node.name.as_str(), "worker-1-dead000f");
        assert_eq!(node.addresses, ["10.0.0.7".parse::<IpAddr>().unwrap(), "fd00::7".parse().unwrap()]);
        assert!(read(&[NAME, PASSWORD]).unwrap().addresses.is_empty());
        assert_eq!(read(&[NAME]).unwrap_err(), Error::MissingHeader(HEADER_NODE_PASSWORD));
        assert_eq!(read(&[PASSWORD]).unwrap_err(), Error::MissingHeader(HEADER_NODE_NAME));
        assert_eq!(read(&[NAME, NAME, PASSWORD]).unwrap_err(), Error::RepeatedHeader(HEADER_NODE_NAME));
        for (header, value) in [
            (HEADER_NODE_ADDRESS, "10.0.0.7, 10.0.0.8"),
            (HEADER_NODE_ADDRESS, "10.0.0.07"),
            (HEADER_NODE_ADDRESS, ","),
            (HEADER_NODE_ADDRESS, "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1"),
        ] {
            assert_eq!(
                read(&[NAME, PASSWORD, (header, value)]).unwrap_err(),
                Error::MalformedHeader(header),
                "{value}"
            );
        }
        assert!(matches!(read(&[(HEADER_NODE_NAME, "10.42.3.7"), PASSWORD]), Err(Error::NodeName(_))));
    }

    proptest! {
        #[test]
        fn arbitrary_requests_are_an_error_or_one_of_the_list(method in "GET|POST|.{0,8}", target in "/(v1-k3s/)?.{0,24}") {
            if let Ok(endpoint) = Endpoint::route(&method, &target) {
                prop_assert_eq!(endpoint.path(), target);
            }
        }
    }
}
