//! Tunnels: how kube-apiserver reaches kubelets and pods. A worker opens a websocket, the gateway opens streams in it; the
//! other way round nothing is opened, and the gateway never dials for a worker.

mod session;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use daas_join::NodeSubject;
use daas_seal_token::NodeName;

use crate::error::Error;

pub use session::{Session, websocket_limits};
pub use stream::TunnelStream;

/// How many workers may have a tunnel.
const MAX_TUNNELS: usize = 10_000;

/// The tunnels that are up, one of each node: the newest, because an agent that comes back is one that lost the old one.
#[derive(Debug, Default)]
pub struct Tunnels(Mutex<HashMap<NodeName, Tunnel>>);

#[derive(Debug, Clone)]
struct Tunnel {
    subject: NodeSubject,
    session: Arc<Session>,
}

/// What tunnels carry at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// How many there are.
    pub tunnels: usize,
    /// Their streams.
    pub streams: usize,
    /// Bytes that wait for kube-apiserver.
    pub queued: usize,
}

impl Tunnels {
    /// Takes a node's new tunnel in; an older one of the same node is closed.
    pub fn put(&self, subject: NodeSubject, session: Arc<Session>) -> Result<(), Error> {
        let mut tunnels = self.lock();
        if tunnels.len() >= MAX_TUNNELS && !tunnels.contains_key(&subject.name) {
            return Err(Error::Limit("too many tunnels"));
        }
        let name = subject.name.clone();
        if let Some(older) = tunnels.insert(name.clone(), Tunnel { subject, session }) {
            tracing::info!(node = %name, "a newer tunnel takes the place of the one before");
            older.session.close();
        }
        Ok(())
    }

    /// Takes a tunnel out that has ended, unless a newer one has its place.
    pub fn remove(&self, name: &NodeName, session: &Arc<Session>) {
        let mut tunnels = self.lock();
        if tunnels.get(name).is_some_and(|tunnel| Arc::ptr_eq(&tunnel.session, session)) {
            tunnels.remove(name);
        }
    }

    /// A node's tunnel.
    pub fn get(&self, name: &NodeName) -> Option<Arc<Session>> {
        self.lock().get(name).map(|tunnel| Arc::clone(&tunnel.session))
    }

    /// Asks about every node that has a tunnel, and closes those of nodes that may not go on. Gives back how many.
    pub fn recheck(&self, may_go_on: impl Fn(&NodeSubject) -> bool) -> usize {
        let up: Vec<_> = self.lock().values().cloned().collect();
        let ended: Vec<_> = up.into_iter().filter(|tunnel| !may_go_on(&tunnel.subject)).collect();
        for tunnel in &ended {
            tunnel.session.close();
            self.remove(&tunnel.subject.name, &tunnel.session);
        }
        ended.len()
    }

    /// What they carry.
    pub fn load(&self) -> Load {
        let tunnels = self.lock();
        let mut load = Load { tunnels: tunnels.len(), ..Load::default() };
        for tunnel in tunnels.values() {
            load.streams += tunnel.session.stream_count();
            load.queued += tunnel.session.queued();
        }
        load
    }

    /// The nodes that have a tunnel.
    pub fn nodes(&self) -> Vec<NodeName> {
        self.lock().keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<NodeName, Tunnel>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
