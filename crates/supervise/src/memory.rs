use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use crate::{Error, Result};

/// Makes a memory cgroup of `bytes` at `folder` (version 2, or version 1's memory hierarchy).
pub(crate) fn make_cgroup(folder: &Path, bytes: u64) -> Result<()> {
    let fault = |doing, path: &Path| {
        let path = path.to_owned();
        move |cause| Error::File { doing, path, cause }
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(fault("making the folder", folder))?;
    let file = match folder.join("memory.limit_in_bytes") {
        old if old.exists() => old,
        _ => folder.join("memory.max"),
    };
    std::fs::write(&file, bytes.to_string()).map_err(fault("setting the memory limit in", &file))
}
