//! Answers that several nodes give alike.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;
use tonic::codegen::http::Uri;

use super::node::Node;
use crate::error::Error;

/// Between two rounds of asking: honest nodes differ while a checkpoint reaches one before the other.
const PAUSE: Duration = Duration::from_millis(200);

/// Nodes that are asked the same, and how many must answer alike.
#[derive(Debug, Clone, Default)]
pub(super) struct Witnesses {
    pub(super) others: Vec<Node>,
    pub(super) needed: usize,
}

impl Node {
    /// The same node, believed only where enough of all nodes say the same: `needed` of this one and the others. What it alone says of prices,
    /// balances and simulations is not compared; a budget bounds what that can cost.
    ///
    /// # Errors
    /// Another network than this node's; one node twice; a number that two disjoint groups could reach.
    pub fn with_witnesses(mut self, others: Vec<Self>, needed: usize) -> Result<Self, Error> {
        let total = others.len() + 1;
        if needed > total || needed * 2 <= total {
            return Err(Error::QuorumUnreachable { answered: total, needed: needed.max(total / 2 + 1), total });
        }
        let places: BTreeSet<_> = others.iter().chain([&self]).map(|node| place(node.endpoint())).collect();
        if places.len() < total {
            return Err(Error::QuorumUnreachable { answered: places.len(), needed, total });
        }
        for other in &others {
            if other.chain() != self.chain() {
                let endpoint = other.endpoint().to_owned();
                return Err(Error::WrongNetwork { endpoint, expected: self.chain(), actual: other.chain() });
            }
        }
        self.witnesses = Witnesses { others, needed };
        Ok(self)
    }

    /// This node and its witnesses, each on its own.
    pub(super) fn each(&self) -> Vec<Self> {
        let mut alone = self.clone();
        alone.witnesses = Witnesses::default();
        std::iter::once(alone).chain(self.witnesses.others.iter().cloned()).collect()
    }

    /// What enough nodes answer alike, asked again until they do or the time for one answer is over.
    pub(super) async fn agreed<T: PartialEq, F: Future<Output = Result<T, Error>>>(
        &self,
        question: impl Fn(Self) -> F,
    ) -> Result<T, Error> {
        if !self.has_witnesses() {
            return question(self.clone()).await;
        }
        let nodes = self.each();
        let needed = self.witnesses.needed;
        let deadline = Instant::now() + self.answer_timeout();
        loop {
            let answers = join_all(nodes.iter().cloned().map(&question)).await;
            match settle(answers, needed) {
                Ok(answer) => return Ok(answer),
                Err(Unsettled { answered, agreeing, differing, first_error }) => {
                    if Instant::now() + PAUSE < deadline {
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                    let total = nodes.len();
                    return Err(match first_error {
                        _ if answered >= needed => {
                            let nodes = differing.iter().map(|node| nodes[*node].endpoint().to_owned()).collect();
                            Error::QuorumDisagreement { agreeing, needed, total, nodes }
                        }
                        // An error that everybody gives is more telling than that nobody answered.
                        Some(error) if answered == 0 => *error,
                        _ => Error::QuorumUnreachable { answered, needed, total },
                    });
                }
            }
        }
    }

    pub(super) fn has_witnesses(&self) -> bool {
        !self.witnesses.others.is_empty()
    }
}

/// Host and port: where an address leads, however it is spelled.
pub(crate) fn place(node: &str) -> (String, Option<u16>) {
    let uri = node.parse::<Uri>().unwrap_or_default();
    let Some(host) = uri.host() else { return (node.to_owned(), None) };
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    (host.trim_end_matches('.').to_ascii_lowercase(), Some(uri.port_u16().unwrap_or(default)))
}

/// Why there is no answer yet.
#[derive(Debug)]
struct Unsettled {
    answered: usize,
    agreeing: usize,
    differing: Vec<usize>,
    first_error: Option<Box<Error>>,
}

/// The answer that `needed` nodes give, in whatever order they gave it.
fn settle<T: PartialEq>(answers: Vec<Result<T, Error>>, needed: usize) -> Result<T, Unsettled> {
    let (mut groups, mut first_error): (Vec<(T, Vec<usize>)>, _) = (Vec::new(), None);
    for (node, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(answer) => match groups.iter_mut().find(|(known, _)| *known == answer) {
                Some((_, nodes)) => nodes.push(node),
                None => groups.push((answer, vec![node])),
            },
            Err(error) => first_error = first_error.or_else(|| Some(Box::new(error))),
        }
    }
    groups.sort_by_key(|(_, nodes)| std::cmp::Reverse(nodes.len()));
    let answered = groups.iter().map(|(_, nodes)| nodes.len()).sum();
    let differing = groups.iter().skip(1).flat_map(|(_, nodes)| nodes).copied().collect();
    match groups.into_iter().next() {
        Some((answer, nodes)) if nodes.len() >= needed => Ok(answer),
        largest => {
            let agreeing = largest.map_or(0, |(_, nodes)| nodes.len());
            Err(Unsettled { answered, agreeing, differing, first_error })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silent() -> Error {
        Error::RateLimited { endpoint: "n".into() }
    }

    #[test]
    fn one_answer_of_three_decides_nothing_and_two_do() {
        assert_eq!(settle(vec![Ok(1), Ok(2), Ok(1)], 2).unwrap(), 1);
        assert_eq!(settle(vec![Err(silent()), Ok(1), Ok(1)], 2).unwrap(), 1);
        let unsettled = settle(vec![Ok(1), Ok(2), Err(silent())], 2).unwrap_err();
        assert_eq!((unsettled.answered, unsettled.agreeing, unsettled.differing), (2, 1, vec![1]));
        assert_eq!(settle::<u8>(vec![Err(silent()), Err(silent())], 2).unwrap_err().answered, 0);
    }

    #[test]
    fn a_denial_counts_no_more_than_a_claim() {
        assert_eq!(settle(vec![Ok(None), Ok(Some(1)), Ok(Some(1))], 2).unwrap(), Some(1));
        assert!(settle(vec![Ok(None), Ok(Some(1))], 2).is_err());
    }
}
