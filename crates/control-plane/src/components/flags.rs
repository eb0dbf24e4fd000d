use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{AbsolutePath, CidrList, DnsName};
use crate::components::ComponentName;

/// How one program of the multi-call binary is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// Which program.
    pub component: ComponentName,
    /// Its arguments; the first is its name.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: Vec<(&'static str, String)>,
}

/// A configuration file that a command line names.
pub struct ConfigFile {
    /// Where.
    pub path: PathBuf,
    /// JSON. Wiped when dropped: one of them holds a key.
    pub content: Zeroizing<String>,
}

impl ConfigFile {
    pub(super) fn json(path: impl Into<PathBuf>, content: &serde_json::Value) -> Self {
        Self { path: path.into(), content: Zeroizing::new(content.to_string()) }
    }
}

impl std::fmt::Debug for ConfigFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ConfigFile({})", self.path.display())
    }
}

/// Flags under construction, `--name=value` each.
pub(super) struct Flags(Vec<String>);

impl Flags {
    pub(super) fn of(component: ComponentName) -> Self {
        Self(vec![component.as_str().to_owned()])
    }

    #[allow(clippy::needless_pass_by_value)] // constants and small values: a reference would burden every line that calls this
    pub(super) fn set(mut self, name: &'static str, value: impl Value) -> Self {
        self.0.push(format!("--{name}={}", value.text()));
        self
    }

    pub(super) fn into_command_line(
        self,
        component: ComponentName,
        environment: Vec<(&'static str, String)>,
    ) -> CommandLine {
        CommandLine { component, arguments: self.0, environment }
    }
}

/// What may stand behind `--name=`: constants of this crate, and types whose text holds no separator.
pub(super) trait Value {
    fn text(&self) -> String;
}

macro_rules! plain {
    ($($type:ty),+) => {
        $(impl Value for $type {
            fn text(&self) -> String {
                self.to_string()
            }
        })+
    };
}

plain!(bool, u8, u16, u32, u64, IpAddr, SocketAddr, CidrList, DnsName, AbsolutePath);

impl Value for &'static str {
    fn text(&self) -> String {
        (*self).to_owned()
    }
}

/// Text that this crate composed of constants and checked parts.
pub(super) struct Composed(pub(super) String);

impl Value for Composed {
    fn text(&self) -> String {
        self.0.clone()
    }
}

/// A path below a checked folder ([`super::Layout`]): its parts are constants of this crate.
impl Value for &Path {
    fn text(&self) -> String {
        self.display().to_string()
    }
}

impl Value for PathBuf {
    fn text(&self) -> String {
        self.as_path().text()
    }
}
