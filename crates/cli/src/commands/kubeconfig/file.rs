//! The text of a kubeconfig (k8s.io/client-go, `tools/clientcmd/api/v1/types.go`).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::commands::exec_credential::API_VERSION;

/// What stands in a kubeconfig: one cluster, one user, no secret.
#[derive(Debug)]
pub(super) struct Contents {
    /// What people call the cluster.
    pub(super) cluster: String,
    /// Address of kube-apiserver.
    pub(super) server: String,
    /// The only CA that is trusted, PEM.
    pub(super) server_ca: Vec<u8>,
    /// The stake whose Seal token is shown.
    pub(super) user: String,
    pub(super) plugin: Plugin,
}

/// The program that makes credentials.
#[derive(Debug)]
pub(super) struct Plugin {
    pub(super) command: String,
    pub(super) arguments: Vec<String>,
}

impl Contents {
    /// The file, in YAML.
    pub(super) fn to_yaml(&self) -> String {
        let name = quoted(&context_name(&self.cluster));
        let (server, user) = (quoted(&self.server), quoted(&self.user));
        let ca = STANDARD.encode(&self.server_ca);
        let mut arguments = String::new();
        for argument in &self.plugin.arguments {
            // Writing to a String cannot fail.
            let _ = write!(arguments, "\n      - {}", quoted(argument));
        }
        let command = quoted(&self.plugin.command);
        format!(
            "# Written by `daas kubeconfig` after the enclave was verified; it holds no secret.
apiVersion: v1
kind: Config
current-context: {name}
clusters:
- name: {name}
  cluster:
    server: {server}
    certificate-authority-data: {ca}
contexts:
- name: {name}
  context:
    cluster: {name}
    user: {user}
users:
- name: {user}
  user:
    exec:
      apiVersion: {API_VERSION}
      interactiveMode: Never
      command: {command}
      args:{arguments}
"
        )
    }
}

/// Anybody may have named the cluster: what a shell or a terminal would take amiss is left out.
fn context_name(cluster: &str) -> String {
    let name: String =
        cluster.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')).take(63).collect();
    if name.is_empty() { "k3s-daas".to_owned() } else { name }
}

/// A JSON string is a double-quoted scalar of YAML (YAML 1.2.2, §1.3).
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubeconfig_pins_the_ca_and_calls_the_plugin() {
        let contents = Contents {
            cluster: "my \u{1b}[2Jcluster: x".to_owned(),
            server: "https://127.0.0.1:6443".to_owned(),
            server_ca: b"PEM".to_vec(),
            user: "admin-0badcafe".to_owned(),
            plugin: Plugin {
                command: "/opt/da as/daas".to_owned(),
                arguments: vec!["token".to_owned(), "a\"b\n- c".to_owned()],
            },
        };
        insta::assert_snapshot!(contents.to_yaml(), @r#"
        # Written by `daas kubeconfig` after the enclave was verified; it holds no secret.
        apiVersion: v1
        kind: Config
        current-context: "my2Jclusterx"
        clusters:
        - name: "my2Jclusterx"
          cluster:
            server: "https://127.0.0.1:6443"
            certificate-authority-data: UEVN
        contexts:
        - name: "my2Jclusterx"
          context:
            cluster: "my2Jclusterx"
            user: "admin-0badcafe"
        users:
        - name: "admin-0badcafe"
          user:
            exec:
              apiVersion: client.authentication.k8s.io/v1
              interactiveMode: Never
              command: "/opt/da as/daas"
              args:
              - "token"
              - "a\"b\n- c"
        "#);
    }
}
