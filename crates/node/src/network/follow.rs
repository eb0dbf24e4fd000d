//! Follows the Nodes and brings the kernel in step with them, again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::peers::{Record, Tables, peers};
use super::watch_nodes::{Api, Event, told};
use super::{NetworkState, Settings, link, packet_filter};

/// Changes that come together are applied together.
const GATHERING: Duration = Duration::from_millis(100);
/// Somebody else may change the kernel's tables; they are looked at this often.
const LOOKING_AGAIN: Duration = Duration::from_mins(1);
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Never ends. While the API server is away everything stays as it was.
pub(super) async fn follow(settings: Settings, tell: watch::Sender<NetworkState>) {
    let mut kernel = Kernel { settings, tell, applied: None };
    let mut wait = FIRST_WAIT;
    loop {
        let begun = Instant::now();
        let Err(cause) = kernel.follow_once().await;
        if begun.elapsed() > LONGEST_WAIT {
            wait = FIRST_WAIT;
        }
        let cause = told(kernel.settings.api, &cause);
        tracing::debug!(%cause, wait_ms = wait.as_millis(), "trying again");
        kernel.tell.send_modify(|state| state.detail = cause);
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

struct Kernel {
    settings: Settings,
    tell: watch::Sender<NetworkState>,
    /// The peers that the packet filter admits.
    applied: Option<BTreeSet<super::peers::Peer>>,
}

impl Kernel {
    /// Lists, then watches and resumes for as long as the server lets it.
    async fn follow_once(&mut self) -> Result<std::convert::Infallible, String> {
        let mut api = Api::connect(&self.settings).await?;
        let listed = api.list().await?;
        let (mut nodes, mut version) = (listed.nodes, listed.version);
        self.apply(&nodes).await?;
        loop {
            let began = Instant::now();
            let mut events = api.watch(&version).await?;
            let mut next_look = Instant::now() + LOOKING_AGAIN;
            let mut due = next_look;
            loop {
                tokio::select! {
                    event = events.next() => match event? {
                        None => break,
                        Some(event) => {
                            if note(&mut nodes, &mut version, event) {
                                due = due.min(Instant::now() + GATHERING);
                            }
                        }
                    },
                    () = tokio::time::sleep_until(due) => {
                        self.apply(&nodes).await?;
                        next_look = Instant::now() + LOOKING_AGAIN;
                        due = next_look;
                    }
                }
            }
            // A change may have come with the stream's end.
            self.apply(&nodes).await?;
            // A server that ends every watch at once is not asked in a loop.
            tokio::time::sleep_until(began + FIRST_WAIT * 5).await;
            api = Api::connect(&self.settings).await?;
        }
    }

    async fn apply(&mut self, nodes: &BTreeMap<String, Record>) -> Result<(), String> {
        let peers = peers(&self.settings, nodes);
        // Whoever left is not heard any more before it is not spoken to; whoever came is heard first.
        if self.applied.as_ref() != Some(&peers) {
            packet_filter::admit(&self.settings, &peers).await.map_err(|cause| cause.to_string())?;
        }
        link::apply(&self.settings.tools, &Tables::of(&peers)).await.map_err(|cause| cause.to_string())?;
        if self.applied.as_ref() != Some(&peers) {
            tracing::info!(peers = peers.len(), "the pod network is in step with the Nodes");
        }
        let count = peers.len();
        self.applied = Some(peers);
        self.tell.send_replace(NetworkState { in_step: true, peers: count, detail: String::new() });
        Ok(())
    }
}

/// Takes an event in; says whether it changes anything for the network.
fn note(nodes: &mut BTreeMap<String, Record>, version: &mut String, event: Event) -> bool {
    match event {
        Event::Set(name, record, at) => {
            *version = at;
            nodes.insert(name, record) != Some(record)
        }
        Event::Gone(name, at) => {
            *version = at;
            nodes.remove(&name).is_some()
        }
        Event::Bookmark(at) => {
            *version = at;
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_of_range_address_or_existence_matter() {
        let record = |json| Record::from(&serde_json::from_value(json).unwrap());
        let one = record(serde_json::json!({"metadata": {"name": "w"}, "spec": {"podCIDR": "10.42.2.0/24"}}));
        let other = record(serde_json::json!({"metadata": {"name": "w"}, "spec": {"podCIDR": "10.42.3.0/24"}}));
        let (mut nodes, mut version) = (BTreeMap::new(), String::new());
        let mut changes = |event| note(&mut nodes, &mut version, event);
        assert!(changes(Event::Set("w".into(), one, "1".into())));
        assert!(!changes(Event::Set("w".into(), one, "2".into())));
        assert!(changes(Event::Set("w".into(), other, "3".into())));
        assert!(!changes(Event::Bookmark("4".into())));
        assert!(!changes(Event::Gone("x".into(), "5".into())));
        assert!(changes(Event::Gone("w".into(), "6".into())));
        assert_eq!((nodes.len(), version.as_str()), (0, "6"));
    }
}
