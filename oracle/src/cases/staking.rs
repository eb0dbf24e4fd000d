use super::{Case, case};
use crate::stage::{ALICE, BOB, Cluster, DAY, Instance, OPERATOR, SUI, Stage, Stake, sha256};
use crate::transaction::{Transaction, Value, pure};
use Value::{Clock, Mut, Ref};

const M: &str = "staking";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = joining();
    cases.extend(topping_up());
    cases.extend(agreeing());
    cases.extend(leaving());
    cases.extend(punishing());
    cases.extend(reporting());
    cases
}

fn joining() -> Vec<Case> {
    vec![
        case(M, "a worker stakes", "ok", |s| {
            let cluster = s.cluster();
            s.stake_for_node(&cluster, ALICE, "node-1", 2 * SUI)
        }),
        case(M, "a worker stakes a part of a coin", "ok", |s| {
            let cluster = s.cluster();
            let coin = s.world.coin(ALICE, 5 * SUI);
            let agreed = s.terms(&cluster, 1);
            Transaction::new(ALICE)
                .split(Mut(coin), SUI)
                .call(
                    "staking",
                    "stake_for_node",
                    [Mut(cluster.id), Value::Result(0, 0), pure("node-1"), agreed, Clock],
                )
                .call("staking", "share", [Value::Result(1, 0)])
        }),
        case(M, "a worker stakes two coins", "ok", |s| {
            let cluster = s.cluster();
            let (one, other) = (s.world.coin(ALICE, SUI / 2), s.world.coin(ALICE, SUI));
            let agreed = s.terms(&cluster, 1);
            Transaction::new(ALICE)
                .merge(Mut(one), Mut(other))
                .call("staking", "stake_for_node", [Mut(cluster.id), Mut(one), pure("node-1"), agreed, Clock])
                .call("staking", "share", [Value::Result(1, 0)])
        }),
        case(M, "two stakes of one node id have different names", "ok", |s| {
            let cluster = s.cluster();
            s.worker(&cluster, ALICE, "node-1");
            s.stake_for_node(&cluster, BOB, "node-1", 2 * SUI)
        }),
        case(M, "a stake is at least the minimum", "abort staking 3", |s| {
            let cluster = s.cluster();
            s.stake_for_node(&cluster, ALICE, "node-1", SUI - 1)
        }),
        case(M, "a stake of the whole range of u64 is taken", "ok", |s| {
            let cluster = s.cluster();
            s.stake_for_node(&cluster, ALICE, "node-1", u64::MAX)
        }),
        case(M, "a full cluster takes no worker", "abort staking 5", |s| {
            let cluster = s.cluster();
            s.worker(&cluster, ALICE, "node-1");
            s.set(&cluster, "set_max_workers", [pure(&1u64)]);
            s.stake_for_node(&cluster, BOB, "node-2", 2 * SUI)
        }),
        case(M, "a closed worker tier takes no worker", "abort staking 4", |s| {
            let cluster = s.cluster();
            s.set(&cluster, "set_tier_open", [pure(&1u8), pure(&false)]);
            s.stake_for_node(&cluster, BOB, "node-2", 2 * SUI)
        }),
        case(M, "a granted admin stakes", "ok", |s| {
            let cluster = s.cluster();
            s.set(&cluster, "grant", [pure(&ALICE), pure(&2u8), Clock]);
            s.stake_for_access(&cluster, ALICE, 2, "laptop", 10 * SUI)
        }),
        case(M, "anyone reads an open tier", "ok", |s| {
            let cluster = s.cluster();
            s.set(&cluster, "set_tier_open", [pure(&0u8), pure(&true)]);
            s.stake_for_access(&cluster, BOB, 0, "laptop", SUI / 10)
        }),
        case(M, "a reader's grant is not an admin's", "abort staking 4", |s| {
            let cluster = s.cluster();
            s.set(&cluster, "grant", [pure(&ALICE), pure(&0u8), Clock]);
            s.stake_for_access(&cluster, ALICE, 2, "laptop", 10 * SUI)
        }),
        case(M, "a worker does not stake for access", "abort staking 6", |s| {
            let cluster = s.cluster();
            s.stake_for_access(&cluster, ALICE, 1, "laptop", 10 * SUI)
        }),
    ]
}

fn topping_up() -> Vec<Case> {
    vec![
        case(M, "a stake is topped up", "ok", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            top_up(s, &cluster, &stake, ALICE, 3 * SUI)
        }),
        case(M, "only the owner tops up", "abort staking 2", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            top_up(s, &cluster, &stake, BOB, 3 * SUI)
        }),
        case(M, "a top-up is something", "abort staking 9", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            top_up(s, &cluster, &stake, ALICE, 0)
        }),
        case(M, "a stake stays within u64", "abort staking 9", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            top_up(s, &cluster, &stake, ALICE, u64::MAX)
        }),
        case(M, "a stake counts in its own cluster only", "abort staking 1", |s| {
            let (cluster, other) = (s.cluster(), s.cluster());
            let stake = s.worker(&cluster, ALICE, "node-1");
            top_up(s, &other, &stake, ALICE, SUI)
        }),
        case(M, "what is topped up in one transaction leaves only in time", "abort staking 11", |s| {
            let cluster = s.cluster();
            let coin = s.world.coin(ALICE, SUI);
            let stake = s.worker(&cluster, ALICE, "node-1");
            Transaction::new(ALICE)
                .split(Mut(coin), SUI / 2)
                .call("staking", "top_up", [Ref(cluster.id), Mut(stake.id), Value::Result(0, 0)])
                .call("staking", "unstake", [Mut(cluster.id), Mut(stake.id), Clock])
                .call("staking", "withdraw", [Mut(cluster.id), Mut(stake.id), Clock])
        }),
    ]
}

fn agreeing() -> Vec<Case> {
    vec![
        case(M, "a longer unbonding time takes nobody by surprise", "abort staking 17", |s| {
            late(s, |s, cluster| s.set(cluster, "set_unbonding", [pure(&(90 * DAY))]))
        }),
        case(M, "another slash share takes nobody by surprise", "abort staking 17", |s| {
            late(s, |s, cluster| s.set(cluster, "set_slash_share", [pure(&9_999u64)]))
        }),
        case(M, "another consequence takes nobody by surprise", "abort staking 17", |s| {
            late(s, |s, cluster| s.set(cluster, "set_offence", [pure(&1u8), pure(&2u8), pure(&1u64)]))
        }),
        case(M, "another treasury takes nobody by surprise", "abort staking 17", |s| {
            late(s, |s, cluster| s.set(cluster, "set_treasury", [pure(&OPERATOR)]))
        }),
        case(M, "settings that are no terms may change", "ok", |s| {
            late(s, |s, cluster| s.set(cluster, "set_heartbeat_limit", [pure(&DAY)]))
        }),
        case(M, "an admin's terms are not a reader's", "abort staking 17", |s| {
            let cluster = s.cluster();
            s.set(&cluster, "grant", [pure(&ALICE), pure(&0u8), Clock]);
            let (payment, agreed) = (s.world.coin(ALICE, 10 * SUI), s.terms(&cluster, 2));
            let arguments = [Mut(cluster.id), Mut(payment), pure(&0u8), pure("laptop"), agreed, Clock];
            Transaction::new(ALICE).call("staking", "stake_for_access", arguments)
        }),
    ]
}

fn leaving() -> Vec<Case> {
    vec![
        case(M, "the owner unstakes", "ok", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            s.unstake(&cluster, &stake)
        }),
        case(M, "only the owner unstakes", "abort staking 2", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            s.unstake(&cluster, &Stake { owner: BOB, ..stake })
        }),
        case(M, "nobody unstakes twice", "abort staking 8", |s| {
            let (cluster, stake) = unbonding(s);
            s.unstake(&cluster, &stake)
        }),
        case(M, "the owner unstakes from a cluster of another version", "ok", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            s.world.overwrite(cluster.id, |contents| contents[32] = 9);
            s.unstake(&cluster, &stake)
        }),
        case(M, "an active stake is not withdrawn", "abort staking 10", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            s.withdraw(&cluster, &stake)
        }),
        case(M, "a stake is not withdrawn a millisecond early", "abort staking 11", |s| {
            let (cluster, stake) = unbonding(s);
            s.wait(7 * DAY - 1);
            s.withdraw(&cluster, &stake)
        }),
        case(M, "a stake is withdrawn in time", "ok", |s| {
            let (cluster, stake) = unbonding(s);
            s.wait(7 * DAY);
            s.withdraw(&cluster, &stake)
        }),
        case(M, "a stake is withdrawn once", "abort staking 12", |s| {
            let (cluster, stake) = unbonding(s);
            s.wait(7 * DAY);
            let first = s.withdraw(&cluster, &stake);
            s.run(&first);
            s.withdraw(&cluster, &stake)
        }),
        case(M, "what slashes left is withdrawn", "ok", |s| {
            let (cluster, stake) = unbonding(s);
            let slash = s.slash(&cluster, &stake, SUI);
            s.run(&slash);
            s.wait(7 * DAY);
            s.withdraw(&cluster, &stake)
        }),
        case(M, "only the owner withdraws", "abort staking 2", |s| {
            let (cluster, stake) = unbonding(s);
            s.wait(8 * DAY);
            s.withdraw(&cluster, &Stake { owner: OPERATOR, ..stake })
        }),
        case(M, "a reader leaves without the workers noticing", "ok", |s| {
            let cluster = s.cluster();
            let stake = s.reader(&cluster, ALICE, "laptop");
            s.worker(&cluster, BOB, "node-1");
            s.unstake(&cluster, &stake)
        }),
    ]
}

fn punishing() -> Vec<Case> {
    vec![
        case(M, "an active stake is slashed", "ok", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            s.slash(&cluster, &stake, SUI / 3)
        }),
        case(M, "an unbonding stake is slashed and keeps its time", "ok", |s| {
            let (cluster, stake) = unbonding(s);
            s.wait(DAY);
            s.slash(&cluster, &stake, 2 * SUI)
        }),
        case(M, "a slashed stake is slashed again", "ok", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            let slash = s.slash(&cluster, &stake, SUI);
            s.run(&slash);
            s.wait(DAY);
            s.slash(&cluster, &stake, SUI)
        }),
        case(M, "slashes stay below the share of the terms", "abort staking 13", |s| {
            let cluster = s.cluster();
            s.set(&cluster, "set_slash_share", [pure(&3_333u64)]);
            let stake = s.worker(&cluster, ALICE, "node-1");
            let slash = s.slash(&cluster, &stake, SUI / 2);
            s.run(&slash);
            s.slash(&cluster, &stake, SUI / 2)
        }),
        case(M, "terms are those of the day of staking", "ok", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            s.set(&cluster, "set_slash_share", [pure(&1u64)]);
            s.set(&cluster, "set_treasury", [pure(&BOB)]);
            s.slash(&cluster, &stake, 2 * SUI)
        }),
        case(M, "a slash takes something", "abort staking 9", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            s.slash(&cluster, &stake, 0)
        }),
        case(M, "a withdrawn stake is not slashed", "abort staking 12", |s| {
            let (cluster, stake) = unbonding(s);
            s.wait(7 * DAY);
            let withdraw = s.withdraw(&cluster, &stake);
            s.run(&withdraw);
            s.slash(&cluster, &stake, 1)
        }),
        case(M, "another cluster's operator slashes nothing", "abort staking 1", |s| {
            let (cluster, other) = (s.cluster(), s.cluster());
            let stake = s.worker(&cluster, ALICE, "node-1");
            s.slash(&other, &stake, SUI)
        }),
        case(M, "a reason has 256 bytes at most", "abort labels 6", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            let reason = "r".repeat(257);
            s.admin(&cluster, "staking", "slash", [Mut(stake.id), pure(&SUI), pure(&reason), Clock])
        }),
        case(M, "a stake is suspended", "ok", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            s.suspend(&cluster, &stake)
        }),
        case(M, "a stake is suspended once", "abort staking 14", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            let suspend = s.suspend(&cluster, &stake);
            s.run(&suspend);
            s.suspend(&cluster, &stake)
        }),
        case(M, "a stake that leaves is not suspended", "abort staking 8", |s| {
            let (cluster, stake) = unbonding(s);
            s.suspend(&cluster, &stake)
        }),
        case(M, "a suspended stake is resumed", "ok", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            let suspend = s.suspend(&cluster, &stake);
            s.run(&suspend);
            resume(&cluster, &stake)
        }),
        case(M, "what was not suspended is not resumed", "abort staking 15", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            resume(&cluster, &stake)
        }),
    ]
}

fn reporting() -> Vec<Case> {
    vec![
        case("evidence", "an observed offence is recorded", "ok", |s| {
            let (cluster, stake, instance) = reported(s, None);
            report(s, &cluster, &stake, &instance, 0, b"two kubelets")
        }),
        case("evidence", "an offence ejects", "ok", |s| {
            let (cluster, stake, instance) = reported(s, Some((2, 1, 0)));
            report(s, &cluster, &stake, &instance, 2, b"silent")
        }),
        case("evidence", "an offence slashes", "ok", |s| {
            let (cluster, stake, instance) = reported(s, Some((0, 2, 1_250)));
            report(s, &cluster, &stake, &instance, 0, b"two kubelets")
        }),
        case("terms", "a slash that has nothing to take ejects", "ok", |s| {
            let (cluster, stake, instance) = reported(s, Some((0, 2, 10_000)));
            s.set(&cluster, "set_slash_share", [pure(&0u64)]);
            let stake = Stake { id: s.worker(&cluster, BOB, "node-2").id, ..stake };
            report(s, &cluster, &stake, &instance, 0, b"two kubelets")
        }),
        case("terms", "a stake that leaves is observed, not ejected", "ok", |s| {
            let (cluster, stake, instance) = reported(s, Some((2, 1, 0)));
            let unstake = s.unstake(&cluster, &stake);
            s.run(&unstake);
            report(s, &cluster, &stake, &instance, 2, b"silent")
        }),
        case("terms", "a stake that leaves is slashed", "ok", |s| {
            let (cluster, stake, instance) = reported(s, Some((0, 2, 9_000)));
            let unstake = s.unstake(&cluster, &stake);
            s.run(&unstake);
            report(s, &cluster, &stake, &instance, 0, b"two kubelets")
        }),
        case("terms", "two offences take no more than the terms' share", "ok", |s| {
            let (cluster, stake, instance) = reported(s, Some((0, 2, 9_000)));
            let first = report(s, &cluster, &stake, &instance, 0, b"two kubelets");
            s.run(&first);
            s.wait(1_000);
            report(s, &cluster, &stake, &instance, 0, b"two kubelets again")
        }),
        case("evidence", "a signature over something else reports nothing", "abort enclave 10", |s| {
            let (cluster, stake, instance) = reported(s, Some((0, 2, 1_250)));
            let other = Stake { id: cluster.cap, ..stake };
            let signature = evidence(s, &cluster, &other, &instance, 0, b"two kubelets");
            report_with(s, &cluster, &stake, &instance, 0, b"two kubelets", &signature).forged()
        }),
        case("evidence", "a forged statement is not reported here", "abort evidence 1", |s| {
            let (cluster, stake, instance) = reported(s, None);
            report(s, &cluster, &stake, &instance, 1, b"a statement")
        }),
        case("evidence", "a proof is not empty", "abort evidence 2", |s| {
            let (cluster, stake, instance) = reported(s, None);
            report(s, &cluster, &stake, &instance, 0, b"")
        }),
        case("evidence", "a proof has 8192 bytes at most", "abort evidence 2", |s| {
            let (cluster, stake, instance) = reported(s, None);
            report(s, &cluster, &stake, &instance, 0, &[7; 8_193])
        }),
        case("evidence", "a proof counts once", "abort evidence 3", |s| {
            let (cluster, stake, instance) = reported(s, None);
            let first = report(s, &cluster, &stake, &instance, 0, b"two kubelets");
            s.run(&first);
            s.wait(1);
            report(s, &cluster, &stake, &instance, 2, b"two kubelets")
        }),
        case("evidence", "only the active instance reports", "abort enclave 7", |s| {
            let (cluster, stake, _) = reported(s, None);
            let stranger = s.instance(&cluster, 41, 1);
            report(s, &cluster, &stake, &stranger, 0, b"two kubelets")
        }),
    ]
}

/// Stakes two SUI on terms that were read before the cluster changed.
fn late(s: &mut Stage, change: fn(&mut Stage, &Cluster)) -> Transaction {
    let cluster = s.cluster();
    let staking = s.stake_for_node(&cluster, ALICE, "node-1", 2 * SUI);
    change(s, &cluster);
    staking
}

fn top_up(s: &mut Stage, cluster: &Cluster, stake: &Stake, sender: sui_sdk_types::Address, mist: u64) -> Transaction {
    let payment = s.world.coin(sender, mist);
    Transaction::new(sender).call("staking", "top_up", [Ref(cluster.id), Mut(stake.id), Mut(payment)])
}

fn resume(cluster: &Cluster, stake: &Stake) -> Transaction {
    Transaction::new(OPERATOR).call("staking", "resume", [Ref(cluster.id), Ref(cluster.cap), Mut(stake.id)])
}

fn unbonding(s: &mut Stage) -> (Cluster, Stake) {
    let cluster = s.cluster();
    let stake = s.worker(&cluster, ALICE, "node-1");
    let unstake = s.unstake(&cluster, &stake);
    s.run(&unstake);
    (cluster, stake)
}

/// A cluster with an active instance, in which an offence has this consequence, and a stake.
fn reported(s: &mut Stage, offence: Option<(u8, u8, u64)>) -> (Cluster, Stake, Instance) {
    let cluster = s.cluster();
    if let Some((offence, action, share)) = offence {
        s.set(&cluster, "set_offence", [pure(&offence), pure(&action), pure(&share)]);
    }
    let instance = s.active_instance(&cluster);
    let stake = s.worker(&cluster, ALICE, "node-1");
    s.wait(1_000);
    (cluster, stake, instance)
}

fn report(s: &Stage, cluster: &Cluster, stake: &Stake, instance: &Instance, offence: u8, proof: &[u8]) -> Transaction {
    let signature = evidence(s, cluster, stake, instance, offence, proof);
    report_with(s, cluster, stake, instance, offence, proof, &signature)
}

fn evidence(s: &Stage, cluster: &Cluster, stake: &Stake, instance: &Instance, offence: u8, proof: &[u8]) -> Vec<u8> {
    let message = (cluster.id, instance.id(), s.world.now_ms(), stake.id, offence, sha256(proof));
    instance.sign("evidence", &message)
}

fn report_with(
    s: &Stage,
    cluster: &Cluster,
    stake: &Stake,
    instance: &Instance,
    offence: u8,
    proof: &[u8],
    signature: &[u8],
) -> Transaction {
    let sequence = s.world.now_ms();
    let (cluster, stake) = (Mut(cluster.id), Mut(stake.id));
    let said = [pure(&instance.id()), pure(&sequence), pure(&offence), pure(proof), pure(signature), Clock];
    Transaction::new(BOB).call("evidence", "report", [cluster, stake].into_iter().chain(said))
}
