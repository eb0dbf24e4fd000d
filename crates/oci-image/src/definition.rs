//! What an image is called and what runs in it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::Error;

/// An image's definition, a TOML file.
///
/// ```
/// let definition = daas_oci_image::Definition::parse(r#"
///     names = ["registry.k8s.io/pause:3.10.2"]
///     entrypoint = ["/pause"]
///     user = "65535:65535"
/// "#)?;
/// assert_eq!(definition.names[0].tag(), "3.10.2");
/// # Ok::<(), daas_oci_image::Error>(())
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Definition {
    /// All the names that the image is found under; at least one.
    pub names: Vec<ImageName>,
    /// What always runs.
    #[serde(default)]
    pub entrypoint: Vec<String>,
    /// Its arguments, or what runs where there is no entry point, unless the pod says otherwise.
    #[serde(default)]
    pub command: Vec<String>,
    /// Environment variables.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// As whom: `uid` or `uid:gid`; nothing means root.
    #[serde(default)]
    pub user: Option<String>,
    /// Modes that differ from 0755 (folders, programs) and 0644 (other files), by path.
    #[serde(default)]
    pub modes: BTreeMap<String, u32>,
}

impl Definition {
    /// Reads a definition.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let definition: Self = toml::from_str(text)?;
        if definition.names.is_empty() {
            return Err(Error::Nameless);
        }
        Ok(definition)
    }
}

/// A complete image name, `registry/path:tag`: no runtime adds anything to it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ImageName(String);

impl ImageName {
    /// What stands behind the last colon.
    pub fn tag(&self) -> &str {
        self.0.rsplit_once(':').map_or("", |(_, tag)| tag)
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for ImageName {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        let complete = name.split_once('/').is_some_and(|(registry, rest)| {
            rest.rsplit_once(':')
                .is_some_and(|(path, tag)| is_registry(registry) && path.split('/').all(is_component) && is_tag(tag))
        });
        if complete { Ok(Self(name)) } else { Err(Error::Name(name)) }
    }
}

/// A first component without a dot or a port would be taken for a path on the default registry.
fn is_registry(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "1"));
    let labels = host
        .split('.')
        .all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    labels && (host.contains('.') || text.contains(':') || host == "localhost") && port.parse::<u16>().is_ok()
}

fn is_component(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    text.bytes().all(inner) && edge(text.bytes().next()) && edge(text.bytes().last())
}

fn is_tag(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with(['.', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_names_are_accepted() {
        for name in [
            "registry.k8s.io/coredns/coredns:v1.15.0",
            "docker.io/library/busybox:latest",
            "localhost:5000/a/b-c:1_2",
            "localhost/x:1",
        ] {
            assert_eq!(ImageName::try_from(name.to_owned()).unwrap().to_string(), name);
        }
    }

    #[test]
    fn names_that_a_runtime_would_complete_or_misread_are_refused() {
        for name in [
            "",
            "busybox",
            "busybox:1.36",
            "library/busybox:1.36",
            "docker.io/library/busybox",
            "docker.io/Library/busybox:1",
            "docker.io//busybox:1",
            "docker.io/busybox:",
            "docker.io/busybox:-1",
            "docker.io/busybox:1 ",
            "docker..io/busybox:1",
            "docker.io:port/busybox:1",
            "docker.io/busybox-/a:1",
        ] {
            assert!(matches!(ImageName::try_from(name.to_owned()), Err(Error::Name(_))), "{name}");
        }
    }

    #[test]
    fn a_definition_with_an_unknown_word_or_without_a_name_is_refused() {
        assert!(matches!(Definition::parse("names = []"), Err(Error::Nameless)));
        assert!(matches!(
            Definition::parse("names = ['docker.io/a:1']\nentry-point = ['/a']"),
            Err(Error::Definition(_))
        ));
        assert!(matches!(Definition::parse("entrypoint = ['/a']"), Err(Error::Definition(_))));
    }
}
