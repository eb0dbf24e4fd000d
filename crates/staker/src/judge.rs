//! Whether this worker's identity is over: the words of the master and of the chain, weighed.
//!
//! A worker that ends its pods cannot take that back, so one node of the chain alone never makes it do so; a worker that was slashed must
//! end them within seconds, so the attested master need not wait for the chain.

use daas_seal_token::StakeStatus;

use crate::life::Cause;

/// What the attested master said to a heartbeat or a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MasterWord {
    /// Accepted.
    Good,
    /// 401 or 403: the identity is over.
    Over,
    /// Nothing that counts: no connection, a time-out, 5xx, another enclave.
    Nothing,
}

/// What the chain says of the stake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainWord {
    /// It said this.
    Status {
        /// Of the stake.
        status: StakeStatus,
        /// Enough nodes said the same; else it was one alone.
        quorum: bool,
    },
    /// Nothing, or nodes that contradict each other.
    Nothing,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// Go on.
    GoOn,
    /// Go on, and say that a node of the chain contradicts the master.
    Contradicted,
    /// Verify the enclave again, show a new token, ask again.
    AskAgain,
    /// End all pods and remove the credentials.
    Over(Cause),
}

/// How often an attested master must refuse, each time after a new verification, where the chain does not confirm it: a token or a clock
/// may be wrong once.
const REFUSALS: u32 = 3;

/// Remembers how often the master refused.
#[derive(Debug, Default)]
pub struct Judge {
    refusals: u32,
}

impl Judge {
    /// Weighs two words. Pure but for the count.
    pub fn rule(&mut self, master: MasterWord, chain: ChainWord) -> Ruling {
        match master {
            MasterWord::Good => self.refusals = 0,
            MasterWord::Over => self.refusals += 1,
            MasterWord::Nothing => {}
        }
        let cause = match chain {
            ChainWord::Status { status: StakeStatus::Slashed, .. } => Some(Cause::Slashed),
            ChainWord::Status { status: StakeStatus::Unbonding | StakeStatus::Withdrawn, .. } => Some(Cause::Unstaked),
            ChainWord::Status { status: StakeStatus::Active, .. } | ChainWord::Nothing => None,
        };
        let quorum = matches!(chain, ChainWord::Status { quorum: true, .. });
        match (master, cause) {
            (MasterWord::Over, Some(cause)) => Ruling::Over(cause),
            (_, Some(cause)) if quorum => Ruling::Over(cause),
            (MasterWord::Over, None) if self.refusals >= REFUSALS => Ruling::Over(Cause::Expelled),
            (MasterWord::Over, None) => Ruling::AskAgain,
            (MasterWord::Good | MasterWord::Nothing, Some(_)) => Ruling::Contradicted,
            (MasterWord::Good | MasterWord::Nothing, None) => Ruling::GoOn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn one(status: StakeStatus) -> ChainWord {
        ChainWord::Status { status, quorum: false }
    }

    const fn quorum(status: StakeStatus) -> ChainWord {
        ChainWord::Status { status, quorum: true }
    }

    fn rule(master: MasterWord, chain: ChainWord) -> Ruling {
        Judge::default().rule(master, chain)
    }

    #[test]
    fn one_lying_node_that_says_slashed_wipes_nothing() {
        for status in [StakeStatus::Slashed, StakeStatus::Unbonding, StakeStatus::Withdrawn] {
            for master in [MasterWord::Good, MasterWord::Nothing] {
                let mut judge = Judge::default();
                for _ in 0..100 {
                    assert_eq!(judge.rule(master, one(status)), Ruling::Contradicted);
                }
            }
        }
    }

    #[test]
    fn a_quorum_or_the_master_with_any_node_ends_it_at_once() {
        for master in [MasterWord::Good, MasterWord::Nothing, MasterWord::Over] {
            assert_eq!(rule(master, quorum(StakeStatus::Slashed)), Ruling::Over(Cause::Slashed));
            assert_eq!(rule(master, quorum(StakeStatus::Unbonding)), Ruling::Over(Cause::Unstaked));
        }
        assert_eq!(rule(MasterWord::Over, one(StakeStatus::Slashed)), Ruling::Over(Cause::Slashed));
        assert_eq!(rule(MasterWord::Over, one(StakeStatus::Withdrawn)), Ruling::Over(Cause::Unstaked));
    }

    #[test]
    fn a_frozen_node_does_not_hide_a_slash_from_the_attested_masters_word() {
        for chain in [one(StakeStatus::Active), quorum(StakeStatus::Active), ChainWord::Nothing] {
            let mut judge = Judge::default();
            assert_eq!(judge.rule(MasterWord::Over, chain), Ruling::AskAgain);
            assert_eq!(judge.rule(MasterWord::Over, chain), Ruling::AskAgain);
            assert_eq!(judge.rule(MasterWord::Over, chain), Ruling::Over(Cause::Expelled));
        }
    }

    #[test]
    fn a_single_refusal_that_is_taken_back_counts_no_more() {
        let mut judge = Judge::default();
        for _ in 0..10 {
            assert_eq!(judge.rule(MasterWord::Over, ChainWord::Nothing), Ruling::AskAgain);
            assert_eq!(judge.rule(MasterWord::Good, ChainWord::Nothing), Ruling::GoOn);
        }
        assert_eq!(judge.rule(MasterWord::Nothing, one(StakeStatus::Active)), Ruling::GoOn);
    }
}
