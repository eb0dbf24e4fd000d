use std::path::Path;
use std::process::{Command, Stdio};

use super::Need::{Required, Useful};
use super::Role::{Developer, Operator, Staker};
use super::{Finding, Found};

/// What the worker and the enclave's parent ask of the kernel.
pub(super) fn findings() -> Vec<Finding> {
    let mut findings = vec![cgroups(), overlay()];
    findings.extend(["veth", "bridge", "vxlan"].map(link_type));
    findings.push(nftables());
    findings.extend(DEVICES.iter().map(device));
    findings
}

fn cgroups() -> Finding {
    let unified = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    let legacy = Path::new("/sys/fs/cgroup/memory").exists();
    let (found, detail) = match (unified, legacy) {
        (true, _) => (Found::Has, "version 2"),
        (false, true) => (Found::Has, "version 1 (works; version 2 is the better kept one)"),
        (false, false) => (Found::Lacks, "not mounted"),
    };
    Finding {
        name: "cgroups",
        found,
        detail: detail.into(),
        needs: &[(Staker, Required)],
        how: ("Boot with cgroups: mount cgroup2 at /sys/fs/cgroup.", "cgroup2를 /sys/fs/cgroup에 마운트하세요."),
    }
}

fn overlay() -> Finding {
    let here =
        std::fs::read_to_string("/proc/filesystems").unwrap_or_default().lines().any(|line| line.ends_with("overlay"));
    Finding {
        name: "overlay",
        found: if here || has_module("overlay") { Found::Has } else { Found::Lacks },
        detail: "file system of container images".into(),
        needs: &[(Staker, Required)],
        how: ("Load it: modprobe overlay.", "modprobe overlay 명령으로 불러오세요."),
    }
}

/// Tried in a network namespace that disappears at once; only root can.
fn link_type(kind: &'static str) -> Finding {
    let arguments: &[&str] = match kind {
        "vxlan" => &["ip", "link", "add", "probe0", "type", "vxlan", "id", "1", "dstport", "8472"],
        "veth" => &["ip", "link", "add", "probe0", "type", "veth", "peer", "name", "probe1"],
        _ => &["ip", "link", "add", "probe0", "type", "bridge"],
    };
    Finding {
        name: kind,
        found: tried(arguments, kind),
        detail: "network device of the pod network".into(),
        needs: &[(Staker, Required)],
        how: (
            "Use a kernel that has it (Debian's and Ubuntu's do); 'ip' is in the package iproute2.",
            "이 기능이 있는 커널(데비안, 우분투 기본 커널)을 사용하세요. ip 명령은 iproute2 패키지에 있습니다.",
        ),
    }
}

fn nftables() -> Finding {
    Finding {
        name: "nftables",
        found: tried(&["nft", "add", "table", "inet", "probe"], "nf_tables"),
        detail: "packet filter of kube-proxy and the worker".into(),
        needs: &[(Staker, Required)],
        how: (
            "Use a kernel with nf_tables and install nft: apt-get install nftables.",
            "nf_tables가 있는 커널을 쓰고 nft를 설치하세요: apt-get install nftables.",
        ),
    }
}

/// Whether a command works in a new network namespace; if it cannot be tried, whether the kernel lists the module.
fn tried(command: &[&str], module: &str) -> Found {
    let quiet = |arguments: &[&str]| {
        Command::new("unshare")
            .arg("--net")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if quiet(command) || has_module(module) {
        return Found::Has;
    }
    // Told apart: "the kernel refused" from "this user may not try" and "the tool is missing".
    let can_try = quiet(&["true"]) && super::tools::path_of(command[0]).is_some();
    if can_try { Found::Lacks } else { Found::Unknown }
}

fn has_module(name: &str) -> bool {
    if Path::new("/sys/module").join(name).exists() {
        return true;
    }
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let folder = Path::new("/lib/modules").join(kernel.trim());
    ["modules.builtin", "modules.dep"].into_iter().any(|list| {
        let text = std::fs::read_to_string(folder.join(list)).unwrap_or_default();
        text.lines().any(|line| {
            let file = line.split(':').next().and_then(|path| path.rsplit('/').next()).unwrap_or("");
            file.split(".ko").next() == Some(name) && file.contains(".ko")
        })
    })
}

struct Device {
    path: &'static str,
    detail: &'static str,
    needs: &'static [(super::Role, super::Need)],
    how: (&'static str, &'static str),
}

const DEVICES: &[Device] = &[
    Device {
        path: "/dev/nitro_enclaves",
        detail: "starts Nitro Enclaves (parent EC2 instance)",
        needs: &[(Operator, Useful)],
        how: (
            "Needed for --enclave nitro only: an EC2 instance with enclaves enabled. QEMU and the sandbox do without.",
            "--enclave nitro에만 필요합니다: 엔클레이브를 켠 EC2 인스턴스. QEMU와 샌드박스에는 필요 없습니다.",
        ),
    },
    Device {
        path: "/dev/vsock",
        detail: "sockets between parent and enclave",
        needs: &[(Operator, Useful)],
        how: (
            "Load it: modprobe vhost_vsock (QEMU) or vsock (EC2). The sandbox does without.",
            "modprobe vhost_vsock(QEMU) 또는 vsock(EC2)으로 불러오세요. 샌드박스에는 필요 없습니다.",
        ),
    },
    Device {
        path: "/dev/nsm",
        detail: "Nitro security module (inside an enclave only)",
        needs: &[(Operator, Useful)],
        how: (
            "It exists inside an enclave only; on this machine nothing is missing.",
            "엔클레이브 안에만 있는 장치입니다. 이 컴퓨터에 부족한 것은 없습니다.",
        ),
    },
    Device {
        path: "/dev/kvm",
        detail: "makes QEMU fast",
        needs: &[(Operator, Useful), (Developer, Useful)],
        how: (
            "Without it QEMU emulates: use a machine with virtualisation.",
            "없으면 QEMU가 느리게 에뮬레이션합니다. 가상화가 되는 컴퓨터를 사용하세요.",
        ),
    },
];

fn device(device: &Device) -> Finding {
    Finding {
        name: device.path,
        found: if Path::new(device.path).exists() { Found::Has } else { Found::Lacks },
        detail: device.detail.into(),
        needs: device.needs,
        how: device.how,
    }
}
