//! Prometheus text (exposition format 0.0.4).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use daas_join::master_api::NodeState;

use super::Api;
use crate::submissions::standing;

impl Api {
    pub(super) async fn metrics(&self, now_ms: u64) -> String {
        let mut texts = self.figures.texts().await;
        texts.push(self.own_figures(now_ms));
        merged(&texts)
    }

    fn own_figures(&self, now_ms: u64) -> String {
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, value: u64| {
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
        };
        let views = self.workers.book.views(now_ms);
        let ready = views.iter().filter(|view| view.state == NodeState::Ready).count();
        let health = self.view.health();
        let (_, until) = standing(self.view.cluster().as_deref(), &self.about.instance.public(), now_ms);
        let fresh = u64::from(self.view.check_fresh(now_ms).is_ok());
        family("daas_master_workers", "gauge", "workers that have registered", views.len() as u64);
        family("daas_master_workers_ready", "gauge", "workers whose heartbeats arrive and say so", ready as u64);
        family("daas_master_heartbeats_total", "counter", "heartbeats that counted", self.workers.heartbeats());
        let documents = self.about.device.documents();
        family("daas_master_documents_total", "counter", "questions to the security module", documents);
        family("daas_master_registry_fresh", "gauge", "1 while verdicts can be given", fresh);
        family("daas_master_registry_checkpoint", "gauge", "the newest checkpoint", health.sequence);
        let age = now_ms.saturating_sub(health.timestamp_ms) / 1000;
        family("daas_master_registry_age_seconds", "gauge", "age of the newest checkpoint", age);
        let registered = until.map_or(0, |until| until.saturating_sub(now_ms) / 1000);
        family("daas_master_registration_seconds", "gauge", "what is left of the registration on chain", registered);
        family("daas_master_offered", "gauge", "submissions that wait for somebody", self.offers.all().len() as u64);
        text
    }
}

/// Several texts as one: a family's lines stand together, as the format asks for.
pub fn merged(texts: &[String]) -> String {
    let mut order: Vec<&str> = Vec::new();
    let mut families: BTreeMap<&str, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for line in texts.iter().flat_map(|text| text.lines()).filter(|line| !line.is_empty()) {
        let comment = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE "));
        let name = comment.unwrap_or(line).split([' ', '{']).next().unwrap_or_default();
        let (comments, samples) = families.entry(name).or_insert_with(|| {
            order.push(name);
            Default::default()
        });
        match comment {
            Some(_) if !comments.contains(&line) => comments.push(line),
            Some(_) => {}
            None => samples.push(line),
        }
    }
    let mut text = String::new();
    for name in order {
        let (comments, samples) = &families[name];
        for line in comments.iter().chain(samples) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_of_two_texts_stand_together_and_are_described_once() {
        let one = "# HELP a x\n# TYPE a gauge\na{c=\"1\"} 1\n# HELP b y\n# TYPE b counter\nb 2\n".to_owned();
        let other = "# HELP a x\n# TYPE a gauge\na{c=\"2\"} 3\n".to_owned();
        let expected = "# HELP a x\n# TYPE a gauge\na{c=\"1\"} 1\na{c=\"2\"} 3\n# HELP b y\n# TYPE b counter\nb 2\n";
        assert_eq!(merged(&[one, other]), expected);
    }
}
