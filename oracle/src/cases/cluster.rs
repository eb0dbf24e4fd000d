use super::{Case, case};
use crate::stage::{ALICE, HOUR, OPERATOR, session_key, sha256, sign};
use crate::transaction::{Transaction, Value, pure};
use Value::{Clock, Mut, Ref};

const M: &str = "cluster";

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(M, "a cluster is made, shared and its cap handed out", "ok", |s| s.new_cluster("fleet")),
        case(M, "a cluster needs a name", "abort labels 6", |s| s.new_cluster("")),
        case(M, "a cluster's name has 64 bytes at most", "abort labels 6", |s| s.new_cluster(&"n".repeat(65))),
        case(M, "a cluster's name may be Korean", "ok", |s| s.new_cluster("함대")),
        case(M, "the cap of another cluster opens nothing", "abort cluster 2", |s| {
            let (mine, other) = (s.cluster(), s.cluster());
            let arguments = [Mut(mine.id), Ref(other.cap), pure(&HOUR)];
            Transaction::new(OPERATOR).call("cluster", "set_unbonding", arguments)
        }),
        case(M, "a reader is granted", "ok", |s| {
            let cluster = s.cluster();
            s.admin(&cluster, "cluster", "grant", [pure(&ALICE), pure(&0u8), Clock])
        }),
        case(M, "a grant is given once", "abort cluster 5", |s| {
            let cluster = s.cluster();
            s.set(&cluster, "grant", [pure(&ALICE), pure(&2u8), Clock]);
            s.admin(&cluster, "cluster", "grant", [pure(&ALICE), pure(&2u8), Clock])
        }),
        case(M, "workers need no grant", "abort cluster 4", |s| {
            let cluster = s.cluster();
            s.admin(&cluster, "cluster", "grant", [pure(&ALICE), pure(&1u8), Clock])
        }),
        case(M, "a grant is taken back", "ok", |s| {
            let cluster = s.cluster();
            s.set(&cluster, "grant", [pure(&ALICE), pure(&0u8), Clock]);
            s.set(&cluster, "grant", [pure(&ALICE), pure(&2u8), Clock]);
            s.admin(&cluster, "cluster", "ungrant", [pure(&ALICE), pure(&0u8)])
        }),
        case(M, "what was not granted is not taken back", "abort cluster 6", |s| {
            let cluster = s.cluster();
            s.admin(&cluster, "cluster", "ungrant", [pure(&ALICE), pure(&0u8)])
        }),
        case(M, "a cluster of this version has nothing to migrate", "abort cluster 3", |s| {
            let cluster = s.cluster();
            s.admin(&cluster, "cluster", "migrate", [])
        }),
        case(M, "a cluster of an older version migrates", "ok", |s| {
            let cluster = s.cluster();
            s.world.overwrite(cluster.id, |contents| contents[32] = 0);
            s.admin(&cluster, "cluster", "migrate", [])
        }),
        case(M, "a cluster of another version takes no settings", "abort cluster 1", |s| {
            let cluster = s.cluster();
            s.world.overwrite(cluster.id, |contents| contents[32] = 2);
            s.admin(&cluster, "cluster", "set_max_workers", [pure(&5u64)])
        }),
        case(M, "the first auditors are set by the operator alone", "ok", |s| {
            let cluster = s.cluster();
            s.admin(&cluster, "cluster", "set_auditors", auditors(&[1, 2, 3], 2, &[], &[]))
        }),
        case("consent", "present auditors consent to their change", "ok", |s| {
            let cluster = s.cluster();
            s.set(&cluster, "set_auditors", auditors(&[1, 2, 3], 2, &[], &[]));
            let signatures = consent(cluster.id, &[4, 5], 1, &[1, 3], &[1, 2, 3], 2);
            s.admin(&cluster, "cluster", "set_auditors", auditors(&[4, 5], 1, &[1, 3], &signatures))
        }),
        case("consent", "too few auditors consent", "abort consent 4", |s| {
            let cluster = s.cluster();
            s.set(&cluster, "set_auditors", auditors(&[1, 2, 3], 2, &[], &[]));
            let signatures = consent(cluster.id, &[4], 1, &[1], &[1, 2, 3], 2);
            s.admin(&cluster, "cluster", "set_auditors", auditors(&[4], 1, &[1], &signatures))
        }),
        case("consent", "one auditor does not count twice", "abort consent 2", |s| {
            let cluster = s.cluster();
            s.set(&cluster, "set_auditors", auditors(&[1, 2, 3], 2, &[], &[]));
            let signatures = consent(cluster.id, &[4], 1, &[1, 1], &[1, 2, 3], 2);
            s.admin(&cluster, "cluster", "set_auditors", auditors(&[4], 1, &[1, 1], &signatures))
        }),
        case("consent", "a stranger is no auditor", "abort consent 2", |s| {
            let cluster = s.cluster();
            s.set(&cluster, "set_auditors", auditors(&[1, 2, 3], 2, &[], &[]));
            let signatures = consent(cluster.id, &[4], 1, &[1, 9], &[1, 2, 3], 2);
            s.admin(&cluster, "cluster", "set_auditors", auditors(&[4], 1, &[1, 9], &signatures))
        }),
        case("consent", "each signer gives one signature", "abort consent 1", |s| {
            let cluster = s.cluster();
            s.set(&cluster, "set_auditors", auditors(&[1, 2, 3], 2, &[], &[]));
            let signatures = consent(cluster.id, &[4], 1, &[1], &[1, 2, 3], 2);
            s.admin(&cluster, "cluster", "set_auditors", auditors(&[4], 1, &[1, 2], &signatures))
        }),
        case("consent", "auditors sign exactly this change", "abort consent 3", |s| {
            let cluster = s.cluster();
            s.set(&cluster, "set_auditors", auditors(&[1, 2, 3], 2, &[], &[]));
            let signatures = consent(cluster.id, &[4], 1, &[1, 2], &[1, 2], 2);
            s.admin(&cluster, "cluster", "set_auditors", auditors(&[4], 1, &[1, 2], &signatures)).forged()
        }),
    ]
}

/// Arguments of `set_auditors` after the cap.
pub(super) fn auditors(new: &[u8], threshold: u64, signers: &[u8], signatures: &[Vec<u8>]) -> [Value; 4] {
    [pure(&keys(new)), pure(&threshold), pure(&keys(signers)), pure(signatures)]
}

fn keys(seeds: &[u8]) -> Vec<Vec<u8>> {
    seeds.iter().map(|seed| session_key(*seed).verifying_key().to_bytes().to_vec()).collect()
}

/// Signatures over a change of the auditors, under rules with no delay.
pub(super) fn consent(
    cluster: sui_sdk_types::Address,
    new: &[u8],
    threshold: u64,
    signers: &[u8],
    present: &[u8],
    present_threshold: u64,
) -> Vec<Vec<u8>> {
    let rules = bcs::to_bytes(&(0u64, keys(present), present_threshold)).expect("rules have a BCS form");
    let statement = (cluster, keys(new), threshold, sha256(&rules));
    signers.iter().map(|seed| sign(&session_key(*seed), "auditors", &statement)).collect()
}
