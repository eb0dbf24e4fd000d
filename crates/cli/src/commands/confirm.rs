//! Asking before what cannot be undone.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use daas_diagnostics::{Diagnostic, Lang, codes};

use crate::invocation::Invocation;

/// Goes on if `yes` was given or a person at the terminal agrees. `english` and `korean` name the action.
pub(super) fn confirm(invocation: &Invocation, yes: bool, english: &str, korean: &str) -> Result<(), Diagnostic> {
    if yes {
        return Ok(());
    }
    let refused = || Diagnostic::new(codes::CONFIRMATION_NEEDED).with_words("action", english, korean);
    let (stdin, stderr) = (std::io::stdin(), std::io::stderr());
    if !stdin.is_terminal() || !stderr.is_terminal() {
        return Err(refused());
    }
    let question = match invocation.screen.lang {
        Lang::English => format!("This cannot be undone: {english}. Type yes to go on: "),
        Lang::Korean => format!("되돌릴 수 없는 작업입니다: {korean}. 계속하려면 yes를 입력하세요: "),
    };
    let question = daas_diagnostics::redact(&question);
    let mut answer = String::new();
    let asked = stderr.lock().write_all(question.as_bytes()).and_then(|()| stdin.lock().read_line(&mut answer));
    if asked.is_ok() && answer.trim() == "yes" { Ok(()) } else { Err(refused()) }
}
