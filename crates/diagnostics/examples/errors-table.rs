//! Rewrites `docs/errors.md` from the catalogue.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    std::fs::write(page, daas_diagnostics::catalogue::markdown())
}
