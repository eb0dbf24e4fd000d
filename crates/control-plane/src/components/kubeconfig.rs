use std::net::Ipv4Addr;
use std::path::Path;

use serde_json::json;

use super::flags::ConfigFile;
use super::{AuthenticatorWebhooks, Layout, Settings, Webhooks, ports};
use crate::authority::WEBHOOK_PATH;
use crate::components::ComponentName;
use crate::pki::{AuthorityName, Keeper, LeafName};

/// How the controller manager and the scheduler reach the API server.
pub(super) fn component(layout: &Layout, settings: &Settings, component: ComponentName) -> ConfigFile {
    let (keeper, client) = match component {
        ComponentName::Scheduler => (Keeper::Scheduler, LeafName::SchedulerClient),
        _ => (Keeper::ControllerManager, LeafName::ControllerManagerClient),
    };
    let server = format!("https://{}:{}", Ipv4Addr::LOCALHOST, settings.https_port);
    let pki = layout.pki();
    let path = layout.kubeconfig(component);
    kubeconfig(&path, &server, &pki.trust(keeper, AuthorityName::Server), pki.certificate(client).path())
}

/// How kube-apiserver asks the master.
pub(super) fn master_webhook(layout: &Layout) -> ConfigFile {
    webhook(layout, "master.kubeconfig", ports::MASTER_WEBHOOK, WEBHOOK_PATH)
}

/// How it asks the authenticator.
pub(super) fn authenticator_webhooks(layout: &Layout, webhooks: &Webhooks) -> Vec<ConfigFile> {
    let Webhooks::Authenticator(AuthenticatorWebhooks { port, .. }) = *webhooks else { return Vec::new() };
    [
        ("token.kubeconfig", AuthenticatorWebhooks::TOKEN_PATH),
        ("authorization.kubeconfig", AuthenticatorWebhooks::AUTHORIZATION_PATH),
        ("audit.kubeconfig", AuthenticatorWebhooks::AUDIT_PATH),
    ]
    .map(|(name, path)| webhook(layout, name, port, path))
    .into()
}

fn webhook(layout: &Layout, name: &'static str, port: u16, path: &str) -> ConfigFile {
    let pki = layout.pki();
    let server = format!("https://{}:{port}{path}", Ipv4Addr::LOCALHOST);
    let trust = pki.trust(Keeper::ApiServer, AuthorityName::Loopback);
    kubeconfig(&layout.config(name), &server, &trust, pki.certificate(LeafName::ApiServerToWebhooks).path())
}

fn kubeconfig(path: &Path, server: &str, trust: &Path, certificate: &Path) -> ConfigFile {
    ConfigFile::json(
        path,
        &json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "local", "cluster": {"server": server, "certificate-authority": trust}}],
            "users": [{"name": "own", "user": {"client-certificate": certificate, "client-key": certificate}}],
            "contexts": [{"name": "own", "context": {"cluster": "local", "user": "own"}}],
            "current-context": "own",
        }),
    )
}
