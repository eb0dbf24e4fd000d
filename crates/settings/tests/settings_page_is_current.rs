//! The page of all settings in `docs/` says what the tables say.

#[test]
fn settings_page_says_what_the_tables_say() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.md");
    let written = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(
        written == daas_settings::markdown(),
        "docs/settings.md is out of date: cargo run -p daas-settings --example settings-table"
    );
}
