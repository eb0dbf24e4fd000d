//! `daas release`.

use daas_chain::client::NewRelease;
use daas_chain::types::measurements::WorkerPcr;
use daas_chain::types::{Bytes, Release};
use daas_diagnostics::{Diagnostic, codes};
use serde_json::json;

use super::Answer;
use super::cluster::operate;
use super::receipt::receipt_sheet;
use crate::arguments::{self, ReleasePublish, ReleaseRetire, ReleaseRevoke};
use crate::connection::told;
use crate::invocation::Invocation;
use crate::measurements::{Kind, Measurements};
use crate::moment;
use crate::nodes::is_short_for;
use crate::output::Paint;
use crate::sheet::Sheet;
use crate::views::{RELEASE_HEADS, release_json, release_row, release_state};

pub(super) async fn run(invocation: &Invocation, command: arguments::Release) -> Answer {
    match command {
        arguments::Release::Publish(arguments) => publish(invocation, &arguments).await,
        arguments::Release::Retire(arguments) => retire(invocation, &arguments).await,
        arguments::Release::Revoke(arguments) => revoke(invocation, &arguments).await,
        arguments::Release::List => list(invocation).await,
    }
}

async fn publish(invocation: &Invocation, arguments: &ReleasePublish) -> Answer {
    let new = new_release(arguments)?;
    let link = invocation.connect_cluster().await?;
    let network = link.network;
    link.read().await?;
    let name = short(&new.pcrs().to_string());
    if let Some(known) = link.releases().await?.iter().find(|release| release.pcrs == new.pcrs()) {
        let state = release_state(known, link.now_ms().await?);
        return Err(Diagnostic::new(codes::RELEASE_EXISTS)
            .with("release", name)
            .technical(format!("its state is {state}")));
    }
    let _step = invocation.screen.step("publishing the release", "릴리스를 게시하는 중");
    let (session, cluster) = operate(invocation, link)?;
    let receipt = session.publish_release(cluster, &new).await.map_err(told)?;
    let (english, korean) = ("the release is published", "릴리스를 게시했습니다");
    let more = json!({ "release": name, "pcrs": new.pcrs() });
    Ok(Box::new(receipt_sheet(network, &receipt, english, korean, more).fields([("release", name)])))
}

async fn retire(invocation: &Invocation, arguments: &ReleaseRetire) -> Answer {
    let link = invocation.connect_cluster().await?;
    let network = link.network;
    link.read().await?;
    let release = find(&arguments.release, link.releases().await?)?;
    let after = u64::try_from(arguments.after.as_millis()).unwrap_or(u64::MAX);
    let until_ms = link.now_ms().await?.saturating_add(after);
    let (session, cluster) = operate(invocation, link)?;
    let receipt = session.retire_release(cluster, &release.pcrs, until_ms).await.map_err(told)?;
    let (english, korean) = ("the release retires", "릴리스가 은퇴합니다");
    let name = short(&release.pcrs.to_string());
    let more = json!({ "release": name, "retiring_until_ms": until_ms });
    let sheet = receipt_sheet(network, &receipt, english, korean, more);
    Ok(Box::new(sheet.fields([("release", name), ("good until", moment::show(until_ms))])))
}

async fn revoke(invocation: &Invocation, arguments: &ReleaseRevoke) -> Answer {
    let link = invocation.connect_cluster().await?;
    let network = link.network;
    link.read().await?;
    let release = find(&arguments.release, link.releases().await?)?;
    let (session, cluster) = operate(invocation, link)?;
    let receipt = session.revoke_release(cluster, &release.pcrs, arguments.compromised).await.map_err(told)?;
    let (english, korean) = ("the release is revoked", "릴리스를 폐기했습니다");
    let name = short(&release.pcrs.to_string());
    let more = json!({ "release": name, "compromised": arguments.compromised });
    Ok(Box::new(receipt_sheet(network, &receipt, english, korean, more).fields([("release", name)])))
}

async fn list(invocation: &Invocation) -> Answer {
    let link = invocation.connect_cluster().await?;
    link.read().await?;
    let releases = link.releases().await?;
    let now = link.now_ms().await?;
    let json: Vec<_> = releases.iter().map(|release| release_json(release, now)).collect();
    let sheet = Sheet::new(link.network, json!({ "cluster": link.cluster.to_string(), "releases": json }));
    Ok(Box::new(if releases.is_empty() {
        sheet.words(
            Paint::Plain,
            "no release is published; publish one with: daas release publish --measurements FILE",
            "게시된 릴리스가 없습니다. 게시하려면: daas release publish --measurements 파일",
        )
    } else {
        sheet.table(RELEASE_HEADS, releases.iter().map(|release| release_row(release, now)).collect())
    }))
}

/// The release of the measurement files.
pub(super) fn new_release(arguments: &ReleasePublish) -> Result<NewRelease, Diagnostic> {
    let invalid = |path: &std::path::Path, english: &str, korean: &str| {
        Diagnostic::new(codes::MEASUREMENTS_INVALID).with("path", path.display()).with_words("reason", english, korean)
    };
    let enclave = Measurements::read(&arguments.measurements)?;
    if enclave.kind == Kind::Worker {
        let (english, korean) =
            ("it measures a worker image; give it with --worker", "워커 이미지의 측정값입니다. --worker로 지정하세요");
        return Err(invalid(&arguments.measurements, english, korean));
    }
    let worker =
        arguments.worker.as_deref().map(|path| Measurements::read(path).map(|worker| (path, worker))).transpose()?;
    let tpm_pcrs = match &worker {
        Some((path, worker)) if worker.kind != Kind::Worker => {
            return Err(invalid(path, "it does not measure a worker image", "워커 이미지의 측정값이 아닙니다"));
        }
        Some((path, _)) if !enclave.tpm_pcrs.is_empty() => {
            let (english, korean) = ("both files name TPM registers", "두 파일 모두 TPM 레지스터를 적고 있습니다");
            return Err(invalid(path, english, korean));
        }
        Some((_, worker)) => &worker.tpm_pcrs,
        None => &enclave.tpm_pcrs,
    };
    let register =
        |index: u8| {
            enclave.pcrs.get(&index).copied().map(Bytes).ok_or_else(|| {
                Diagnostic::new(codes::INTERNAL).technical("a checked measurement file lacks a register")
            })
        };
    Ok(NewRelease {
        pcr0: register(0)?,
        pcr1: register(1)?,
        pcr2: register(2)?,
        pcr8: enclave.pcrs.get(&8).copied().map(Bytes),
        worker_pcrs: tpm_pcrs.iter().map(|(index, value)| WorkerPcr { index: *index, value: value.to_vec() }).collect(),
        artifact_sha256: Bytes(enclave.artifact_sha256),
        source_revision: enclave.source_revision,
    })
}

fn find(wanted: &str, releases: Vec<Release>) -> Result<Release, Diagnostic> {
    let mut fitting = releases.into_iter().filter(|release| is_short_for(wanted, &release.pcrs.to_string()));
    match (fitting.next(), fitting.next()) {
        (Some(release), None) => Ok(release),
        _ => Err(Diagnostic::new(codes::RELEASE_UNKNOWN).with("release", wanted)),
    }
}

/// As many digits as the list shows.
pub(super) fn short(pcrs: &str) -> String {
    pcrs.chars().take(16).collect()
}
