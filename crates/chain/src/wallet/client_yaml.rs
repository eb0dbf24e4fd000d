use std::fs;
use std::path::{Path, PathBuf};

use sui_sdk_types::Address;

use super::MAX_FILE;
use crate::error::Error;

/// What is needed of the `sui` program's `client.yaml`.
///
/// The program writes block style with plain or quoted scalars only, and so much is read here; anything else
/// in the lines that matter is an error, never a guess.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientYaml {
    /// `keystore: File:`.
    pub keystore: Option<PathBuf>,
    /// `envs`.
    pub envs: Vec<Env>,
    /// `active_env`.
    pub active_env: Option<String>,
    /// `active_address`.
    pub active_address: Option<Address>,
}

/// One network of `envs`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Env {
    /// Its name.
    pub alias: String,
    /// Its node.
    pub rpc: String,
    /// Its short chain id, where the program has noted it.
    pub chain_id: Option<String>,
}

impl ClientYaml {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let unusable = |reason: String| Error::WalletConfigUnreadable { path: path.to_owned(), reason };
        let metadata = fs::metadata(path).map_err(|error| unusable(error.to_string()))?;
        if metadata.len() > MAX_FILE {
            return Err(unusable(format!("it is larger than {MAX_FILE} bytes")));
        }
        let text = fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
        let mut yaml = Self::parse(&text).map_err(unusable)?;
        if let (Some(keystore), Some(folder)) = (&yaml.keystore, path.parent()) {
            yaml.keystore = Some(folder.join(keystore));
        }
        Ok(yaml)
    }

    /// The node of the active network.
    pub fn active_rpc(&self) -> Option<&str> {
        let active = self.active_env.as_ref()?;
        self.envs.iter().find(|env| env.alias == *active).map(|env| env.rpc.as_str())
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut yaml = Self::default();
        let mut section = String::new();
        for (index, line) in text.lines().enumerate() {
            let Some(line) = Line::parse(line).map_err(|reason| format!("line {}: {reason}", index + 1))? else {
                continue;
            };
            if line.indent == 0 && !line.item {
                line.key.clone_into(&mut section);
            }
            let wrong = |what: &str| format!("line {}: {what}", index + 1);
            match (section.as_str(), line.key.as_str()) {
                ("keystore", "File") if line.indent > 0 => yaml.keystore = line.value.map(PathBuf::from),
                ("active_env", "active_env") => yaml.active_env = line.value,
                ("active_address", "active_address") => {
                    let address = line.value.map(|value| value.parse::<Address>());
                    yaml.active_address = address.transpose().map_err(|_| wrong("active_address is no address"))?;
                }
                ("envs", key) if line.indent > 0 || line.item => {
                    if line.item {
                        yaml.envs.push(Env::default());
                    }
                    let Some(env) = yaml.envs.last_mut() else { return Err(wrong("envs is not a list")) };
                    match key {
                        "alias" => env.alias = line.value.unwrap_or_default(),
                        "rpc" => env.rpc = line.value.unwrap_or_default(),
                        "chain_id" => env.chain_id = line.value,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Ok(yaml)
    }
}

/// `key: value`, perhaps behind `- `.
struct Line {
    indent: usize,
    item: bool,
    key: String,
    value: Option<String>,
}

impl Line {
    fn parse(line: &str) -> Result<Option<Self>, String> {
        let body = line.trim_start_matches(' ');
        let indent = line.len() - body.len();
        if body.trim().is_empty() || body.starts_with('#') || (indent == 0 && matches!(body.trim(), "---" | "...")) {
            return Ok(None);
        }
        if body.starts_with('\t') {
            return Err("a tab where spaces belong".to_owned());
        }
        let (item, body) = match body.strip_prefix("- ") {
            Some(rest) => (true, rest.trim_start()),
            None => (false, body),
        };
        let Some((key, value)) = body.split_once(':') else {
            // A bare list element, as in lists that are not read here.
            return if item { Ok(None) } else { Err("neither `key: value` nor a list".to_owned()) };
        };
        if !value.is_empty() && !value.starts_with(' ') {
            return if item { Ok(None) } else { Err("a colon without a space behind it".to_owned()) };
        }
        Ok(Some(Self { indent, item, key: unquote(key.trim())?.unwrap_or_default(), value: unquote(value.trim())? }))
    }
}

fn unquote(text: &str) -> Result<Option<String>, String> {
    if let Some(rest) = text.strip_prefix('"') {
        let (inner, after) = rest.split_once('"').ok_or("an open quote")?;
        if inner.contains('\\') {
            return Err("escapes are not understood".to_owned());
        }
        return comment(after).map(|()| Some(inner.to_owned()));
    }
    if let Some(rest) = text.strip_prefix('\'') {
        let (inner, after) = rest.split_once('\'').ok_or("an open quote")?;
        return comment(after).map(|()| Some(inner.to_owned()));
    }
    let plain = text.split(" #").next().unwrap_or_default().trim();
    match plain {
        "" | "~" | "null" | "[]" | "{}" => Ok(None),
        _ if plain.starts_with(['&', '*', '!', '|', '>', '[', '{', '@', '`', '%']) => {
            Err(format!("`{}…` is not understood", plain.chars().take(1).collect::<String>()))
        }
        _ if plain.starts_with('#') => Ok(None),
        _ => Ok(Some(plain.to_owned())),
    }
}

fn comment(after: &str) -> Result<(), String> {
    let after = after.trim();
    if after.is_empty() || after.starts_with('#') { Ok(()) } else { Err("text behind a quote".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `sui client` writes it (crates/sui/src/client_commands.rs, SuiClientConfig).
    const REAL: &str = r#"---
keystore:
  File: /home/ann/.sui/sui_config/sui.keystore
external_keys: ~
envs:
  - alias: testnet
    rpc: "https://fullnode.testnet.sui.io:443"
    ws: ~
    basic_auth: ~
    chain_id: 4c78adac
  - alias: local
    rpc: "http://127.0.0.1:9000"
    ws: ~
    basic_auth: ~
active_env: local
active_address: "0x00000000000000000000000000000000000000000000000000000000000000ab"
"#;

    #[test]
    fn the_programs_own_file_is_read() {
        let yaml = ClientYaml::parse(REAL).unwrap();
        assert_eq!(yaml.keystore.as_deref(), Some(Path::new("/home/ann/.sui/sui_config/sui.keystore")));
        assert_eq!(yaml.envs.len(), 2);
        assert_eq!(yaml.envs[0].chain_id.as_deref(), Some("4c78adac"));
        assert_eq!(yaml.active_rpc(), Some("http://127.0.0.1:9000"));
        assert_eq!(yaml.active_address, Some("0xab".parse().unwrap()));
    }

    #[test]
    fn lists_without_indent_and_comments_are_read() {
        let text =
            "# mine\nenvs:\n- alias: a # first\n  rpc: 'http://a:1'\n- rpc: http://b:2\n  alias: b\nactive_env: b\n";
        let yaml = ClientYaml::parse(text).unwrap();
        assert_eq!(yaml.active_rpc(), Some("http://b:2"));
        assert_eq!(yaml.envs[0], Env { alias: "a".into(), rpc: "http://a:1".into(), chain_id: None });
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for text in [
            "keystore: &anchor\n",
            "envs: [{alias: a}]\n",
            "active_env: |\n  text\n",
            "active_address: nonsense\n",
            "keystore:\n\tFile: x\n",
            "envs:\n  alias: a\n",
            "active_env: \"open\n",
            "just words\n",
        ] {
            assert!(ClientYaml::parse(text).is_err(), "{text}");
        }
    }
}
