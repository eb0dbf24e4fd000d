//! `docs/cli.md` says what the command line says.

#![allow(missing_docs)]

#[test]
fn the_command_page_is_current() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let written = std::fs::read_to_string(page).unwrap_or_default();
    assert!(
        written == daas_cli::reference::markdown(),
        "docs/cli.md is out of date: cargo run -p daas-cli --example cli-page"
    );
}
