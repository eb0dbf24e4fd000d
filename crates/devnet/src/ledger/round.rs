//! What the writer executed and has not made durable yet: the writer sees it, nobody else does.

use std::{
    cell::RefCell,
    collections::HashMap,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use sui_sdk_types::{Address, Digest, Object, Owner, TransactionEffects, Version};
use tokio::sync::oneshot;

use super::{
    Shared,
    intake::VerifiedTransaction,
    records::{ExecutedRecord, TransactionRecord},
    writer::Submitted,
};
use crate::{
    Error,
    execution::{Executed, ObjectReader},
};

/// The most transactions of one durable batch.
const TRANSACTIONS: usize = 512;
/// The longest that a batch takes in transactions while the store has nothing to do.
const TIME: Duration = Duration::from_millis(25);

/// Objects as a round left them; `None` where it removed them.
pub(super) type Overlay = HashMap<Address, Option<Arc<Object>>>;

/// A round that was handed over to become durable.
#[derive(Default)]
pub(super) struct HandedOver {
    pub(super) overlay: Overlay,
    by_digest: HashMap<Digest, Arc<ExecutedRecord>>,
}

/// Results that become durable together, on top of a round that may still be on its way.
pub(super) struct Round {
    shared: Arc<Shared>,
    before: Arc<HandedOver>,
    overlay: RefCell<Overlay>,
    by_digest: HashMap<Digest, Arc<ExecutedRecord>>,
    started: Option<Instant>,
    pub(super) written: Vec<Arc<Object>>,
    pub(super) removed: Vec<(Address, Version)>,
    pub(super) executed: Vec<Arc<ExecutedRecord>>,
    pub(super) answers: Vec<Answer>,
    pub(super) has_users: bool,
    /// The clock's new offset, if the round moved it.
    pub(super) advanced: Option<u64>,
}

/// What a client gets once the round is durable.
pub(super) enum Answer {
    Execute { done: oneshot::Sender<Result<Submitted, Error>>, result: Result<Submitted, Error> },
    Advance { done: oneshot::Sender<Result<u64, Error>>, now_ms: u64 },
}

impl Answer {
    /// Sends it; `stopped` takes its place when what it says did not become durable.
    pub(super) fn send(self, stopped: Option<Error>) {
        // A client that went away needs no answer.
        match self {
            Self::Execute { done, result } => {
                let _ = done.send(stopped.map_or(result, Err));
            }
            Self::Advance { done, now_ms } => {
                let _ = done.send(stopped.map_or(Ok(now_ms), Err));
            }
        }
    }
}

impl Round {
    /// An empty round on top of `before`.
    pub(super) fn new(shared: Arc<Shared>, before: Arc<HandedOver>) -> Self {
        Self {
            shared,
            before,
            overlay: RefCell::default(),
            by_digest: HashMap::new(),
            started: None,
            written: Vec::new(),
            removed: Vec::new(),
            executed: Vec::new(),
            answers: Vec::new(),
            has_users: false,
            advanced: None,
        }
    }

    /// Whether it takes in more before it is handed over.
    pub(super) fn has_room(&self) -> bool {
        self.answers.len() < TRANSACTIONS && self.started.is_none_or(|started| started.elapsed() < TIME)
    }

    /// Whether it takes in more while the store is busy with the round before.
    pub(super) fn has_room_while_waiting(&self) -> bool {
        self.answers.len() < TRANSACTIONS
    }

    /// What a transaction did that is not in the store yet.
    pub(super) fn known(&self, digest: &Digest) -> Option<&Arc<ExecutedRecord>> {
        self.by_digest.get(digest).or_else(|| self.before.by_digest.get(digest))
    }

    pub(super) fn answer(&mut self, answer: Answer) {
        self.started.get_or_insert_with(Instant::now);
        self.answers.push(answer);
    }

    pub(super) fn write(&mut self, object: Arc<Object>) {
        self.overlay.get_mut().insert(object.object_id(), Some(object.clone()));
        self.written.push(object);
    }

    pub(super) fn push(&mut self, executed: ExecutedRecord) -> Arc<ExecutedRecord> {
        let executed = Arc::new(executed);
        self.by_digest.insert(executed.record.digest(), executed.clone());
        self.executed.push(executed.clone());
        executed
    }

    /// Takes over what an execution did.
    pub(super) fn apply(&mut self, verified: VerifiedTransaction, executed: Executed) -> Arc<ExecutedRecord> {
        let Executed { effects, events, written, deleted, wrapped, inputs, balance_changes, .. } = executed;
        self.has_users = true;
        let mut objects = inputs;
        let version = lamport_version(&effects);
        for id in deleted.into_iter().chain(wrapped) {
            self.overlay.get_mut().insert(id, None);
            self.removed.push((id, version));
        }
        for object in written {
            let object = Arc::new(object);
            objects.push(object.clone());
            self.write(object);
        }
        objects.sort_by_key(|object| (object.object_id(), object.version()));
        objects.dedup_by_key(|object| (object.object_id(), object.version()));
        let record = TransactionRecord {
            transaction: verified.transaction,
            signatures: verified.signatures,
            effects,
            events,
            balance_changes,
            objects: objects.iter().map(|object| (object.object_id(), object.version())).collect(),
        };
        self.push(ExecutedRecord { record, objects })
    }

    /// Leaves no trace of what was executed.
    pub(super) fn forget(&mut self) {
        self.overlay.get_mut().clear();
        self.written.clear();
        self.removed.clear();
        self.executed.clear();
        self.by_digest.clear();
    }

    /// What the next round must see of this one.
    pub(super) fn hand_over(&mut self) -> HandedOver {
        HandedOver { overlay: self.overlay.take(), by_digest: mem::take(&mut self.by_digest) }
    }
}

impl ObjectReader for Round {
    fn object(&self, id: &Address) -> Option<Arc<Object>> {
        let overlay = self.overlay.borrow();
        match overlay.get(id).or_else(|| self.before.overlay.get(id)) {
            Some(object) => object.clone(),
            None => self.shared.object(id),
        }
    }

    fn child(&self, parent: &Address, id: &Address) -> Option<Arc<Object>> {
        self.object(id).filter(|object| *object.owner() == Owner::Object(*parent))
    }
}

/// The version of everything that the transaction changed.
fn lamport_version(effects: &TransactionEffects) -> Version {
    match effects {
        TransactionEffects::V2(effects) => effects.lamport_version,
        // Execution makes no others; what they remove would never come back.
        TransactionEffects::V1(_) => Version::MAX,
    }
}
