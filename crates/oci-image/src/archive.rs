//! An image as one file: the OCI image layout in a tar archive.
//!
//! Fields and media types: OCI image specification 1.1 (`config.md`, `manifest.md`, `image-layout.md`). The name that a runtime
//! knows the image by is containerd's annotation `io.containerd.image.name`; each name has a descriptor of the one manifest.

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tar::Builder;

use crate::layer::append_bytes;
use crate::{Definition, Error, Layer};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// The bytes of an archive that holds this one image for x86-64 Linux.
pub fn archive(definition: &Definition, layer: Layer) -> Result<Vec<u8>, Error> {
    let layer = Blob { media_type: LAYER, bytes: layer.0 };
    let config = Blob { media_type: CONFIG, bytes: json(&Image::new(definition, &layer))? };
    let manifest =
        Manifest { schema_version: 2, media_type: MANIFEST, config: config.descriptor(), layers: [layer.descriptor()] };
    let manifest = Blob { media_type: MANIFEST, bytes: json(&manifest)? };
    let names = definition.names.iter();
    let manifests = names.map(|name| manifest.descriptor().named(&name.to_string(), name.tag())).collect();
    let index = json(&Index { schema_version: 2, media_type: INDEX, manifests })?;

    let mut tar = Builder::new(Vec::new());
    append_bytes(&mut tar, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#, 0o644)?;
    append_bytes(&mut tar, "index.json", &index, 0o644)?;
    for blob in [manifest, config, layer] {
        append_bytes(&mut tar, &format!("blobs/sha256/{}", blob.sha256()), &blob.bytes, 0o644)?;
    }
    Ok(tar.into_inner()?)
}

struct Blob {
    media_type: &'static str,
    bytes: Vec<u8>,
}

impl Blob {
    fn sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.bytes))
    }

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            media_type: self.media_type,
            digest: format!("sha256:{}", self.sha256()),
            size: self.bytes.len(),
            annotations: None,
        }
    }
}

/// The documents below are written in the order of their fields, which is part of the image's digest.
fn json(document: &impl Serialize) -> Result<Vec<u8>, Error> {
    Ok(serde_json::to_vec(document).map_err(std::io::Error::from)?)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u8,
    media_type: &'static str,
    manifests: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u8,
    media_type: &'static str,
    config: Descriptor,
    layers: [Descriptor; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: &'static str,
    digest: String,
    size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Annotations>,
}

impl Descriptor {
    fn named(self, name: &str, tag: &str) -> Self {
        let annotations = Annotations { containerd: name.to_owned(), oci: tag.to_owned() };
        Self { annotations: Some(annotations), ..self }
    }
}

#[derive(Serialize)]
struct Annotations {
    #[serde(rename = "io.containerd.image.name")]
    containerd: String,
    #[serde(rename = "org.opencontainers.image.ref.name")]
    oci: String,
}

#[derive(Serialize)]
struct Image<'a> {
    architecture: &'static str,
    os: &'static str,
    config: Execution<'a>,
    rootfs: RootFs,
}

impl<'a> Image<'a> {
    fn new(definition: &'a Definition, layer: &Blob) -> Self {
        let environment = definition.environment.iter();
        Self {
            architecture: "amd64",
            os: "linux",
            config: Execution {
                user: definition.user.as_deref(),
                env: environment.map(|(name, value)| format!("{name}={value}")).collect(),
                entrypoint: &definition.entrypoint,
                cmd: &definition.command,
            },
            rootfs: RootFs { kind: "layers", diff_ids: [format!("sha256:{}", layer.sha256())] },
        }
    }
}

/// What runs.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Execution<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    env: Vec<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    entrypoint: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    cmd: &'a [String],
}

#[derive(Serialize)]
struct RootFs {
    #[serde(rename = "type")]
    kind: &'static str,
    diff_ids: [String; 1],
}
