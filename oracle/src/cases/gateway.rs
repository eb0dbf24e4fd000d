use super::{Case, case};
use crate::stage::{ALICE, BOB, Cluster, DAY, OPERATOR, Stage, Stake, session_key, sha256, sign};
use crate::transaction::{Transaction, Value, pure};
use Value::{Clock, Mut, Ref};
use sui_sdk_types::Address;

const M: &str = "k8s_gateway";
const WORKER: &str = "create_worker_seal_token";
const ACCESS: &str = "create_access_seal_token";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = creating();
    cases.extend(living());
    cases.extend(forging());
    cases
}

fn creating() -> Vec<Case> {
    vec![
        case(M, "a worker gets a Seal token", "ok", |s| {
            let (cluster, stake) = staked(s);
            s.create_token(&cluster, &stake, WORKER, DAY)
        }),
        case(M, "a reader gets a Seal token", "ok", |s| {
            let cluster = s.cluster();
            let stake = s.reader(&cluster, ALICE, "laptop");
            s.create_token(&cluster, &stake, ACCESS, 366 * DAY)
        }),
        case(M, "a worker gets no access token", "abort k8s_gateway 1", |s| {
            let (cluster, stake) = staked(s);
            s.create_token(&cluster, &stake, ACCESS, DAY)
        }),
        case(M, "a reader gets no worker token", "abort k8s_gateway 1", |s| {
            let cluster = s.cluster();
            let stake = s.reader(&cluster, ALICE, "laptop");
            s.create_token(&cluster, &stake, WORKER, DAY)
        }),
        case(M, "a reader whose grant is gone gets no token", "abort k8s_gateway 2", |s| {
            let cluster = s.cluster();
            let stake = s.reader(&cluster, ALICE, "laptop");
            s.set(&cluster, "ungrant", [pure(&ALICE), pure(&0u8)]);
            s.create_token(&cluster, &stake, ACCESS, DAY)
        }),
        case(M, "a stake has one live token", "abort k8s_gateway 3", |s| {
            let (cluster, stake, _) = tokened(s);
            s.create_token(&cluster, &stake, WORKER, DAY)
        }),
        case(M, "an expired token makes way for another", "ok", |s| {
            let (cluster, stake, _) = tokened(s);
            s.wait(DAY);
            s.create_token(&cluster, &stake, WORKER, DAY)
        }),
        case(M, "a token lives for some time", "abort k8s_gateway 4", |s| {
            let (cluster, stake) = staked(s);
            s.create_token(&cluster, &stake, WORKER, 0)
        }),
        case(M, "a token lives for 366 days at most", "abort k8s_gateway 4", |s| {
            let (cluster, stake) = staked(s);
            s.create_token(&cluster, &stake, WORKER, 366 * DAY + 1)
        }),
        case(M, "only the owner gets a token", "abort staking 2", |s| {
            let (cluster, stake) = staked(s);
            s.create_token(&cluster, &Stake { owner: BOB, ..stake }, WORKER, DAY)
        }),
        case(M, "a stake that leaves gets no token", "abort staking 8", |s| {
            let (cluster, stake) = staked(s);
            let unstake = s.unstake(&cluster, &stake);
            s.run(&unstake);
            s.create_token(&cluster, &stake, WORKER, DAY)
        }),
        case(M, "a suspended stake gets no token", "abort staking 16", |s| {
            let (cluster, stake) = staked(s);
            let suspend = s.suspend(&cluster, &stake);
            s.run(&suspend);
            s.create_token(&cluster, &stake, WORKER, DAY)
        }),
        case(M, "another cluster gives no token", "abort staking 1", |s| {
            let (_, stake) = staked(s);
            let other = s.cluster();
            s.create_token(&other, &stake, WORKER, DAY)
        }),
        case(M, "a session key has 32 bytes", "abort signatures 1", |s| {
            let (cluster, stake) = staked(s);
            let arguments = [Ref(cluster.id), Mut(stake.id), pure(&vec![1u8; 33]), pure(&DAY), Clock];
            Transaction::new(ALICE).call(M, WORKER, arguments)
        }),
        case(M, "a session key is not of small order", "abort signatures 2", |s| {
            let (cluster, stake) = staked(s);
            let arguments = [Ref(cluster.id), Mut(stake.id), pure(&vec![0u8; 32]), pure(&DAY), Clock];
            Transaction::new(ALICE).call(M, WORKER, arguments)
        }),
    ]
}

fn living() -> Vec<Case> {
    vec![
        case(M, "a session key is rotated", "ok", |s| {
            let (cluster, stake, token) = tokened(s);
            rotate(&cluster, &stake, token, ALICE, 2)
        }),
        case(M, "a rotated key is another key", "abort k8s_gateway 8", |s| {
            let (cluster, stake, token) = tokened(s);
            rotate(&cluster, &stake, token, ALICE, 1)
        }),
        case(M, "a former key does not come back", "abort k8s_gateway 8", |s| {
            let (cluster, stake, token) = tokened(s);
            s.run(&rotate(&cluster, &stake, token, ALICE, 2));
            rotate(&cluster, &stake, token, ALICE, 1)
        }),
        case(M, "a token keeps 32 former keys", "ok", |s| rotated_often(s, 31)),
        case(M, "a token forgets no key", "abort k8s_gateway 14", |s| rotated_often(s, 32)),
        case(M, "only the owner rotates", "abort staking 2", |s| {
            let (cluster, stake, token) = tokened(s);
            rotate(&cluster, &stake, token, BOB, 2)
        }),
        case(M, "an expired token is not rotated", "abort k8s_gateway 7", |s| {
            let (cluster, stake, token) = tokened(s);
            s.wait(DAY);
            rotate(&cluster, &stake, token, ALICE, 2)
        }),
        case(M, "a token goes with its own stake", "abort k8s_gateway 5", |s| {
            let (cluster, _, token) = tokened(s);
            let other = s.worker(&cluster, ALICE, "node-2");
            rotate(&cluster, &other, token, ALICE, 2)
        }),
        case(M, "a token is extended", "ok", |s| {
            let (cluster, stake, token) = tokened(s);
            s.wait(DAY / 2);
            extend(&cluster, &stake, token, 3 * DAY)
        }),
        case(M, "a token never expires earlier", "abort k8s_gateway 9", |s| {
            let (cluster, stake, token) = tokened(s);
            extend(&cluster, &stake, token, DAY - 1)
        }),
        case(M, "an expired token is not extended", "abort k8s_gateway 7", |s| {
            let (cluster, stake, token) = tokened(s);
            s.wait(DAY + 1);
            extend(&cluster, &stake, token, DAY)
        }),
        case(M, "a slashed stake's token is not extended", "abort staking 8", |s| {
            let (cluster, stake, token) = tokened(s);
            let slash = s.slash(&cluster, &stake, 1);
            s.run(&slash);
            extend(&cluster, &stake, token, DAY)
        }),
        case(M, "the owner revokes", "ok", |s| {
            let (cluster, stake, token) = tokened(s);
            revoke(&cluster, &stake, token, ALICE)
        }),
        case(M, "a token is revoked once", "abort k8s_gateway 6", |s| {
            let (cluster, stake, token) = tokened(s);
            s.run(&revoke(&cluster, &stake, token, ALICE));
            revoke(&cluster, &stake, token, ALICE)
        }),
        case(M, "a revoked token makes way for another", "ok", |s| {
            let (cluster, stake, token) = tokened(s);
            s.run(&revoke(&cluster, &stake, token, ALICE));
            s.create_token(&cluster, &stake, WORKER, DAY)
        }),
        case(M, "a revoked token is not extended", "abort k8s_gateway 6", |s| {
            let (cluster, stake, token) = tokened(s);
            s.run(&revoke(&cluster, &stake, token, ALICE));
            extend(&cluster, &stake, token, DAY)
        }),
        case(M, "an old token that is revoked leaves the new one alone", "ok", |s| {
            let (cluster, stake, old) = tokened(s);
            s.wait(DAY);
            s.token(&cluster, &stake);
            revoke(&cluster, &stake, old, ALICE)
        }),
        case(M, "the operator revokes", "ok", |s| {
            let (cluster, stake, token) = tokened(s);
            let arguments = [Ref(cluster.id), Ref(cluster.cap), Mut(stake.id), Mut(token)];
            Transaction::new(OPERATOR).call(M, "revoke_by_admin", arguments)
        }),
        case(M, "another operator revokes nothing", "abort cluster 2", |s| {
            let (cluster, stake, token) = tokened(s);
            let other = s.cluster();
            let arguments = [Ref(cluster.id), Ref(other.cap), Mut(stake.id), Mut(token)];
            Transaction::new(OPERATOR).call(M, "revoke_by_admin", arguments)
        }),
    ]
}

fn forging() -> Vec<Case> {
    vec![
        case(M, "a statement of another name is reported", "ok", |s| forged(s, |statement| statement.3.push('x'))),
        case(M, "a statement of another stake is reported", "ok", |s| forged(s, |statement| statement.2 = ALICE)),
        case(M, "a true statement contradicts nothing", "abort k8s_gateway 13", |s| forged(s, |_| ())),
        case(M, "a statement of another token says nothing", "abort k8s_gateway 11", |s| {
            forged(s, |statement| statement.1 = ALICE)
        }),
        case(M, "a statement of another cluster says nothing", "abort k8s_gateway 11", |s| {
            forged(s, |statement| statement.0 = ALICE)
        }),
        case(M, "a statement that others signed says nothing", "abort k8s_gateway 12", |s| {
            report(s, |statement| statement.3.push('x'), 2, 1, Since::Nothing).forged()
        }),
        case(M, "who rotates answers for what the former key signed", "ok", |s| {
            report(s, |statement| statement.3.push('x'), 1, 1, Since::Rotation)
        }),
        case(M, "who rotates answers for what the present key signed", "ok", |s| {
            report(s, |statement| statement.3.push('x'), 2, 2, Since::Rotation)
        }),
        case(M, "a former key does not sign in the present one's name", "abort k8s_gateway 12", |s| {
            report(s, |statement| statement.3.push('x'), 1, 2, Since::Rotation).forged()
        }),
        case(M, "who revokes answers for what was signed", "ok", |s| {
            report(s, |statement| statement.3.push('x'), 1, 1, Since::Revocation)
        }),
        case(M, "generations begin with one", "abort k8s_gateway 15", |s| {
            report(s, |statement| statement.3.push('x'), 1, 0, Since::Rotation)
        }),
        case(M, "a generation to come has no key", "abort k8s_gateway 15", |s| {
            report(s, |statement| statement.3.push('x'), 1, 3, Since::Rotation)
        }),
        case(M, "a statement has its form", "abort k8s_gateway 10", |s| {
            forged(s, |statement| statement.3 = "n".repeat(200))
        }),
    ]
}

type Statement = (Address, Address, Address, String, u64);

/// The report of a statement that was changed before it was signed.
fn forged(s: &mut Stage, change: fn(&mut Statement)) -> Transaction {
    report(s, change, 1, 1, Since::Nothing)
}

/// What the accused did after signing.
#[derive(Clone, Copy)]
enum Since {
    Nothing,
    Rotation,
    Revocation,
}

fn report(s: &mut Stage, change: fn(&mut Statement), signer: u8, key_generation: u64, since: Since) -> Transaction {
    let cluster = s.cluster();
    s.set(&cluster, "set_offence", [pure(&1u8), pure(&2u8), pure(&10_000u64)]);
    let instance = s.active_instance(&cluster);
    let stake = s.worker(&cluster, ALICE, "node-1");
    let token = s.token(&cluster, &stake);
    match since {
        Since::Nothing => {}
        Since::Rotation => {
            s.run(&rotate(&cluster, &stake, token, ALICE, 2));
        }
        Since::Revocation => {
            s.run(&revoke(&cluster, &stake, token, ALICE));
        }
    }
    s.wait(1_000);
    let sequence = s.world.now_ms();
    let mut statement = (cluster.id, token, stake.id, name_of(&stake), sequence);
    change(&mut statement);
    let bytes = bcs::to_bytes(&statement).expect("statements have a BCS form");
    let evidence = (cluster.id, instance.id(), sequence, stake.id, 1u8, sha256(&bytes));
    let said = [
        pure(&instance.id()),
        pure(&sequence),
        pure(&key_generation),
        pure(&bytes),
        pure(&sign(&session_key(signer), "statement", &statement)),
        pure(&instance.sign("evidence", &evidence)),
        Clock,
    ];
    Transaction::new(BOB).call(
        M,
        "report_forged_statement",
        [Mut(cluster.id), Mut(stake.id), Ref(token)].into_iter().chain(said),
    )
}

/// Node id, dash, and the first eight digits of the stake's id.
fn name_of(stake: &Stake) -> String {
    format!("node-1-{}", hex::encode(&stake.id.as_bytes()[..4]))
}

fn staked(s: &mut Stage) -> (Cluster, Stake) {
    let cluster = s.cluster();
    let stake = s.worker(&cluster, ALICE, "node-1");
    (cluster, stake)
}

fn tokened(s: &mut Stage) -> (Cluster, Stake, Address) {
    let (cluster, stake) = staked(s);
    let token = s.token(&cluster, &stake);
    (cluster, stake, token)
}

fn rotate(cluster: &Cluster, stake: &Stake, token: Address, sender: Address, seed: u8) -> Transaction {
    let key = session_key(seed).verifying_key().to_bytes().to_vec();
    let arguments = [Ref(cluster.id), Ref(stake.id), Mut(token), pure(&key), Clock];
    Transaction::new(sender).call(M, "rotate_session_key", arguments)
}

/// One rotation more, after this many.
fn rotated_often(s: &mut Stage, times: u8) -> Transaction {
    let (cluster, stake, token) = tokened(s);
    for seed in 0..times {
        s.run(&rotate(&cluster, &stake, token, ALICE, 2 + seed));
    }
    rotate(&cluster, &stake, token, ALICE, 2 + times)
}

fn extend(cluster: &Cluster, stake: &Stake, token: Address, lifetime_ms: u64) -> Transaction {
    let arguments = [Ref(cluster.id), Mut(stake.id), Mut(token), pure(&lifetime_ms), Clock];
    Transaction::new(stake.owner).call(M, "extend", arguments)
}

fn revoke(cluster: &Cluster, stake: &Stake, token: Address, sender: Address) -> Transaction {
    Transaction::new(sender).call(M, "revoke", [Ref(cluster.id), Mut(stake.id), Mut(token)])
}
