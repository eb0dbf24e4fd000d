use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// The environment variables of a process, read once.
///
/// Its `Debug` shows names only: values may be secrets. An empty variable counts as not set.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    is_root: bool,
}

impl Environment {
    /// The environment of this process.
    pub fn collect() -> Self {
        // Values that are not UTF-8 become replacement characters, which no setting accepts.
        let variables = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect();
        Self { variables, is_root: runs_as_root() }
    }

    /// An environment made of these variables, of an ordinary user.
    pub fn of<N: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { variables, is_root: false }
    }

    /// The same environment, for root or for an ordinary user: root's state lives in `/var/lib`.
    #[must_use]
    pub fn as_root(mut self, is_root: bool) -> Self {
        self.is_root = is_root;
        self
    }

    /// Whether the process runs as root.
    pub fn is_root(&self) -> bool {
        self.is_root
    }

    /// A variable, unless it is unset or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The names of all variables that are set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name.as_str())
    }

    /// The folder for state: `/var/lib/k3s-daas` for root, else `${XDG_STATE_HOME:-~/.local/state}/k3s-daas`.
    pub fn state_folder(&self) -> Option<PathBuf> {
        if self.is_root { Some(PathBuf::from("/var/lib/k3s-daas")) } else { self.xdg("XDG_STATE_HOME", ".local/state") }
    }

    /// The folder for configuration: `${XDG_CONFIG_HOME:-~/.config}/k3s-daas`.
    pub fn config_folder(&self) -> Option<PathBuf> {
        self.xdg("XDG_CONFIG_HOME", ".config")
    }

    /// A path with a leading `~/`, `{state}` or `{config}` filled in; `None` if the home folder is not known.
    pub fn expand(&self, path: &str) -> Option<String> {
        let (base, rest) = if let Some(rest) = path.strip_prefix("~/") {
            (self.home()?, rest)
        } else if let Some(rest) = path.strip_prefix("{state}") {
            (self.state_folder()?, rest)
        } else if let Some(rest) = path.strip_prefix("{config}") {
            (self.config_folder()?, rest)
        } else {
            return Some(path.to_owned());
        };
        let rest = rest.trim_start_matches('/');
        Some(if rest.is_empty() { base } else { base.join(rest) }.to_string_lossy().into_owned())
    }

    fn home(&self) -> Option<PathBuf> {
        self.get("HOME").map(PathBuf::from).or_else(|| self.is_root.then(|| PathBuf::from("/root")))
    }

    fn xdg(&self, name: &str, below_home: &str) -> Option<PathBuf> {
        // The XDG base directory specification has relative paths ignored.
        let base = self.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        Some(base.or_else(|| Some(self.home()?.join(below_home)))?.join("k3s-daas"))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

#[cfg(unix)]
fn runs_as_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    // The owner of /proc/self is the effective user of the process: proc(5).
    std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

#[cfg(not(unix))]
fn runs_as_root() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_follow_xdg_and_root() {
        let user = Environment::of([("HOME", "/home/ann")]);
        assert_eq!(user.expand("{state}/devnet").unwrap(), "/home/ann/.local/state/k3s-daas/devnet");
        assert_eq!(user.expand("{config}/config.toml").unwrap(), "/home/ann/.config/k3s-daas/config.toml");
        assert_eq!(user.expand("~/k").unwrap(), "/home/ann/k");
        assert_eq!(user.expand("a/~/b").unwrap(), "a/~/b");
        let xdg = Environment::of([("HOME", "/h"), ("XDG_STATE_HOME", "/s"), ("XDG_CONFIG_HOME", "relative")]);
        assert_eq!(xdg.expand("{state}").unwrap(), "/s/k3s-daas");
        assert_eq!(xdg.expand("{config}").unwrap(), "/h/.config/k3s-daas");
        let nobody = Environment::default();
        assert_eq!(nobody.expand("{state}"), None);
        assert_eq!(nobody.as_root(true).expand("{state}/x").unwrap(), "/var/lib/k3s-daas/x");
    }

    #[test]
    fn debug_shows_no_values_and_empty_is_unset() {
        let env = Environment::of([("A", "secret"), ("B", "")]);
        assert!(!format!("{env:?}").contains("secret"));
        assert_eq!(env.get("B"), None);
        assert_eq!(env.names().collect::<Vec<_>>(), ["A"]);
    }
}
