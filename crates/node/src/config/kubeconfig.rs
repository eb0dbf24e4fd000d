use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::ConfigFile;

/// How a program reaches the API server; the certificate's file is read again when it changes
/// (`client-go/transport/cert_rotation.go`).
pub(super) fn file(path: PathBuf, api: SocketAddr, server_ca: &Path, certificate: &Path) -> ConfigFile {
    let content = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": {"server": format!("https://{api}"), "certificate-authority": server_ca}}],
        "users": [{"name": "own", "user": {"client-certificate": certificate, "client-key": certificate}}],
        "contexts": [{"name": "own", "context": {"cluster": "cluster", "user": "own"}}],
        "current-context": "own",
    });
    ConfigFile { path, content: content.to_string() }
}
