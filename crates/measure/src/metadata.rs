//! The metadata section: what an image says about itself. No register measures it, so nothing may be decided from it.
//!
//! AWS' builder writes the moment of the build and the tool's version there, which makes each build a different file. Here both are
//! constant; what is left are texts that the caller gives.

use serde::Serialize;

use crate::Error;

const MAX_TEXT_BYTES: usize = 256;

/// The texts of the section. All are for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// What the image is called.
    pub image_name: String,
    /// Which version of it this is.
    pub image_version: String,
    /// The kernel's version, such as 6.12.117.
    pub kernel_version: String,
}

impl Default for Metadata {
    fn default() -> Self {
        Self { image_name: "k3s-daas".into(), image_version: "0".into(), kernel_version: "unknown".into() }
    }
}

impl Metadata {
    /// The section's bytes: the fields that AWS' tools insist on, in their order, without spaces.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        for text in [&self.image_name, &self.image_version, &self.kernel_version] {
            if text.is_empty() || text.len() > MAX_TEXT_BYTES || text.chars().any(char::is_control) {
                let reason = "each text is 1 to 256 bytes without control characters".into();
                return Err(Error::Unwritable { what: "the metadata", reason });
            }
        }
        let written = Written {
            image_name: &self.image_name,
            image_version: &self.image_version,
            build_metadata: BuildMetadata {
                build_time: "1970-01-01T00:00:00Z",
                build_tool: "daas-measure",
                // Of this section's form, not of the program: a new release of it must not change images.
                build_tool_version: "1",
                operating_system: "Linux",
                kernel_version: &self.kernel_version,
            },
            docker_info: Empty {},
            custom_metadata: Empty {},
        };
        serde_json::to_vec(&written).map_err(Error::Metadata)
    }
}

/// `EifIdentityInfo` of AWS' `defs/mod.rs`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Written<'a> {
    image_name: &'a str,
    image_version: &'a str,
    build_metadata: BuildMetadata<'a>,
    docker_info: Empty,
    custom_metadata: Empty,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BuildMetadata<'a> {
    build_time: &'a str,
    build_tool: &'a str,
    build_tool_version: &'a str,
    operating_system: &'a str,
    kernel_version: &'a str,
}

#[derive(Serialize)]
struct Empty {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_is_constant_but_for_its_texts() {
        assert_eq!(
            String::from_utf8(Metadata::default().to_bytes().unwrap()).unwrap(),
            r#"{"ImageName":"k3s-daas","ImageVersion":"0","BuildMetadata":{"BuildTime":"1970-01-01T00:00:00Z","BuildTool":"daas-measure","BuildToolVersion":"1","OperatingSystem":"Linux","KernelVersion":"unknown"},"DockerInfo":{},"CustomMetadata":{}}"#
        );
        let long = Metadata { image_name: "x".repeat(257), ..Metadata::default() };
        assert!(matches!(long.to_bytes(), Err(Error::Unwritable { what: "the metadata", .. })));
    }
}
