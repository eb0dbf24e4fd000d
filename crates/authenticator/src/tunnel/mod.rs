//! Tunnels: how kube-apiserver reaches kubelets and pods. A worker opens a websocket, the gateway opens streams in it; the
//! other way round nothing is opened, and the gateway never dials for a worker.

mod contest;
mod session;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use daas_join::{Backlog, NodeSubject};
use daas_seal_token::NodeName;

use crate::error::Error;

pub use contest::{Contest, DoubleIdentity, Rhythm};
pub use session::{Answer, Session, websocket_limits};
pub use stream::TunnelStream;

/// How many workers may have a tunnel.
const MAX_TUNNELS: usize = 10_000;

/// The tunnels that are up. Streams go into the newest of a node, because an agent that comes back is one that lost the old
/// one. An older one with the same key stays until it is known whether somebody lives at its other end: see [`Contest`].
#[derive(Debug)]
pub struct Tunnels {
    up: Mutex<HashMap<NodeName, OfNode>>,
    backlog: Arc<Backlog>,
}

/// A tunnel and who opened it.
#[derive(Debug, Clone)]
pub struct Tunnel {
    /// The node, as its certificate names it.
    pub subject: NodeSubject,
    /// SHA-256 of the certificate's public key.
    pub key: [u8; 32],
    /// From where: the parent's word.
    pub from: Option<IpAddr>,
    /// The tunnel itself.
    pub session: Arc<Session>,
}

#[derive(Debug)]
struct OfNode {
    newest: Tunnel,
    /// The one before, with the same key.
    rival: Option<Tunnel>,
}

/// What tunnels carry at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// How many there are.
    pub tunnels: usize,
    /// Their streams.
    pub streams: usize,
    /// Bytes that wait for kube-apiserver, also of tunnels that have ended.
    pub queued: usize,
}

impl Default for Tunnels {
    fn default() -> Self {
        Self::within(Backlog::of_all())
    }
}

impl Tunnels {
    /// None yet; `backlog` bounds what waits in all of them together.
    pub fn within(backlog: Arc<Backlog>) -> Self {
        Self { up: Mutex::default(), backlog }
    }

    /// A session for another tunnel.
    pub fn session(&self) -> Arc<Session> {
        Session::new(Arc::clone(&self.backlog))
    }

    /// Takes a node's new tunnel in. An older one of another key is closed; one of the same key contests it.
    pub fn put(&self, tunnel: Tunnel) -> Result<Option<Contest>, Error> {
        let mut tunnels = self.lock();
        let name = tunnel.subject.name.clone();
        let Some(of_node) = tunnels.get_mut(&name) else {
            if tunnels.len() >= MAX_TUNNELS {
                return Err(Error::Limit("too many tunnels"));
            }
            tunnels.insert(name, OfNode { newest: tunnel, rival: None });
            return Ok(None);
        };
        let older = std::mem::replace(&mut of_node.newest, tunnel.clone());
        if let Some(oldest) = of_node.rival.take() {
            oldest.session.close();
        }
        tracing::info!(node = %name, "a newer tunnel takes the place of the one before");
        if older.key != tunnel.key || older.session.is_closed() {
            older.session.close();
            return Ok(None);
        }
        of_node.rival = Some(older.clone());
        Ok(Some(Contest { older, newer: tunnel }))
    }

    /// Takes a tunnel out that has ended. If it was contested, the other one has the place.
    pub fn remove(&self, name: &NodeName, session: &Arc<Session>) {
        let mut tunnels = self.lock();
        let Some(of_node) = tunnels.get_mut(name) else { return };
        if of_node.rival.as_ref().is_some_and(|rival| Arc::ptr_eq(&rival.session, session)) {
            of_node.rival = None;
        } else if Arc::ptr_eq(&of_node.newest.session, session) {
            match of_node.rival.take().filter(|rival| !rival.session.is_closed()) {
                Some(rival) => of_node.newest = rival,
                None => drop(tunnels.remove(name)),
            }
        }
    }

    /// A node's tunnel.
    pub fn get(&self, name: &NodeName) -> Option<Arc<Session>> {
        self.lock().get(name).map(|of_node| Arc::clone(&of_node.newest.session))
    }

    /// Asks about every node that has a tunnel, and closes those of nodes that may not go on. Gives back how many.
    pub fn recheck(&self, may_go_on: impl Fn(&NodeSubject) -> bool) -> usize {
        let up: Vec<_> = self.lock().values().flat_map(OfNode::all).cloned().collect();
        let ended: Vec<_> = up.into_iter().filter(|tunnel| !may_go_on(&tunnel.subject)).collect();
        for tunnel in &ended {
            tunnel.session.close();
        }
        for tunnel in &ended {
            self.remove(&tunnel.subject.name, &tunnel.session);
        }
        ended.len()
    }

    /// What they carry.
    pub fn load(&self) -> Load {
        let tunnels = self.lock();
        let mut load = Load { queued: self.backlog.waiting(), ..Load::default() };
        for tunnel in tunnels.values().flat_map(OfNode::all) {
            load.tunnels += 1;
            load.streams += tunnel.session.stream_count();
        }
        load
    }

    /// The nodes that have a tunnel.
    pub fn nodes(&self) -> Vec<NodeName> {
        self.lock().keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<NodeName, OfNode>> {
        self.up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OfNode {
    fn all(&self) -> impl Iterator<Item = &Tunnel> {
        std::iter::once(&self.newest).chain(&self.rival)
    }
}
