//! Which layer wins, and which names pass.

#![allow(clippy::unwrap_used)]

use std::fs;

use daas_diagnostics::{Diagnose, Lang};
use daas_settings::{
    ClientSettings, DevnetSettings, Environment, Flags, Mist, Origin, Setting, SettingsError, Sources, StakerSettings,
};
use proptest::prelude::*;

/// Four different good values for each setting of `daas`, of which none is its default.
fn values(setting: &Setting) -> [&'static str; 3] {
    match setting.name {
        "rpc" => ["http://a:1", "http://b:2", "http://c:3"],
        "chain_id" => ["35834a8a", "4c78adac", "00000001"],
        "package" | "cluster" => [
            "0x1111111111111111111111111111111111111111111111111111111111111111",
            "0x2222222222222222222222222222222222222222222222222222222222222222",
            "0x3333333333333333333333333333333333333333333333333333333333333333",
        ],
        "trust" => ["rpc"; 3],
        "output" => ["json", "text", "json"],
        "wallet_config" | "keystore_path" | "state_dir" | "private_key" => ["/a/1", "/b/2", "/c/3"],
        "address" => ["ann", "bob", "cho"],
        "gas_budget" => ["1 MIST", "2 MIST", "3 MIST"],
        "timeout" => ["1s", "2s", "3s"],
        "log_level" => ["error", "debug", "trace"],
        other => panic!("no values for {other}"),
    }
}

fn toml_of(entries: &[(String, String)]) -> String {
    entries.iter().fold(String::new(), |text, (key, value)| text + key + " = \"" + value + "\"\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_flag_beats_the_environment_beats_the_file_beats_the_default(layers in prop::collection::vec(0_u8..8, 14)) {
        // `quorum` fits only with trust `quorum`; the scenario tests below cover it.
        let settings: Vec<_> = ClientSettings::TABLE.settings.iter().filter(|s| s.name != "quorum").collect();
        prop_assert_eq!(settings.len(), layers.len());
        let (mut flags, mut env, mut file) = (Flags::new(), vec![("HOME".to_owned(), "/h".to_owned())], vec![]);
        for (setting, layers) in settings.iter().zip(&layers) {
            let [by_flag, by_env, by_file] = values(setting);
            flags = flags.set(setting.name, (layers & 4 != 0).then_some(by_flag));
            if layers & 2 != 0 { env.push((setting.env[0].to_owned(), by_env.to_owned())); }
            if layers & 1 != 0 { file.push((setting.name.to_owned(), by_file.to_owned())); }
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, toml_of(&file)).unwrap();
        let sources = Sources { flags, environment: Environment::of(env), config: Some(path.clone()) };
        let listing = ClientSettings::load(&sources).unwrap().listing;
        for (setting, layers) in settings.iter().zip(&layers) {
            let row = listing.rows.iter().find(|row| row.name == setting.name).unwrap();
            let [by_flag, by_env, by_file] = values(setting);
            let (value, origin) = if layers & 4 != 0 {
                (Some(by_flag), Origin::Flag(setting.name.to_owned()))
            } else if layers & 2 != 0 {
                (Some(by_env), Origin::Environment(setting.env[0].to_owned()))
            } else if layers & 1 != 0 {
                let line = 1 + file.iter().position(|(key, _)| key == setting.name).unwrap();
                (Some(by_file), Origin::File { path: path.clone(), line })
            } else {
                (setting.default, Origin::Default)
            };
            prop_assert_eq!(&row.origin, &origin, "{}", setting.name);
            if origin != Origin::Default {
                prop_assert_eq!(row.value.as_deref(), value, "{}", setting.name);
            }
        }
    }

    #[test]
    fn unknown_keys_never_pass(key in "[a-zA-Z_][a-zA-Z0-9_-]{0,20}", json: bool) {
        prop_assume!(ClientSettings::TABLE.settings.iter().all(|setting| setting.name != key));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(if json { "c.json" } else { "c.toml" });
        let text = if json { format!("{{\n\"{key}\": \"x\"}}") } else { format!("\n{key} = \"x\"\n") };
        fs::write(&path, text).unwrap();
        let error = ClientSettings::load(&Sources { config: Some(path.clone()), ..home() }).unwrap_err();
        let SettingsError::Unknown { name, origin, .. } = error else { panic!("{error}") };
        prop_assert_eq!(&name, &key);
        prop_assert_eq!(origin, Origin::File { path, line: 2 });
        let error = ClientSettings::load(&Sources { flags: Flags::new().set(&key, Some("x")), ..home() });
        let is_unknown = matches!(error, Err(SettingsError::Unknown { .. }));
        prop_assert!(is_unknown);
    }

    #[test]
    fn no_file_makes_it_panic(text in "(?s).{0,200}", json: bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(if json { "c.json" } else { "c.toml" });
        fs::write(&path, text).unwrap();
        let _ = ClientSettings::load(&Sources { config: Some(path), ..home() });
    }
}

fn home() -> Sources {
    Sources { environment: Environment::of([("HOME", "/h")]), ..Sources::default() }
}

const ID: &str = "0x4444444444444444444444444444444444444444444444444444444444444444";

/// A staker's file as the first description of the product has it.
fn staker_file(folder: &tempfile::TempDir, more: &str) -> Sources {
    let path = folder.path().join("staker-config.json");
    let text = format!(
        r#"{{
  "node_id": "worker-1",
  "cluster": "{ID}",
  "contract_address": "{ID}",
  "sui_rpc_endpoint": "https://fullnode.testnet.sui.io:443",
  "sui_private_key": "/etc/k3s-daas/key",
  "stake_amount": 1000000000{more}
}}"#
    );
    fs::write(&path, text).unwrap();
    let environment = Environment::of([("HOME", "/h"), ("STAKER_CONFIG_PATH", path.to_str().unwrap())]);
    Sources { environment, ..Sources::default() }
}

#[test]
fn staker_config_path_names_the_stakers_file() {
    let folder = tempfile::tempdir().unwrap();
    let loaded = StakerSettings::load(&staker_file(&folder, "")).unwrap();
    assert_eq!(loaded.settings.node_id.as_str(), "worker-1");
    assert_eq!(loaded.settings.stake_amount, Mist(1_000_000_000));
    assert_eq!(loaded.settings.state_dir.to_str(), Some("/h/.local/state/k3s-daas/staker"));
    assert!(matches!(loaded.listing.origin("node_id"), Some(Origin::File { line: 2, .. })));
    assert_eq!(loaded.listing.origin("log_level"), Some(&Origin::Default));
}

#[test]
fn a_typing_error_is_answered_with_the_nearest_name_and_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let error = StakerSettings::load(&staker_file(&folder, ",\n  \"stake_amuont\": 5")).unwrap_err();
    let SettingsError::Unknown { nearest, origin, .. } = &error else { panic!("{error}") };
    assert_eq!(*nearest, Some("stake_amount"));
    assert!(matches!(origin, Origin::File { line: 8, .. }), "{origin}");
    assert!(error.diagnostic().next_steps(Lang::English)[0].contains("stake_amount"));
}

#[test]
fn misspelt_variables_are_refused_and_foreign_ones_are_not() {
    let load = |name: &str| {
        ClientSettings::load(&Sources {
            environment: Environment::of([("HOME", "/h"), (name, "x")]),
            ..Sources::default()
        })
    };
    for name in ["DAAS_PAKCAGE", "DAAS_CHAINID", "DAAS_GAS_BUDGETS", "DAAS_CONFG"] {
        assert!(matches!(load(name), Err(SettingsError::Unknown { nearest: Some(_), .. })), "{name}");
    }
    for name in ["DAAS_CACHE_DIR", "DAAS_DEVNET_LISTEN", "STAKER_NODE_ID", "PACKAGE", "DAAS_"] {
        assert!(load(name).is_ok(), "{name}");
    }
}

#[test]
fn mock_mode_points_to_the_development_cluster() {
    let load = |value| {
        DevnetSettings::load(&Sources {
            environment: Environment::of([("HOME", "/h"), ("MOCK_MODE", value)]),
            ..Sources::default()
        })
    };
    let error = load("true").unwrap_err();
    assert_eq!(error.diagnostic().code().to_string(), "DAAS-1009");
    for lang in [Lang::English, Lang::Korean] {
        assert!(error.diagnostic().next_steps(lang).concat().contains("daas up"));
    }
    assert!(load("false").is_ok());
}

#[test]
fn docker_is_explained_and_cri_needs_its_socket() {
    let folder = tempfile::tempdir().unwrap();
    let load = |more: &str| StakerSettings::load(&staker_file(&folder, more));
    let error = load(r#", "container_runtime": "docker""#).unwrap_err();
    assert!(matches!(error, SettingsError::DockerRuntime { origin: Origin::File { .. } }));
    assert!(error.diagnostic().cause(Lang::Korean).contains("CRI"));
    assert!(matches!(load(r#", "container_runtime": "cri""#), Err(SettingsError::Conflict { .. })));
    assert!(matches!(load(r#", "cri_endpoint": "unix:///a""#), Err(SettingsError::Conflict { .. })));
    assert!(load(r#", "container_runtime": "cri", "cri_endpoint": "unix:///a""#).is_ok());
}

#[test]
fn a_stake_below_the_own_minimum_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = StakerSettings::load(&staker_file(&folder, r#", "min_stake_amount": "1.5 SUI""#)).unwrap_err();
    assert!(matches!(error, SettingsError::StakeBelowMinimum { amount: Mist::SUI, minimum: Mist(1_500_000_000) }));
}

#[test]
fn a_quorum_that_cannot_mean_anything_is_refused() {
    let load = |rpc: &[&str], trust: &str, quorum: Option<&str>| {
        let flags = Flags::new().set_all("rpc", rpc.iter().copied()).set("trust", Some(trust)).set("quorum", quorum);
        ClientSettings::load(&Sources { flags, ..home() })
    };
    let nodes = ["http://a:1", "http://b:1", "http://c:1", "http://d:1"];
    assert_eq!(load(&nodes, "quorum", Some("3")).unwrap().settings.quorum, Some(3));
    assert!(load(&nodes, "quorum", None).is_ok());
    for (rpc, trust, quorum) in [
        (&nodes[..], "quorum", Some("2")),
        (&nodes[..], "quorum", Some("5")),
        (&nodes[..], "quorum", Some("0")),
        (&nodes[..1], "quorum", None),
        (&nodes[..], "rpc", Some("3")),
    ] {
        assert!(matches!(load(rpc, trust, quorum), Err(SettingsError::Conflict { .. })), "{trust} {quorum:?}");
    }
    assert!(matches!(load(&["http://a:1", "http://a:1"], "quorum", None), Err(SettingsError::BadValue { .. })));
}

#[test]
fn a_named_file_must_exist_and_the_default_file_need_not() {
    assert!(ClientSettings::load(&home()).is_ok());
    let environment = Environment::of([("HOME", "/h"), ("DAAS_CONFIG", "/nonexistent/daas.toml")]);
    let error = ClientSettings::load(&Sources { environment, ..Sources::default() }).unwrap_err();
    assert!(error.diagnostic().cause(Lang::English).contains("no such file"));
    let error = ClientSettings::load(&Sources { config: Some("/dev/zero".into()), ..home() }).unwrap_err();
    assert!(matches!(error, SettingsError::FileUnreadable { .. }));
}

#[test]
fn the_default_file_of_daas_is_read_when_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("k3s-daas")).unwrap();
    fs::write(folder.path().join("k3s-daas/config.toml"), "gas_budget = \"7 MIST\"\n").unwrap();
    let environment = Environment::of([("HOME", "/h"), ("XDG_CONFIG_HOME", folder.path().to_str().unwrap())]);
    let loaded = ClientSettings::load(&Sources { environment, ..Sources::default() }).unwrap();
    assert_eq!(loaded.settings.gas_budget, Some(Mist(7)));
}

#[test]
fn checkpoints_are_at_most_a_quarter_of_a_second_apart() {
    let load = |interval: &str| {
        DevnetSettings::load(&Sources { flags: Flags::new().set("checkpoint_interval", Some(interval)), ..home() })
    };
    assert!(load("250ms").is_ok());
    for bad in ["251ms", "0ms", "1s"] {
        assert!(matches!(load(bad), Err(SettingsError::BadValue { .. })), "{bad}");
    }
}

#[test]
fn every_error_fills_all_blanks_of_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let malformed = folder.path().join("m.toml");
    fs::write(&malformed, "a = \n").unwrap();
    let flag = |name: &str, value: &str| Sources { flags: Flags::new().set(name, Some(value)), ..home() };
    let errors = [
        ClientSettings::load(&flag("chainid", "x")).unwrap_err(),
        ClientSettings::load(&flag("timeout", "x")).unwrap_err(),
        ClientSettings::load(&flag("private_key", "suiprivkey1qqqqqqqq")).unwrap_err(),
        ClientSettings::load(&flag("trust", "quorum")).unwrap_err(),
        ClientSettings::load(&Sources { config: Some("/nonexistent".into()), ..home() }).unwrap_err(),
        ClientSettings::load(&Sources { config: Some(malformed), ..home() }).unwrap_err(),
        StakerSettings::load(&home()).unwrap_err(),
        StakerSettings::load(&flag("node_id", "10-1-1-1")).unwrap_err(),
        StakerSettings::load(&staker_file(&folder, r#", "container_runtime": "docker""#)).unwrap_err(),
        StakerSettings::load(&staker_file(&folder, r#", "min_stake_amount": "2 SUI""#)).unwrap_err(),
        DevnetSettings::load(&Sources { environment: Environment::of([("MOCK_MODE", "1")]), ..Sources::default() })
            .unwrap_err(),
    ];
    let mut codes: Vec<_> = errors.iter().map(|error| error.diagnostic().code()).collect();
    for error in &errors {
        assert!(error.diagnostic().unfilled().is_empty(), "{error}: {:?}", error.diagnostic().unfilled());
        assert!(error.diagnostic().unused().is_empty(), "{error}: {:?}", error.diagnostic().unused());
    }
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), errors.len(), "each error its own code: {codes:?}");
}

#[test]
fn the_workers_api_stays_on_loopback_and_tokens_live_as_long_as_the_contract_lets_them() {
    let folder = tempfile::tempdir().unwrap();
    let load = |more: &str| StakerSettings::load(&staker_file(&folder, more));
    for (more, name) in [
        (r#", "api_listen": "0.0.0.0:10251""#, "api_listen"),
        (r#", "token_lifetime": "10m""#, "token_lifetime"),
        (r#", "token_lifetime": "367d""#, "token_lifetime"),
        (r#", "address": "worker-1""#, "address"),
        (r#", "pod_network": "flannel""#, "pod_network"),
    ] {
        assert!(
            matches!(load(more).unwrap_err(), SettingsError::BadValue { name: found, .. } if found == name),
            "{more}"
        );
    }
    let settings =
        load(r#", "api_listen": "[::1]:0", "token_lifetime": "366d", "address": "172.30.0.11""#).unwrap().settings;
    assert_eq!(settings.address, Some("172.30.0.11".parse().unwrap()));
}
