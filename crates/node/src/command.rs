//! Programs of the system that do one thing and end: `ip`, `bridge`, `nft`, `ctr`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::{NodeError, Result};

/// Where programs are looked for when this process was told nothing else.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The folders where programs are looked for.
pub(crate) fn search_path() -> String {
    std::env::var("PATH").ok().filter(|path| !path.is_empty()).unwrap_or_else(|| USUAL_PATH.into())
}

/// Finds a program, or says how to get it.
pub(crate) fn find(program: &'static str, package: &str) -> Result<PathBuf> {
    let path = search_path();
    let found = path.split(':').map(|folder| Path::new(folder).join(program)).find(|file| file.is_file());
    found.ok_or_else(|| NodeError::Lacking {
        what: "a program",
        hint: format!("{program} is in no folder of PATH; it comes with the package {package}"),
    })
}

/// Runs a program to its end and gives its standard output. It is killed when the time is over or nobody waits any more.
pub(crate) async fn run(
    doing: &str,
    program: &Path,
    arguments: &[impl AsRef<OsStr>],
    input: &str,
    limit: Duration,
) -> Result<String> {
    let fault = |cause: String| NodeError::Command { doing: doing.into(), cause };
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let work = async {
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("PATH", search_path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut pipe = child.stdin.take();
        let feed = async {
            if let Some(pipe) = &mut pipe {
                // A program that ends before it has read everything says why itself.
                let _ = pipe.write_all(input.as_bytes()).await;
            }
            pipe.take();
        };
        let (output, ()) = tokio::join!(child.wait_with_output(), feed);
        output
    };
    let output = tokio::time::timeout(limit, work)
        .await
        .map_err(|_| fault(format!("{name} did not end within {} s", limit.as_secs())))?
        .map_err(|cause| fault(format!("{name}: {cause}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said: String = said.trim().chars().take(500).collect();
    Err(fault(format!("{name}: {}: {said}", output.status)))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shell(script: &str, input: &str, limit: Duration) -> Result<String> {
        run("testing", Path::new("/bin/sh"), &["-c", script], input, limit).await
    }

    #[tokio::test]
    async fn a_program_is_fed_heard_and_ended() {
        let limit = Duration::from_secs(10);
        assert_eq!(shell("cat", "hello", limit).await.unwrap(), "hello");
        let said = shell("echo no >&2; exit 3", "", limit).await.unwrap_err().to_string();
        assert!(said.contains("testing") && said.contains("no") && said.contains('3'), "{said}");
        let late = shell("sleep 100", "", Duration::from_millis(50)).await.unwrap_err().to_string();
        assert!(late.contains("did not end"), "{late}");
        // One that reads nothing does not hold the writer up.
        shell("true", &"x".repeat(1 << 20), limit).await.unwrap();
    }

    #[test]
    fn a_missing_program_is_named_with_its_package() {
        let said = find("no-such-program", "things").unwrap_err().to_string();
        assert!(said.contains("no-such-program") && said.contains("things"), "{said}");
    }
}
