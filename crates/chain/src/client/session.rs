use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sui_sdk_types::Address;

use super::journal::Journal;
use super::node::Node;
use super::package::Package;
use crate::error::Error;
use crate::types::cluster::AdminCap;
use crate::types::decode_object;
use crate::wallet::Account;

/// A wallet at work: runs whole transactions against one node.
///
/// One transaction of a session is in flight at a time, so that none takes another's gas coin. With a [`Journal`],
/// work that moves money is finished after a crash and never done twice.
#[derive(Clone)]
pub struct Session {
    pub(super) node: Node,
    pub(super) package: Package,
    pub(super) account: Account,
    pub(super) journal: Option<Journal>,
    pub(super) gas_budget: Option<u64>,
    pub(super) deadline: Duration,
    pub(super) stop_at: Option<Arc<dyn Fn(Step) -> bool + Send + Sync>>,
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
    pub(super) in_doubt: Arc<Mutex<BTreeSet<Address>>>,
}

/// Points between which a process may die. For tests, see [`Session::stop_at`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Nothing has been done yet.
    Begin,
    /// The chain and the journal were asked about earlier attempts.
    Resolved,
    /// Built, simulated and signed; only in memory.
    Signed,
    /// In the journal, not sent.
    Journaled,
    /// Executed and in a checkpoint; the journal does not know it yet.
    Executed,
    /// The journal entry is gone; the caller has not heard of it.
    Cleared,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Self; 6] =
        [Self::Begin, Self::Resolved, Self::Signed, Self::Journaled, Self::Executed, Self::Cleared];
}

impl Session {
    /// A session without a journal.
    pub fn new(node: Node, package: Package, account: Account) -> Self {
        Self {
            node,
            package,
            account,
            journal: None,
            gas_budget: None,
            deadline: Duration::from_mins(1),
            stop_at: None,
            turn: Arc::default(),
            in_doubt: Arc::default(),
        }
    }

    /// Keeps unfinished transactions in a journal.
    #[must_use]
    pub fn with_journal(mut self, journal: Journal) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Never spends more MIST than this on the gas of one transaction.
    #[must_use]
    pub fn with_gas_budget(mut self, mist: Option<u64>) -> Self {
        self.gas_budget = mist;
        self
    }

    /// How long one transaction is tried before its outcome counts as unknown.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Stops with [`Error::Stopped`] at the steps that the hook says yes to, leaving everything as a crash would.
    #[must_use]
    pub fn stop_at(mut self, hook: impl Fn(Step) -> bool + Send + Sync + 'static) -> Self {
        self.stop_at = Some(Arc::new(hook));
        self
    }

    /// The node.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The package.
    pub fn package(&self) -> Package {
        self.package
    }

    /// The wallet's address.
    pub fn address(&self) -> Address {
        self.account.address()
    }

    /// The wallet's admin cap of a cluster.
    pub async fn admin_cap(&self, cluster: Address) -> Result<Address, Error> {
        let caps = self.node.owned(self.address(), &self.package.type_of("cluster", "AdminCap")).await?;
        for cap in &caps {
            let cap: AdminCap = decode_object(cap, &self.package.origin)?;
            if cap.cluster == cluster {
                return Ok(cap.id);
            }
        }
        Err(Error::AdminCapMissing { cluster, address: self.address() })
    }

    pub(super) fn step(&self, step: Step) -> Result<(), Error> {
        match &self.stop_at {
            Some(hook) if hook(step) => Err(Error::Stopped(step)),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("node", &self.node)
            .field("package", &self.package)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}
