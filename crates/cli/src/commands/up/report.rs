//! What `daas up` says when everything runs.

use serde_json::{Value, json};

use super::NextStep;
use crate::development::KubernetesNode;
use crate::output::{Page, Paint, Report};

/// The finished cluster.
pub(super) struct Ready {
    pub(super) chain: (String, String),
    pub(super) package: String,
    pub(super) cluster: String,
    pub(super) release: String,
    pub(super) instance: String,
    pub(super) server: String,
    pub(super) admin: String,
    pub(super) nodes: Vec<KubernetesNode>,
    pub(super) kubeconfig: String,
    pub(super) settings: String,
    pub(super) logs: String,
    pub(super) next: Vec<NextStep>,
}

impl Report for Ready {
    fn json(&self) -> Value {
        let nodes: Vec<_> = self
            .nodes
            .iter()
            .map(|node| {
                json!({
                    "name": node.name, "ready": node.is_ready, "address": node.address, "version": node.version,
                })
            })
            .collect();
        json!({
            "development": true,
            "chain": { "id": self.chain.0, "address": self.chain.1 },
            "package": self.package,
            "cluster": self.cluster,
            "release": self.release,
            "instance": self.instance,
            "server": self.server,
            "admin": self.admin,
            "nodes": nodes,
            "kubeconfig": self.kubeconfig,
            "settings": self.settings,
            "logs": self.logs,
            "next": self.next.iter().map(|(command, ..)| command).collect::<Vec<_>>(),
        })
    }

    fn human(&self, page: &mut Page) {
        page.development_banner(false);
        let title = page.pick("the development cluster runs", "개발용 클러스터가 실행 중입니다").to_owned();
        page.painted(Paint::Good, title);
        let nodes: Vec<_> = self.nodes.iter().map(|node| node.name.as_str()).collect();
        page.fields([
            ("chain", format!("{} at http://{}", self.chain.0, self.chain.1)),
            ("cluster", self.cluster.clone()),
            ("release", self.release.clone()),
            ("instance", self.instance.clone()),
            ("server", self.server.clone()),
            ("nodes", nodes.join(", ")),
            ("logs", self.logs.clone()),
        ]);
        next_steps(page, &self.next);
    }
}

/// The end of the page.
pub(super) fn next_steps(page: &mut Page, next: &[NextStep]) {
    page.line("");
    let title = page.pick("what to type next:", "이제 이렇게 해 보세요:").to_owned();
    page.painted(Paint::Strong, title);
    let width = next.iter().map(|(command, ..)| command.len()).max().unwrap_or(0);
    for (command, english, korean) in next {
        let line = format!("  {command:<width$}  {}", page.pick(english, korean));
        page.line(line);
    }
}
