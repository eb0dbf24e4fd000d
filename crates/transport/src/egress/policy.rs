use std::collections::BTreeMap;

use super::{Host, Target};

/// Which destinations the enclave may ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy(BTreeMap<Host, Ports>);

/// Which ports of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ports {
    /// Any; in development only.
    Any,
    /// These.
    Only(Vec<u16>),
}

impl Policy {
    /// These hosts, with their ports.
    pub fn new(allowed: impl IntoIterator<Item = (Host, Ports)>) -> Self {
        Self(allowed.into_iter().collect())
    }

    /// Whether this destination is among them.
    pub fn allows(&self, target: &Target) -> bool {
        match self.0.get(&target.host) {
            None => false,
            Some(Ports::Any) => true,
            Some(Ports::Only(ports)) => ports.contains(&target.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_hosts_and_their_ports_are_allowed() {
        let host = |name| Host::parse(name).unwrap();
        let policy = Policy::new([(host("chain.internal"), Ports::Any), (host("sui.io"), Ports::Only(vec![443]))]);
        let allows = |target| policy.allows(&Target::parse(target).unwrap());
        assert!(allows("chain.internal:1") && allows("chain.internal:9123") && allows("sui.io:443"));
        assert!(
            !allows("sui.io:80") && !allows("x.sui.io:443") && !allows("chain.internal.evil:1") && !allows("io:443")
        );
        assert!(!Policy::default().allows(&Target::parse("chain.internal:1").unwrap()));
    }
}
