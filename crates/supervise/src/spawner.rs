use std::io;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use tokio::process::Child;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Starts all children from one thread. They are told to die when the thread that started them ends (see [`crate::launch`]), and a
/// worker thread of the runtime may end at any time; this one ends when the last `Spawner` is dropped, and its children with it.
#[derive(Clone)]
pub(crate) struct Spawner {
    requests: mpsc::Sender<Request>,
}

struct Request {
    command: Command,
    answer: oneshot::Sender<io::Result<Child>>,
}

impl Spawner {
    /// Starts the thread. Children are reaped by the runtime that this is called in.
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Handle::current();
        let (requests, asked) = mpsc::channel::<Request>();
        std::thread::Builder::new().name("daas-spawn".into()).spawn(move || {
            let _runtime = runtime.enter();
            for request in asked {
                // A child that nobody waits for any more is killed as it is dropped.
                let _ = request.answer.send(spawn(request.command));
            }
        })?;
        Ok(Self { requests })
    }

    pub(crate) async fn spawn(&self, command: Command) -> io::Result<Child> {
        let (answer, answered) = oneshot::channel();
        let gone = || io::Error::other("the thread that starts children has ended");
        self.requests.send(Request { command, answer }).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

fn spawn(mut command: Command) -> io::Result<Child> {
    use std::os::unix::process::CommandExt;
    // A group of its own: an interrupt from the terminal is for this process, which then stops its children in order.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    tokio::process::Command::from(command).kill_on_drop(true).spawn()
}
