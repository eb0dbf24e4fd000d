//! Bad input gives a coded error with cause and next step, in both languages, for people and for programs.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod support;

use support::Setup;

/// Everything that an error owes to whoever reads it.
fn check(setup: &Setup, arguments: &[&str], environment: &[(&str, &str)], code: &str, part: &str) {
    let exit = if code.starts_with("DAAS-10") { 2 } else { 1 };
    let hangul = |text: &str| text.chars().any(|c| ('가'..='힣').contains(&c));
    for lang in ["en", "ko"] {
        let json = setup.run_with(&[arguments, &["--lang", lang, "--output", "json"]].concat(), environment);
        assert_eq!((json.code, json.stdout.as_str()), (exit, ""), "daas {arguments:?}: {json:?}");
        let error = json.error();
        assert_eq!(error["code"], code, "daas {arguments:?}: {json:?}");
        let (message, cause) = (error["message"].as_str().unwrap(), error["cause"].as_str().unwrap());
        let next: Vec<_> = error["next"].as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect();
        assert!(!cause.is_empty() && !next.is_empty(), "{error}");
        let all = format!("{message} {cause} {}", next.join(" "));
        assert!(all.contains(part), "{part:?} is not in {all}");
        assert!(!all.contains('{') && !all.contains("unknown)") && !all.contains("알 수 없음"), "unfilled: {all}");
        for text in [&[message, cause][..], &next].concat() {
            assert_eq!(hangul(text), lang == "ko", "{text}");
        }

        let locale = if lang == "ko" { "ko_KR.UTF-8" } else { "C.UTF-8" };
        let human = setup.run_with(arguments, &[environment, &[("LC_ALL", locale)]].concat());
        assert_eq!((human.code, human.stdout.as_str()), (exit, ""), "{human:?}");
        let word = if lang == "ko" { "오류" } else { "error" };
        // The terms of a stake may be said before.
        let begins = format!("\n{word}[{code}]: {message}");
        assert!(format!("\n{}", human.stderr).contains(&begins), "{human:?}");
        for text in [&[cause][..], &next].concat() {
            assert!(human.stderr.contains(text), "{text:?} is not in {human:?}");
        }
        assert!(!human.stderr.contains('\u{1b}'), "colours without a terminal: {human:?}");
    }
}

/// A key without a coin.
const POOR: (&str, &str) =
    ("DAAS_PRIVATE_KEY", "suiprivkey1qqqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcur50p74yefn7");

#[test]
fn what_the_chain_and_the_contract_refuse_is_explained() {
    let setup = Setup::up();
    let here = |code, arguments: &[&str], part| check(&setup, arguments, &[], code, part);
    here("DAAS-1318", &["node", "show", "worker-9"], "worker-1-");
    here("DAAS-1318", &["top-up", "wroker-1", "--amount", "1SUI"], "worker-1-");
    here("DAAS-1301", &["stake", "edge-1", "--amount", "10000MIST"], "1 SUI");
    here("DAAS-1203", &["node", "list", "--chain-id", "mainnet"], "35834a8a");
    let other = format!("0x{}2", "0".repeat(63));
    here("DAAS-1204", &["node", "list", "--package", &other], &other);
    let nothing = format!("0x{}", "5".repeat(64));
    here("DAAS-1204", &["cluster", "show", "--package", &nothing], &nothing);
    here("DAAS-1307", &["cluster", "show", "--cluster", &nothing], &nothing);
    here("DAAS-1201", &["node", "list", "--rpc", "http://127.0.0.1:1"], "127.0.0.1:1");
    here(
        "DAAS-1101",
        &["stake", "edge-1", "--amount", "1SUI", "--keystore-path", "/nonexistent/sui.keystore"],
        "/nonexistent",
    );
    here("DAAS-1006", &["stake", "10-0-0-1", "--amount", "1SUI"], "10-0-0-1");
    here("DAAS-1006", &["stake", "Worker", "--amount", "1SUI"], "Worker");
    here("DAAS-1002", &["stake", "edge-1", "--amount", "1 ETH"], "1 ETH");
    here("DAAS-1904", &["slash", "worker-1", "--amount", "1SUI", "--reason", "x"], "--yes");
    check(&setup, &["stake", "edge-1", "--amount", "1SUI"], &[POOR], "DAAS-1302", "0x");
    check(&setup, &["cluster", "endpoints", "--api", "a:1"], &[POOR], "DAAS-1311", "0x");
    check(&setup, &["unstake", "worker-1"], &[POOR], "DAAS-1310", "0x");
    here("DAAS-1303", &["stake", "edge-1", "--amount", "100000 SUI"], "100000");
}

#[test]
fn what_is_wrong_on_this_machine_is_explained() {
    let setup = Setup::new();
    let file = |name: &str, text: &str| {
        let path = setup.path(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let typo = file("typo.toml", "rpc = \"http://127.0.0.1:1\"\nclustr = \"0x1\"\n");
    check(&setup, &["node", "list", "--config", &typo], &[], "DAAS-1001", "cluster");
    check(&setup, &["node", "list"], &[("DAAS_CONFIG", &typo)], "DAAS-1001", "clustr");
    let broken = file("broken.toml", "rpc = \n");
    check(&setup, &["node", "list", "--config", &broken], &[], "DAAS-1004", "broken.toml");
    check(&setup, &["node", "list", "--config", "/nonexistent/c.toml"], &[], "DAAS-1003", "/nonexistent");
    check(&setup, &["node", "list", "--rpc", "nonsense"], &[], "DAAS-1002", "nonsense");
    check(&setup, &["node", "list"], &[("DAAS_CLUSTR", "0x1")], "DAAS-1001", "DAAS_CLUSTER");
    check(&setup, &["node", "list"], &[], "DAAS-1005", "--cluster");
    check(&setup, &["node", "list"], &[("MOCK_MODE", "true")], "DAAS-1009", "daas up");
    let (id, key) =
        (format!("0x{}", "5".repeat(64)), "suiprivkey1qqqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcur50p74yefn7");
    let arguments = ["stake", "a", "--amount", "1SUI", "--package", &id, "--cluster", &id, "--private-key", key];
    check(&setup, &arguments, &[], "DAAS-1007", "DAAS_PRIVATE_KEY");
    let measurements = file("m.json", "{\"version\": 2}");
    check(&setup, &["release", "publish", "--measurements", &measurements], &[], "DAAS-1604", "m.json");
    assert!(!setup.everything_said().contains(&key[12..40]), "a key was printed");
}

#[test]
fn wrong_usage_is_exit_status_2() {
    let setup = Setup::new();
    for arguments in [
        &["nonsense"][..],
        &[],
        &["stake"],
        &["slash", "a", "--amount", "1SUI"],
        &["release", "retire", "a", "--in", "5"],
    ] {
        let said = setup.run(arguments);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "daas {arguments:?}: {said:?}");
    }
    assert_eq!(setup.run(&["--help"]).code, 0);
    assert!(setup.run(&["--version"]).stdout.starts_with("daas "));
}
