//! What anybody may see.

use std::sync::atomic::Ordering;

use daas_join::master_api::{
    ClusterAnswer, ClusterEndpoints, ComponentView, Environment, InstanceView, NodesAnswer, RegistryView,
};
use daas_supervise::Phase;

use super::Api;
use crate::submissions::standing;

impl Api {
    pub(super) fn cluster(&self, now_ms: u64) -> ClusterAnswer {
        let state = self.view.cluster();
        let health = self.view.health();
        let instance = &self.about.instance;
        let (registration, registered_until_ms) = standing(state.as_deref(), &instance.public(), now_ms);
        let claims = instance.claims();
        let endpoints = state.as_ref().map(|state| state.cluster.endpoints.clone());
        let endpoints = endpoints.map_or_else(ClusterEndpoints::default, |known| ClusterEndpoints {
            api: known.api,
            join: known.join,
            master: known.master,
        });
        ClusterAnswer {
            cluster: self.about.cluster,
            name: state.as_ref().map(|state| state.cluster.name.clone()).unwrap_or_default(),
            chain_id: self.about.chain.clone(),
            // A configuration with a chain of production is refused (`crate::runtime`).
            environment: Environment::Development,
            generation: state.as_ref().map_or(0, |state| state.cluster.generation),
            endpoints,
            instance: InstanceView {
                key: instance.public().0,
                tls_spki_sha256: claims.tls_spki_sha256,
                server_ca_sha256: claims.server_ca_sha256,
                config_sha256: claims.config_sha256,
                registration,
                registered_until_ms,
            },
            registry: RegistryView {
                fresh: self.view.check_fresh(now_ms).is_ok(),
                checkpoint: health.sequence,
                timestamp_ms: health.timestamp_ms,
                problem: health.problem,
            },
            ready: self.serves.load(Ordering::Relaxed),
            components: self.components(),
            workers: self.workers.book.len(),
            notes: NOTES.map(str::to_owned).into(),
        }
    }

    pub(super) fn nodes(&self, now_ms: u64) -> NodesAnswer {
        NodesAnswer { nodes: self.workers.book.views(now_ms) }
    }

    /// The first program in start order that the others may be waiting for.
    pub(super) fn first_that_is_not_ready(&self) -> String {
        for states in &self.states {
            let states = states.borrow();
            if let Some((name, state)) = states.iter().find(|(_, state)| state.phase != Phase::Ready) {
                return format!("{name} is {}", state.phase.as_str());
            }
        }
        "not all programs are known to be ready".to_owned()
    }

    fn components(&self) -> Vec<ComponentView> {
        let mut components = Vec::new();
        for states in &self.states {
            let states = states.borrow();
            components.extend(states.iter().map(|(name, state)| ComponentView {
                name: (*name).to_owned(),
                phase: state.phase.as_str().to_owned(),
                restarts: state.restarts,
            }));
        }
        components
    }
}

const NOTES: [&str; 2] = [
    "DEVELOPMENT: the chain is none of Sui's, the attestation root may be simulated",
    "the cluster's state lives in this enclave's memory: a restart is a new, empty cluster with new authorities",
];
