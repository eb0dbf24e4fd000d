//! A worker of the development cluster: `daas-staker` in a sandbox with a cable to the LAN.

use std::path::{Path, PathBuf};

use daas_diagnostics::{Diagnostic, codes};
use daas_settings::Mist;
use serde_json::json;

use super::lan::{CHAIN_PORT, Lan};
use super::part::{ENCLAVE, Part, Starting};
use super::programs::{Kubernetes, find, hidden};
use crate::places::{Places, file_failed, private_folder, write_private};

/// What a worker is started with.
#[derive(Debug)]
pub struct Worker<'a> {
    /// Counted from 1.
    pub number: u32,
    /// The development chain.
    pub chain_id: &'a str,
    /// The package.
    pub package: &'a str,
    /// The cluster.
    pub cluster: &'a str,
    /// What it stakes.
    pub stake: Mist,
}

impl Worker<'_> {
    /// Its part.
    pub fn part(&self) -> Part {
        Part::Worker(self.number)
    }

    /// Its wallet's key.
    pub fn key_file(&self, places: &Places) -> PathBuf {
        self.part().folder(places).join("wallet.key")
    }

    /// Removes what it remembers: it stakes anew when it is started.
    pub fn forget(&self, places: &Places) -> Result<(), Diagnostic> {
        let folder = self.memory(places);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_failed("remove", &folder, &error)),
            _ => Ok(()),
        }
    }

    fn memory(&self, places: &Places) -> PathBuf {
        self.part().folder(places).join("staker")
    }

    /// Writes its settings and starts it.
    pub fn start(&self, places: &Places, lan: &Lan, kubernetes: &Kubernetes) -> Result<Starting, Diagnostic> {
        let part = self.part();
        let folder = part.folder(places);
        private_folder(&folder)?;
        let root = folder.join("attestation-root.pem");
        let pem = std::fs::read(places.attestation_root())
            .map_err(|error| file_failed("read", &places.attestation_root(), &error))?;
        write_private(&root, &pem)?;
        let config = folder.join("staker.json");
        let settings = self.settings(&folder, &root, &self.key_file(places), kubernetes);
        let text =
            serde_json::to_vec_pretty(&settings).map_err(|error| Diagnostic::new(codes::INTERNAL).caused_by(&error))?;
        write_private(&config, &text)?;

        let staker = find("daas-staker", "a worker", "워커")?;
        let sandbox = find("daas-sandbox", "the network of the workers", "워커 네트워크")?;
        let mut arguments = [
            "run",
            "--kind",
            "worker",
            "--name",
            &part.name(),
            "--lan",
            &lan.process.pid.to_string(),
            "--address",
            &format!("{}/24", self.part().address()),
            "--gateway",
            ENCLAVE,
            "--state",
            &folder.display().to_string(),
        ]
        .map(str::to_owned)
        .to_vec();
        let mut seen = kubernetes.real_folders();
        seen.extend(staker.parent().map(Path::to_owned));
        for folder in hidden(seen.iter().map(PathBuf::as_path)) {
            arguments.extend(["--bind".to_owned(), format!("{0}:{0}", folder.display())]);
        }
        let program = [staker.display().to_string(), "--config".to_owned(), config.display().to_string()];
        arguments.push("--".to_owned());
        arguments.extend(program);
        part.start(places, sandbox, arguments)
    }

    fn settings(&self, folder: &Path, root: &Path, key: &Path, kubernetes: &Kubernetes) -> serde_json::Value {
        json!({
            "node_id": self.part().name(),
            "cluster": self.cluster,
            "contract_address": self.package,
            "chain_id": self.chain_id,
            "sui_rpc_endpoint": format!("http://{ENCLAVE}:{CHAIN_PORT}"),
            "sui_private_key": key,
            "stake_amount": format!("{} MIST", self.stake.0),
            "min_stake_amount": "1 MIST",
            "state_dir": folder.join("staker"),
            "address": self.part().address(),
            "programs": kubernetes.programs(),
            "cni_plugins": kubernetes.cni(),
            "images": kubernetes.images(),
            "attestation_root": root,
            "token_lifetime": "30d",
        })
    }
}

#[cfg(test)]
mod tests {
    use daas_settings::{Environment, Sources, StakerSettings};

    use super::*;

    #[test]
    fn the_settings_of_a_worker_are_settings_of_daas_staker() {
        let folder = tempfile::tempdir().unwrap();
        let kubernetes = folder.path().join("kubernetes");
        for path in ["bin/kube", "bin/containerd", "bin/containerd-shim-runc-v2", "bin/runc"] {
            std::fs::create_dir_all(kubernetes.join("bin")).unwrap();
            std::fs::write(kubernetes.join(path), "").unwrap();
        }
        std::fs::create_dir_all(kubernetes.join("cni")).unwrap();
        std::fs::create_dir_all(kubernetes.join("images")).unwrap();
        let kubernetes = Kubernetes::open(&kubernetes).unwrap();
        let id = format!("0x{}", "2".repeat(64));
        let worker = Worker {
            number: 2,
            chain_id: "4btiuiMPvEENsttpZC7CZ53DruC3MAgfznDbASZ7DR6S",
            package: &id,
            cluster: &id,
            stake: Mist(7),
        };
        let settings =
            worker.settings(Path::new("/state/worker-2"), Path::new("/root.pem"), Path::new("/key"), &kubernetes);
        let file = folder.path().join("staker.json");
        std::fs::write(&file, settings.to_string()).unwrap();
        let environment = Environment::of([("HOME", "/nowhere")]);
        let sources = Sources { config: Some(file), environment, ..Default::default() };
        let settings = StakerSettings::load(&sources).unwrap().settings;
        assert_eq!((settings.stake_amount, settings.node_id.to_string()), (Mist(7), "worker-2".to_owned()));
        assert_eq!(settings.address.unwrap().to_string(), "172.30.0.12");
        assert_eq!(settings.attestation_root.unwrap(), Path::new("/root.pem"));
    }
}
