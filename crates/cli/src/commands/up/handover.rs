//! What whoever called `sudo` gets, so that kubectl works for them without root: the administrator's session key, the settings and a kubeconfig in their
//! own state folder. A process of theirs writes it; root touches nothing that is theirs.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use daas_diagnostics::{Diagnostic, codes};
use daas_settings::Environment;
use nix::unistd::{Uid, User};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::arguments::{Global, Kubeconfig};
use crate::commands::kubeconfig;
use crate::development::{Record, link_kubectl};
use crate::invocation::Invocation;
use crate::output::Screen;
use crate::places::{Places, Role, file_failed, private_folder, write_private};
use crate::session_keys::SessionKeys;

/// Larger than any gift.
const LONGEST: u64 = 64 * 1024;

/// What is handed over, on standard input: it holds a key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gift {
    record: Record,
    stake: String,
    session_key: String,
    attestation_root: String,
    kube: PathBuf,
}

/// What the other process made.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Taken {
    pub(super) kubeconfig: PathBuf,
    pub(super) bin: PathBuf,
}

/// Hands over to the user who called sudo (sudo(8), `SUDO_UID`), if one did.
pub(super) fn hand_over(
    places: &Places,
    record: &Record,
    stake: &str,
    kube: &Path,
) -> Result<Option<Taken>, Diagnostic> {
    let Some(user) = caller(std::env::var("SUDO_UID").ok().as_deref()) else { return Ok(None) };
    let key = SessionKeys::below(&places.of(Role::Client)).path(stake);
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| file_failed("read", path, &error));
    let gift = Gift {
        record: record.clone(),
        stake: stake.to_owned(),
        session_key: read(&key)?.trim_end().to_owned(),
        attestation_root: read(&places.attestation_root())?,
        kube: kube.to_owned(),
    };
    let failed = |error: &dyn std::error::Error| Diagnostic::new(codes::INTERNAL).technical(error);
    let text = Zeroizing::new(serde_json::to_vec(&gift).map_err(|error| failed(&error))?);
    let own = std::env::current_exe().map_err(|error| failed(&error))?;
    let mut child = Command::new(&own)
        .arg("adopt")
        .env_clear()
        .env("HOME", &user.dir)
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .current_dir("/")
        .uid(user.uid.as_raw())
        .gid(user.gid.as_raw())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| file_failed("run", &own, &error))?;
    if let Some(mut input) = child.stdin.take() {
        // One that ended early says why on stderr.
        let _ = input.write_all(&text);
    }
    let output = child.wait_with_output().map_err(|error| failed(&error))?;
    match serde_json::from_slice(&output.stdout) {
        Ok(taken) if output.status.success() => Ok(Some(taken)),
        _ => Err(Diagnostic::new(codes::INTERNAL)
            .technical(format!("user {} could not take over the kubeconfig", user.name))
            .technical(String::from_utf8_lossy(&output.stderr).trim())),
    }
}

/// The other side: a process of the user's own.
pub(crate) async fn adopt(screen: Screen) -> Result<String, Diagnostic> {
    let mut text = Zeroizing::new(Vec::new());
    std::io::stdin()
        .take(LONGEST)
        .read_to_end(&mut text)
        .map_err(|error| file_failed("read", Path::new("/dev/stdin"), &error))?;
    let gift: Gift =
        serde_json::from_slice(&text).map_err(|_| Diagnostic::new(codes::INTERNAL).technical("no gift"))?;
    // Beside this user's own chain, if there is one, and never in its place.
    let own = Places::choose(None, &Environment::collect())?;
    let places = Places::choose(Some(&own.state().join("cluster")), &Environment::collect())?;
    private_folder(&places.of(Role::Hardware))?;
    write_private(&places.attestation_root(), gift.attestation_root.as_bytes())?;
    gift.record.write(&places)?;
    gift.record.write_client_settings(&places)?;
    SessionKeys::below(&places.of(Role::Client)).keep(&gift.stake, &Zeroizing::new(gift.session_key))?;
    link_kubectl(&places, &gift.kube)?;
    let global = Global {
        state_dir: Some(places.state().to_owned()),
        config: Some(places.client_settings()),
        ..Global::default()
    };
    let invocation = Invocation::open(&global, screen)?;
    let arguments = Kubeconfig { node: None, file: None, server: None, root: None };
    let written = kubeconfig::write(&invocation, &arguments).await?;
    let taken = Taken { kubeconfig: written.file, bin: places.bin() };
    serde_json::to_string(&taken).map_err(|error| Diagnostic::new(codes::INTERNAL).caused_by(&error))
}

fn caller(sudo_uid: Option<&str>) -> Option<User> {
    let uid = sudo_uid?.parse().ok().filter(|uid| *uid != 0)?;
    User::from_uid(Uid::from_raw(uid)).ok().flatten().filter(|_| nix::unistd::geteuid().is_root())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_user_who_is_not_root_is_handed_anything() {
        for nobody in [None, Some(""), Some("0"), Some("-1"), Some("x"), Some("4294967294")] {
            assert!(caller(nobody).is_none(), "{nobody:?}");
        }
    }
}
