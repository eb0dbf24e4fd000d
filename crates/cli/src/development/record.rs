//! What `daas up` has made so far: written after each step, so that the next run goes on from there.

use daas_diagnostics::{Diagnostic, codes};
use serde::{Deserialize, Serialize};

use crate::places::{Places, Role, private_folder, read_if_there, write_private};

/// The made things of one chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The chain on which all of this is.
    pub chain_id: String,
    /// Where it answered last.
    pub listen: std::net::SocketAddr,
    /// The published package.
    pub package: Option<String>,
    /// Digest of the bytecode that was published.
    pub bytecode: Option<String>,
    /// The cluster.
    pub cluster: Option<String>,
    /// The stake.
    pub stake: Option<String>,
    /// The administrator's stake.
    #[serde(default)]
    pub admin: Option<String>,
    /// Where this machine reaches the cluster's enclave.
    #[serde(default)]
    pub host: Option<String>,
}

impl Record {
    /// The record of a chain on which nothing has been made.
    pub fn of_chain(chain_id: &str, listen: std::net::SocketAddr) -> Self {
        Self {
            chain_id: chain_id.to_owned(),
            listen,
            package: None,
            bytecode: None,
            cluster: None,
            stake: None,
            admin: None,
            host: None,
        }
    }

    /// What the last run left.
    pub fn read(places: &Places) -> Result<Option<Self>, Diagnostic> {
        let path = places.development_file();
        let Some(text) = read_if_there(&path)? else { return Ok(None) };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| Diagnostic::new(codes::STATE_CORRUPTED).with("path", path.display()).with("reason", error))
    }

    /// Keeps the record.
    pub fn write(&self, places: &Places) -> Result<(), Diagnostic> {
        let path = places.development_file();
        path.parent().map_or(Ok(()), private_folder)?;
        let json =
            serde_json::to_vec_pretty(self).map_err(|error| Diagnostic::new(codes::INTERNAL).caused_by(&error))?;
        write_private(&path, &json)
    }

    /// Writes the settings with which every other command finds this setup.
    pub fn write_client_settings(&self, places: &Places) -> Result<(), Diagnostic> {
        use std::fmt::Write as _;

        let mut text = String::from("# Written by `daas up`; it is written again each time.\n");
        let rpc = format!("http://{}", self.listen);
        let state_dir = places.of(Role::Client).display().to_string();
        let fields = [
            ("rpc", Some(&rpc)),
            ("chain_id", Some(&self.chain_id)),
            ("package", self.package.as_ref()),
            ("cluster", self.cluster.as_ref()),
            ("state_dir", Some(&state_dir)),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                // Writing to a String cannot fail; a JSON string is a basic string of TOML, too.
                let _ = writeln!(text, "{name} = {}", serde_json::Value::from(value.as_str()));
            }
        }
        write_private(&places.client_settings(), text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use daas_settings::Environment;

    use super::*;

    #[test]
    fn a_record_reads_back_and_a_damaged_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::choose(Some(folder.path()), &Environment::default()).unwrap();
        assert_eq!(Record::read(&places).unwrap(), None);
        let mut record = Record::of_chain("abc", "127.0.0.1:1".parse().unwrap());
        record.package = Some("0x1".into());
        record.write(&places).unwrap();
        assert_eq!(Record::read(&places).unwrap(), Some(record));
        std::fs::write(places.development_file(), "{").unwrap();
        assert_eq!(Record::read(&places).unwrap_err().code(), codes::STATE_CORRUPTED);
    }

    #[test]
    fn the_settings_it_writes_are_settings_of_daas() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::choose(Some(folder.path()), &Environment::default()).unwrap();
        let mut record =
            Record::of_chain("4btiuiMPvEENsttpZC7CZ53DruC3MAgfznDbASZ7DR6S", "127.0.0.1:9000".parse().unwrap());
        record.package = Some(format!("0x{}", "1".repeat(64)));
        record.cluster = Some(format!("0x{}", "2".repeat(64)));
        record.write(&places).unwrap();
        record.write_client_settings(&places).unwrap();
        let environment = Environment::of([("HOME", "/nowhere")]);
        let sources =
            daas_settings::Sources { config: Some(places.client_settings()), environment, ..Default::default() };
        let settings = daas_settings::ClientSettings::load(&sources).unwrap().settings;
        assert_eq!(settings.rpc[0].to_string(), "http://127.0.0.1:9000");
        assert_eq!(settings.cluster.unwrap().0, [0x22; 32]);
    }
}
