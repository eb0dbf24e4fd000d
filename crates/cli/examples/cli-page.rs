//! Rewrites `docs/cli.md` from the command line.

use std::path::Path;

fn main() -> std::io::Result<()> {
    std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md"), daas_cli::reference::markdown())
}
