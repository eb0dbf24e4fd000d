//! `daas down`: ends what `daas up` started.

use daas_diagnostics::Diagnostic;
use serde_json::{Value, json};

use super::Answer;
use crate::arguments::Down;
use crate::development::{Devnet, Lock};
use crate::invocation::Invocation;
use crate::output::{Page, Paint, Report};
use crate::places::{Places, Role, file_failed};

/// What was ended and removed.
#[derive(Debug)]
struct Stopped {
    devnet: bool,
    purged: bool,
    state: String,
}

pub(super) async fn run(invocation: &Invocation, arguments: &Down) -> Answer {
    let places = &invocation.places;
    let state = places.state().display().to_string();
    if !places.state().exists() {
        return Ok(Box::new(Stopped { devnet: false, purged: false, state }));
    }
    let _lock = Lock::take(places).await?;
    let devnet = {
        let _step = invocation.screen.step("stopping the development chain", "개발용 체인을 멈추는 중");
        Devnet::stop(places).await?
    };
    if arguments.purge {
        purge(places)?;
    }
    Ok(Box::new(Stopped { devnet, purged: arguments.purge, state }))
}

/// Removes what this program made, by name: a state folder that was chosen badly may hold other things.
fn purge(places: &Places) -> Result<(), Diagnostic> {
    let roles = [Role::Devnet, Role::Operator, Role::Staker, Role::Client];
    // Where `up` never ran, folders of these names are somebody else's. It makes the chain's folder first.
    let ran_here = places.of(Role::Devnet).join("chain").exists() || places.development_file().exists();
    for folder in roles.map(|role| places.of(role)).iter().filter(|_| ran_here) {
        if folder.exists() {
            std::fs::remove_dir_all(folder).map_err(|error| file_failed("remove", folder, &error))?;
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
        json!({ "stopped": if self.devnet { vec!["devnet"] } else { vec![] }, "purged": self.purged, "state": self.state })
    }

    fn human(&self, page: &mut Page) {
        if self.devnet {
            let text = page.pick("the development chain has stopped", "개발용 체인을 멈추었습니다").to_owned();
            page.painted(Paint::Good, text);
        } else {
            let text = page.pick("nothing was running", "실행 중인 것이 없었습니다").to_owned();
            page.line(text);
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
