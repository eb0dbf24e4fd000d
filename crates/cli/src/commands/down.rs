//! `daas down`: ends what `daas up` started, last first.

use daas_diagnostics::Diagnostic;
use serde_json::{Value, json};

use super::Answer;
use crate::arguments::Down;
use crate::development::{Devnet, Lock, Part, sweep};
use crate::invocation::Invocation;
use crate::output::{Page, Paint, Report};
use crate::places::{Places, Role, file_failed};

/// What was ended and removed.
#[derive(Debug)]
struct Stopped {
    parts: Vec<String>,
    purged: bool,
    state: String,
}

pub(super) async fn run(invocation: &Invocation, arguments: &Down) -> Answer {
    let places = &invocation.places;
    let state = places.state().display().to_string();
    if !places.state().exists() {
        return Ok(Box::new(Stopped { parts: Vec::new(), purged: false, state }));
    }
    let _lock = Lock::take(places).await?;
    let known = Part::known(places);
    let mut parts = stop_cluster(invocation, &known).await?;
    let devnet = {
        let _step = invocation.screen.step("stopping the development chain", "개발용 체인을 멈추는 중");
        Devnet::stop(places).await?
    };
    if devnet {
        parts.push("devnet".to_owned());
    }
    if arguments.purge {
        purge(places)?;
    }
    Ok(Box::new(Stopped { parts, purged: arguments.purge, state }))
}

/// Workers at once, then the enclave, then the network between them.
async fn stop_cluster(invocation: &Invocation, known: &[Part]) -> Result<Vec<String>, Diagnostic> {
    let places = &invocation.places;
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let _step = invocation.screen.step("stopping the cluster", "클러스터를 멈추는 중");
    let (workers, others): (Vec<_>, Vec<_>) = known.iter().rev().partition(|part| matches!(part, Part::Worker(_)));
    let mut stopped = Vec::new();
    let ends: Vec<_> = workers
        .into_iter()
        .map(|part| {
            let (part, places) = (part.clone(), places.clone());
            tokio::spawn(async move { part.stop(&places).await.map(|ran| ran.then(|| part.name())) })
        })
        .collect();
    for end in ends {
        let end = end.await.map_err(|error| Diagnostic::new(daas_diagnostics::codes::INTERNAL).caused_by(&error))?;
        stopped.extend(end?);
    }
    for part in others {
        if part.stop(places).await? {
            stopped.push(part.name());
        }
    }
    // What a killed sandbox leaves: empty control groups, and the sockets of the enclave.
    sweep().await;
    let _ = std::fs::remove_dir_all(places.enclave());
    Ok(stopped)
}

/// Removes what this program made, by name: a state folder that was chosen badly may hold other things.
fn purge(places: &Places) -> Result<(), Diagnostic> {
    let roles = [Role::Devnet, Role::Hardware, Role::Operator, Role::Admin, Role::Staker, Role::Client];
    // Where `up` never ran, folders of these names are somebody else's. It makes the chain's folder first.
    let ran_here = places.of(Role::Devnet).join("chain").exists() || places.development_file().exists();
    let parts = Part::with_folder(places).into_iter().map(|part| part.folder(places));
    let own = roles.map(|role| places.of(role)).into_iter().chain(parts);
    for folder in own.chain([places.programs(), places.bin(), places.logs()]).filter(|_| ran_here) {
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(|error| file_failed("remove", &folder, &error))?;
        }
    }
    // Not empty means not ours alone. The lock file goes with the lock.
    let _ = std::fs::remove_dir(places.runtime());
    let _ = std::fs::remove_file(places.lock_file());
    let _ = std::fs::remove_dir(places.state());
    Ok(())
}

impl Report for Stopped {
    fn json(&self) -> Value {
        json!({ "stopped": self.parts, "purged": self.purged, "state": self.state })
    }

    fn human(&self, page: &mut Page) {
        match self.parts.as_slice() {
            [] => {
                let text = page.pick("nothing was running", "실행 중인 것이 없었습니다").to_owned();
                page.line(text);
            }
            parts => {
                let text = format!("{}: {}", page.pick("stopped", "멈춘 것"), parts.join(", "));
                page.painted(Paint::Good, text);
            }
        }
        let text = match (self.purged, page.pick("en", "ko")) {
            (true, "en") => format!("removed the state in {}", self.state),
            (true, _) => format!("상태를 지웠습니다: {}", self.state),
            (false, "en") => format!("the state stays in {}; remove it with: daas down --purge", self.state),
            (false, _) => format!("상태는 {}에 남아 있습니다. 지우려면: daas down --purge", self.state),
        };
        page.painted(Paint::Faint, text);
    }
}
