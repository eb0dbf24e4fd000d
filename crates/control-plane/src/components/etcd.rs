use daas_settings::LogLevel;

use super::flags::{CommandLine, Composed, Flags};
use super::{Layout, Settings, ports};
use crate::components::ComponentName;
use crate::pki::{AuthorityName, Keeper, LeafName};

/// One member on loopback. Only holders of a certificate of etcd's own authority are served: kube-apiserver, and the master's health probe.
pub(super) fn command_line(settings: &Settings, layout: &Layout) -> CommandLine {
    let component = ComponentName::Etcd;
    let pki = layout.pki();
    let serving = pki.certificate(LeafName::EtcdServing);
    let peer = pki.certificate(LeafName::EtcdPeer);
    let trust = pki.trust(Keeper::Etcd, AuthorityName::Etcd);
    let clients = format!("https://127.0.0.1:{}", ports::ETCD);
    let peers = format!("https://127.0.0.1:{}", ports::ETCD_PEER);
    Flags::of(component)
        .set("name", "default")
        .set("data-dir", layout.etcd_data())
        .set("listen-client-urls", Composed(clients.clone()))
        .set("advertise-client-urls", Composed(clients))
        .set("listen-peer-urls", Composed(peers.clone()))
        .set("initial-advertise-peer-urls", Composed(peers.clone()))
        .set("initial-cluster", Composed(format!("default={peers}")))
        .set("cert-file", serving.path())
        .set("key-file", serving.path())
        .set("trusted-ca-file", trust.as_path())
        .set("client-cert-auth", true)
        .set("peer-cert-file", peer.path())
        .set("peer-key-file", peer.path())
        .set("peer-trusted-ca-file", trust.as_path())
        .set("peer-client-cert-auth", true)
        // Nobody here speaks 1.2 to etcd, whatever clients of the API server may.
        .set("tls-min-version", "TLS1.3")
        // The JSON gateway is a second way in that no client uses.
        .set("enable-grpc-gateway", false)
        .set("log-format", "json")
        .set("log-outputs", "stderr")
        .set("log-level", log_level(settings.log_level))
        .into_command_line(component, super::api_server::go_environment(settings, component))
}

const fn log_level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug | LogLevel::Trace => "debug",
    }
}
