use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::Need::{self, Required, Useful};
use super::Role::{self, Builder, Developer, Operator, Staker, User};
use super::{Finding, Found};

struct Tool {
    program: &'static str,
    purpose: &'static str,
    needs: &'static [(Role, Need)],
    how: (&'static str, &'static str),
}

const SETUP: (&str, &str) = ("Install it with: make setup.", "make setup 명령으로 설치하세요.");

const TOOLS: &[Tool] = &[
    Tool {
        program: "kubectl",
        purpose: "uses the cluster",
        needs: &[(User, Required), (Developer, Useful)],
        how: (
            "Install it: https://kubernetes.io/docs/tasks/tools/.",
            "설치 방법: https://kubernetes.io/docs/tasks/tools/.",
        ),
    },
    Tool {
        program: "helm",
        purpose: "installs charts",
        needs: &[(User, Useful)],
        how: ("Install it: https://helm.sh/docs/intro/install/.", "설치 방법: https://helm.sh/docs/intro/install/."),
    },
    Tool {
        program: "nft",
        purpose: "packet filter",
        needs: &[(Staker, Required)],
        how: ("apt-get install nftables", "apt-get install nftables"),
    },
    Tool {
        program: "conntrack",
        purpose: "cleans up connections of removed services",
        needs: &[(Staker, Required)],
        how: ("apt-get install conntrack", "apt-get install conntrack"),
    },
    Tool {
        program: "ip",
        purpose: "network devices",
        needs: &[(Staker, Required)],
        how: ("apt-get install iproute2", "apt-get install iproute2"),
    },
    Tool {
        program: "qemu-system-x86_64",
        purpose: "runs the EIF without AWS hardware",
        needs: &[(Operator, Useful), (Developer, Useful)],
        how: ("apt-get install qemu-system-x86", "apt-get install qemu-system-x86"),
    },
    Tool {
        program: "nitro-cli",
        purpose: "starts the EIF on EC2",
        needs: &[(Operator, Useful)],
        how: (
            "On Amazon Linux: dnf install aws-nitro-enclaves-cli.",
            "Amazon Linux에서: dnf install aws-nitro-enclaves-cli.",
        ),
    },
    Tool {
        program: "cargo",
        purpose: "builds the Rust crates",
        needs: &[(Builder, Required), (Developer, Required)],
        how: SETUP,
    },
    Tool {
        program: "node",
        purpose: "runs the Move compiler",
        needs: &[(Builder, Required), (Developer, Required)],
        how: SETUP,
    },
    Tool {
        program: "npm",
        purpose: "fetches the Move compiler",
        needs: &[(Builder, Required), (Developer, Required)],
        how: SETUP,
    },
    Tool { program: "gcc", purpose: "links", needs: &[(Builder, Required), (Developer, Required)], how: SETUP },
    Tool {
        program: "git",
        purpose: "names the source revision",
        needs: &[(Builder, Required), (Developer, Required)],
        how: SETUP,
    },
    Tool {
        program: "make",
        purpose: "make up, make test",
        needs: &[(Builder, Required), (Developer, Required)],
        how: SETUP,
    },
    Tool { program: "python3", purpose: "runs the independent Move VM", needs: &[(Developer, Useful)], how: SETUP },
    Tool {
        program: "sui",
        purpose: "wallet, networks of your own",
        needs: &[(User, Useful), (Staker, Useful), (Operator, Useful)],
        how: (
            "Not needed where a keystore exists; install it from docs.sui.io.",
            "키스토어가 있으면 없어도 됩니다. 설치 방법은 docs.sui.io에 있습니다.",
        ),
    },
    Tool {
        program: "nix",
        purpose: "the official image build",
        needs: &[(Builder, Useful)],
        how: ("Install it: https://nixos.org/download.", "설치 방법: https://nixos.org/download."),
    },
];

/// Programs on the search path.
pub(super) fn findings() -> Vec<Finding> {
    TOOLS
        .iter()
        .map(|tool| {
            let path = path_of(tool.program);
            Finding {
                name: tool.program,
                found: if path.is_some() { Found::Has } else { Found::Lacks },
                detail: path
                    .map_or_else(|| tool.purpose.to_owned(), |path| format!("{} ({})", tool.purpose, path.display())),
                needs: tool.needs,
                how: tool.how,
            }
        })
        .collect()
}

/// Where a program is. System folders count even if a user's path leaves them out, as Debian's does.
pub(super) fn path_of(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo/bin"));
    std::env::split_paths(&path)
        .chain(home)
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0))
}
