//! The page of all errors in `docs/` says what the catalogue says.

#![allow(missing_docs)]

#[test]
fn errors_page_says_what_the_catalogue_says() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    let written = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(
        written == daas_diagnostics::catalogue::markdown(),
        "docs/errors.md is out of date: cargo run -p daas-diagnostics --example errors-table"
    );
}
