//! Starts the enclave, and again when it ends.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use daas_supervise::{ChildSpec, Launcher, Limits, Probe, Supervisor, Timing};
use daas_transport::Link;

use crate::Result;
use crate::chain::master;
use crate::configuration::Sandbox;

/// The enclave's name among the supervisor's children.
pub const ENCLAVE: &str = "enclave";
/// What `daas-sandbox` and the programs inside find their tools by.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const HEALTH_TIME: Duration = Duration::from_secs(5);

/// Starts it and keeps it running.
pub fn start(sandbox: &Sandbox, folder: &Path, link: &Link) -> Result<Supervisor> {
    let spec = ChildSpec {
        name: ENCLAVE,
        program: sandbox.sandbox.clone(),
        arguments: command_line(sandbox, folder),
        environment: vec![("PATH", PATH.to_owned())],
        limits: Limits::default(),
        after: None,
        ready: health(link.clone()),
        // Its own supervisor restarts what hangs inside: a new enclave is a new cluster, and is made only when the old one has ended.
        alive: Arc::new(|| Box::pin(async { Ok(()) })),
        start_limit: Duration::from_secs(sandbox.start_seconds),
    };
    let timing = Timing {
        backoff: (Duration::from_secs(1), Duration::from_secs(30)),
        stop: Duration::from_secs(sandbox.stop_seconds),
        ..Timing::default()
    };
    Ok(Supervisor::start(&Launcher::at(&sandbox.launcher), vec![spec], timing)?)
}

fn command_line(sandbox: &Sandbox, folder: &Path) -> Vec<String> {
    let mut line: Vec<String> =
        ["run", "--kind", "enclave", "--name", &sandbox.name, "--address", &sandbox.address].map(str::to_owned).into();
    let own = format!("{0}:{0}", folder.display());
    for bind in std::iter::once(&own).chain(&sandbox.bind) {
        line.extend(["--bind".to_owned(), bind.clone()]);
    }
    if let Some(hosts) = &sandbox.hosts {
        line.extend(["--hosts".to_owned(), hosts.display().to_string()]);
    }
    line.extend(["--".to_owned(), sandbox.program.display().to_string()]);
    line.extend(sandbox.arguments.iter().cloned());
    line
}

/// Whether the master's API answers.
fn health(link: Link) -> Probe {
    Arc::new(move || {
        let link = link.clone();
        Box::pin(async move {
            let asked = master::get(&link, daas_join::master_api::path::HEALTH, 64 * 1024);
            match tokio::time::timeout(HEALTH_TIME, asked).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(cause)) => Err(cause),
                Err(_) => Err(format!("no answer within {} s", HEALTH_TIME.as_secs())),
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_the_sandboxs() {
        let sandbox: Sandbox = serde_json::from_value(serde_json::json!({
            "sandbox": "/s", "launcher": "/l", "hosts": "/h", "bind": ["/a:/b"], "program": "/p", "arguments": ["--link", "folder:/d"]
        }))
        .unwrap();
        assert_eq!(
            command_line(&sandbox, Path::new("/d")).join(" "),
            "run --kind enclave --name enclave --address 172.30.0.1/32 --bind /d:/d --bind /a:/b --hosts /h -- /p --link folder:/d"
        );
    }
}
