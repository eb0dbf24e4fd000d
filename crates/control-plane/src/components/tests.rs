use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

const ROOT: &str = "/run/k3s-daas/master";

fn raw() -> RawSettings {
    RawSettings { advertise_address: Some("203.0.113.7".into()), ..RawSettings::default() }
}

fn of(raw: &RawSettings, webhooks: &Webhooks) -> Components {
    let layout = Layout::at(Path::new(ROOT)).unwrap();
    Components::of(&Settings::parse(raw).unwrap(), &layout, webhooks, &EncryptionKey::from_bytes([7; 32]), "PEM")
}

fn authenticator() -> Webhooks {
    Webhooks::Authenticator(AuthenticatorWebhooks { port: 9641, admission_port: Some(9642) })
}

fn lines(components: &Components) -> String {
    let one = |line: &CommandLine| {
        let environment = line.environment.iter().map(|(name, value)| format!("{name}={value}\n"));
        environment.chain(line.arguments.iter().map(|argument| format!("{argument}\n"))).collect::<String>()
    };
    components.command_lines.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn json(components: &Components, name: &str) -> Value {
    let file = components.files.iter().find(|file| file.path.ends_with(name)).unwrap();
    serde_json::from_str(&file.content).unwrap()
}

fn has(components: &Components, name: ComponentName, argument: &str) -> bool {
    components.command_line(name).unwrap().arguments.iter().any(|one| one == argument)
}

#[test]
fn command_lines_with_the_authenticator() {
    insta::assert_snapshot!(lines(&of(&raw(), &authenticator())));
}

#[test]
fn configuration_files_with_the_authenticator() {
    let components = of(&raw(), &authenticator());
    let text: Vec<_> = components
        .files
        .iter()
        .map(|file| {
            let value: Value = serde_json::from_str(&file.content).unwrap();
            format!("{}\n{}\n", file.path.display(), serde_json::to_string_pretty(&value).unwrap())
        })
        .collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn without_an_authenticator_nobody_asks_for_it() {
    let components = of(&raw(), &Webhooks::None);
    let text = lines(&components);
    assert!(!text.contains("token-webhook") && !text.contains("audit-webhook"));
    let authorizers = json(&components, "authorization.json");
    let names: Vec<_> =
        authorizers["authorizers"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["master", "node", "rbac"]);
}

#[test]
fn nobody_is_asked_before_the_registry_but_about_the_control_planes_own_identities() {
    let authorizers = json(&of(&raw(), &authenticator()), "authorization.json");
    let names: Vec<_> =
        authorizers["authorizers"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["master", "seal", "node", "rbac"]);
    for index in [0, 1] {
        assert_eq!(authorizers["authorizers"][index]["webhook"]["failurePolicy"], "Deny");
    }
    let registry = authorizers["authorizers"][1]["webhook"].to_string();
    // Every exempt user is a name of the list, never a prefix or a group.
    assert!(!registry.contains("startsWith") && !registry.contains("groups"), "{registry}");
}

#[test]
fn the_master_is_asked_about_pods_that_are_controllers() {
    let authorizers = json(&of(&raw(), &authenticator()), "authorization.json");
    let condition = |index: usize, part: usize| {
        authorizers["authorizers"][index]["webhook"]["matchConditions"][part]["expression"].as_str().unwrap().to_owned()
    };
    let asked = condition(0, 0);
    let (_, pods) = asked.rsplit_once(" || ").unwrap();
    assert!(pods.contains("'system:serviceaccount:kube-system:clusterrole-aggregation-controller'"), "{pods}");
    assert!(pods.ends_with(" && 'authentication.kubernetes.io/node-name' in request.extra)"), "{pods}");
    // The registry is spared exactly those of them that are no pods.
    let (users, node) = pods.trim_matches(['(', ')']).split_once(" && ").unwrap();
    assert_eq!(condition(1, 1), format!("!({users} && !({node}))"));
}

#[test]
fn what_outlives_a_cut_off_identity_is_switched_off() {
    let components = of(&raw(), &authenticator());
    for argument in [
        "--anonymous-auth=false",
        "--profiling=false",
        "--feature-gates=ConstrainedImpersonation=false,ManifestBasedAdmissionControlConfig=true",
        "--service-account-extend-token-expiration=false",
        "--service-account-max-token-expiration=24h",
        "--tls-min-version=VersionTLS13",
        "--audit-webhook-mode=blocking",
        "--audit-webhook-truncate-max-event-size=8388608",
        "--audit-webhook-truncate-max-batch-size=16777216",
    ] {
        assert!(has(&components, ComponentName::ApiServer, argument), "{argument}");
    }
    let registry = &json(&components, "authorization.json")["authorizers"][1]["webhook"];
    for remembered in ["cacheAuthorizedRequests", "cacheUnauthorizedRequests"] {
        assert_eq!(registry[remembered], false, "{remembered}");
    }
    assert!(has(
        &of(&raw(), &Webhooks::None),
        ComponentName::ApiServer,
        "--feature-gates=ConstrainedImpersonation=false"
    ));
    let manager = components.command_line(ComponentName::ControllerManager).unwrap().arguments.join(" ");
    assert!(manager.contains(",-serviceaccount-token-controller,-certificatesigningrequest-signing-controller,"));
    assert!(!manager.contains("cluster-signing") && !manager.contains("service-account-private-key-file"));
    assert!(manager.contains("--profiling=false"));
}

#[test]
fn tls_1_2_is_spoken_only_when_asked_for_and_with_two_suites() {
    let asked = of(&RawSettings { tls_min_version: Some("1.2".into()), ..raw() }, &Webhooks::None);
    assert!(has(&asked, ComponentName::ApiServer, "--tls-min-version=VersionTLS12"));
    let suites = "--tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    assert!(has(&asked, ComponentName::ApiServer, suites));
    assert!(RawSettings { tls_min_version: Some("1.1".into()), ..raw() }.parses().is_err());
}

#[test]
fn secrets_are_never_stored_in_the_clear() {
    let providers = &json(&of(&raw(), &Webhooks::None), "encryption.json")["resources"][0]["providers"];
    assert_eq!(providers.as_array().unwrap().len(), 1);
    assert!(providers[0]["secretbox"]["keys"][0]["secret"].is_string());
}

#[test]
fn defaults_are_those_of_k3s() {
    let settings = Settings::parse(&raw()).unwrap();
    assert_eq!(settings.cluster_cidr().to_string(), "10.42.0.0/16");
    assert_eq!(settings.service_cidr().to_string(), "10.43.0.0/16");
    assert_eq!(settings.cluster_dns().to_string(), "10.43.0.10");
    assert_eq!(settings.cluster_domain().as_str(), "cluster.local");
    assert_eq!(settings.https_port(), 6443);
    let names = settings.serving_names();
    for name in ["kubernetes", "kubernetes.default.svc.cluster.local", "localhost"] {
        assert!(names.dns.iter().any(|one| one == name), "{name}");
    }
    for address in ["127.0.0.1", "10.43.0.1", "203.0.113.7"] {
        assert!(names.addresses.contains(&address.parse().unwrap()), "{address}");
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let cases = [
        RawSettings { advertise_address: None, ..raw() },
        RawSettings { advertise_address: Some("127.0.0.1".into()), ..raw() },
        RawSettings { advertise_address: Some("2001:db8::1".into()), ..raw() },
        RawSettings { cluster_cidr: Some("10.0.0.0/8".into()), ..raw() },
        RawSettings { cluster_cidr: Some("10.42.0.0/25".into()), ..raw() },
        RawSettings { service_cidr: Some("10.0.0.0/8".into()), ..raw() },
        RawSettings { cluster_dns: Some("10.44.0.10".into()), ..raw() },
        RawSettings { https_port: Some(2379), ..raw() },
        RawSettings { events_per_second: Some(0), ..raw() },
        RawSettings { https_port: Some(0), ..raw() },
        RawSettings { memory_mib: [("etcd".into(), 8)].into(), ..raw() },
        RawSettings { memory_mib: [("init".into(), 800)].into(), ..raw() },
    ];
    for case in cases {
        assert!(case.parses().is_err(), "{case:?}");
    }
}

#[test]
fn unknown_settings_are_refused() {
    assert!(serde_json::from_str::<RawSettings>(r#"{"cluster_cidr": "10.42.0.0/16", "cluster_cdir": "x"}"#).is_err());
}

#[test]
fn a_folder_cannot_carry_separators_into_a_command_line() {
    for root in [
        "relative",
        "/run/a,b",
        "/run/a b",
        "/run/a\nb",
        "/run/\"",
        "/run/a=--v=9 --x",
        &format!("/{}", "x".repeat(100)),
    ] {
        assert!(Layout::at(Path::new(root)).is_err(), "{root:?}");
    }
}

#[test]
fn files_do_not_print_their_content() {
    let components = of(&raw(), &Webhooks::None);
    let secret =
        json(&components, "encryption.json")["resources"][0]["providers"][0]["secretbox"]["keys"][0]["secret"].clone();
    assert!(!format!("{components:?}").contains(secret.as_str().unwrap()));
}

impl RawSettings {
    fn parses(&self) -> crate::Result<Settings> {
        Settings::parse(self)
    }
}

/// Text that tries: separators of shells, lists and flags around something that might be taken.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("10.42.0.0/16".to_owned()),
        Just("10.43.0.10".to_owned()),
        Just("cluster.local".to_owned()),
        Just("info".to_owned()),
        Just(" --anonymous-auth=true".to_owned()),
        Just(",".to_owned()),
        Just("\n".to_owned()),
        Just("\0".to_owned()),
        Just("=".to_owned()),
        Just("--v=9".to_owned()),
        "[ -~]{0,8}",
    ];
    proptest::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever is set, either it is refused, or the four programs get exactly the flags that they get by default: none more, none less.
    #[test]
    fn no_setting_adds_a_flag(field in 0_usize..8, text in hostile()) {
        let mut hostile = raw();
        let given = Some(text.clone());
        match field {
            0 => hostile.cluster_cidr = given,
            1 => hostile.service_cidr = given,
            2 => hostile.cluster_dns = given,
            3 => hostile.cluster_domain = given,
            4 => hostile.bind_address = given,
            5 => hostile.advertise_address = given,
            6 => hostile.log_level = given,
            _ => hostile.tls_names = vec![text],
        }
        let Ok(settings) = Settings::parse(&hostile) else { return Ok(()) };
        let layout = Layout::at(Path::new(ROOT)).unwrap();
        let components = Components::of(&settings, &layout, &authenticator(), &EncryptionKey::from_bytes([7; 32]), "PEM");
        let usual = of(&raw(), &authenticator());
        for (line, usual) in components.command_lines.iter().zip(&usual.command_lines) {
            let name = |argument: &String| argument.split('=').next().unwrap_or_default().to_owned();
            let names = |line: &CommandLine| line.arguments.iter().map(name).collect::<Vec<_>>();
            prop_assert_eq!(names(line), names(usual));
            for argument in &line.arguments {
                prop_assert!(!argument.contains(|c: char| c.is_control() || c == ' '), "{argument:?}");
            }
        }
        for (file, usual) in components.files.iter().zip(&usual.files) {
            let keys = |file: &ConfigFile| shape(&serde_json::from_str(&file.content).unwrap());
            prop_assert_eq!(keys(file), keys(usual));
        }
    }
}

/// A document without its leaves.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(items) => items.iter().map(shape).collect(),
        _ => Value::Null,
    }
}
