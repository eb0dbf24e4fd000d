//! Background processes that are known again later: by pid and by the moment they started.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use daas_diagnostics::{Diagnostic, codes};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, setsid};
use serde::{Deserialize, Serialize};

use crate::places::{file_failed, private_folder, read_if_there, write_private};
use crate::waiting::until;

/// How long a process may take to end after SIGTERM: the enclave's control plane takes ten seconds at most.
const GRACE: Duration = Duration::from_secs(20);
/// How long the kernel may take to remove it after SIGKILL.
const KILLED: Duration = Duration::from_secs(10);

/// One running process. A pid alone is reused by the kernel; with the start time and the boot it names one process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// Its pid.
    pub pid: i32,
    /// Field 22 of `/proc/<pid>/stat`, clock ticks since boot (proc(5)). `exec` keeps it.
    started_ticks: u64,
    /// `/proc/sys/kernel/random/boot_id`.
    boot_id: String,
}

/// What to run in the background.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Where its pid is written, before it runs.
    pub pid_file: PathBuf,
    /// Where both of its output streams go.
    pub log_file: PathBuf,
}

impl Process {
    /// The process that a pid file names, if it still runs.
    pub fn of_pid_file(path: &Path) -> Result<Option<Self>, Diagnostic> {
        let Some(text) = read_if_there(path)? else { return Ok(None) };
        // What was half written or by somebody else names no process of ours.
        Ok(serde_json::from_str::<Self>(&text).ok().filter(Self::runs))
    }

    /// Whether this very process still runs.
    pub fn runs(&self) -> bool {
        boot_id().is_some_and(|boot| boot == self.boot_id)
            && started_ticks(self.pid).is_some_and(|started| started == self.started_ticks)
    }

    /// Ends the process: asks first, then insists. Nothing is sent to a pid that now belongs to another process.
    pub async fn stop(&self) -> Result<(), Diagnostic> {
        for (signal, patience) in [(Signal::SIGTERM, GRACE), (Signal::SIGKILL, KILLED)] {
            if !self.runs() {
                return Ok(());
            }
            match kill(Pid::from_raw(self.pid), signal) {
                Ok(()) => {}
                Err(Errno::ESRCH) => return Ok(()),
                Err(Errno::EPERM) => {
                    let action = format!("ending process {}, which belongs to another user", self.pid);
                    return Err(Diagnostic::new(codes::NEEDS_ROOT).with("action", action));
                }
                Err(error) => return Err(Diagnostic::new(codes::INTERNAL).caused_by(&error)),
            }
            if until(patience, || (!self.runs()).then_some(())).await.is_some() {
                return Ok(());
            }
        }
        Err(Diagnostic::new(codes::INTERNAL).technical(format!("process {} survives SIGKILL", self.pid)))
    }

    fn current() -> Option<Self> {
        let pid = Pid::this().as_raw();
        Some(Self { pid, started_ticks: started_ticks(pid)?, boot_id: boot_id()? })
    }
}

/// Starts a program in a session of its own, so that neither the terminal's end nor its Ctrl-C ends it.
///
/// The step between, this same executable with the hidden command `detached`, makes the session and writes the pid file
/// before it becomes the program: at no time is there a process that no pid file knows.
pub fn launch(launch: &Launch) -> Result<std::process::Child, Diagnostic> {
    for file in [&launch.pid_file, &launch.log_file] {
        file.parent().map_or(Ok(()), private_folder)?;
    }
    let daas = std::env::current_exe()
        .map_err(|error| file_failed("find the running program", Path::new("/proc/self/exe"), &error))?;
    let log = open_log(&launch.log_file)?;
    let errors = log.try_clone().map_err(|error| file_failed("write", &launch.log_file, &error))?;
    Command::new(&daas)
        .arg("detached")
        .arg(&launch.pid_file)
        .arg("--")
        .arg(&launch.program)
        .args(&launch.arguments)
        // A key for signing that stands in this environment is no business of the child's.
        .env_remove("DAAS_PRIVATE_KEY")
        .env_remove("STAKER_SUI_PRIVATE_KEY")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .map_err(|error| file_failed("run", &daas, &error))
}

/// The step between `launch` and the program. Returns only if it fails.
pub fn become_program(pid_file: &Path, command: &[String]) -> Result<std::convert::Infallible, Diagnostic> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| Diagnostic::new(codes::INTERNAL).technical("no program"))?;
    setsid().map_err(|error| Diagnostic::new(codes::INTERNAL).technical("setsid").caused_by(&error))?;
    let process = Process::current()
        .ok_or_else(|| Diagnostic::new(codes::INTERNAL).technical("/proc/self/stat cannot be read"))?;
    let json = serde_json::to_vec(&process).map_err(|error| Diagnostic::new(codes::INTERNAL).caused_by(&error))?;
    write_private(pid_file, &json)?;
    let error = Command::new(program).args(arguments).exec();
    let _ = std::fs::remove_file(pid_file);
    Err(file_failed("run", Path::new(program), &error))
}

/// The last lines of a log, for the technical cause of an error.
pub fn log_tail(path: &Path, lines: usize) -> Vec<String> {
    let text = std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let all: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    all[all.len().saturating_sub(lines)..].iter().map(|line| (*line).to_owned()).collect()
}

/// The log of this start; the one before is kept beside it.
fn open_log(path: &Path) -> Result<File, Diagnostic> {
    let _ = std::fs::rename(path, path.with_extension("previous"));
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| file_failed("write", path, &error))
}

fn boot_id() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|text| text.trim().to_owned())
}

/// `None` for a process that is gone or a zombie.
fn started_ticks(pid: i32) -> Option<u64> {
    parse_stat(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The command's name stands in parentheses and may hold any character: fields are counted after the last one.
fn parse_stat(stat: &str) -> Option<u64> {
    let (_, after) = stat.rsplit_once(") ")?;
    let mut fields = after.split(' ');
    let state = fields.next()?;
    (!matches!(state, "Z" | "X")).then_some(())?;
    // State is field 3, the start time field 22.
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_times_are_read_past_any_name() {
        let fields = "R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20";
        assert_eq!(parse_stat(&format!("12 (a) b (c) {fields}")), Some(777));
        assert_eq!(parse_stat(&format!("12 (z) {}", fields.replacen('R', "Z", 1))), None);
        assert_eq!(parse_stat("nonsense"), None);
    }

    #[tokio::test]
    async fn a_reused_pid_is_another_process_and_is_left_alone() {
        let mut sleeper = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = i32::try_from(sleeper.id()).unwrap();
        let real = Process { pid, started_ticks: started_ticks(pid).unwrap(), boot_id: boot_id().unwrap() };
        assert!(real.runs());
        let reused = Process { started_ticks: real.started_ticks + 1, ..real.clone() };
        let rebooted = Process { boot_id: "another".into(), ..real.clone() };
        for other in [reused, rebooted] {
            assert!(!other.runs());
            other.stop().await.unwrap();
            assert!(real.runs(), "the wrong process was ended");
        }
        real.stop().await.unwrap();
        assert!(!real.runs());
        sleeper.wait().unwrap();
    }

    #[test]
    fn a_torn_pid_file_names_no_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.pid");
        assert_eq!(Process::of_pid_file(&path).unwrap(), None);
        for text in ["", "12", "{\"pid\": 1", "{\"pid\":1,\"started_ticks\":1,\"boot_id\":\"x\",\"more\":1}"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(Process::of_pid_file(&path).unwrap(), None, "{text}");
        }
        std::fs::write(&path, serde_json::to_vec(&Process::current().unwrap()).unwrap()).unwrap();
        assert_eq!(Process::of_pid_file(&path).unwrap(), Process::current());
    }
}
