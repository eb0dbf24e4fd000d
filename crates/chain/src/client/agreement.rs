//! Answers that several nodes give alike.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
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
    /// Nodes of another network than `needed` of them serve are left out, this one as well: one that misstates its network stops nobody.
    ///
    /// # Errors
    /// Fewer than `needed` of one network; one node twice; a number that two disjoint groups could reach.
    pub fn with_witnesses(self, others: Vec<Self>, needed: usize) -> Result<Self, Error> {
        let total = others.len() + 1;
        if needed > total || needed * 2 <= total {
            return Err(Error::QuorumUnreachable { answered: total, needed: needed.max(total / 2 + 1), total });
        }
        let nodes: Vec<_> = std::iter::once(self).chain(others).collect();
        let places: BTreeSet<_> = nodes.iter().map(|node| place(node.endpoint())).collect();
        if places.len() < total {
            return Err(Error::QuorumUnreachable { answered: places.len(), needed, total });
        }
        let expected = nodes[0].chain();
        let differs = nodes.iter().find(|node| node.chain() != expected);
        let differs = differs.map(|node| (node.endpoint().to_owned(), node.chain()));
        // At most one network has that many: they are more than half.
        let serving = |chain| nodes.iter().filter(|node| node.chain() == chain).count();
        let Some(chain) = nodes.iter().map(Self::chain).find(|chain| serving(*chain) >= needed) else {
            return Err(match differs {
                Some((endpoint, actual)) => Error::WrongNetwork { endpoint, expected, actual },
                None => Error::QuorumUnreachable { answered: total, needed, total },
            });
        };
        let mut nodes = nodes.into_iter().filter(|node| node.chain() == chain);
        let Some(mut first) = nodes.next() else { return Err(Error::QuorumUnreachable { answered: 0, needed, total }) };
        first.witnesses = Witnesses { others: nodes.collect(), needed };
        Ok(first)
    }

    /// This node and its witnesses, each on its own.
    pub(super) fn each(&self) -> Vec<Self> {
        let mut alone = self.clone();
        alone.witnesses = Witnesses::default();
        std::iter::once(alone).chain(self.witnesses.others.iter().cloned()).collect()
    }

    /// What enough nodes answer alike, as soon as they do: nobody waits for those that are slow or silent. Who has answered is asked again
    /// until the time for one answer is over.
    pub(super) async fn agreed<T: PartialEq, F: Future<Output = Result<T, Error>>>(
        &self,
        question: impl Fn(Self) -> F,
    ) -> Result<T, Error> {
        if !self.has_witnesses() {
            return question(self.clone()).await;
        }
        let nodes = self.each();
        let (needed, total) = (self.needed(), nodes.len());
        let deadline = Instant::now() + self.answer_timeout();
        let ask = |number: usize, pause: Duration| {
            let answer = question(nodes[number].clone());
            async move {
                tokio::time::sleep(pause).await;
                (number, answer.await)
            }
        };
        let mut asked: FuturesUnordered<_> = (0..total).map(|number| ask(number, Duration::ZERO)).collect();
        // The newest answer of each.
        let mut answers: Vec<Option<Result<T, Error>>> = nodes.iter().map(|_| None).collect();
        while let Some((number, answer)) = asked.next().await {
            answers[number] = Some(answer);
            if let Ok(agreed) = settle(&answers, needed)
                && let Some(answer) = answers[agreed].take()
            {
                return answer;
            }
            if Instant::now() + PAUSE < deadline {
                asked.push(ask(number, PAUSE));
            }
        }
        let Unsettled { answered, agreeing, differing } = settle(&answers, needed).err().unwrap_or_default();
        if answered >= needed {
            let nodes = differing.iter().map(|node| nodes[*node].endpoint().to_owned()).collect();
            return Err(Error::QuorumDisagreement { agreeing, needed, total, nodes });
        }
        // An error that everybody gives is more telling than that nobody answered.
        match answers.into_iter().flatten().next() {
            Some(Err(error)) if answered == 0 => Err(error),
            _ => Err(Error::QuorumUnreachable { answered, needed, total }),
        }
    }

    /// How many must say the same.
    pub(super) fn needed(&self) -> usize {
        if self.has_witnesses() { self.witnesses.needed } else { 1 }
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
#[derive(Debug, Default)]
struct Unsettled {
    answered: usize,
    agreeing: usize,
    differing: Vec<usize>,
}

/// One of `needed` nodes that give the same answer, in whatever order they gave it.
fn settle<T: PartialEq>(answers: &[Option<Result<T, Error>>], needed: usize) -> Result<usize, Unsettled> {
    let mut groups: Vec<(&T, Vec<usize>)> = Vec::new();
    for (node, answer) in answers.iter().enumerate() {
        if let Some(Ok(answer)) = answer {
            match groups.iter_mut().find(|(known, _)| *known == answer) {
                Some((_, nodes)) => nodes.push(node),
                None => groups.push((answer, vec![node])),
            }
        }
    }
    groups.sort_by_key(|(_, nodes)| std::cmp::Reverse(nodes.len()));
    let agreeing = groups.first().map_or(0, |(_, nodes)| nodes.len());
    match groups.first() {
        Some((_, nodes)) if agreeing >= needed => Ok(nodes[0]),
        _ => Err(Unsettled {
            answered: groups.iter().map(|(_, nodes)| nodes.len()).sum(),
            agreeing,
            differing: groups.iter().skip(1).flat_map(|(_, nodes)| nodes).copied().collect(),
        }),
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
        assert_eq!(settle(&[Some(Ok(1)), Some(Ok(2)), Some(Ok(1))], 2).unwrap(), 0);
        assert_eq!(settle(&[Some(Err(silent())), Some(Ok(1)), Some(Ok(1))], 2).unwrap(), 1);
        assert_eq!(settle(&[None, Some(Ok(1)), Some(Ok(1))], 2).unwrap(), 1);
        let unsettled = settle(&[Some(Ok(1)), Some(Ok(2)), Some(Err(silent()))], 2).unwrap_err();
        assert_eq!((unsettled.answered, unsettled.agreeing, unsettled.differing), (2, 1, vec![1]));
        assert_eq!(settle::<u8>(&[Some(Err(silent())), None, Some(Err(silent()))], 2).unwrap_err().answered, 0);
    }

    #[test]
    fn a_denial_counts_no_more_than_a_claim() {
        assert_eq!(settle(&[Some(Ok(None)), Some(Ok(Some(1))), Some(Ok(Some(1)))], 2).unwrap(), 1);
        assert!(settle(&[Some(Ok(None)), Some(Ok(Some(1)))], 2).is_err());
    }
}
