//! No private key, session key or seed appears where it does not belong.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use support::Setup;

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

/// The forms in which a secret could leak.
fn forms(secret: [u8; 32]) -> Vec<Vec<u8>> {
    let flagged = [&[0][..], &secret].concat();
    let suiprivkey = sui_crypto::ed25519::Ed25519PrivateKey::new(secret).to_suiprivkey().unwrap();
    let texts = [
        suiprivkey["suiprivkey1".len()..].to_owned(),
        hex::encode(secret),
        hex::encode_upper(secret),
        STANDARD.encode(secret).trim_end_matches('=').to_owned(),
        URL_SAFE_NO_PAD.encode(secret),
        STANDARD.encode(flagged).trim_end_matches('=').to_owned(),
        format!("{secret:?}").trim_matches(['[', ']']).to_owned(),
    ];
    texts.into_iter().map(String::into_bytes).chain([secret.to_vec()]).collect()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[test]
fn no_secret_appears_in_any_output_argument_or_log() {
    let setup = Setup::up();
    let cmdlines = std::sync::Mutex::new(Vec::new());
    let look = || {
        for process in std::fs::read_dir("/proc").unwrap().flatten() {
            let command_line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            cmdlines.lock().unwrap().push(command_line);
        }
    };
    // The arguments of `daas` while it works, and of what it started.
    let mut again =
        setup.command(&["up", "--chain-only", "--listen", "127.0.0.1:0"], &[]).stdout(Stdio::null()).spawn().unwrap();
    while again.try_wait().unwrap().is_none() {
        look();
    }
    for arguments in [
        &["stake", "edge-1", "--amount", "1SUI"][..],
        &["stake", "edge-1", "--amount", "1SUI", "-o", "json"],
        &["token", "edge-1"],
        &["token", "edge-1", "--rotate", "-o", "json"],
        &["node", "show", "edge-1"],
        &["node", "show", "edge-1", "-o", "json"],
        &["cluster", "show"],
        &["slash", "edge-1", "--amount", "1SUI", "--reason", "test", "--yes"],
        &["top-up", "edge-1", "--amount", "1SUI"],
        &["status", "-o", "json"],
        &["doctor", "-o", "json"],
        &["unstake", "nobody"],
    ] {
        setup.run_with(arguments, &[("DAAS_LOG_LEVEL", "trace"), ("RUST_LOG", "trace")]);
    }
    look();

    let (keys, others): (Vec<_>, Vec<_>) = files(&setup.state())
        .into_iter()
        .partition(|path| path.extension().is_some_and(|extension| extension == "key"));
    let wallets = keys.iter().filter(|path| path.ends_with("wallet.key")).count();
    assert!(wallets == 2 && keys.len() >= 4, "{keys:?}");
    for key in &keys {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{key:?}");
        let text = std::fs::read_to_string(key).unwrap();
        let secret: [u8; 32] = if key.ends_with("wallet.key") {
            let wallet = sui_crypto::ed25519::Ed25519PrivateKey::from_suiprivkey(text.trim()).unwrap().to_base64();
            STANDARD.decode(wallet).unwrap()[1..].try_into().unwrap()
        } else {
            hex::decode(text.trim()).unwrap().try_into().unwrap()
        };
        // The scan finds a secret where one is.
        assert!(forms(secret).iter().any(|form| contains(text.as_bytes(), form)), "{key:?}");
        for form in forms(secret) {
            assert!(!contains(setup.everything_said().as_bytes(), &form), "printed: {key:?}");
            for other in &others {
                assert!(!contains(&std::fs::read(other).unwrap(), &form), "{key:?} stands in {other:?}");
            }
            let arguments = cmdlines.lock().unwrap();
            assert!(!arguments.iter().any(|line| contains(line, &form)), "in arguments: {key:?}");
        }
    }
}

#[test]
fn a_key_in_the_environment_does_not_reach_the_chains_process() {
    let setup = Setup::new();
    let key = "suiprivkey1qqqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcur50p74yefn7";
    setup.run_with(
        &["up", "--chain-only", "--listen", "127.0.0.1:0"],
        &[("DAAS_PRIVATE_KEY", key), ("STAKER_SUI_PRIVATE_KEY", key)],
    );
    let environment = std::fs::read(format!("/proc/{}/environ", setup.devnet_pid().unwrap())).unwrap();
    assert!(contains(&environment, b"PATH="), "the environment was not readable");
    assert!(!contains(&environment, &key.as_bytes()[11..]));
}

#[test]
fn no_core_file_is_written_by_what_daas_starts() {
    let setup = Setup::up();
    let state = setup.path("").display().to_string();
    let limits: Vec<_> = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|process| {
            let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).into_owned();
            line.contains("daas-devnet") && line.contains(state.trim_end_matches('/'))
        })
        .map(|process| std::fs::read_to_string(process.path().join("limits")).unwrap())
        .collect();
    assert!(!limits.is_empty(), "no chain runs in {state}");
    for limit in limits {
        let line = limit.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(line.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{line}");
    }
}
