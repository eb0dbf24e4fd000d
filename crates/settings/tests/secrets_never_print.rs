//! No key that settings ever see comes out of them, except by `expose`.

#![allow(clippy::unwrap_used)]

use std::fs;

use daas_diagnostics::{Diagnose, Lang, Style};
use daas_settings::{ClientSettings, Environment, Flags, KeySource, SettingsError, Sources, StakerSettings};
use proptest::prelude::*;

/// A private key in one of the forms that users have.
fn private_key() -> impl Strategy<Value = String> {
    prop_oneof![
        "suiprivkey1[qpzry9x8gf2tvdw0s3jn54khce6mua7l]{58}",
        "[0-9a-f]{64}",
        "0x[0-9a-f]{64}",
        "A[A-Za-z0-9]{42,43}"
    ]
}

/// Everything that can be printed of an error.
fn shown(error: &SettingsError) -> String {
    let diagnostic = error.diagnostic();
    let mut out = format!("{error} {error:?} {error:#?} {diagnostic} {diagnostic:?}");
    for lang in [Lang::English, Lang::Korean] {
        out += &diagnostic.render(Style { lang, colour: true });
        out += &diagnostic.to_json(lang).to_string();
    }
    out
}

/// A key, or a good part of it.
fn reveals(text: &str, key: &str) -> bool {
    text.contains(&key[key.len() - 20..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_key_from_the_environment_is_held_and_never_shown(key in private_key()) {
        let environment = Environment::of([("HOME", "/h"), ("DAAS_PRIVATE_KEY", key.as_str())]);
        let sources = Sources { environment, ..Sources::default() };
        let loaded = ClientSettings::load(&sources).unwrap();
        let text = format!("{loaded:?} {loaded:#?} {} {} {sources:?}", loaded.listing, loaded.listing.to_json());
        prop_assert!(!reveals(&text, &key));
        let Some(KeySource::Inline(secret)) = loaded.settings.private_key else { panic!("not inline") };
        prop_assert_eq!(secret.expose(), &key);
    }

    #[test]
    fn a_key_in_a_file_or_flag_is_refused_without_being_shown(key in private_key(), overridden: bool, json: bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(if json { "c.json" } else { "c.toml" });
        fs::write(&path, if json { format!("{{\"private_key\": \"{key}\"}}") } else { format!("private_key = \"{key}\"") }).unwrap();
        let mut variables = vec![("HOME", "/h")];
        if overridden { variables.push(("DAAS_PRIVATE_KEY", "/some/path")); }
        let environment = Environment::of(variables);
        let by_file = Sources { config: Some(path), environment: environment.clone(), ..Sources::default() };
        let flags = Flags::new().set("private_key", Some(key.as_str()));
        let by_flag = Sources { flags, environment, config: None };
        for sources in [by_file, by_flag] {
            let error = ClientSettings::load(&sources).unwrap_err();
            let is_refused = matches!(error, SettingsError::SecretInline { .. });
            prop_assert!(is_refused, "{}", error);
            let text = shown(&error) + &format!("{sources:?}");
            prop_assert!(!reveals(&text, &key));
        }
    }

    #[test]
    fn a_key_in_the_wrong_place_is_not_shown_either(key in private_key(), name in prop::sample::select(vec![
        "trust", "quorum", "gas_budget", "timeout", "chain_id", "output", "log_level", "rpc", "sui_privat_key",
    ])) {
        // A key may by chance be spelt like base58 of 32 bytes, as a chain identifier is: that is no error, and chain identifiers are shown.
        prop_assume!(name != "chain_id" || key.parse::<daas_settings::ChainId>().is_err());
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("c.json", format!("{{\"{name}\": \"{key}\"}}")),
            ("c.toml", format!("{name} = \"{key}\"")),
            ("broken.toml", format!("{name} = {key}")),
            ("broken.json", format!("{{\"{name}\": {key}}}")),
            ("open.json", format!("{{\"{name}\": \"{key}")),
            ("open.toml", format!("{name} = \"{key}")),
        ] {
            let path = folder.path().join(file);
            fs::write(&path, text).unwrap();
            let environment = Environment::of([("HOME", "/h")]);
            let error = ClientSettings::load(&Sources { config: Some(path), environment, ..Sources::default() }).unwrap_err();
            prop_assert!(!reveals(&shown(&error), &key), "{}: {}", file, shown(&error));
        }
    }

    #[test]
    fn a_password_in_a_url_is_not_shown(password in "[a-zA-Z0-9]{24}") {
        let flags = Flags::new().set("rpc", Some(format!("https://ann:{password}@node.example:443")));
        let environment = Environment::of([("HOME", "/h")]);
        let error = ClientSettings::load(&Sources { flags, environment, config: None }).unwrap_err();
        prop_assert!(!reveals(&shown(&error), &password));
    }
}

#[test]
fn a_key_as_node_name_is_not_shown() {
    let key = "suiprivkey1qzjgxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    for key in [key, &"ab".repeat(32)] {
        let flags = Flags::new().set("node_id", Some(key));
        let error = StakerSettings::load(&Sources { flags, ..Sources::default() }).unwrap_err();
        assert!(!reveals(&shown(&error), key), "{error}");
    }
}
