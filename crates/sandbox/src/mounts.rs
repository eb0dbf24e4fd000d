//! The file system inside: the host's, but for what programs of several sandboxes would fight over.
//!
//! Private are /proc, /sys (the network's devices), /tmp, /run and /dev/shm; /etc and, of a worker, /var/lib are the host's to read, while what is
//! written there goes to memory and ends with the sandbox. Nothing is written to the host but to the folders bound in.

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::mount::{MsFlags, mount};
use nix::sys::stat::{Mode, umask};

use crate::plan::{Bind, Plan};
use crate::{Error, Kind, Result};

const LOCALHOST: &str = "127.0.0.1 localhost\n::1 localhost\n";
/// Where the memory behind /etc and /var/lib is, inside.
const LAYERS: &str = "/run/.sandbox";

/// Makes the mounts, in a mount namespace of this process' own.
pub(crate) fn set_up(plan: &Plan) -> Result<()> {
    // Everything of the host that is needed later is opened while it can still be seen.
    let binds: Vec<_> = plan.binds.iter().map(Opened::of).collect::<Result<_>>()?;
    let hosts =
        plan.hosts.as_ref().map(|source| Opened::of(&Bind { source: source.clone(), target: "/etc/hosts".into() }));
    let hosts = hosts.transpose()?;
    let cgroups = Opened::of(&Bind { source: "/sys/fs/cgroup".into(), target: "/sys/fs/cgroup".into() })?;
    let names = fs::read("/etc/resolv.conf").unwrap_or_default();

    // Whoever started this may keep its files to itself; the folders made here are like the host's, which all may read.
    let callers = umask(Mode::from_bits_truncate(0o022));
    change("/", MsFlags::MS_REC | MsFlags::MS_PRIVATE)?;
    let bare = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    fill("proc", "/proc", bare, None)?;
    fill("sysfs", "/sys", bare, None)?;
    cgroups.bind()?;
    fill("tmpfs", "/tmp", MsFlags::MS_NOSUID | MsFlags::MS_NODEV, Some("mode=1777"))?;
    fill("tmpfs", "/dev/shm", bare, Some("mode=1777"))?;
    fill("tmpfs", "/run", MsFlags::MS_NOSUID | MsFlags::MS_NODEV, Some("mode=755"))?;
    layer("/etc")?;
    if plan.kind == Kind::Worker {
        layer("/var/lib")?;
    }
    // An enclave has nobody to ask for names: its hosts file is all it knows.
    replace("/etc/resolv.conf", if plan.kind == Kind::Worker { &names } else { b"" })?;
    replace("/etc/hosts", LOCALHOST.as_bytes())?;
    if let Some(hosts) = hosts {
        hosts.bind()?;
    }
    for bind in binds {
        bind.bind()?;
    }
    if plan.kind == Kind::Worker {
        // What a kubelet mounts must be seen by containers that ask for it, and the other way round.
        change("/", MsFlags::MS_REC | MsFlags::MS_SHARED)?;
    }
    umask(callers);
    Ok(())
}

/// A folder or file of the host, held open.
struct Opened {
    file: File,
    folder: bool,
    target: PathBuf,
}

impl Opened {
    fn of(bind: &Bind) -> Result<Self> {
        let fault = || Error::path("opening", &bind.source);
        let file =
            OpenOptions::new().read(true).custom_flags(OFlag::O_PATH.bits()).open(&bind.source).map_err(fault())?;
        let folder = file.metadata().map_err(fault())?.is_dir();
        Ok(Self { file, folder, target: bind.target.clone() })
    }

    fn bind(&self) -> Result<()> {
        let target = &self.target;
        let made = if self.folder {
            fs::create_dir_all(target)
        } else {
            let parent = target.parent().map_or(Ok(()), fs::create_dir_all);
            parent.and_then(|()| OpenOptions::new().create(true).append(true).open(target).map(drop))
        };
        made.map_err(Error::path("making a place for a bind mount at", target))?;
        let source = PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()));
        mount(Some(&source), target, None::<&Path>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&Path>)
            .map_err(|cause| Error::Path { doing: "binding", path: target.clone(), cause: cause.into() })
    }
}

/// A new file system of this kind.
fn fill(kind: &str, target: &str, flags: MsFlags, options: Option<&str>) -> Result<()> {
    mount(Some(kind), target, Some(kind), flags, options).map_err(|cause| Error::Path {
        doing: "mounting",
        path: target.into(),
        cause: cause.into(),
    })
}

fn change(target: &str, flags: MsFlags) -> Result<()> {
    mount(None::<&str>, target, None::<&str>, flags, None::<&str>).map_err(|cause| Error::Path {
        doing: "setting how mounts spread from",
        path: target.into(),
        cause: cause.into(),
    })
}

/// The folder as it is, with memory above it for what is written.
fn layer(folder: &str) -> Result<()> {
    let place = Path::new(LAYERS).join(folder.trim_start_matches('/').replace('/', "-"));
    let (upper, work) = (place.join("upper"), place.join("work"));
    for path in [&upper, &work] {
        fs::create_dir_all(path).map_err(Error::path("making", path))?;
    }
    let options = format!("lowerdir={folder},upperdir={},workdir={}", upper.display(), work.display());
    mount(Some("overlay"), folder, Some("overlay"), MsFlags::empty(), Some(options.as_str()))
        .map_err(|cause| Error::Path { doing: "putting memory above", path: folder.into(), cause: cause.into() })
}

/// A file with this content, whatever was there (a link into the host's /run, as a rule).
fn replace(path: &str, content: &[u8]) -> Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(Error::path("removing", path)(cause)),
        _ => fs::write(path, content).map_err(Error::path("writing", path)),
    }
}
