//! The command line of `daas-master`: where things are, and nothing of what may be believed.

use std::path::PathBuf;

use clap::Parser;
use daas_transport::Link;

/// The supervisor inside the enclave.
#[derive(Debug, Parser)]
#[command(name = "daas-master", version)]
pub struct Options {
    /// The link to the parent: folder:PATH (a port is the socket PATH/vsock_PORT) or vsock
    #[arg(long)]
    pub link: Link,
    /// The folder with daas-master, daas-authenticator, daas-launch and kube
    #[arg(long)]
    pub programs: PathBuf,
    /// The enclave's hosts file: it is written anew, so that programs find the allowed hosts (in a sandbox and in an image /etc/hosts)
    #[arg(long)]
    pub hosts: PathBuf,
    /// A folder in memory for keys, sockets and the cluster's state; what an earlier cluster left there is removed
    #[arg(long, default_value = "/run/k3s-daas")]
    pub state: PathBuf,
    /// A folder in the memory hierarchy of cgroups, in which each program of the control plane gets a group of its own
    #[arg(long)]
    pub cgroup: Option<PathBuf>,
    /// Use no security module but a simulated one, under the development root in this folder
    #[arg(long, value_name = "FOLDER")]
    pub simulated_nsm: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_measured_can_be_chosen_on_the_command_line() {
        let needed = ["daas-master", "--link", "folder:/run/x", "--programs", "/p", "--hosts", "/etc/hosts"];
        assert!(Options::try_parse_from(needed).is_ok());
        for flag in ["--rpc", "--trust", "--attestation-root", "--chain-id", "--webhooks", "--bind-address"] {
            assert!(Options::try_parse_from(needed.iter().chain(&[flag, "x"])).is_err(), "{flag}");
        }
    }
}
