//! `daas kubeconfig`: a kubeconfig that trusts the verified enclave alone, and asks `daas token` for credentials.

mod file;
mod server_ca;

use std::path::{Path, PathBuf};

use daas_diagnostics::{Diagnostic, codes};
use http::Uri;
use serde_json::json;

use super::{Answer, attest, token};
use crate::arguments::Kubeconfig;
use crate::development::Record;
use crate::invocation::Invocation;
use crate::output::Paint;
use crate::places::{file_failed, write_private};
use crate::session_keys::SessionKeys;
use crate::sheet::{Network, Sheet};
use file::{Contents, Plugin};

/// A kubeconfig that was written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) file: PathBuf,
    pub(super) server: String,
    network: Network,
    node: String,
    pub(super) instance: String,
    server_ca_sha256: String,
}

pub(super) async fn run(invocation: &Invocation, arguments: &Kubeconfig) -> Answer {
    let _step = invocation.screen.step("verifying the enclave", "엔클레이브를 검증하는 중");
    let written = write(invocation, arguments).await?;
    let file = written.file.display().to_string();
    let export = format!("export KUBECONFIG={}", super::up::shell_word(&written.file));
    let json = json!({
        "file": file, "server": written.server, "name": written.node, "instance": written.instance,
        "server_ca_sha256": written.server_ca_sha256, "next": [export],
    });
    Ok(Box::new(
        Sheet::new(written.network, json)
            .words(
                Paint::Good,
                "the enclave is verified; the kubeconfig trusts its CA and no other",
                "엔클레이브를 검증했습니다. kubeconfig는 그 CA만 신뢰합니다",
            )
            .fields([
                ("file", file),
                ("server", written.server),
                ("stake", written.node),
                ("instance", written.instance),
                ("server CA", written.server_ca_sha256),
            ])
            .line(Paint::Plain, "")
            .line(Paint::Plain, export),
    ))
}

/// Verifies the active instance, takes the CA that it attests, and writes the file.
pub(super) async fn write(invocation: &Invocation, arguments: &Kubeconfig) -> Result<Written, Diagnostic> {
    let link = invocation.connect_cluster().await?;
    let cluster = link.read().await?;
    let record = if invocation.is_development { Record::read(&invocation.places)? } else { None };
    let stake = match (&arguments.node, record.as_ref().and_then(|record| record.admin.as_deref())) {
        (Some(node), _) => link.stake(node).await?,
        (None, Some(admin)) => link.stake(admin).await?,
        (None, None) => token::only_stake(invocation, &link).await?,
    };
    let object = link.token(&stake).await?.ok_or_else(|| token::no_token(&stake))?;
    token::signing_key(&SessionKeys::below(&invocation.settings.state_dir), &stake, &object)?;

    let elsewhere = match (&arguments.server, record.as_ref().and_then(|record| record.host.as_deref())) {
        (Some(server), _) => Some(Server::parse(server)?),
        (None, Some(host)) => Some(Server { host: host.to_owned(), port: None }),
        (None, None) => None,
    };
    let at = |endpoint: &str| elsewhere.as_ref().map_or_else(|| endpoint.to_owned(), |server| server.reach(endpoint));
    let api = match &elsewhere {
        Some(Server { host, port: Some(port) }) => authority(host, *port),
        _ => at(&cluster.endpoints.api),
    };
    let root = arguments.root.clone().or_else(|| {
        let root = invocation.places.attestation_root();
        (invocation.is_development && link.network == Network::Development && root.exists()).then_some(root)
    });
    let verdict = attest::active_instance(invocation, &at(&cluster.endpoints.master), root).await?;
    let attested = verdict.claims().server_ca_sha256;
    let ca = server_ca::fetch(&at(&cluster.endpoints.join), &attested, invocation.settings.timeout).await?;

    let file = match &arguments.file {
        Some(path) => std::path::absolute(path).map_err(|error| file_failed("find the folder", path, &error))?,
        None => invocation.settings.state_dir.join("kubeconfig"),
    };
    let server = format!("https://{api}");
    let contents = Contents {
        cluster: cluster.name,
        server: server.clone(),
        server_ca: ca,
        user: stake.name.clone(),
        plugin: Plugin { command: this_program()?, arguments: plugin_arguments(invocation, &stake.name) },
    };
    write_private(&file, contents.to_yaml().as_bytes())?;
    Ok(Written {
        file,
        server,
        network: link.network,
        node: stake.name,
        instance: hex::encode(verdict.instance_key()),
        server_ca_sha256: hex::encode(attested),
    })
}

/// Where this machine reaches the cluster, if not where the chain says.
struct Server {
    host: String,
    port: Option<u16>,
}

impl Server {
    fn parse(text: &str) -> Result<Self, Diagnostic> {
        let uri = text.parse::<Uri>().ok().filter(|uri| {
            let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
            uri.scheme_str() == Some("https") && uri.path() == "/" && uri.query().is_none() && !authority.contains('@')
        });
        let host = uri.as_ref().and_then(Uri::host).filter(|host| !host.is_empty());
        match (host, &uri) {
            (Some(host), Some(uri)) => Ok(Self { host: host.to_owned(), port: uri.port_u16() }),
            _ => Err(Diagnostic::new(codes::BAD_VALUE)
                .with("name", "server")
                .with("origin", "--server")
                .with("value", format!("\"{text}\""))
                .with("expected", "https://HOST[:PORT]")),
        }
    }

    /// The same port at this host.
    fn reach(&self, endpoint: &str) -> String {
        match endpoint.rsplit_once(':') {
            Some((_, port)) => format!("{}:{port}", self.host),
            None => endpoint.to_owned(),
        }
    }
}

fn authority(host: &str, port: u16) -> String {
    format!("{host}:{port}")
}

fn this_program() -> Result<String, Diagnostic> {
    std::env::current_exe()
        .map(|program| program.display().to_string())
        .map_err(|error| file_failed("find the running program", Path::new("/proc/self/exe"), &error))
}

/// The call that finds the same stake of the same cluster, whoever makes it from wherever.
fn plugin_arguments(invocation: &Invocation, node: &str) -> Vec<String> {
    let settings = &invocation.settings;
    let mut arguments = vec!["token".to_owned(), "--exec-credential".to_owned(), node.to_owned()];
    let mut with = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            arguments.extend([format!("--{name}"), value]);
        }
    };
    with("state-dir", invocation.is_placed.then(|| invocation.places.state().display().to_string()));
    with("config", invocation.config.as_ref().map(|file| file.display().to_string()));
    if invocation.is_given_now("rpc") {
        let nodes: Vec<_> = settings.rpc.iter().map(ToString::to_string).collect();
        with("rpc", Some(nodes.join(",")));
    }
    with("chain-id", settings.chain_id.map(|chain| chain.to_string()));
    with("package", settings.package.map(|package| package.to_string()));
    with("cluster", settings.cluster.map(|cluster| cluster.to_string()));
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_https_address_and_nothing_more() {
        let read = |text: &str| Server::parse(text).map(|server| (server.host, server.port));
        assert_eq!(read("https://127.0.0.1:6443").unwrap(), ("127.0.0.1".to_owned(), Some(6443)));
        assert_eq!(read("https://[::1]/").unwrap(), ("[::1]".to_owned(), None));
        for wrong in ["", "127.0.0.1:6443", "http://a", "https://", "https://me@a", "https://a/x", "https://a?x=1"] {
            let error = read(wrong).unwrap_err();
            assert_eq!((error.code(), error.unfilled()), (codes::BAD_VALUE, vec![]), "{wrong}");
        }
    }

    #[test]
    fn another_host_keeps_the_ports_of_the_chain() {
        let server = Server { host: "[::1]".to_owned(), port: Some(1) };
        assert_eq!(server.reach("172.30.0.1:9345"), "[::1]:9345");
        assert_eq!(server.reach("[2001:db8::1]:8443"), "[::1]:8443");
    }
}
