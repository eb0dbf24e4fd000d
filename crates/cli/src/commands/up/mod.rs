//! `daas up`: the development chain, or the whole development cluster; each thing is made once, however often and however
//! rudely this is run.

mod admin;
mod chain;
pub(crate) mod cluster;
pub(crate) mod handover;
mod nodes;
mod report;
mod setup;

use std::path::Path;

use super::Answer;
use crate::arguments::Up;
use crate::invocation::Invocation;

/// What to type, and what it does: English, Korean.
type NextStep = (String, &'static str, &'static str);

pub(super) async fn run(invocation: Invocation, arguments: Up) -> Answer {
    if arguments.chain_only {
        chain::run(invocation, arguments).await
    } else {
        cluster::run(invocation, arguments).await
    }
}

impl Invocation {
    /// How `daas` is called with this state folder: by name if that finds this very program, else by its path.
    pub(crate) fn how_to_call(&self) -> String {
        let own = std::env::current_exe().unwrap_or_default();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let by_name = std::env::split_paths(&path).map(|folder| folder.join("daas")).find(|file| file.is_file());
        let is_own = by_name.is_some_and(|found| found.canonicalize().ok() == own.canonicalize().ok());
        let here = std::env::current_dir().unwrap_or_default();
        let relative = own.strip_prefix(&here).unwrap_or(&own);
        let mut call = if is_own { "daas".to_owned() } else { shell_word(relative) };
        if self.needs_state_dir {
            call = format!("{call} --state-dir {}", shell_word(self.places.state()));
        }
        call
    }
}

/// Quoted where a shell would take it apart.
pub(super) fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | '@' | ':' | ',');
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_type_next_survives_a_shell() {
        assert_eq!(shell_word(Path::new("/a/b-1.c")), "/a/b-1.c");
        assert_eq!(shell_word(Path::new("/a b/it's")), r"'/a b/it'\''s'");
        assert_eq!(shell_word(Path::new("/a;b")), "'/a;b'");
    }
}
