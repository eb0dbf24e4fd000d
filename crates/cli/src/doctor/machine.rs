use std::path::Path;

use super::Need::{Required, Useful};
use super::Role::{Builder, Developer, Operator, Staker, User};
use super::{Finding, Found};

const GIB: u64 = 1 << 30;

/// Operating system, memory, disk, rights.
pub(super) fn findings(state: &Path) -> Vec<Finding> {
    vec![operating_system(), processors(), memory(), disk(state), capability_admin(), capability_resource()]
}

fn operating_system() -> Finding {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("").trim_matches('"');
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    Finding {
        name: "system",
        found: if os == "linux" && matches!(arch, "x86_64" | "aarch64") { Found::Has } else { Found::Lacks },
        detail: format!("{os} {arch}, kernel {}, {name}", kernel.trim()),
        needs: &[(Staker, Required), (Operator, Required), (Builder, Required), (Developer, Required), (User, Useful)],
        how: ("Use Linux on x86-64 or arm64.", "x86-64 또는 arm64 리눅스를 사용하세요."),
    }
}

fn processors() -> Finding {
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Finding {
        name: "processors",
        found: if count >= 2 { Found::Has } else { Found::Lacks },
        detail: format!("{count}"),
        needs: &[(Staker, Useful), (Operator, Required), (Builder, Useful), (Developer, Useful)],
        how: (
            "Use a machine with two processors or more: an enclave takes at least one for itself.",
            "프로세서가 둘 이상인 컴퓨터를 사용하세요. 엔클레이브가 하나 이상을 혼자 씁니다.",
        ),
    }
}

fn memory() -> Finding {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let (total, free) = (meminfo_bytes(&meminfo, "MemTotal"), meminfo_bytes(&meminfo, "MemAvailable"));
    Finding {
        name: "memory",
        found: match free {
            Some(free) if free >= 2 * GIB => Found::Has,
            Some(_) => Found::Lacks,
            None => Found::Unknown,
        },
        detail: format!("{} free of {}", gib(free), gib(total)),
        needs: &[(Staker, Required), (Operator, Required), (Builder, Required), (Developer, Useful)],
        how: ("Free 2 GiB of memory, or use a larger machine.", "메모리 2GiB를 비우거나 더 큰 컴퓨터를 사용하세요."),
    }
}

fn disk(state: &Path) -> Finding {
    // The folder may not exist yet: its nearest ancestor is on the same file system.
    let folder = state.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let free = nix::sys::statvfs::statvfs(folder)
        .ok()
        .and_then(|stat| stat.blocks_available().checked_mul(stat.fragment_size()));
    Finding {
        name: "disk",
        found: match free {
            Some(free) if free >= 10 * GIB => Found::Has,
            Some(_) => Found::Lacks,
            None => Found::Unknown,
        },
        detail: format!("{} free in {}", gib(free), folder.display()),
        needs: &[(Staker, Required), (Builder, Required), (Developer, Required), (Operator, Useful)],
        how: (
            "Free 10 GiB, or put the state elsewhere with --state-dir.",
            "10GiB를 비우거나 --state-dir로 다른 곳을 지정하세요.",
        ),
    }
}

fn capability_admin() -> Finding {
    Finding {
        name: "root",
        found: capability(21),
        detail: "CAP_SYS_ADMIN (namespaces, mounts)".into(),
        needs: &[(Staker, Required), (Operator, Required), (Developer, Useful)],
        how: ("Run as root or through sudo.", "root로 또는 sudo를 붙여 실행하세요."),
    }
}

fn capability_resource() -> Finding {
    Finding {
        name: "CAP_SYS_RESOURCE",
        found: capability(24),
        detail: "lets containers lower their oom_score_adj".into(),
        needs: &[(Staker, Useful)],
        how: (
            "Run as root outside an unprivileged container; without it pods run with the default OOM score.",
            "권한이 제한된 컨테이너 밖에서 root로 실행하세요. 없으면 파드가 기본 OOM 점수로 실행됩니다.",
        ),
    }
}

/// Numbers of capability(7), `linux/capability.h`.
fn capability(bit: u32) -> Found {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    match effective(&status) {
        Some(set) if set >> bit & 1 == 1 => Found::Has,
        Some(_) => Found::Lacks,
        None => Found::Unknown,
    }
}

fn effective(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

fn meminfo_bytes(meminfo: &str, name: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[allow(clippy::cast_precision_loss)] // One decimal is shown.
fn gib(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "?".to_owned(), |bytes| format!("{:.1} GiB", bytes as f64 / GIB as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_read() {
        assert_eq!(meminfo_bytes("MemTotal:       16 kB\nMemAvailable:    8 kB\n", "MemAvailable"), Some(8192));
        assert_eq!(meminfo_bytes("MemTotal: x", "MemTotal"), None);
        assert_eq!(effective("Name: x\nCapEff:\t0000000001000000\n"), Some(1 << 24));
    }
}
