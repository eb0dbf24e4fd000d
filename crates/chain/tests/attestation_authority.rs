//! Which registered instance speaks for the cluster, and what its signed words do.
#![allow(clippy::unwrap_used)]

mod attestation_scene;
mod world;

use std::time::Duration;

use attestation_scene::{Enclave, HOUR_MS, MINUTE_MS, OTHER, OURS, Scene, assert_aborts, names, release, sign};
use daas_chain::Error;
use daas_chain::client::{Access, ForgedStatement, Ptb, Receipt, Session, SettingChange, StakedNode};
use daas_chain::types::cluster::Consequence;
use daas_chain::types::messages::{AnchorMessage, EvidenceMessage, HandOverMessage, WorkerStatement};
use daas_chain::types::{ActionKind, Bytes, Bytes32, Offence, SignedMessage as _, Stake};
use daas_nsm::Image;
use daas_seal_token::{Claims, ClusterId, ExpectedPurpose, Purpose, Refusal, StakeStatus};
use sui_sdk_types::Address;
use world::{SUI, key, token_of};

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_activates_a_registered_instance_and_everybody_sees_it() {
    let scene = Scene::new().await;
    let registry = scene.world.registry().await;
    let (enclave, unknown) = (scene.enclave(1), scene.enclave(2));
    let operator = &scene.world.operator;
    scene.register(&enclave).await.unwrap();
    assert_eq!(scene.read().await.active, None);
    assert_aborts(operator.activate(scene.cluster, &unknown.instance()).await, "enclave", "ENotRegistered");
    let stranger = scene.world.staker(9).await;
    let taken = stranger.activate(scene.cluster, &enclave.instance()).await;
    assert!(matches!(taken, Err(Error::AdminCapMissing { .. })), "{taken:?}");

    let before = scene.read().await.generation;
    let receipt = operator.activate(scene.cluster, &enclave.instance()).await.unwrap();
    assert_eq!(names(&receipt), [("cluster", "InstanceActivated")]);
    let cluster = scene.read().await;
    let active = cluster.active.clone().unwrap();
    assert_eq!((cluster.generation, active.instance), (before + 1, enclave.instance()));
    assert_eq!(active.tls_spki_sha256.0, enclave.claims.tls_spki_sha256);
    assert_eq!(active.server_ca_sha256.0, enclave.claims.server_ca_sha256);
    scene.is_active(&enclave).await.unwrap();
    assert_aborts(operator.activate(scene.cluster, &enclave.instance()).await, "enclave", "EAlreadyActive");

    scene.world.catch_up(&registry).await;
    let seen = registry.cluster().unwrap();
    assert_eq!((seen.cluster.generation, &seen.cluster.active), (cluster.generation, &cluster.active));
    assert_eq!(seen.active_registration(scene.now()).unwrap().instance, enclave.instance());
    assert_eq!(seen.active_registration(scene.now() + 4 * HOUR_MS), None);

    scene.register(&unknown).await.unwrap();
    scene.pass(4 * HOUR_MS).await;
    assert_aborts(operator.activate(scene.cluster, &unknown.instance()).await, "enclave", "EExpired");
    assert_aborts(scene.is_active(&enclave).await, "enclave", "EExpired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_genuine_enclave_with_the_same_cluster_id_is_registered_and_never_believed() {
    let scene = Scene::new().await;
    let registry = scene.world.registry().await;
    let (ours, theirs) = (scene.enclave(1), scene.enclave(2));
    scene.activate(&ours).await;
    let before = scene.read().await;
    // The genuine image, elsewhere, told this cluster's id: its document is as good as ours.
    scene.register(&theirs).await.unwrap();
    scene.is_registered_and_good(&theirs).await.unwrap();
    assert_aborts(scene.is_active(&theirs).await, "enclave", "ENotActive");

    let wallet = scene.world.staker(3).await;
    let victim = wallet.stake_node(&scene.world.stake_request("victim", &key(7))).await.unwrap();
    let next = scene.next_sequence(&theirs).await;
    let anchor = theirs.anchor(next, 1);
    assert_aborts(wallet.anchor(&anchor, &theirs.sign(&anchor)).await, "enclave", "ENotActive");
    let evidence = theirs.evidence(next, victim.stake.id, Offence::DoubleIdentity, b"proof");
    assert_aborts(wallet.report(&evidence, b"proof", &theirs.sign(&evidence)).await, "enclave", "ENotActive");
    let successor = theirs.successor(next, theirs.instance());
    assert_aborts(wallet.name_successor(&successor, &theirs.sign(&successor)).await, "enclave", "ENotActive");
    let hand_over = theirs.hand_over(next, &theirs);
    let signature = theirs.sign(&hand_over);
    assert_aborts(wallet.hand_over(&hand_over, &theirs.instance(), &signature).await, "enclave", "ENotSigner");
    // Not in our instance's name either.
    let forged = ours.hand_over(scene.next_sequence(&ours).await, &theirs);
    let signature = theirs.sign(&forged);
    assert_aborts(wallet.hand_over(&forged, &ours.instance(), &signature).await, "enclave", "ESignature");

    let after = scene.read().await;
    assert_eq!((after.generation, after.active, after.anchor), (before.generation, before.active, None));
    scene.world.catch_up(&registry).await;
    let seen = registry.cluster().unwrap();
    assert_eq!(seen.registrations.len(), 2);
    assert_eq!(seen.active_registration(scene.now()).unwrap().instance, ours.instance());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_active_instance_hands_over_once_to_a_registered_good_one() {
    let scene = Scene::new().await;
    let registry = scene.world.registry().await;
    let (old, new, unknown) = (scene.enclave(1), scene.enclave(2), scene.enclave(3));
    let wallet = scene.world.staker(9).await;
    let early = old.hand_over(1, &new);
    let signature = old.sign(&early);
    assert_aborts(wallet.hand_over(&early, &old.instance(), &signature).await, "cluster", "ENoActiveInstance");
    scene.activate(&old).await;
    let generation = scene.read().await.generation;
    let next = scene.next_sequence(&old).await;
    let refused = async |message: &HandOverMessage, signer: &Enclave, signature: [u8; 64], module, constant| {
        assert_aborts(wallet.hand_over(message, &signer.instance(), &signature).await, module, constant);
    };
    let to_unknown = old.hand_over(next, &unknown);
    refused(&to_unknown, &old, old.sign(&to_unknown), "enclave", "ENotRegistered").await;
    scene.register(&new).await.unwrap();
    let message = old.hand_over(next, &new);
    let signature = old.sign(&message);
    refused(
        &HandOverMessage { successor: unknown.instance(), ..message.clone() },
        &old,
        signature,
        "enclave",
        "ESignature",
    )
    .await;
    let elsewhere = HandOverMessage { cluster: Address::new([8; 32]), ..message.clone() };
    refused(&message, &old, old.sign(&elsewhere), "enclave", "ESignature").await;
    let used = old.hand_over(next - 1, &new);
    refused(&used, &old, old.sign(&used), "enclave", "ESequence").await;
    // An anchor's signature is none of a hand-over's.
    let anchor = old.anchor(next, 1);
    refused(&message, &old, old.sign(&anchor), "enclave", "ESignature").await;
    let to_itself = old.hand_over(next, &old);
    refused(&to_itself, &old, old.sign(&to_itself), "enclave", "EAlreadyActive").await;

    wallet.hand_over(&message, &old.instance(), &signature).await.unwrap();
    let cluster = scene.read().await;
    assert_eq!((cluster.generation, cluster.active.unwrap().instance), (generation + 1, new.instance()));
    refused(&message, &old, signature, "enclave", "ENotSigner").await;
    assert_aborts(scene.is_active(&old).await, "enclave", "ENotActive");
    scene.is_active(&new).await.unwrap();
    scene.world.catch_up(&registry).await;
    let seen = registry.cluster().unwrap();
    assert_eq!(seen.cluster.generation, generation + 1);
    assert_eq!(seen.active_registration(scene.now()).unwrap().instance, new.instance());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_the_successor_key_hands_over_until_its_release_is_revoked() {
    let scene = Scene::new().await;
    let wallet = scene.world.staker(9).await;
    scene.world.operator.publish_release(scene.cluster, &release(OTHER)).await.unwrap();
    let old = scene.enclave(1);
    let new = scene.enclave_of(2, Image { pcrs: Some(OTHER), ..Image::default() });
    scene.activate(&old).await;
    let sealed = key(77);
    let sealed_public = Bytes(sealed.public().to_bytes());

    let named = old.successor(scene.next_sequence(&old).await, sealed_public);
    let weak = old.successor(named.sequence, Bytes([0; 32]));
    assert_aborts(wallet.name_successor(&weak, &old.sign(&weak)).await, "signatures", "EWeakKey");
    assert_aborts(wallet.name_successor(&named, &new.sign(&named)).await, "enclave", "ESignature");
    let unnamed = old.hand_over(named.sequence, &new);
    let by_sealed = sign(&sealed, &unnamed);
    assert_aborts(wallet.hand_over(&unnamed, &sealed_public, &by_sealed).await, "enclave", "ENotSigner");
    let receipt = wallet.name_successor(&named, &old.sign(&named)).await.unwrap();
    assert_eq!(names(&receipt), [("cluster", "SuccessorNamed")]);
    assert_aborts(wallet.name_successor(&named, &old.sign(&named)).await, "enclave", "ESequence");

    // The machine is gone for a day; its state is unsealed by the next release.
    scene.pass(24 * HOUR_MS).await;
    assert_aborts(scene.is_active(&old).await, "enclave", "EExpired");
    scene.register(&new).await.unwrap();
    let message = old.hand_over(scene.next_sequence(&old).await, &new);
    scene.world.operator.retire_release(scene.cluster, &release(OURS).pcrs(), scene.now() + 1000).await.unwrap();
    scene.pass(MINUTE_MS).await;
    let signature = sign(&sealed, &message);
    wallet.hand_over(&message, &sealed_public, &signature).await.unwrap();
    let active = scene.read().await.active.unwrap();
    // The name is the predecessor's: the new instance names its own.
    assert_eq!((active.instance, active.successor_key), (new.instance(), None));
    scene.is_active(&new).await.unwrap();

    let next = scene.enclave_of(4, Image { pcrs: Some(OTHER), ..Image::default() });
    scene.register(&next).await.unwrap();
    scene.world.operator.revoke_release(scene.cluster, &release(OTHER).pcrs(), false).await.unwrap();
    let last_word = new.hand_over(scene.next_sequence(&new).await, &next);
    let signature = new.sign(&last_word);
    assert_aborts(wallet.hand_over(&last_word, &new.instance(), &signature).await, "enclave", "ERevokedSigner");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compromised_release_takes_its_active_instance_with_it() {
    let scene = Scene::new().await;
    let registry = scene.world.registry().await;
    let enclave = scene.enclave(1);
    scene.activate(&enclave).await;
    let generation = scene.read().await.generation;
    let receipt = scene.world.operator.revoke_release(scene.cluster, &release(OURS).pcrs(), true).await.unwrap();
    assert_eq!(names(&receipt), [("cluster", "InstanceDropped"), ("measurements", "ReleaseRevoked")]);
    let cluster = scene.read().await;
    assert_eq!((cluster.generation, cluster.active), (generation + 1, None));
    assert_aborts(scene.is_active(&enclave).await, "enclave", "ENotActive");
    scene.world.catch_up(&registry).await;
    let seen = registry.cluster().unwrap();
    assert_eq!((seen.cluster.generation, seen.cluster.active.is_none()), (generation + 1, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anchor_of_the_live_active_instance_takes_effect_once_and_never_goes_back() {
    let scene = Scene::new().await;
    let registry = scene.world.registry().await;
    let enclave = scene.enclave(1);
    let wallet = scene.world.staker(9).await;
    let unregistered = enclave.anchor(1, 1);
    assert_aborts(wallet.anchor(&unregistered, &enclave.sign(&unregistered)).await, "enclave", "ENotActive");
    scene.activate(&enclave).await;
    let refused = async |message: &AnchorMessage, signature: [u8; 64], constant| {
        assert_aborts(wallet.anchor(message, &signature).await, "enclave", constant);
    };
    let next = scene.next_sequence(&enclave).await;
    let message = enclave.anchor(next, 10);
    let signature = enclave.sign(&message);
    refused(&AnchorMessage { epoch: 11, ..message.clone() }, signature, "ESignature").await;
    refused(&AnchorMessage { hash: Bytes([0xee; 32]), ..message.clone() }, signature, "ESignature").await;
    let elsewhere = AnchorMessage { cluster: Address::new([8; 32]), ..message.clone() };
    refused(&message, enclave.sign(&elsewhere), "ESignature").await;
    let used = enclave.anchor(next - 1, 10);
    refused(&used, enclave.sign(&used), "ESequence").await;
    assert_aborts(anchor_of_31_bytes(&wallet, &message).await, "enclave", "EHashLength");
    assert_eq!(scene.read().await.anchor, None);

    let receipt = wallet.anchor(&message, &signature).await.unwrap();
    assert_eq!(names(&receipt), [("cluster", "Anchored")]);
    let anchor = scene.read().await.anchor.unwrap();
    assert_eq!((anchor.epoch, anchor.hash, anchor.instance), (10, message.hash, enclave.instance()));
    scene.world.catch_up(&registry).await;
    assert_eq!(registry.cluster().unwrap().cluster.anchor, Some(anchor.clone()));
    refused(&message, signature, "EEpoch").await;
    let replayed = enclave.anchor(next, 11);
    refused(&replayed, enclave.sign(&replayed), "ESequence").await;
    for epoch in [9, 10] {
        let back = enclave.anchor(next + 1, epoch);
        refused(&back, enclave.sign(&back), "EEpoch").await;
    }

    scene.pass(4 * HOUR_MS).await;
    let late = enclave.anchor(next + 1, 11);
    refused(&late, enclave.sign(&late), "EExpired").await;
    let now = scene.now();
    let renewal = enclave.renewal(next + 1, now);
    // Others trust its CA and its TLS key: an active instance keeps them.
    let mut other_ca = enclave.clone();
    other_ca.claims.server_ca_sha256 = [0xcc; 32];
    let mut other_tls = enclave.clone();
    other_tls.claims.tls_spki_sha256 = [0xdd; 32];
    for changed in [other_ca, other_tls] {
        let renewed = wallet.renew_instance(&renewal, &changed.document(now), &enclave.sign(&renewal)).await;
        assert_aborts(renewed, "enclave", "EActiveIdentityChanged");
    }
    wallet.renew_instance(&renewal, &enclave.document(now), &enclave.sign(&renewal)).await.unwrap();
    let renewed = enclave.anchor(next + 2, 11);
    wallet.anchor(&renewed, &enclave.sign(&renewed)).await.unwrap();

    scene.world.operator.revoke_release(scene.cluster, &release(OURS).pcrs(), false).await.unwrap();
    let revoked = enclave.anchor(next + 3, 12);
    assert_aborts(wallet.anchor(&revoked, &enclave.sign(&revoked)).await, "measurements", "ENotGood");
    assert_eq!(scene.read().await.anchor.unwrap().epoch, 11);
}

/// Observe, eject and slash for double identity, forged statement and silence, as the test asks.
fn policy(double_identity: ActionKind, forged: ActionKind, silent: ActionKind) -> Vec<SettingChange> {
    let consequence = |action| Consequence { action, share_bps: if action == ActionKind::Slash { 5000 } else { 0 } };
    vec![
        SettingChange::Offence(Offence::DoubleIdentity, consequence(double_identity)),
        SettingChange::Offence(Offence::ForgedStatement, consequence(forged)),
        SettingChange::Offence(Offence::Silent, consequence(silent)),
    ]
}

struct Accused {
    scene: Scene,
    enclave: Enclave,
    wallet: Session,
    staked: StakedNode,
}

impl Accused {
    async fn under(settings: Vec<SettingChange>) -> Self {
        let scene = Scene::with_settings(settings).await;
        let enclave = scene.enclave(1);
        scene.activate(&enclave).await;
        let wallet = scene.world.staker(3).await;
        let staked = wallet.stake_node(&scene.world.stake_request("worker", &key(7))).await.unwrap();
        Self { scene, enclave, wallet, staked }
    }

    async fn evidence(&self, offence: Offence, proof: &[u8]) -> EvidenceMessage {
        let sequence = self.scene.next_sequence(&self.enclave).await;
        self.enclave.evidence(sequence, self.staked.stake.id, offence, proof)
    }

    /// Anyone carries the evidence to the chain.
    async fn report(&self, message: &EvidenceMessage, proof: &[u8]) -> Result<Receipt, Error> {
        self.scene.world.operator.report(message, proof, &self.enclave.sign(message)).await
    }

    /// Evidence of a statement that the session key of this generation signed.
    async fn forged(&self, key_generation: u64, statement: &[u8], by_worker: [u8; 64]) -> Result<Receipt, Error> {
        let message = self.evidence(Offence::ForgedStatement, statement).await;
        let signature = self.enclave.sign(&message);
        let forged = ForgedStatement { token: self.staked.token, key_generation, statement, signature: &by_worker };
        self.scene.world.operator.report_forged_statement(&message, &forged, &signature).await
    }

    async fn stake(&self) -> Stake {
        self.scene.world.node.read(self.staked.stake.id, &self.scene.world.package.origin).await.unwrap()
    }

    fn statement(&self, name: &str) -> WorkerStatement {
        WorkerStatement {
            cluster: self.scene.cluster,
            token: self.staked.token,
            stake: self.staked.stake.id,
            name: name.to_owned(),
            issued_at_ms: self.scene.now(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_of_double_identity_slashes_where_the_terms_say_so_and_counts_once() {
    let accused = Accused::under(policy(ActionKind::Slash, ActionKind::Observe, ActionKind::Observe)).await;
    let (scene, enclave, wallet) = (&accused.scene, &accused.enclave, &accused.wallet);
    let registry = scene.world.registry().await;
    let message = accused.evidence(Offence::DoubleIdentity, b"proof").await;
    let signature = enclave.sign(&message);
    let refused = async |message: &EvidenceMessage, proof: &[u8], signature: [u8; 64], module, constant| {
        assert_aborts(wallet.report(message, proof, &signature).await, module, constant);
    };
    let own = EvidenceMessage { offence: Offence::ForgedStatement, ..message.clone() };
    refused(&own, b"proof", enclave.sign(&own), "evidence", "EOffence").await;
    refused(&message, b"", signature, "evidence", "EProofLength").await;
    refused(&message, &[0; 8193], signature, "evidence", "EProofLength").await;
    refused(&message, b"another", signature, "enclave", "ESignature").await;
    let silence = EvidenceMessage { offence: Offence::Silent, ..message.clone() };
    refused(&silence, b"proof", signature, "enclave", "ESignature").await;
    let elsewhere = EvidenceMessage { cluster: Address::new([8; 32]), ..message.clone() };
    refused(&message, b"proof", enclave.sign(&elsewhere), "enclave", "ESignature").await;
    let used = EvidenceMessage { sequence: message.sequence - 1, ..message.clone() };
    refused(&used, b"proof", enclave.sign(&used), "enclave", "ESequence").await;
    let bystander = scene.world.staker(4).await;
    let other = bystander.stake_node(&scene.world.stake_request("other", &key(8))).await.unwrap();
    let against_other = EvidenceMessage { stake: other.stake.id, ..message.clone() };
    refused(&against_other, b"proof", signature, "enclave", "ESignature").await;
    assert_eq!(accused.stake().await.status, StakeStatus::Active);

    let receipt = accused.report(&message, b"proof").await.unwrap();
    assert_eq!(names(&receipt), [("evidence", "EvidenceRecorded"), ("staking", "Slashed")]);
    let stake = accused.stake().await;
    assert_eq!((stake.status, stake.slashed, stake.balance), (StakeStatus::Slashed, SUI, SUI));
    registry.reached(receipt.checkpoint, Duration::from_secs(5)).await.unwrap();
    assert_eq!(join(&accused, &registry), Err(Refusal::StakeNotActive(StakeStatus::Slashed)));

    refused(&message, b"proof", signature, "evidence", "EProofUsed").await;
    let replayed = EvidenceMessage { stake: other.stake.id, ..message.clone() };
    refused(&replayed, b"proof", enclave.sign(&replayed), "evidence", "EProofUsed").await;
    let out_of_sequence = enclave.evidence(message.sequence, other.stake.id, Offence::DoubleIdentity, b"new");
    refused(&out_of_sequence, b"new", enclave.sign(&out_of_sequence), "enclave", "ESequence").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_ejects_or_is_only_recorded_where_the_terms_say_so() {
    let accused = Accused::under(policy(ActionKind::Eject, ActionKind::Observe, ActionKind::Observe)).await;
    let registry = accused.scene.world.registry().await;
    let silence = accused.evidence(Offence::Silent, b"silent").await;
    let observed = accused.report(&silence, b"silent").await.unwrap();
    assert_eq!(names(&observed), [("evidence", "EvidenceRecorded")]);
    registry.reached(observed.checkpoint, Duration::from_secs(5)).await.unwrap();
    join(&accused, &registry).unwrap();

    let twice = accused.evidence(Offence::DoubleIdentity, b"twice").await;
    let ejected = accused.report(&twice, b"twice").await.unwrap();
    assert_eq!(names(&ejected), [("evidence", "EvidenceRecorded"), ("staking", "Suspended")]);
    registry.reached(ejected.checkpoint, Duration::from_secs(5)).await.unwrap();
    assert_eq!(join(&accused, &registry), Err(Refusal::Suspended));
    let stake = accused.stake().await;
    assert_eq!((stake.status, stake.suspended, stake.slashed), (StakeStatus::Active, true, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_the_chain_contradicts_slashes_and_a_true_one_does_not() {
    let accused = Accused::under(policy(ActionKind::Observe, ActionKind::Slash, ActionKind::Observe)).await;
    let stake = &accused.staked.stake;
    let submit = async |statement: &[u8], by_worker: [u8; 64]| accused.forged(1, statement, by_worker).await;
    let truth = accused.statement(&stake.name);
    assert_aborts(submit(&truth.message_bytes(), sign(&key(7), &truth)).await, "k8s_gateway", "ENoContradiction");
    let lie = accused.statement("another-00000000");
    let (bytes, by_worker) = (lie.message_bytes(), sign(&key(7), &lie));
    assert_aborts(submit(&bytes, sign(&key(8), &lie)).await, "k8s_gateway", "EStatementSignature");
    assert_aborts(submit(&bytes[..bytes.len() - 1], by_worker).await, "k8s_gateway", "EStatementFormat");
    let foreign = WorkerStatement { cluster: Address::new([8; 32]), ..lie.clone() };
    let submitted = submit(&foreign.message_bytes(), sign(&key(7), &foreign)).await;
    assert_aborts(submitted, "k8s_gateway", "EStatementOfOther");
    assert_eq!(accused.stake().await.status, StakeStatus::Active);

    let receipt = submit(&bytes, by_worker).await.unwrap();
    assert_eq!(names(&receipt), [("evidence", "EvidenceRecorded"), ("staking", "Slashed")]);
    assert_eq!(accused.stake().await.status, StakeStatus::Slashed);
    assert_aborts(submit(&bytes, by_worker).await, "evidence", "EProofUsed");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_rotates_or_revokes_still_answers_for_what_the_former_session_key_signed() {
    let accused = Accused::under(policy(ActionKind::Observe, ActionKind::Slash, ActionKind::Observe)).await;
    let (stake, wallet) = (&accused.staked.stake, &accused.wallet);
    let lie = accused.statement("another-00000000");
    let (bytes, by_worker) = (lie.message_bytes(), sign(&key(7), &lie));
    wallet.rotate_session_key(stake, &Bytes(key(8).public().to_bytes())).await.unwrap();
    wallet.revoke_token(stake).await.unwrap();
    assert_aborts(accused.forged(2, &bytes, by_worker).await, "k8s_gateway", "EStatementSignature");
    for never in [0, 3] {
        assert_aborts(accused.forged(never, &bytes, by_worker).await, "k8s_gateway", "EKeyGeneration");
    }
    assert_eq!(accused.stake().await.status, StakeStatus::Active);
    accused.forged(1, &bytes, by_worker).await.unwrap();
    assert_eq!(accused.stake().await.status, StakeStatus::Slashed);
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_of_an_expired_revoked_or_foreign_instance_slashes_nobody() {
    let accused = Accused::under(policy(ActionKind::Slash, ActionKind::Slash, ActionKind::Eject)).await;
    let (scene, enclave) = (&accused.scene, &accused.enclave);
    let unknown = scene.enclave(9);
    let message = unknown.evidence(1, accused.staked.stake.id, Offence::DoubleIdentity, b"proof");
    let reported = accused.wallet.report(&message, b"proof", &unknown.sign(&message)).await;
    assert_aborts(reported, "enclave", "ENotActive");

    // The same operator's other cluster, with the same instance key active in it.
    let other = scene.world.operator.create_cluster(&elsewhere()).await.unwrap().cluster;
    scene.world.operator.publish_release(other, &release(OURS)).await.unwrap();
    let mut there = enclave.clone();
    there.claims.cluster = other.into_inner();
    scene.world.operator.register_instance(other, &there.document(scene.now())).await.unwrap();
    scene.world.operator.activate(other, &there.instance()).await.unwrap();
    let foreign = there.evidence(u64::MAX, accused.staked.stake.id, Offence::DoubleIdentity, b"proof");
    assert_aborts(accused.report(&foreign, b"proof").await, "staking", "EOtherCluster");

    scene.pass(4 * HOUR_MS).await;
    let late = accused.evidence(Offence::DoubleIdentity, b"proof").await;
    assert_aborts(accused.report(&late, b"proof").await, "enclave", "EExpired");
    let now = scene.now();
    let renewal = enclave.renewal(late.sequence, now);
    let renewed = scene.world.operator.renew_instance(&renewal, &enclave.document(now), &enclave.sign(&renewal)).await;
    renewed.unwrap();
    scene.world.operator.revoke_release(scene.cluster, &release(OURS).pcrs(), false).await.unwrap();
    let revoked = accused.evidence(Offence::DoubleIdentity, b"proof").await;
    assert_aborts(accused.report(&revoked, b"proof").await, "measurements", "ENotGood");
    let stake = accused.stake().await;
    assert_eq!((stake.status, stake.suspended, stake.slashed), (StakeStatus::Active, false, 0));
}

fn elsewhere() -> daas_chain::client::NewCluster {
    let endpoint = |port: u16| format!("127.0.0.1:{port}");
    daas_chain::client::NewCluster {
        name: "elsewhere".into(),
        endpoints: daas_chain::types::cluster::Endpoints {
            api: endpoint(6443),
            join: endpoint(9345),
            master: endpoint(8443),
        },
        treasury: Address::new([9; 32]),
        settings: Vec::new(),
    }
}

fn join(accused: &Accused, registry: &daas_chain::registry::Registry) -> Result<(), Refusal> {
    let cluster = ClusterId(accused.scene.cluster.into_inner());
    let now = accused.scene.now();
    let network = accused.scene.world.node.network();
    let claims = Claims::new(network, cluster, token_of(&accused.staked), Purpose::Join, now, 60_000, [1; 16]).unwrap();
    registry.verify(&key(7).sign(&claims), ExpectedPurpose::Join { node: None }, now).map(drop)
}

/// The typed call cannot hold such a hash.
async fn anchor_of_31_bytes(wallet: &Session, message: &AnchorMessage) -> Result<(), Error> {
    let package = wallet.package().id;
    wallet
        .try_out(|| {
            let mut ptb = Ptb::new(package);
            let cluster = ptb.shared(message.cluster, Access::Write);
            let bytes: Bytes32 = message.instance;
            let instance = ptb.pure(&bytes);
            let sequence = ptb.pure(&message.sequence);
            let epoch = ptb.pure(&message.epoch);
            let hash = ptb.pure(&vec![0_u8; 31]);
            let signature = ptb.pure(&vec![0_u8; 64]);
            let clock = ptb.clock();
            ptb.call("enclave", "anchor", vec![cluster, instance, sequence, epoch, hash, signature, clock]);
            ptb
        })
        .await
}
