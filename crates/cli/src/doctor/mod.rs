//! `daas doctor`: what this machine has and lacks for each role, and how to get it.

mod kernel;
mod machine;
mod network;
mod tools;

use serde_json::{Value, json};

use crate::output::{Page, Paint, Report};

pub use network::{ChainAnswer, ChainCheck};

/// What a machine is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Role {
    /// Uses a cluster with kubectl and helm.
    User,
    /// Runs a worker.
    Staker,
    /// Runs the enclave's parent.
    Operator,
    /// Builds images and the Move package.
    Builder,
    /// Works on this project: development chain, tests.
    Developer,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [Self::User, Self::Staker, Self::Operator, Self::Builder, Self::Developer];

    /// The word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Staker => "staker",
            Self::Operator => "operator",
            Self::Builder => "builder",
            Self::Developer => "developer",
        }
    }
}

/// What was found about one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It is there.
    Has,
    /// It is not there.
    Lacks,
    /// This user or this machine cannot tell.
    Unknown,
}

/// How much a role depends on a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing works without it.
    Required,
    /// Something is slower, or one of several ways is closed.
    Useful,
}

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub struct Finding {
    /// A stable name.
    pub name: &'static str,
    /// What was found.
    pub found: Found,
    /// What was seen.
    pub detail: String,
    /// Who needs it.
    pub needs: &'static [(Role, Need)],
    /// How to get it: English, Korean.
    pub how: (&'static str, &'static str),
}

/// All findings.
#[derive(Debug)]
pub struct Examination {
    findings: Vec<Finding>,
    asked: Option<Role>,
}

impl Examination {
    /// Looks at this machine. `chain` was asked before, because that takes a connection.
    pub fn of_this_machine(asked: Option<Role>, state: &std::path::Path, chain: &ChainCheck) -> Self {
        let mut findings = machine::findings(state);
        findings.extend(kernel::findings());
        findings.extend(tools::findings());
        findings.extend(network::findings(chain));
        Self { findings, asked }
    }

    fn shown(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| self.asked.is_none_or(|role| finding.need_of(role).is_some()))
    }

    fn is_ready(&self, role: Role) -> bool {
        !self.findings.iter().any(|f| f.found == Found::Lacks && f.need_of(role) == Some(Need::Required))
    }
}

impl Finding {
    fn need_of(&self, role: Role) -> Option<Need> {
        self.needs.iter().find(|(who, _)| *who == role).map(|(_, need)| *need)
    }

    fn is_required(&self) -> bool {
        self.needs.iter().any(|(_, need)| *need == Need::Required)
    }
}

impl Report for Examination {
    fn json(&self) -> Value {
        let findings = self.shown().map(|finding| {
            let roles = |wanted: Need| -> Vec<_> {
                finding.needs.iter().filter(|(_, need)| *need == wanted).map(|(role, _)| role.name()).collect()
            };
            json!({
                "name": finding.name,
                "state": match finding.found { Found::Has => "has", Found::Lacks => "lacks", Found::Unknown => "unknown" },
                "detail": finding.detail,
                "required_by": roles(Need::Required),
                "useful_for": roles(Need::Useful),
                "how": if finding.found == Found::Has { Value::Null } else { finding.how.0.into() },
            })
        });
        let findings: Vec<_> = findings.collect();
        let ready: serde_json::Map<_, _> =
            Role::ALL.into_iter().map(|role| (role.name().to_owned(), self.is_ready(role).into())).collect();
        json!({ "ready": ready, "findings": findings })
    }

    fn human(&self, page: &mut Page) {
        for role in Role::ALL.into_iter().filter(|role| self.asked.is_none_or(|asked| asked == *role)) {
            let ready = self.is_ready(role);
            let word = if ready { page.pick("ready", "준비됨") } else { page.pick("lacks something", "부족함") };
            let line = format!("{:<10} {word}", role.name());
            page.painted(if ready { Paint::Good } else { Paint::Bad }, line);
        }
        page.line("");
        for finding in self.shown() {
            let (mark, paint) = match finding.found {
                Found::Has => ("+", Paint::Good),
                Found::Lacks if finding.is_required() => ("-", Paint::Bad),
                Found::Lacks | Found::Unknown => ("?", Paint::Plain),
            };
            page.painted(paint, format!("{mark} {:<20} {}", finding.name, finding.detail));
            if finding.found != Found::Has {
                let who: Vec<_> = finding.needs.iter().map(|(role, _)| role.name()).collect();
                let how = page.pick(finding.how.0, finding.how.1).to_owned();
                page.painted(Paint::Plain, format!("    {} ({})", how, who.join(", ")));
            }
        }
    }

    fn holds(&self) -> bool {
        self.asked.is_none_or(|role| self.is_ready(role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examination(found: Found, need: Need, asked: Option<Role>) -> Examination {
        let needs: &'static [(Role, Need)] =
            if need == Need::Required { &[(Role::Staker, Need::Required)] } else { &[(Role::Staker, Need::Useful)] };
        let finding = Finding { name: "x", found, detail: String::new(), needs, how: ("get it", "구하세요") };
        Examination { findings: vec![finding], asked }
    }

    #[test]
    fn only_a_role_that_was_asked_for_and_lacks_something_fails() {
        assert!(examination(Found::Lacks, Need::Required, None).holds());
        assert!(!examination(Found::Lacks, Need::Required, Some(Role::Staker)).holds());
        assert!(examination(Found::Lacks, Need::Required, Some(Role::User)).holds());
        assert!(examination(Found::Lacks, Need::Useful, Some(Role::Staker)).holds());
        assert!(examination(Found::Unknown, Need::Required, Some(Role::Staker)).holds());
    }

    #[test]
    fn every_lack_says_how_to_get_it() {
        let json = examination(Found::Lacks, Need::Required, None).json();
        assert_eq!(json["findings"][0]["how"], "get it");
        assert_eq!(json["findings"][0]["required_by"], json!(["staker"]));
        assert_eq!(json["ready"]["staker"], false);
        let mut page = Page::new(daas_diagnostics::Lang::Korean, false);
        examination(Found::Lacks, Need::Required, None).human(&mut page);
        assert!(page.into_text().contains("구하세요"));
    }
}
