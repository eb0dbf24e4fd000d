//! Staking, tokens, slashing and withdrawing through the real command and the real chain.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod support;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daas_seal_token::{Purpose, SealToken, SessionKey};
use serde_json::{Value, json};
use support::Setup;

const SUI: u64 = 1_000_000_000;

/// Takes a bearer apart by hand and checks its signature against the key on chain.
fn check_bearer(bearer: &str, session_key: &Value) -> SealToken {
    let parts: Vec<_> = bearer.split('.').collect();
    assert_eq!((parts.len(), parts[0]), (3, "seal1"));
    let claims = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    let signature: [u8; 64] = URL_SAFE_NO_PAD.decode(parts[2]).unwrap().try_into().unwrap();
    let key: [u8; 32] = hex::decode(session_key.as_str().unwrap()).unwrap().try_into().unwrap();
    assert!(SessionKey::from_bytes(&key).unwrap().verifies("seal-token", &claims, &signature), "wrong signature");
    SealToken::parse(bearer).unwrap()
}

#[test]
fn a_staker_stakes_gets_a_token_and_is_slashed() {
    let setup = Setup::up();
    let staked = setup.json(&["stake", "edge-1", "--amount", "2SUI"]);
    assert_eq!((&staked["created"], &staked["balance_mist"]), (&json!(true), &json!(2 * SUI)));
    let name = staked["name"].as_str().unwrap();
    let suffix = &staked["stake"].as_str().unwrap()[2..10];
    assert_eq!(name, format!("edge-1-{suffix}"));

    let again = setup.json(&["stake", "edge-1", "--amount", "2SUI"]);
    assert_eq!((&again["created"], &again["stake"]), (&json!(false), &staked["stake"]));
    assert_eq!(setup.json(&["node", "list"])["nodes"].as_array().unwrap().len(), 2);

    let shown = setup.json(&["node", "show", "edge-1"]);
    assert_eq!((&shown["status"], &shown["token_state"]), (&json!("active"), &json!("valid")));
    let bearer = setup.ok(&["token", "edge-1", "--purpose", "join"]).stdout;
    let token = check_bearer(bearer.trim_end(), &shown["session_key"]);
    assert_eq!(token.claims().purpose, Purpose::Join);
    assert_eq!(token.claims().token.to_string(), shown["token"]["id"].as_str().unwrap());
    assert_eq!(token.claims().expires_at_ms - token.claims().issued_at_ms, 600_000);

    let grown = setup.json(&["top-up", name, "--amount", "500000000MIST"]);
    assert_eq!(grown["balance_mist"], 5 * SUI / 2);

    let slashed = setup.json(&["slash", "edge-1", "--amount", "1.5SUI", "--reason", "test of the slash", "--yes"]);
    assert_eq!((&slashed["status"], &slashed["balance_mist"]), (&json!("slashed"), &json!(SUI)));
    assert_eq!(slashed["slashed_mist"], 3 * SUI / 2);
    setup.refused(&["token", "edge-1"], "DAAS-1319");
    setup.refused(&["top-up", "edge-1", "--amount", "1SUI"], "DAAS-1319");
    assert_eq!(setup.json(&["node", "show", name])["token_state"], "void");

    let anew = setup.json(&["stake", "edge-1", "--amount", "1SUI"]);
    assert_eq!(anew["created"], true);
    assert_ne!(anew["name"], staked["name"], "a slashed name came back");
    check_bearer(
        setup.ok(&["token", "edge-1"]).stdout.trim_end(),
        &setup.json(&["node", "show", "edge-1"])["session_key"],
    );
}

#[test]
fn an_honest_staker_withdraws_after_unbonding() {
    let setup = Setup::up();
    let unstaked = setup.json(&["unstake", "worker-1"]);
    assert_eq!(unstaked["status"], "unbonding");
    setup.refused(&["token", "worker-1"], "DAAS-1320");
    setup.refused(&["unstake", "worker-1"], "DAAS-1320");
    let early = setup.refused(&["withdraw", "worker-1"], "DAAS-1314");
    assert!(early["cause"].as_str().unwrap().contains('T'), "no time in {early}");
    setup.advance_clock(Duration::from_secs(601));
    let withdrawn = setup.json(&["withdraw", "worker-1"]);
    assert_eq!((&withdrawn["status"], &withdrawn["balance_mist"]), (&json!("withdrawn"), &json!(0)));
    setup.refused(&["withdraw", "worker-1"], "DAAS-1315");
}

#[test]
fn kubectl_gets_an_exec_credential() {
    let setup = Setup::up();
    let key = setup.json(&["node", "show", "worker-1"])["session_key"].clone();
    let info =
        |version: &str| json!({ "apiVersion": version, "kind": "ExecCredential", "spec": { "interactive": false } });
    let asked = |version: &str| setup.run_with(&["token"], &[("KUBERNETES_EXEC_INFO", &info(version).to_string())]);
    for (said, what) in [
        (asked("client.authentication.k8s.io/v1"), "as a plugin"),
        (setup.ok(&["token", "worker-1", "--exec-credential"]), "as a plugin by option"),
        (setup.ok(&["token", "--output", "json"]), "as JSON"),
    ] {
        let credential = said.json();
        assert_eq!(credential["apiVersion"], "client.authentication.k8s.io/v1", "{what}");
        assert_eq!(credential["kind"], "ExecCredential");
        let token = check_bearer(credential["status"]["token"].as_str().unwrap(), &key);
        assert_eq!(token.claims().purpose, Purpose::Api);
        let end = credential["status"]["expirationTimestamp"].as_str().unwrap();
        assert!(end.len() == 20 && end.ends_with('Z'), "{end}");
        assert_eq!(said.stderr, "", "kubectl shows this to the user");
    }
    let other = asked("client.authentication.k8s.io/v1beta1");
    assert!((other.code, other.stdout.as_str()) == (2, "") && other.stderr.contains("DAAS-1002"), "{other:?}");
    let plain = setup.ok(&["token"]).stdout;
    assert!(plain.starts_with("seal1.") && plain.lines().count() == 1);
    setup.refused(&["token", "--lifetime", "1h"], "DAAS-1405");
}

#[test]
fn a_rotated_session_key_replaces_the_old_one() {
    let setup = Setup::up();
    let before = setup.json(&["node", "show", "worker-1"]);
    let rotated = setup.json(&["token", "worker-1", "--rotate"]);
    let after = setup.json(&["node", "show", "worker-1"]);
    assert_ne!(before["session_key"], after["session_key"]);
    assert_eq!((&rotated["session_key"], &after["key_generation"]), (&after["session_key"], &json!(2)));
    check_bearer(setup.ok(&["token"]).stdout.trim_end(), &after["session_key"]);

    let keys = setup.state().join("development/session-keys");
    let file = keys.join(format!("{}.key", after["stake"].as_str().unwrap()));
    std::fs::remove_file(file).unwrap();
    setup.refused(&["token"], "DAAS-1417");
    setup.ok(&["token", "--rotate"]);
    let found = setup.json(&["node", "show", "worker-1"]);
    check_bearer(setup.ok(&["token"]).stdout.trim_end(), &found["session_key"]);
}

#[test]
fn a_seal_token_is_extended_revoked_made_anew_and_made_again_after_its_end() {
    let setup = Setup::up();
    let token = |setup: &Setup| setup.json(&["node", "show", "worker-1"])["token"].clone();
    let first = token(&setup);
    let extended = setup.json(&["token", "worker-1", "--extend", "366d"]);
    assert!(extended["expires_at_ms"].as_u64() > first["expires_at_ms"].as_u64(), "{extended} {first}");
    assert_eq!(extended["token"], first["id"]);
    setup.refused(&["token", "worker-1", "--extend", "1s"], "DAAS-1305");

    setup.ok(&["token", "worker-1", "--revoke"]);
    assert_eq!(token(&setup), Value::Null);
    let staked = setup.json(&["stake", "worker-1", "--amount", "1SUI", "--lifetime", "1h"]);
    assert_eq!(staked["created"], false, "the stake was paid again");
    let second = token(&setup);
    assert_ne!(second["id"], first["id"]);

    setup.advance_clock(Duration::from_hours(2));
    assert_eq!(setup.json(&["node", "show", "worker-1"])["token_state"], "expired");
    setup.ok(&["token", "worker-1", "--extend", "1d"]);
    let third = setup.json(&["node", "show", "worker-1"]);
    assert_ne!(third["token"]["id"], second["id"]);
    assert_eq!(third["token_state"], "valid");
}

#[test]
fn a_suspended_node_has_no_token_until_it_is_resumed() {
    let setup = Setup::up();
    assert_eq!(setup.json(&["node", "suspend", "worker-1"])["status"], "suspended");
    setup.refused(&["token", "worker-1"], "DAAS-1412");
    assert_eq!(setup.json(&["node", "resume", "worker-1"])["status"], "active");
    setup.ok(&["token", "worker-1"]);
}

#[test]
fn with_trust_in_a_quorum_too_few_nodes_are_refused_and_enough_are_asked() {
    let setup = Setup::up();
    let rpc = std::fs::read_to_string(setup.state().join("development/daas.toml")).unwrap();
    let port = rpc.split("http://127.0.0.1:").nth(1).unwrap().split(|c: char| !c.is_ascii_digit()).next().unwrap();
    let quorum = |nodes: String, arguments: &[&str]| {
        let arguments = [arguments, &["--output", "json"]].concat();
        setup.run_with(&arguments, &[("DAAS_TRUST", "quorum"), ("DAAS_RPC", &nodes)])
    };
    let two = format!("http://127.0.0.1:{port},http://localhost:{port}");
    let staked = quorum(two.clone(), &["stake", "edge-1", "--amount", "1SUI"]);
    assert_eq!(staked.json()["created"], true, "{staked:?}");
    assert_eq!(quorum(two, &["node", "list"]).json()["nodes"].as_array().unwrap().len(), 2);

    let dead = format!("http://127.0.0.1:{port},http://127.0.0.1:1,http://127.0.0.1:2");
    assert_eq!(quorum(dead, &["node", "list"]).error()["code"], "DAAS-1208");
    let twins = format!("http://127.0.0.1:{port},http://127.0.0.1:{port}");
    let refused = quorum(twins, &["node", "list"]);
    assert_ne!(refused.code, 0, "one node was a quorum: {refused:?}");
}

#[test]
fn admin_needs_the_operators_grant_and_a_stake() {
    let setup = Setup::new();
    let staker = setup.json(&["up", "--chain-only", "--listen", "127.0.0.1:0"])["staker"].as_str().unwrap().to_owned();
    let stake = &["stake", "ann", "--tier", "admin", "--amount", "10SUI"];
    let refused = setup.refused(stake, "DAAS-1312");
    assert!(refused["message"].as_str().unwrap().contains("admin"));
    setup.ok(&["cluster", "grant", &staker, "--tier", "admin"]);
    assert_eq!(setup.json(stake)["created"], true);
    assert_eq!(setup.json(&["node", "show", "ann"])["tier"], "admin");
    setup.ok(&["cluster", "grant", &staker, "--tier", "admin", "--remove"]);
}

#[test]
fn staking_that_is_killed_at_any_moment_pays_once() {
    let setup = Setup::up();
    let stake = &["stake", "edge-2", "--amount", "1SUI"];
    let began = std::time::Instant::now();
    setup.ok(&["stake", "edge-1", "--amount", "1SUI"]);
    let whole = began.elapsed();
    for part in 0..=15_u32 {
        let mut child = setup
            .command(stake, &[])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // The moment of the crash, not a wait for anything.
        std::thread::sleep(whole * part / 15);
        let _ = child.kill();
        child.wait().unwrap();
    }
    setup.ok(stake);
    let nodes = setup.json(&["node", "list"])["nodes"].clone();
    let made: Vec<_> = nodes.as_array().unwrap().iter().filter(|node| node["node_id"] == "edge-2").collect();
    assert_eq!(made.len(), 1, "paid more than once: {made:?}");
    // The session key of what was made is here, whoever made it.
    setup.ok(&["token", "edge-2"]);
}

#[test]
fn releases_are_published_retired_and_revoked() {
    let setup = Setup::up();
    let write = |name: &str, kind: &str, digit: &str| {
        let pcr = |digit: &str| digit.repeat(96);
        let (pcrs, tpm) = match kind {
            "worker" => (json!({}), json!({"4": pcr("7"), "11": pcr("8")})),
            _ => (json!({"0": pcr(digit), "1": pcr("b"), "2": pcr("c"), "8": pcr("d")}), json!({})),
        };
        let file = json!({"version": 1, "kind": kind, "pcrs": pcrs, "tpm_pcrs": tpm, "artifact_sha256": "1".repeat(64),
            "source_revision": "0a1b2c", "provider": "nix", "provider_lock_sha256": "2".repeat(64)});
        let path = setup.path(name);
        std::fs::write(&path, file.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (eif, worker, other) = (write("e", "eif", "a"), write("w", "worker", ""), write("o", "sandbox", "e"));
    setup.ok(&["release", "publish", "--measurements", &eif, "--worker", &worker]);
    setup.refused(&["release", "publish", "--measurements", &eif], "DAAS-1325");
    setup.refused(&["release", "publish", "--measurements", &worker], "DAAS-1604");
    setup.refused(&["release", "publish", "--measurements", &other, "--worker", &eif], "DAAS-1604");
    setup.ok(&["release", "publish", "--measurements", &other]);
    let list = setup.json(&["release", "list"])["releases"].clone();
    assert_eq!(list.as_array().unwrap().len(), 2);
    let published = list.as_array().unwrap().iter().find(|release| release["pcrs"]["8"] == "d".repeat(96)).unwrap();
    assert_eq!((&published["state"], &published["source_revision"]), (&json!("active"), &json!("0a1b2c")));
    assert_eq!(list[1]["tpm_pcrs"]["11"], "8".repeat(96));

    setup.ok(&["release", "retire", "aaaa", "--in", "1h"]);
    setup.ok(&["release", "revoke", "eeee", "--compromised"]);
    let states = |setup: &Setup| {
        let list = setup.json(&["release", "list"])["releases"].clone();
        let mut states: Vec<_> =
            list.as_array().unwrap().iter().map(|release| release["state"].as_str().unwrap().to_owned()).collect();
        states.sort();
        states
    };
    assert_eq!(states(&setup), ["compromised", "retiring"]);
    setup.advance_clock(Duration::from_secs(3601));
    assert_eq!(states(&setup), ["compromised", "retired"]);
    setup.refused(&["release", "revoke", "ffff"], "DAAS-1322");
}

#[test]
fn upgrades_are_locked_once() {
    let setup = Setup::up();
    // Shorter than unbonding takes here: nobody could leave before an upgrade that he sees coming.
    setup.refused(&["cluster", "harden", "--delay", "5m", "--yes"], "DAAS-1002");
    setup.refused(&["cluster", "harden", "--delay", "30d"], "DAAS-1904");
    assert_eq!(setup.json(&["cluster", "harden", "--delay", "30d", "--yes"])["upgrades"], "locked");
    setup.refused(&["cluster", "harden", "--freeze", "--yes"], "DAAS-1307");
}

#[test]
fn endpoints_change_one_at_a_time() {
    let setup = Setup::up();
    let before = setup.json(&["cluster", "endpoints"])["endpoints"].clone();
    setup.ok(&["cluster", "endpoints", "--api", "203.0.113.7:6443"]);
    let after = setup.json(&["cluster", "show"])["endpoints"].clone();
    assert_eq!((&after["api"], &after["join"]), (&json!("203.0.113.7:6443"), &before["join"]));
}
