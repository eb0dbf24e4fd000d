//! Two live tunnels with one kubelet key: either an agent came back and its old connection is not known to be dead, or two
//! hold the key. Both are challenged again and again; a dead one cannot answer, and two that both go on answering are two.

use std::time::{Duration, SystemTime};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};

use super::Tunnel;
use super::session::Answer;

/// How long and how often both are asked.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    /// Challenges to each.
    pub rounds: u32,
    /// From one to the next.
    pub every: Duration,
    /// Time for the answer.
    pub answer: Duration,
}

impl Default for Rhythm {
    /// Half a minute, as the cluster's terms describe the offence.
    fn default() -> Self {
        Self { rounds: 7, every: Duration::from_secs(5), answer: Duration::from_secs(5) }
    }
}

/// Two tunnels of one node with one key.
#[derive(Debug)]
pub struct Contest {
    /// The one that was there.
    pub older: Tunnel,
    /// The one that came.
    pub newer: Tunnel,
}

/// What was seen: both answered, from the first challenge to the last.
#[derive(Debug, Clone)]
pub struct DoubleIdentity {
    /// The one that was there.
    pub older: Tunnel,
    /// The one that came.
    pub newer: Tunnel,
    /// The challenges, which both answered.
    pub challenges: Vec<[u8; 16]>,
    /// Of the first challenge.
    pub began: SystemTime,
    /// Of the last answer.
    pub ended: SystemTime,
}

impl Contest {
    /// Challenges both until one does not answer and is closed, or one does not repeat what it was asked, which proves
    /// nothing, or all challenges are repeated by both: then the older is closed, and what was seen is given back.
    pub async fn run(self, rhythm: Rhythm) -> Option<DoubleIdentity> {
        let Self { older, newer } = self;
        let (began, mut challenges) = (SystemTime::now(), Vec::new());
        for round in 0..rhythm.rounds {
            if round > 0 {
                tokio::select! {
                    () = tokio::time::sleep(rhythm.every) => {}
                    () = older.session.closed() => return None,
                    () = newer.session.closed() => return None,
                }
            }
            let mut challenge = [0; 16];
            // Without randomness nothing is proved.
            SystemRandom::new().fill(&mut challenge).ok()?;
            match tokio::join!(answer(&older, challenge, rhythm), answer(&newer, challenge, rhythm)) {
                (Answer::Repeated, Answer::Repeated) => {}
                (Answer::Ended, Answer::Ended) => {
                    older.session.close();
                    newer.session.close();
                    return None;
                }
                (_, Answer::Ended) => {
                    newer.session.close();
                    return None;
                }
                // Dead, or alive and without proof: the newest stays.
                (Answer::Ended | Answer::Empty, _) | (_, Answer::Empty) => {
                    older.session.close();
                    return None;
                }
            }
            challenges.push(challenge);
        }
        tracing::warn!(node = %older.subject.name, "one kubelet key is in two live tunnels");
        older.session.close();
        Some(DoubleIdentity { older, newer, challenges, began, ended: SystemTime::now() })
    }
}

/// Who says nothing in time is as good as gone.
async fn answer(tunnel: &Tunnel, challenge: [u8; 16], rhythm: Rhythm) -> Answer {
    let asked = tokio::time::timeout(rhythm.answer, tunnel.session.challenge(challenge));
    asked.await.unwrap_or(Answer::Ended)
}
