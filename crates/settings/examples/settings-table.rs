//! Rewrites `docs/settings.md` from the tables of settings.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.md");
    std::fs::write(page, daas_settings::markdown())
}
