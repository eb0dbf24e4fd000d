use std::sync::atomic::{AtomicU64, Ordering};

use super::denial::Denial;

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Who a bearer token is.
    Token,
    /// Whether a user may go on.
    Access,
    /// Who a join token is.
    Join,
    /// Who a node's certificate is.
    Certificate,
}

const QUESTIONS: [&str; 4] = ["token", "access", "join", "certificate"];
const GOOD: &str = "good";

/// How often what was asked, and what came out.
#[derive(Debug, Default)]
pub struct Tally([[AtomicU64; Denial::KINDS.len() + 1]; QUESTIONS.len()]);

impl Tally {
    /// Counts a verdict and hands it on.
    pub(super) fn noted<T>(&self, question: Question, verdict: Result<T, Denial>) -> Result<T, Denial> {
        let outcome = verdict.as_ref().err().map_or(Denial::KINDS.len(), Denial::kind);
        if let Some(count) = self.0.get(question as usize).and_then(|counts| counts.get(outcome)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        verdict
    }

    /// Question, outcome, count.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        QUESTIONS.into_iter().zip(&self.0).flat_map(|(question, counts)| {
            let outcomes = Denial::KINDS.into_iter().chain([GOOD]);
            outcomes.zip(counts).map(move |(outcome, count)| (question, outcome, count.load(Ordering::Relaxed)))
        })
    }
}
