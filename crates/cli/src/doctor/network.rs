use daas_diagnostics::{Diagnostic, Lang};

use super::Need::{Required, Useful};
use super::Role::{Builder, Developer, Operator, Staker, User};
use super::{Finding, Found};

/// Widest difference between this clock and a chain that makes checkpoints all the time.
const MAX_SKEW_MS: u64 = 5_000;

/// What the configured chain answered.
#[derive(Debug)]
pub struct ChainCheck {
    /// The node's address, if one is configured.
    pub endpoint: Option<String>,
    /// Its name and the time of its newest checkpoint (ms), or why there is no answer.
    pub answer: Result<ChainAnswer, Diagnostic>,
    /// This machine's time, ms since the Unix epoch.
    pub now_ms: u64,
}

/// An answer of the chain.
#[derive(Debug, Clone)]
pub struct ChainAnswer {
    /// The chain's name or identifier.
    pub chain: String,
    /// Milliseconds since the Unix epoch.
    pub newest_checkpoint_ms: u64,
    /// Whether it is Sui mainnet or testnet.
    pub is_production: bool,
}

/// The chain and the clock.
pub(super) fn findings(check: &ChainCheck) -> Vec<Finding> {
    vec![chain(check), clock(check)]
}

fn chain(check: &ChainCheck) -> Finding {
    let endpoint = check.endpoint.as_deref().unwrap_or("none configured");
    let (found, detail) = match &check.answer {
        Ok(answer) => {
            let kind = if answer.is_production { "" } else { ", DEVELOPMENT" };
            (Found::Has, format!("{endpoint}: {}{kind}", answer.chain))
        }
        Err(error) => (Found::Lacks, format!("{endpoint}: {}", error.message(Lang::English))),
    };
    Finding {
        name: "chain",
        found,
        detail,
        needs: &[(User, Required), (Staker, Required), (Operator, Required), (Developer, Useful), (Builder, Useful)],
        how: (
            "Start the development chain with: daas up. Or name a node with the setting rpc.",
            "daas up 명령으로 개발용 체인을 시작하거나 rpc 설정으로 노드를 지정하세요.",
        ),
    }
}

fn clock(check: &ChainCheck) -> Finding {
    let (found, detail) = match &check.answer {
        Err(_) => (Found::Unknown, "no chain to compare with".to_owned()),
        Ok(answer) => judge_clock(check.now_ms, answer),
    };
    Finding {
        name: "clock",
        found,
        detail,
        needs: &[(User, Required), (Staker, Required), (Operator, Required), (Developer, Useful)],
        how: (
            "Let the clock follow a time server: timedatectl set-ntp true.",
            "시계를 시간 서버에 맞추세요: timedatectl set-ntp true.",
        ),
    }
}

/// A development chain may rest: its checkpoints may be old, but never ahead. Seal tokens bear 30 s.
fn judge_clock(now_ms: u64, answer: &ChainAnswer) -> (Found, String) {
    let (behind, ahead) =
        (answer.newest_checkpoint_ms.saturating_sub(now_ms), now_ms.saturating_sub(answer.newest_checkpoint_ms));
    if behind > MAX_SKEW_MS {
        (Found::Lacks, format!("{behind} ms behind the chain"))
    } else if ahead > MAX_SKEW_MS && answer.is_production {
        (Found::Lacks, format!("{ahead} ms ahead of the chain, or the node does not follow it"))
    } else {
        (Found::Has, "agrees with the chain".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resting_development_chain_is_no_wrong_clock() {
        let answer = |is_production| ChainAnswer { chain: "x".into(), newest_checkpoint_ms: 100_000, is_production };
        assert_eq!(judge_clock(200_000, &answer(false)).0, Found::Has);
        assert_eq!(judge_clock(200_000, &answer(true)).0, Found::Lacks);
        assert_eq!(judge_clock(94_000, &answer(false)).0, Found::Lacks);
        assert_eq!(judge_clock(99_000, &answer(true)).0, Found::Has);
    }
}
