//! One program of the development cluster, kept like all the others: a pid file, a log, a folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use daas_diagnostics::{Diagnostic, codes};

use super::process::{Launch, Process, launch, log_tail};
use crate::places::Places;
use crate::waiting::until;

/// The enclave's address in the LAN, which is the bridge's: there the parent listens for it.
pub const ENCLAVE: &str = "172.30.0.1";
/// Workers have the addresses after this one; those below are free.
const FIRST_WORKER: u32 = 10;
/// A /24 has no room for more.
pub const MOST_WORKERS: u32 = 200;

/// The order in which parts are started; they are stopped the other way round.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The network of the cluster's machines.
    Lan,
    /// The parent of the enclave, with the enclave.
    Parent,
    /// A worker, by number.
    Worker(u32),
}

impl Part {
    /// Its name: that of its folder, its pid file and its log.
    pub fn name(&self) -> String {
        match self {
            Self::Lan => "lan".to_owned(),
            Self::Parent => "parent".to_owned(),
            Self::Worker(number) => format!("worker-{number}"),
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        match name {
            "lan" => Some(Self::Lan),
            "parent" => Some(Self::Parent),
            _ => name.strip_prefix("worker-")?.parse().ok().map(Self::Worker).filter(|part| part.name() == name),
        }
    }

    /// All that have a pid file, whether they run or not, in the order of starting.
    pub fn known(places: &Places) -> Vec<Self> {
        let files = std::fs::read_dir(places.runtime()).into_iter().flatten().flatten();
        let mut parts: Vec<_> =
            files.filter_map(|file| Self::of_name(file.file_name().to_str()?.strip_suffix(".pid")?)).collect();
        parts.sort();
        parts
    }

    /// All that have a folder, in the order of starting.
    pub fn with_folder(places: &Places) -> Vec<Self> {
        let folders = std::fs::read_dir(places.state()).into_iter().flatten().flatten();
        let mut parts: Vec<_> = folders.filter_map(|folder| Self::of_name(folder.file_name().to_str()?)).collect();
        parts.sort();
        parts
    }

    /// Where it is reached in the cluster's network.
    pub fn address(&self) -> String {
        match self {
            Self::Lan => format!("{ENCLAVE}/24"),
            Self::Parent => ENCLAVE.to_owned(),
            Self::Worker(number) => format!("172.30.0.{}", FIRST_WORKER + number),
        }
    }

    /// Its folder.
    pub fn folder(&self, places: &Places) -> PathBuf {
        places.state().join(self.name())
    }

    /// What it prints.
    pub fn log_file(&self, places: &Places) -> PathBuf {
        places.logs().join(format!("{}.log", self.name()))
    }

    fn pid_file(&self, places: &Places) -> PathBuf {
        places.runtime().join(format!("{}.pid", self.name()))
    }

    /// Its process, if it runs.
    pub fn running(&self, places: &Places) -> Result<Option<Process>, Diagnostic> {
        Process::of_pid_file(&self.pid_file(places))
    }

    /// Starts its program, which must not run already.
    pub fn start(&self, places: &Places, program: PathBuf, arguments: Vec<String>) -> Result<Starting, Diagnostic> {
        let (pid_file, log_file) = (self.pid_file(places), self.log_file(places));
        let _ = std::fs::remove_file(&pid_file);
        let child = launch(&Launch { program, arguments, pid_file, log_file: log_file.clone() })?;
        Ok(Starting { name: self.name(), program: Running::Child(child), log_file })
    }

    /// Ends it if it runs; says whether it did.
    pub async fn stop(&self, places: &Places) -> Result<bool, Diagnostic> {
        let process = self.running(places)?;
        if let Some(process) = &process {
            process.stop().await?;
        }
        let _ = std::fs::remove_file(self.pid_file(places));
        Ok(process.is_some())
    }
}

/// A program that was started and has not said yet that it is ready.
#[derive(Debug)]
pub struct Starting {
    name: String,
    program: Running,
    log_file: PathBuf,
}

#[derive(Debug)]
enum Running {
    /// Of this process: asking reaps it, so that its end shows.
    Child(std::process::Child),
    /// Of an earlier run.
    Before(Process),
}

impl Starting {
    /// One that an earlier run started.
    pub fn before(part: &Part, process: Process, places: &Places) -> Self {
        Self { name: part.name(), program: Running::Before(process), log_file: part.log_file(places) }
    }

    /// What it has printed.
    pub fn log(&self) -> &Path {
        &self.log_file
    }

    /// Fails once the program has ended.
    pub fn check(&mut self) -> Result<(), Diagnostic> {
        let ended = match &mut self.program {
            Running::Child(child) => child.try_wait().ok().flatten().map(|status| status.to_string()),
            Running::Before(process) => (!process.runs()).then(|| "it was started by an earlier run".to_owned()),
        };
        let Some(how) = ended else { return Ok(()) };
        let diagnostic = Diagnostic::new(codes::PART_ENDED)
            .with("what", &self.name)
            .with("log", self.log_file.display())
            .technical(how);
        Err(self.with_tail(diagnostic))
    }

    /// Asks until there is an answer, the program ends, or the time is up.
    pub async fn until<T>(
        &mut self,
        patience: Duration,
        mut ask: impl FnMut() -> Option<Result<T, Diagnostic>>,
    ) -> Result<T, Diagnostic> {
        let answer = until(patience, || ask().or_else(|| self.check().err().map(Err))).await;
        answer.unwrap_or_else(|| Err(self.timed_out(patience)))
    }

    /// The time is up.
    pub fn timed_out(&self, patience: Duration) -> Diagnostic {
        let diagnostic = Diagnostic::new(codes::START_TIMED_OUT)
            .with("what", &self.name)
            .with("seconds", patience.as_secs())
            .technical(format!("log: {}", self.log_file.display()));
        self.with_tail(diagnostic)
    }

    fn with_tail(&self, diagnostic: Diagnostic) -> Diagnostic {
        log_tail(&self.log_file, 8).iter().fold(diagnostic, Diagnostic::technical)
    }
}

#[cfg(test)]
mod tests {
    use daas_settings::Environment;

    use super::*;

    fn places(folder: &Path) -> Places {
        Places::choose(Some(folder), &Environment::default()).unwrap()
    }

    #[test]
    fn parts_are_found_by_their_pid_files_in_the_order_of_starting() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(folder.path());
        assert_eq!(Part::known(&places), []);
        std::fs::create_dir_all(places.runtime()).unwrap();
        for file in [
            "worker-10.pid",
            "worker-2.pid",
            "parent.pid",
            "lan.pid",
            "devnet.pid",
            "worker-02.pid",
            "worker-x.pid",
            "x",
        ] {
            std::fs::write(places.runtime().join(file), "").unwrap();
        }
        assert_eq!(Part::known(&places), [Part::Lan, Part::Parent, Part::Worker(2), Part::Worker(10)]);
    }

    #[tokio::test]
    async fn a_program_that_ends_early_is_told_with_the_end_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let log_file = folder.path().join("log");
        std::fs::write(&log_file, "first\nwhat went wrong\n").unwrap();
        let child = std::process::Command::new("false").spawn().unwrap();
        let mut starting = Starting { name: "parent".into(), program: Running::Child(child), log_file };
        let error = starting.until::<()>(Duration::from_secs(30), || None).await.unwrap_err();
        assert_eq!((error.code(), error.unfilled()), (codes::PART_ENDED, vec![]));
        assert!(format!("{error:?}").contains("what went wrong"));
    }
}
