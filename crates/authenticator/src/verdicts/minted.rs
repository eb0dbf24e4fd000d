//! Whoever had a service-account token made answers for it.

use std::collections::{HashMap, VecDeque};

use super::subject::Standing;

/// How many tokens one identity may have made and still answer for; the oldest is forgotten, which ends it.
const PER_MAKER: usize = 4096;
/// All together. Beyond it no new token is worth anything.
const TOTAL: usize = 200_000;

/// The makers of service-account tokens that name no node, by credential id.
///
/// It is filled from the audit events of `TokenRequest`s, which kube-apiserver sends before its answer is complete. A
/// token that is not in here is refused.
#[derive(Debug, Default)]
pub struct Minted {
    makers: HashMap<String, (Standing, u64)>,
    order: HashMap<Standing, VecDeque<String>>,
}

impl Minted {
    /// Notes that `maker` had this credential made. What a minted credential has made in turn belongs to its own maker, who
    /// is given back if this is new.
    pub fn note(&mut self, credential: &str, maker: Standing, now_ms: u64) -> Option<Standing> {
        let root = match maker {
            Standing::Minted(parent) => self.makers.get(&parent)?.0.clone(),
            // Judged by its own node whoever made it; and nobody without a credential makes tokens.
            Standing::Node(_) | Standing::OnNode(_) | Standing::Impersonated => return None,
            root => root,
        };
        if self.makers.contains_key(credential) || self.makers.len() >= TOTAL {
            return None;
        }
        let made = self.order.entry(root.clone()).or_default();
        if made.len() >= PER_MAKER
            && let Some(oldest) = made.pop_front()
        {
            self.makers.remove(&oldest);
        }
        made.push_back(credential.to_owned());
        self.makers.insert(credential.to_owned(), (root.clone(), now_ms));
        Some(root)
    }

    /// Credential, maker, and when it was noted; the oldest first.
    pub fn all(&self) -> Vec<(String, Standing, u64)> {
        let mut all: Vec<_> =
            self.makers.iter().map(|(id, (maker, at_ms))| (id.clone(), maker.clone(), *at_ms)).collect();
        all.sort_by_key(|(_, _, at_ms)| *at_ms);
        all
    }

    /// Who had it made.
    pub fn maker(&self, credential: &str) -> Option<&Standing> {
        self.makers.get(credential).map(|(maker, _)| maker)
    }

    /// Forgets what was made before this time: its tokens have expired.
    pub fn forget_before(&mut self, time_ms: u64) {
        let makers = &mut self.makers;
        self.order.retain(|_, made| {
            while let Some(oldest) = made.front() {
                match makers.get(oldest) {
                    Some((_, noted_ms)) if *noted_ms >= time_ms => break,
                    _ => {
                        makers.remove(oldest);
                        made.pop_front();
                    }
                }
            }
            !made.is_empty()
        });
    }

    /// How many are known.
    pub fn len(&self) -> usize {
        self.makers.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.makers.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use daas_seal_token::TokenId;

    use super::*;

    fn bearer(number: u8) -> Standing {
        Standing::Bearer { token: TokenId([number; 32]), key_generation: 1, user: "seal:0x".into(), tiers: Vec::new() }
    }

    #[test]
    fn a_token_made_with_a_made_token_belongs_to_the_first_maker() {
        let mut minted = Minted::default();
        minted.note("JTI=1", bearer(1), 0);
        minted.note("JTI=2", Standing::Minted("JTI=1".into()), 0);
        minted.note("JTI=3", Standing::Minted("JTI=unknown".into()), 0);
        minted.note("JTI=2", bearer(2), 0);
        minted.note("JTI=4", Standing::Impersonated, 0);
        assert_eq!(minted.maker("JTI=2"), Some(&bearer(1)));
        assert_eq!(minted.maker("JTI=3"), None);
        assert_eq!(minted.maker("JTI=4"), None);
    }

    #[test]
    fn one_maker_does_not_push_out_another() {
        let mut minted = Minted::default();
        minted.note("JTI=controller", Standing::ControlPlane, 0);
        for number in 0..PER_MAKER + 10 {
            minted.note(&format!("JTI={number}"), bearer(1), 0);
        }
        assert_eq!(minted.maker("JTI=controller"), Some(&Standing::ControlPlane));
        assert_eq!(minted.maker("JTI=0"), None);
        assert_eq!(minted.len(), PER_MAKER + 1);
    }

    #[test]
    fn what_has_expired_is_forgotten() {
        let mut minted = Minted::default();
        minted.note("JTI=1", bearer(1), 5);
        minted.note("JTI=2", bearer(1), 6);
        minted.forget_before(6);
        assert_eq!((minted.maker("JTI=1"), minted.len()), (None, 1));
        minted.forget_before(7);
        assert!(minted.is_empty() && minted.order.is_empty());
    }
}
