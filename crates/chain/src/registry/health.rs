use std::sync::Mutex;

use serde::Serialize;

/// How the registry is doing, for status pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// A state has been loaded.
    pub ready: bool,
    /// Newest checkpoint applied.
    pub sequence: u64,
    /// Its time.
    pub timestamp_ms: u64,
    /// Each node.
    pub nodes: Vec<NodeHealth>,
    /// Why nothing moves, if nothing moves.
    pub problem: Option<String>,
}

/// How a node is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeHealth {
    /// The node.
    pub endpoint: String,
    /// What it does.
    pub state: NodeState,
}

/// What a node does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NodeState {
    /// Not heard of yet.
    Connecting,
    /// Sends checkpoints; this is its newest.
    Following {
        /// Checkpoint.
        sequence: u64,
    },
    /// Does not answer, or answers nonsense.
    Failing {
        /// Why.
        reason: String,
    },
    /// Contradicts what the others agree on.
    Differs,
}

/// Where tasks note how nodes are doing. Only status pages read it, so a lock is fine.
#[derive(Debug)]
pub(super) struct Board(Mutex<Vec<NodeState>>, Vec<String>, Mutex<Option<String>>);

impl Board {
    pub(super) fn new(endpoints: &[String]) -> Self {
        let states = vec![NodeState::Connecting; endpoints.len()];
        Self(Mutex::new(states), endpoints.to_vec(), Mutex::new(None))
    }

    pub(super) fn set(&self, node: usize, state: NodeState) {
        if let Ok(mut states) = self.0.lock()
            && let Some(slot) = states.get_mut(node)
        {
            *slot = state;
        }
    }

    pub(super) fn set_problem(&self, problem: Option<String>) {
        if let Ok(mut slot) = self.2.lock() {
            *slot = problem;
        }
    }

    pub(super) fn problem(&self) -> Option<String> {
        self.2.lock().ok().and_then(|problem| problem.clone())
    }

    pub(super) fn nodes(&self) -> Vec<NodeHealth> {
        let states = self.0.lock().map(|states| states.clone()).unwrap_or_default();
        let nodes = self.1.iter().zip(states);
        nodes.map(|(endpoint, state)| NodeHealth { endpoint: endpoint.clone(), state }).collect()
    }
}
