use super::{Case, case};
use crate::stage::{ALICE, Cluster, DAY, Stage, Stake, created, release_id};
use crate::transaction::pure;

const M: &str = "arithmetic";
/// 99.99 % of all that a `u64` counts, rounded down.
const SHARE: u64 = 18_444_899_399_302_180_659;

/// The module has no aborts of its own: what would overflow ends at a bound, or fails in the interpreter.
pub(super) fn cases() -> Vec<Case> {
    vec![
        case(M, "a release time after the end of time is the end of time", "ok", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            s.world.set_time(u64::MAX - 7 * DAY + 1);
            s.unstake(&cluster, &stake)
        }),
        case(M, "a release time at the end of time is reached", "ok", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            s.world.set_time(u64::MAX - 7 * DAY);
            s.unstake(&cluster, &stake)
        }),
        case(M, "a share of the largest stake is exact", "ok", |s| {
            let (cluster, stake) = largest(s);
            s.slash(&cluster, &stake, SHARE)
        }),
        case(M, "a share of the largest stake is not more", "abort staking 13", |s| {
            let (cluster, stake) = largest(s);
            s.slash(&cluster, &stake, SHARE + 1)
        }),
        case(M, "a counter does not go below zero", "primitive cluster", |s| {
            let cluster = s.cluster();
            let stake = s.worker(&cluster, ALICE, "node-1");
            s.world.overwrite(cluster.id, |contents| {
                let workers = contents.len() - 8;
                contents[workers] = 0;
            });
            s.unstake(&cluster, &stake)
        }),
        case(M, "a generation does not go above the end", "primitive cluster", |s| {
            let cluster = s.cluster();
            s.release(&cluster, 1);
            // Before it: active (none), anchor (none) and the number of workers.
            s.world.overwrite(cluster.id, |contents| {
                let generation = contents.len() - 8 - 1 - 1 - 8;
                contents[generation..generation + 8].fill(255);
            });
            s.admin(&cluster, "measurements", "revoke", [pure(&release_id(1)), pure(&true)])
        }),
    ]
}

/// A stake of all that a `u64` counts, of which slashes may take 99.99 %.
fn largest(s: &mut Stage) -> (Cluster, Stake) {
    let cluster = s.cluster();
    s.set(&cluster, "set_slash_share", [pure(&9_999u64)]);
    let staking = s.stake_for_node(&cluster, ALICE, "node-1", u64::MAX);
    let stake = Stake { id: created(&s.run(&staking), "Stake"), owner: ALICE };
    (cluster, stake)
}
