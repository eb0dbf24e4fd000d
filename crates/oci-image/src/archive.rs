//! An image as one file: the OCI image layout in a tar archive.
//!
//! Fields and media types: OCI image specification 1.1 (`config.md`, `manifest.md`, `image-layout.md`). The name that a runtime
//! knows the image by is containerd's annotation `io.containerd.image.name`; each name has a descriptor of the one manifest.

use serde::Serialize;
use serde_json::json;
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
    let config = Blob::json(CONFIG, &config(definition, &layer));
    let manifest = Blob::json(
        MANIFEST,
        &json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config.descriptor(), "layers": [layer.descriptor()] }),
    );
    let named: Vec<Descriptor> =
        definition.names.iter().map(|name| manifest.descriptor().named(&name.to_string(), name.tag())).collect();
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": named });

    let mut tar = Builder::new(Vec::new());
    append_bytes(&mut tar, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#, 0o644)?;
    append_bytes(&mut tar, "index.json", index.to_string().as_bytes(), 0o644)?;
    for blob in [manifest, config, layer] {
        append_bytes(&mut tar, &format!("blobs/sha256/{}", blob.sha256()), &blob.bytes, 0o644)?;
    }
    Ok(tar.into_inner()?)
}

/// What runs: an empty list or no user is left out, as the specification has it.
fn config(definition: &Definition, layer: &Blob) -> serde_json::Value {
    let mut run = json!({});
    if !definition.entrypoint.is_empty() {
        run["Entrypoint"] = json!(definition.entrypoint);
    }
    if !definition.command.is_empty() {
        run["Cmd"] = json!(definition.command);
    }
    if !definition.environment.is_empty() {
        run["Env"] = definition.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    }
    if let Some(user) = &definition.user {
        run["User"] = json!(user);
    }
    json!({
        "architecture": "amd64",
        "os": "linux",
        "config": run,
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", layer.sha256())] },
    })
}

struct Blob {
    media_type: &'static str,
    bytes: Vec<u8>,
}

impl Blob {
    fn json(media_type: &'static str, value: &serde_json::Value) -> Self {
        Self { media_type, bytes: value.to_string().into_bytes() }
    }

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
        Self { annotations: Some(Annotations { containerd: name.to_owned(), oci: tag.to_owned() }), ..self }
    }
}

#[derive(Serialize)]
struct Annotations {
    #[serde(rename = "io.containerd.image.name")]
    containerd: String,
    #[serde(rename = "org.opencontainers.image.ref.name")]
    oci: String,
}
