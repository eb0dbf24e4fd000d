use std::cmp::Reverse;
use std::collections::BTreeSet;

use sui_sdk_types::{Address, Digest, GasCostSummary, StructTag};

use super::node::Node;
use crate::error::{Error, Run};

/// A transaction takes at most 256 gas coins (Sui protocol config `max_gas_payment_objects`).
const MAX_COINS: usize = 250;
/// The most that a transaction may spend on gas: 50 SUI (`max_tx_gas`).
const MAX_BUDGET: u64 = 50_000_000_000;
/// What is spent on gas at most where nobody set a budget: publishing the whole package takes about half of it. Price and cost are what the
/// node says, so without a bound a lying one could burn all coins.
const DEFAULT_BUDGET: u64 = 1_000_000_000;
/// No transaction runs on less than this many units of computation.
const LEAST_UNITS: u64 = 2_000;

/// A SUI coin at a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Coin {
    pub(super) id: Address,
    pub(super) version: u64,
    pub(super) digest: Digest,
    pub(super) balance: u64,
    /// The transaction that wrote this version. Digests cover it, so a node that hides it offers a coin that no validator takes.
    pub(super) writer: Digest,
}

/// What pays for a transaction.
#[derive(Debug, Clone)]
pub(super) struct GasPlan {
    pub(super) coins: Vec<Coin>,
    pub(super) price: u64,
    pub(super) budget: u64,
}

impl GasPlan {
    /// A plan with the widest budget, for a simulation. It spends at least one of `first`, if there are any.
    pub(super) async fn widest(
        node: &Node,
        sender: Address,
        spend: u64,
        first: &[Address],
        locked: &BTreeSet<Address>,
        budget: Option<u64>,
    ) -> Result<Self, Error> {
        let price = node.reference_gas_price().await?;
        let coins = coins(node, sender).await?;
        let most = budget.unwrap_or(DEFAULT_BUDGET).min(MAX_BUDGET);
        choose(coins, spend, price, first, locked, most).or_refused(node, sender, spend, price)
    }

    /// The same coins with the budget that a simulation's cost asks for: a fifth more, for shared objects that change
    /// until the transaction runs.
    pub(super) fn fitted(&self, cost: &GasCostSummary) -> Self {
        let spent = cost.computation_cost.saturating_add(cost.storage_cost);
        let budget = spent.saturating_add(spent / 5).max(LEAST_UNITS.saturating_mul(self.price));
        Self { budget: budget.min(self.budget), ..self.clone() }
    }
}

impl GasPlan {
    /// One of these transactions, if it wrote a coin of the plan: it has landed, whatever the node says of it.
    pub(super) fn landed(&self, transactions: &[Digest]) -> Option<Digest> {
        self.coins.iter().map(|coin| coin.writer).find(|writer| transactions.contains(writer))
    }
}

enum Choice {
    Plan(GasPlan),
    /// None of the coins that must be among them is there.
    Disjoint,
    /// At this price nothing runs within the budget.
    Dear {
        budget: u64,
    },
    Short {
        balance: u64,
    },
}

impl Choice {
    fn or_refused(self, node: &Node, address: Address, spend: u64, price: u64) -> Result<GasPlan, Error> {
        match self {
            Self::Plan(plan) => Ok(plan),
            Self::Disjoint => Err(node.invalid("the coins of the transaction before")),
            Self::Dear { budget } => Err(Error::GasBudgetExceeded { budget, run: Run::Simulated }),
            Self::Short { balance: 0 } => Err(Error::NoGas { address }),
            Self::Short { balance } => {
                let needed = spend.saturating_add(LEAST_UNITS.saturating_mul(price));
                Err(Error::InsufficientBalance { address, balance, needed })
            }
        }
    }
}

/// Takes the coins of `first`, then the largest, until they cover what is spent and a comfortable budget, leaving out coins that an
/// unfinished transaction may still use.
///
/// `first` are coins of an earlier transaction that must not land as well: one of them must be spent, and a node that does not show any
/// gets no second signature.
fn choose(
    mut coins: Vec<Coin>,
    spend: u64,
    price: u64,
    first: &[Address],
    locked: &BTreeSet<Address>,
    most: u64,
) -> Choice {
    let least = LEAST_UNITS.saturating_mul(price);
    if least > most {
        return Choice::Dear { budget: most };
    }
    let comfortable = spend.saturating_add(most);
    coins.retain(|coin| coin.balance > 0 && (first.contains(&coin.id) || !locked.contains(&coin.id)));
    coins.sort_by_key(|coin| (!first.contains(&coin.id), Reverse(coin.balance)));
    let mut chosen = Vec::new();
    let mut total: u64 = 0;
    for coin in coins.into_iter().take(MAX_COINS) {
        total = total.saturating_add(coin.balance);
        chosen.push(coin);
        if total >= comfortable {
            break;
        }
    }
    if !first.is_empty() && !chosen.iter().any(|coin| first.contains(&coin.id)) {
        return Choice::Disjoint;
    }
    let budget = total.saturating_sub(spend).min(most);
    if budget < least {
        return Choice::Short { balance: total };
    }
    Choice::Plan(GasPlan { coins: chosen, price, budget })
}

async fn coins(node: &Node, owner: Address) -> Result<Vec<Coin>, Error> {
    let objects = node.owned(owner, &StructTag::gas_coin()).await?;
    objects
        .iter()
        .map(|object| {
            // `Coin<SUI> { id, balance }`.
            let contents = object.as_struct().map(sui_sdk_types::MoveStruct::contents).unwrap_or_default();
            let (_, balance): (Address, u64) = bcs::from_bytes(contents).map_err(|_| node.invalid("a coin"))?;
            Ok(Coin {
                id: object.object_id(),
                version: object.version(),
                digest: object.digest(),
                balance,
                writer: object.previous_transaction(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUI: u64 = DEFAULT_BUDGET;

    fn coin(number: u8, balance: u64) -> Coin {
        Coin { id: Address::new([number; 32]), version: 1, digest: Digest::ZERO, balance, writer: Digest::ZERO }
    }

    fn ids(choice: Choice) -> Vec<u8> {
        match choice {
            Choice::Plan(plan) => plan.coins.iter().map(|coin| coin.id.inner()[0]).collect(),
            Choice::Short { .. } | Choice::Disjoint | Choice::Dear { .. } => Vec::new(),
        }
    }

    #[test]
    fn several_coins_are_put_together_largest_first() {
        let coins = vec![coin(1, 400_000_000), coin(2, 900_000_000), coin(3, 500_000_000), coin(4, 1)];
        assert_eq!(ids(choose(coins.clone(), 600_000_000, 1000, &[], &BTreeSet::new(), SUI)), [2, 3, 1]);
        assert_eq!(ids(choose(coins.clone(), 0, 1000, &[], &BTreeSet::new(), SUI)), [2, 3]);
        assert_eq!(ids(choose(coins, 0, 1000, &[Address::new([4; 32])], &BTreeSet::new(), SUI)), [4, 2, 3]);
    }

    #[test]
    fn coins_of_unfinished_transactions_are_left_alone() {
        let locked = BTreeSet::from([Address::new([2; 32])]);
        assert_eq!(ids(choose(vec![coin(1, 2_000_000_000), coin(2, 9_000_000_000)], 0, 1000, &[], &locked, SUI)), [1]);
    }

    /// Else a node could hold the first transaction back, call it refused, show other coins, and let both land.
    #[test]
    fn a_second_attempt_spends_a_coin_of_the_first_or_is_not_made() {
        let first = [Address::new([7; 32])];
        let others = vec![coin(1, 9_000_000_000), coin(2, 9_000_000_000)];
        assert!(matches!(choose(others.clone(), 0, 1000, &first, &BTreeSet::new(), SUI), Choice::Disjoint));
        let with_it = [others, vec![coin(7, 5)]].concat();
        assert_eq!(ids(choose(with_it, 0, 1000, &first, &BTreeSet::new(), SUI)), [7, 1]);
    }

    #[test]
    fn what_is_spent_is_never_counted_as_gas() {
        let choice = choose(vec![coin(1, 1_000_000_000)], 999_999_999, 1000, &[], &BTreeSet::new(), SUI);
        assert!(matches!(choice, Choice::Short { balance: 1_000_000_000 }));
        assert!(matches!(choose(Vec::new(), 0, 1000, &[], &BTreeSet::new(), SUI), Choice::Short { balance: 0 }));
    }

    #[test]
    fn a_node_that_names_a_high_price_or_cost_burns_no_more_than_the_budget() {
        let rich = || vec![coin(1, 900_000_000_000)];
        let budget = |most| match choose(rich(), 0, 1000, &[], &BTreeSet::new(), most) {
            Choice::Plan(plan) => {
                let cost = GasCostSummary { computation_cost: u64::MAX, ..GasCostSummary::default() };
                plan.fitted(&cost).budget
            }
            _ => 0,
        };
        assert_eq!((budget(DEFAULT_BUDGET), budget(7_000_000)), (1_000_000_000, 7_000_000));
        let dear = choose(rich(), 0, 1_000_000_000, &[], &BTreeSet::new(), DEFAULT_BUDGET);
        assert!(matches!(dear, Choice::Dear { budget: DEFAULT_BUDGET }));
    }
}
