use super::{Case, case};
use crate::stage::{BOB, Cluster, DAY, Document, HOUR, Instance, Stage, release_id, session_key};
use crate::transaction::{Transaction, Value, pure};
use Value::{Clock, Mut, Ref};

const M: &str = "enclave";
const A: &str = "attested";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = registering();
    cases.extend(reading());
    cases.extend(living());
    cases.extend(signing());
    cases
}

fn registering() -> Vec<Case> {
    vec![
        case(M, "an instance is registered", "ok", |s| register(s, |_, _| ())),
        case(M, "a document is registered once", "ok", |s| {
            let cluster = released(s);
            let instance = s.instance(&cluster, 40, 1);
            s.wait(1_000);
            let document = s.document(&cluster, &instance);
            s.register(&cluster, &document)
        }),
        case(M, "an expired instance is registered again", "ok", |s| {
            let cluster = released(s);
            let instance = s.instance(&cluster, 40, 1);
            s.wait(4 * HOUR);
            let document = s.document(&cluster, &instance);
            s.register(&cluster, &document)
        }),
        case(M, "a document is fresh", "abort enclave 1", |s| register(s, |_, document| document.timestamp -= 300_001)),
        case(M, "a document is not from the future", "abort enclave 2", |s| {
            register(s, |_, document| document.timestamp += 1)
        }),
        case(M, "a pinned configuration is run", "abort enclave 3", |s| {
            let cluster = released(s);
            s.set(&cluster, "set_config_pin", [pure(&Some(vec![1u8; 32]))]);
            let document = s.document(&cluster, &new_instance());
            s.register(&cluster, &document)
        }),
        case(M, "a signed image has its PCR8", "abort enclave 4", |s| {
            register(s, |_, document| drop(document.pcrs.pop()))
        }),
        case(M, "an unknown image is not registered", "abort measurements 9", |s| {
            register(s, |_, document| document.pcrs[1].1[5] ^= 1)
        }),
        case(M, "a revoked image is not registered", "abort measurements 19", |s| {
            let cluster = released(s);
            let revoke = s.admin(&cluster, "measurements", "revoke", [pure(&release_id(1)), pure(&false)]);
            s.run(&revoke);
            let document = s.document(&cluster, &new_instance());
            s.register(&cluster, &document)
        }),
    ]
}

fn reading() -> Vec<Case> {
    vec![
        case(A, "a document has the instance's key", "abort attested 1", |s| {
            register(s, |_, document| document.public_key = None)
        }),
        case(A, "a document has the claims", "abort attested 2", |s| {
            register(s, |_, document| document.user_data = None)
        }),
        case(A, "the claims have their length", "abort attested 3", |s| register(s, |claims, _| claims.push(0))),
        case(A, "the claims have their version", "abort attested 4", |s| register(s, |claims, _| claims[0] = 2)),
        case(A, "the claims name this cluster", "abort attested 5", |s| register(s, |claims, _| claims[1] ^= 1)),
        case(A, "a PCR is there", "abort attested 6", |s| register(s, |_, document| drop(document.pcrs.remove(2)))),
        case(A, "a PCR is there once", "abort attested 6", |s| {
            register(s, |_, document| document.pcrs.push(document.pcrs[0].clone()))
        }),
        case(A, "PCRs are found wherever they stand", "ok", |s| register(s, |_, document| document.pcrs.reverse())),
        case(A, "a debug enclave is refused", "abort measurements 2", |s| {
            register(s, |_, document| document.pcrs[0].1 = vec![0; 48])
        }),
        case(A, "the key is not of small order", "abort signatures 2", |s| {
            register(s, |_, document| document.public_key = Some(vec![0; 32]))
        }),
    ]
}

fn living() -> Vec<Case> {
    vec![
        case(M, "a registered instance verifies", "ok", |s| {
            let (cluster, instance) = registered(s);
            check(&cluster, &instance, "verify")
        }),
        case(M, "an unknown instance does not verify", "abort enclave 5", |s| {
            let cluster = released(s);
            check(&cluster, &new_instance(), "verify")
        }),
        case(M, "an expired instance does not verify", "abort enclave 6", |s| {
            let (cluster, instance) = registered(s);
            s.wait(3 * HOUR + 1);
            check(&cluster, &instance, "verify")
        }),
        case(M, "an instance of a retired release does not verify", "abort measurements 19", |s| {
            let (cluster, instance) = registered(s);
            let until = s.world.now_ms() + 5_000;
            let retire = s.admin(&cluster, "measurements", "retire", [pure(&release_id(1)), pure(&until), Clock]);
            s.run(&retire);
            s.wait(5_001);
            check(&cluster, &instance, "verify")
        }),
        case(M, "the active instance verifies as such", "ok", |s| {
            let cluster = s.cluster();
            let instance = s.active_instance(&cluster);
            check(&cluster, &instance, "verify_active")
        }),
        case(M, "another instance does not verify as active", "abort enclave 7", |s| {
            let cluster = s.cluster();
            s.active_instance(&cluster);
            let other = s.instance(&cluster, 41, 1);
            check(&cluster, &other, "verify_active")
        }),
        case(M, "the operator activates an instance", "ok", |s| {
            let (cluster, instance) = registered(s);
            s.admin(&cluster, M, "activate", [pure(&instance.id()), Clock])
        }),
        case(M, "the active instance is not activated again", "abort enclave 8", |s| {
            let cluster = s.cluster();
            let instance = s.active_instance(&cluster);
            s.admin(&cluster, M, "activate", [pure(&instance.id()), Clock])
        }),
        case(M, "an expired registration is forgotten", "ok", |s| {
            let (cluster, instance) = registered(s);
            s.wait(DAY);
            forget(&cluster, &instance)
        }),
        case(M, "a live registration is not forgotten", "abort enclave 19", |s| {
            let (cluster, instance) = registered(s);
            s.wait(3 * HOUR);
            forget(&cluster, &instance)
        }),
        case(M, "the active registration is not forgotten", "abort enclave 20", |s| {
            let cluster = s.cluster();
            let instance = s.active_instance(&cluster);
            s.wait(DAY);
            forget(&cluster, &instance)
        }),
    ]
}

fn signing() -> Vec<Case> {
    vec![
        case(M, "a registration is renewed", "ok", |s| {
            let (cluster, instance) = registered(s);
            s.wait(HOUR);
            renew(s, &cluster, &instance, |_| ())
        }),
        case(M, "a renewal needs a newer document", "abort enclave 12", |s| {
            let (cluster, instance) = registered(s);
            renew(s, &cluster, &instance, |_| ())
        }),
        case(M, "an instance keeps its image", "abort enclave 13", |s| {
            let (cluster, instance) = registered(s);
            s.release(&cluster, 2);
            s.wait(HOUR);
            renew(s, &cluster, &Instance { release: 2, ..instance }, |_| ())
        }),
        case(M, "the active instance keeps its server CA", "abort enclave 14", |s| {
            let cluster = s.cluster();
            let instance = s.active_instance(&cluster);
            s.wait(HOUR);
            renew(s, &cluster, &instance, |claims| claims[70] ^= 1)
        }),
        case(M, "a renewal is signed", "abort enclave 10", |s| {
            let (cluster, instance) = registered(s);
            s.wait(HOUR);
            let stranger = Instance { key: session_key(77), release: 1 };
            renew_signed_by(s, &cluster, &instance, &stranger, |_| ()).forged()
        }),
        case(M, "state is anchored", "ok", |s| {
            let cluster = s.cluster();
            let instance = s.active_instance(&cluster);
            anchor(s, &cluster, &instance, 1, 5, 32)
        }),
        case(M, "an anchor does not go back", "abort enclave 18", |s| {
            let cluster = s.cluster();
            let instance = s.active_instance(&cluster);
            let first = anchor(s, &cluster, &instance, 1, 5, 32);
            s.run(&first);
            anchor(s, &cluster, &instance, 2, 5, 32)
        }),
        case(M, "a sequence is used once", "abort enclave 9", |s| {
            let cluster = s.cluster();
            let instance = s.active_instance(&cluster);
            let first = anchor(s, &cluster, &instance, 1, 5, 32);
            s.run(&first);
            anchor(s, &cluster, &instance, 1, 6, 32)
        }),
        case(M, "an anchor's hash has 32 bytes", "abort enclave 17", |s| {
            let cluster = s.cluster();
            let instance = s.active_instance(&cluster);
            anchor(s, &cluster, &instance, 1, 5, 31)
        }),
        case(M, "a successor is named", "ok", |s| {
            let cluster = s.cluster();
            let instance = s.active_instance(&cluster);
            name_successor(s, &cluster, &instance, 1)
        }),
        case(M, "the active instance hands over", "ok", |s| {
            let cluster = s.cluster();
            let instance = s.active_instance(&cluster);
            let next = s.instance(&cluster, 41, 1);
            hand_over(s, &cluster, &instance, &instance, &next)
        }),
        case(M, "the named successor key hands over after an outage", "ok", |s| {
            let cluster = s.cluster();
            let instance = s.active_instance(&cluster);
            let name = name_successor(s, &cluster, &instance, 1);
            s.run(&name);
            s.wait(5 * HOUR);
            let next = s.instance(&cluster, 42, 1);
            hand_over(s, &cluster, &instance, &Instance { key: session_key(60), release: 1 }, &next)
        }),
        case(M, "a stranger hands nothing over", "abort enclave 15", |s| {
            let cluster = s.cluster();
            let instance = s.active_instance(&cluster);
            let next = s.instance(&cluster, 41, 1);
            hand_over(s, &cluster, &instance, &next, &next)
        }),
        case(M, "an instance of a revoked release hands nothing over", "abort enclave 16", |s| {
            let cluster = s.cluster();
            let instance = s.active_instance(&cluster);
            let next = s.instance(&cluster, 41, 1);
            let revoke = s.admin(&cluster, "measurements", "revoke", [pure(&release_id(1)), pure(&false)]);
            s.run(&revoke);
            hand_over(s, &cluster, &instance, &instance, &next)
        }),
        case(M, "without an active instance nothing is handed over", "abort cluster 7", |s| {
            let (cluster, instance) = registered(s);
            hand_over(s, &cluster, &instance, &instance, &instance)
        }),
    ]
}

fn released(s: &mut Stage) -> Cluster {
    let cluster = s.cluster();
    s.release(&cluster, 1);
    cluster
}

fn registered(s: &mut Stage) -> (Cluster, Instance) {
    let cluster = released(s);
    let instance = s.instance(&cluster, 40, 1);
    (cluster, instance)
}

fn new_instance() -> Instance {
    Instance { key: session_key(40), release: 1 }
}

/// The registration of a document that was changed: first its claims, then the rest.
fn register(s: &mut Stage, change: fn(&mut Vec<u8>, &mut Document)) -> Transaction {
    let cluster = released(s);
    let mut document = s.document(&cluster, &new_instance());
    let mut claims = document.user_data.take().unwrap_or_default();
    document.user_data = Some(Vec::new());
    change(&mut claims, &mut document);
    document.user_data = document.user_data.map(|_| claims);
    s.register(&cluster, &document)
}

fn check(cluster: &Cluster, instance: &Instance, function: &'static str) -> Transaction {
    Transaction::new(BOB).call(M, function, [Ref(cluster.id), pure(&instance.id()), Clock])
}

fn forget(cluster: &Cluster, instance: &Instance) -> Transaction {
    Transaction::new(BOB).call(M, "forget_expired", [Mut(cluster.id), pure(&instance.id()), Clock])
}

fn renew(s: &Stage, cluster: &Cluster, instance: &Instance, change_claims: fn(&mut Vec<u8>)) -> Transaction {
    renew_signed_by(s, cluster, instance, instance, change_claims)
}

fn renew_signed_by(
    s: &Stage,
    cluster: &Cluster,
    instance: &Instance,
    signer: &Instance,
    change_claims: fn(&mut Vec<u8>),
) -> Transaction {
    let mut document = s.document(cluster, instance);
    document.user_data.as_mut().map(change_claims);
    let sequence = sequence(s, 1);
    let signature = signer.sign("renew", &(cluster.id, instance.id(), sequence, document.timestamp));
    let arguments = [Mut(cluster.id), pure(&document), pure(&sequence), pure(&signature), Clock];
    Transaction::new(BOB).call(M, "renew", arguments).unchecked()
}

fn anchor(s: &Stage, cluster: &Cluster, instance: &Instance, step: u64, epoch: u64, length: usize) -> Transaction {
    let (sequence, hash) = (sequence(s, step), vec![6u8; length]);
    let signature = instance.sign("anchor", &(cluster.id, instance.id(), sequence, epoch, &hash));
    let said = [pure(&instance.id()), pure(&sequence), pure(&epoch), pure(&hash), pure(&signature), Clock];
    Transaction::new(BOB).call(M, "anchor", [Mut(cluster.id)].into_iter().chain(said))
}

fn name_successor(s: &Stage, cluster: &Cluster, instance: &Instance, step: u64) -> Transaction {
    let sequence = sequence(s, step);
    let key = session_key(60).verifying_key().to_bytes().to_vec();
    let signature = instance.sign("successor", &(cluster.id, instance.id(), sequence, &key));
    let said = [pure(&instance.id()), pure(&sequence), pure(&key), pure(&signature), Clock];
    Transaction::new(BOB).call(M, "name_successor", [Mut(cluster.id)].into_iter().chain(said))
}

fn hand_over(s: &Stage, cluster: &Cluster, active: &Instance, signer: &Instance, next: &Instance) -> Transaction {
    let sequence = sequence(s, 9);
    let signature = signer.sign("handover", &(cluster.id, active.id(), sequence, next.id()));
    let said = [pure(&signer.id()), pure(&sequence), pure(&next.id()), pure(&signature), Clock];
    Transaction::new(BOB).call(M, "hand_over", [Mut(cluster.id)].into_iter().chain(said))
}

/// Sequences count from the document's time on.
fn sequence(s: &Stage, step: u64) -> u64 {
    s.world.now_ms() + step
}
