use super::{
    Case, case,
    cluster::{auditors, consent},
};
use crate::stage::{BOB, Cluster, DAY, Stage, pcrs, release_id, session_key, sign};
use crate::transaction::{Transaction, Value, pure};
use Value::{Clock, Mut};

const M: &str = "measurements";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = publishing();
    cases.extend(approving());
    cases.extend(ending());
    cases
}

fn publishing() -> Vec<Case> {
    vec![
        case(M, "a release is published", "ok", |s| {
            let cluster = s.cluster();
            s.publish_release(&cluster, 1)
        }),
        case(M, "a release is published under rules", "ok", |s| {
            let cluster = s.cluster();
            s.set(&cluster, "set_release_delay", [pure(&DAY)]);
            s.set(&cluster, "set_auditors", auditors(&[1, 2], 1, &[], &[]));
            s.publish_release(&cluster, 1)
        }),
        case(M, "a release is published once", "abort measurements 8", |s| {
            let cluster = s.cluster();
            s.release(&cluster, 1);
            s.publish_release(&cluster, 1)
        }),
        case(M, "a PCR has 48 bytes", "abort measurements 1", |s| publish(s, |release| release.pcrs[2].push(1))),
        case(M, "a PCR of a debug enclave is refused", "abort measurements 2", |s| {
            publish(s, |release| release.pcrs[1] = vec![0; 48])
        }),
        case(M, "PCR8 is not zero", "abort measurements 2", |s| publish(s, |release| release.pcr8 = Some(vec![0; 48]))),
        case(M, "a release needs no PCR8", "ok", |s| publish(s, |release| release.pcr8 = None)),
        case(M, "there are eight worker PCRs at most", "abort measurements 3", |s| {
            publish(s, |release| {
                release.indexes = (0..9).collect();
                release.values = vec![vec![1; 32]; 9];
            })
        }),
        case(M, "each worker PCR has a value", "abort measurements 4", |s| {
            publish(s, |release| release.indexes = vec![4])
        }),
        case(M, "worker PCRs are sorted", "abort measurements 5", |s| {
            publish(s, |release| {
                release.indexes = vec![11, 4];
                release.values = vec![vec![1; 32]; 2];
            })
        }),
        case(M, "a TPM has 24 PCRs", "abort measurements 5", |s| {
            publish(s, |release| {
                release.indexes = vec![24];
                release.values = vec![vec![1; 32]];
            })
        }),
        case(M, "a worker PCR is of a known bank", "abort measurements 6", |s| {
            publish(s, |release| {
                release.indexes = vec![4];
                release.values = vec![vec![1; 20]];
            })
        }),
        case(M, "an artifact's hash has 32 bytes", "abort measurements 7", |s| {
            publish(s, |release| release.artifact.push(1))
        }),
        case(M, "a source revision is not empty", "abort labels 6", |s| publish(s, |release| release.revision.clear())),
        case(M, "another cluster's operator publishes nothing", "abort cluster 2", |s| {
            let (cluster, other) = (s.cluster(), s.cluster());
            s.publish_release(&Cluster { cap: other.cap, ..cluster }, 1)
        }),
    ]
}

fn approving() -> Vec<Case> {
    vec![
        case(M, "an auditor approves", "ok", |s| {
            let cluster = audited(s);
            approve(&cluster, 1, 2, 2)
        }),
        case(M, "an approval is that auditor's", "abort measurements 14", |s| {
            let cluster = audited(s);
            approve(&cluster, 1, 2, 3).forged()
        }),
        case(M, "a stranger approves nothing", "abort measurements 11", |s| {
            let cluster = audited(s);
            approve(&cluster, 1, 9, 9)
        }),
        case(M, "an auditor approves once", "abort measurements 12", |s| {
            let cluster = audited(s);
            s.run(&approve(&cluster, 1, 2, 2));
            approve(&cluster, 1, 2, 2)
        }),
        case(M, "a release has 32 approvals at most", "abort measurements 13", |s| {
            let cluster = s.cluster();
            let seeds: Vec<u8> = (1..=32).collect();
            s.set(&cluster, "set_auditors", auditors(&seeds, 1, &[], &[]));
            s.release(&cluster, 1);
            for auditor in seeds {
                s.run(&approve(&cluster, 1, auditor, auditor));
            }
            let signatures = consent(cluster.id, &[33], 1, &[1], &(1..=32).collect::<Vec<_>>(), 1);
            s.set(&cluster, "set_auditors", auditors(&[33], 1, &[1], &signatures));
            approve(&cluster, 1, 33, 33)
        }),
        case(M, "two auditors approve", "ok", |s| {
            let cluster = audited(s);
            s.run(&approve(&cluster, 1, 2, 2));
            approve(&cluster, 1, 1, 1)
        }),
        case(M, "an unknown release takes no approval", "abort measurements 9", |s| {
            let cluster = audited(s);
            approve(&cluster, 2, 2, 2)
        }),
        case(M, "a revoked release takes no approval", "abort measurements 10", |s| {
            let cluster = audited(s);
            let revoke = revoke(s, &cluster, 1, false);
            s.run(&revoke);
            approve(&cluster, 1, 2, 2)
        }),
    ]
}

fn ending() -> Vec<Case> {
    vec![
        case(M, "an active release retires", "ok", |s| {
            let cluster = released(s);
            retire(s, &cluster, 1, DAY)
        }),
        case(M, "a retiring release ends sooner", "ok", |s| {
            let cluster = retiring(s);
            retire(s, &cluster, 1, DAY / 2)
        }),
        case(M, "a retiring release does not end later", "abort measurements 17", |s| {
            let cluster = retiring(s);
            retire(s, &cluster, 1, DAY + 1)
        }),
        case(M, "a release without its approvals does not retire", "abort measurements 15", |s| {
            let cluster = audited(s);
            retire(s, &cluster, 1, DAY)
        }),
        case(M, "a release within its delay does not retire", "abort measurements 15", |s| {
            let cluster = s.cluster();
            s.set(&cluster, "set_release_delay", [pure(&DAY)]);
            s.release(&cluster, 1);
            s.wait(DAY - 1);
            retire(s, &cluster, 1, DAY)
        }),
        case(M, "a release retires within a year", "abort measurements 16", |s| {
            let cluster = released(s);
            retire(s, &cluster, 1, 366 * DAY + 1)
        }),
        case(M, "an unknown release does not retire", "abort measurements 9", |s| {
            let cluster = released(s);
            retire(s, &cluster, 3, DAY)
        }),
        case(M, "a release is revoked", "ok", |s| {
            let cluster = released(s);
            revoke(s, &cluster, 1, false)
        }),
        case(M, "a revoked release turns out compromised", "ok", |s| {
            let cluster = released(s);
            let first = revoke(s, &cluster, 1, false);
            s.run(&first);
            revoke(s, &cluster, 1, true)
        }),
        case(M, "a release is revoked once", "abort measurements 18", |s| {
            let cluster = released(s);
            let first = revoke(s, &cluster, 1, true);
            s.run(&first);
            revoke(s, &cluster, 1, false)
        }),
        case(M, "a compromised release drops its active instance", "ok", |s| {
            let cluster = s.cluster();
            s.active_instance(&cluster);
            revoke(s, &cluster, 1, true)
        }),
        case(M, "another compromised release drops no instance", "ok", |s| {
            let cluster = s.cluster();
            s.active_instance(&cluster);
            s.release(&cluster, 2);
            revoke(s, &cluster, 2, true)
        }),
    ]
}

/// What `publish` takes.
struct Release {
    pcrs: [Vec<u8>; 3],
    pcr8: Option<Vec<u8>>,
    indexes: Vec<u8>,
    values: Vec<Vec<u8>>,
    artifact: Vec<u8>,
    revision: String,
}

fn publish(s: &mut Stage, change: fn(&mut Release)) -> Transaction {
    let cluster = s.cluster();
    let mut release = Release {
        pcrs: pcrs(1),
        pcr8: Some(vec![9; 48]),
        indexes: Vec::new(),
        values: Vec::new(),
        artifact: vec![3; 32],
        revision: "v1".to_owned(),
    };
    change(&mut release);
    let Release { pcrs: [pcr0, pcr1, pcr2], pcr8, indexes, values, artifact, revision } = release;
    let hashes = [pure(&pcr0), pure(&pcr1), pure(&pcr2), pure(&pcr8), pure(&indexes), pure(&values)];
    let rest = [pure(&artifact), pure(&revision), Clock];
    s.admin(&cluster, M, "publish", hashes.into_iter().chain(rest))
}

fn released(s: &mut Stage) -> Cluster {
    let cluster = s.cluster();
    s.release(&cluster, 1);
    cluster
}

/// A cluster with auditors 1, 2 and 3, of whom two approve, and a release.
fn audited(s: &mut Stage) -> Cluster {
    let cluster = s.cluster();
    s.set(&cluster, "set_auditors", auditors(&[1, 2, 3], 2, &[], &[]));
    s.release(&cluster, 1);
    cluster
}

fn retiring(s: &mut Stage) -> Cluster {
    let cluster = released(s);
    let retire = retire(s, &cluster, 1, DAY);
    s.run(&retire);
    cluster
}

/// The approval of a release as [`Stage::publish_release`] publishes it, signed by another auditor perhaps.
fn approve(cluster: &Cluster, release: u8, auditor: u8, signer: u8) -> Transaction {
    let worker_pcrs = vec![(4u8, vec![7u8; 32]), (11, vec![8; 48])];
    let image = (cluster.id, release_id(release), Some(vec![9u8; 48]));
    let statement = (image.0, image.1, image.2, worker_pcrs, vec![3u8; 32], "v1.0.0-3-gabcdef");
    let signature = sign(&session_key(signer), "release", &statement);
    let auditor = session_key(auditor).verifying_key().to_bytes().to_vec();
    let said = [pure(&release_id(release)), pure(&auditor), pure(&signature)];
    Transaction::new(BOB).call(M, "approve", [Mut(cluster.id)].into_iter().chain(said))
}

fn retire(s: &Stage, cluster: &Cluster, release: u8, in_ms: u64) -> Transaction {
    let until = s.world.now_ms() + in_ms;
    s.admin(cluster, M, "retire", [pure(&release_id(release)), pure(&until), Clock])
}

fn revoke(s: &Stage, cluster: &Cluster, release: u8, compromised: bool) -> Transaction {
    s.admin(cluster, M, "revoke", [pure(&release_id(release)), pure(&compromised)])
}
