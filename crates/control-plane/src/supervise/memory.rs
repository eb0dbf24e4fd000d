use std::path::Path;

use crate::pki::files::make_private;
use crate::{ControlPlaneError, Result};

/// Makes a memory cgroup of `bytes` at `folder` (version 2, or version 1's memory hierarchy).
pub(super) fn make_cgroup(folder: &Path, bytes: u64) -> Result<()> {
    make_private(folder)?;
    let file = match folder.join("memory.limit_in_bytes") {
        old if old.exists() => old,
        _ => folder.join("memory.max"),
    };
    std::fs::write(&file, bytes.to_string()).map_err(|cause| ControlPlaneError::File {
        doing: "setting the memory limit in",
        path: file,
        cause,
    })
}
