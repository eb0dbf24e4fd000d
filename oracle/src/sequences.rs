//! Sequences of random calls on one cluster, compared step by step. Seeds are fixed: every run makes the same calls.

use std::io;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use sui_sdk_types::Address;

use crate::compare::compare;
use crate::judge::{Judge, Judges};
use crate::stage::{ALICE, BOB, Cluster, DAY, HOUR, OPERATOR, SUI, Stage, Stake, created, release_id, session_key};
use crate::transaction::{Transaction, Value, pure};
use crate::world::{World, failure};
use Value::{Clock, Mut, Ref};

/// Calls in one sequence.
const STEPS: u64 = 6;

/// Compares this many sequences, with a judge for each processor: the number of steps, and in how many the machines differ.
pub(crate) fn compare_all(world: &World, judges: &Judges, sequences: u64) -> io::Result<(u64, usize)> {
    let workers = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let differing = std::thread::scope(|scope| {
        let running: Vec<_> = (0..workers)
            .map(|worker| {
                scope.spawn(move || {
                    let mut judge = judges.start(world)?;
                    (worker..sequences)
                        .step_by(usize::try_from(workers).unwrap_or(1))
                        .try_fold(0, |differing, seed| Ok(differing + compare_one(world, &mut judge, seed)?))
                })
            })
            .collect();
        running
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|_| Err(io::Error::other("a sequence panicked"))))
            .sum::<io::Result<usize>>()
    })?;
    Ok((sequences * STEPS, differing))
}

/// In how many steps of one sequence the machines differ.
fn compare_one(world: &World, judge: &mut Judge, seed: u64) -> io::Result<usize> {
    let mut sequence = Sequence::start(world, seed);
    let mut differing = 0;
    for step in 0..STEPS {
        let transaction = sequence.next();
        let verdict = compare(&mut sequence.stage.world, &transaction, judge)?;
        if !verdict.differences.is_empty() {
            differing += 1;
            let account = verdict.differences.join("\n  ");
            println!("FAILED sequence {seed}, step {step}: {:?}\n  {account}", transaction.steps);
        }
        let Some(executed) = verdict.executed else { break };
        if failure(&executed).is_none() {
            sequence.stage.world.apply(&executed);
            sequence.remember(&transaction, &executed);
        }
    }
    Ok(differing)
}

/// A cluster and what the sequence knows to be on it.
struct Sequence {
    stage: Stage,
    random: StdRng,
    cluster: Cluster,
    stakes: Vec<Stake>,
    /// Tokens with their stakes.
    tokens: Vec<(Address, Stake)>,
}

impl Sequence {
    fn start(world: &World, seed: u64) -> Self {
        let mut stage = Stage::new(world.clone());
        let cluster = stage.cluster();
        stage.set(&cluster, "set_tier_open", [pure(&0u8), pure(&true)]);
        let stakes = vec![stage.worker(&cluster, ALICE, "node-a"), stage.worker(&cluster, BOB, "node-b")];
        let tokens = vec![(stage.token(&cluster, &stakes[0]), stakes[0])];
        stage.release(&cluster, 1);
        Self { stage, random: StdRng::seed_from_u64(seed), cluster, stakes, tokens }
    }

    fn next(&mut self) -> Transaction {
        let waits = [0, 0, 0, 1, HOUR, DAY, 7 * DAY];
        let wait = self.pick(&waits);
        self.stage.wait(wait);
        let cluster = self.cluster;
        let owner = self.pick(&[ALICE, BOB]);
        let stakes = self.stakes.clone();
        let stake = self.pick(&stakes);
        // Sometimes somebody else's hand.
        let hand = if self.random.gen_ratio(1, 8) { Stake { owner: OPERATOR, ..stake } } else { stake };
        let mist = self.pick(&[0, 1, SUI / 10, SUI, 2 * SUI, 3 * SUI, u64::MAX]);
        let tokens = self.tokens.clone();
        let (token, pair) = self.pick(&tokens);
        let release = self.pick(&[1u8, 2]);
        match self.random.gen_range(0..20) {
            0 | 1 => self.stage.stake_for_node(&cluster, owner, "node", mist),
            2 => self.stage.stake_for_access(&cluster, owner, 0, "reader", mist),
            3 => {
                let payment = self.stage.world.coin(hand.owner, mist);
                Transaction::new(hand.owner).call("staking", "top_up", [Ref(cluster.id), Mut(stake.id), Mut(payment)])
            }
            4 | 5 => self.stage.unstake(&cluster, &hand),
            6 | 7 => self.stage.withdraw(&cluster, &hand),
            8 | 9 => self.stage.slash(&cluster, &stake, mist),
            10 => self.stage.suspend(&cluster, &stake),
            11 => {
                Transaction::new(OPERATOR).call("staking", "resume", [Ref(cluster.id), Ref(cluster.cap), Mut(stake.id)])
            }
            12 => self.stage.create_token(&cluster, &hand, "create_worker_seal_token", DAY),
            13 => self.stage.create_token(&cluster, &hand, "create_access_seal_token", 3 * DAY),
            14 => self.with_token("extend", [Mut(pair.id), Mut(token), pure(&DAY), Clock], pair.owner),
            15 => {
                let key = session_key(self.random.gen_range(1..4)).verifying_key().to_bytes().to_vec();
                self.with_token("rotate_session_key", [Ref(stake.id), Mut(token), pure(&key), Clock], stake.owner)
            }
            16 => self.with_token("revoke", [Mut(pair.id), Mut(token)], pair.owner),
            17 => self.stage.publish_release(&cluster, release),
            18 => {
                let said = [pure(&release_id(release)), pure(&self.random.r#gen::<bool>())];
                self.stage.admin(&cluster, "measurements", "revoke", said)
            }
            _ => {
                let tier = self.random.gen_range(0..4u8);
                self.stage.admin(&cluster, "cluster", "set_minimum_stake", [pure(&tier), pure(&mist)])
            }
        }
    }

    fn remember(&mut self, transaction: &Transaction, executed: &daas_devnet::execution::Executed) {
        let function = transaction.steps.iter().find_map(|step| match step {
            crate::transaction::Step::Call { function, .. } => Some(*function),
            _ => None,
        });
        match function {
            Some("stake_for_node" | "stake_for_access") => {
                self.stakes.push(Stake { id: created(executed, "Stake"), owner: transaction.sender });
            }
            Some("create_worker_seal_token" | "create_access_seal_token") => {
                let id = created(executed, "Stake");
                let stake = Stake { id, owner: transaction.sender };
                self.tokens.push((created(executed, "SealToken"), stake));
            }
            _ => {}
        }
    }

    fn with_token(
        &self,
        function: &'static str,
        rest: impl IntoIterator<Item = Value>,
        sender: Address,
    ) -> Transaction {
        let arguments = [Ref(self.cluster.id)].into_iter().chain(rest);
        Transaction::new(sender).call("k8s_gateway", function, arguments)
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        *of.choose(&mut self.random).expect("there is something to choose from")
    }
}
