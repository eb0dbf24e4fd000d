use std::time::Duration;

use serde_json::Value;

use super::{AddOn, Object, Wanted, tiers};
use crate::{ApiClient, ControlPlaneError, Result};

/// Who owns the fields that are applied.
const MANAGER: &str = "k3s-daas";
/// How often everything is applied again.
const PERIOD: Duration = Duration::from_mins(1);
const RETRY: Duration = Duration::from_secs(2);

/// Applies the add-ons.
#[derive(Debug, Clone)]
pub struct Keeper {
    client: ApiClient,
    wanted: Wanted,
}

impl Keeper {
    /// Applies through `client`, which needs the rights of [`super::rules`].
    pub fn new(client: ApiClient, wanted: Wanted) -> Self {
        Self { client, wanted }
    }

    /// Applies everything once: what is wanted is there afterwards, what is switched off is not.
    pub async fn apply(&self) -> Result<()> {
        self.bind_tiers_once().await?;
        for add_on in AddOn::ALL {
            for object in self.wanted.objects(add_on) {
                if self.wanted.choice.disabled.contains(&add_on) {
                    self.remove(&object).await?;
                } else {
                    self.apply_one(&object).await?;
                }
            }
        }
        Ok(())
    }

    async fn bind_tiers_once(&self) -> Result<()> {
        let marker = tiers::marker();
        let (status, answer) = self.client.get(&marker.path()).await?;
        match status.as_u16() {
            200 => return Ok(()),
            404 => {}
            status => return Err(refused(&marker, status, &answer)),
        }
        for object in tiers::objects() {
            self.apply_one(&object).await?;
        }
        self.apply_one(&marker).await
    }

    async fn apply_one(&self, object: &Object) -> Result<()> {
        let (status, answer) = self.client.apply(&object.path(), MANAGER, object.value()).await?;
        if status.is_success() { Ok(()) } else { Err(refused(object, status.as_u16(), &answer)) }
    }

    /// Deletes an object of ours; one that somebody else made under the same name stays.
    async fn remove(&self, object: &Object) -> Result<()> {
        let (status, found) = self.client.get(&object.path()).await?;
        let ours = found["metadata"]["labels"]["app.kubernetes.io/managed-by"] == MANAGER;
        if !status.is_success() || !ours {
            return if status.is_success() || status == 404 {
                Ok(())
            } else {
                Err(refused(object, status.as_u16(), &found))
            };
        }
        let (status, answer) = self.client.delete(&object.path()).await?;
        if status.is_success() || status == 404 { Ok(()) } else { Err(refused(object, status.as_u16(), &answer)) }
    }
}

/// Applies the add-ons again and again, until it is dropped.
pub async fn keep(keeper: Keeper) {
    loop {
        let wait = match keeper.apply().await {
            Ok(()) => PERIOD,
            Err(error) => {
                tracing::warn!(%error, "add-ons could not be applied; trying again");
                RETRY
            }
        };
        tokio::time::sleep(wait).await;
    }
}

fn refused(object: &Object, status: u16, answer: &Value) -> ControlPlaneError {
    let message = answer["message"].as_str().unwrap_or("no reason was given");
    ControlPlaneError::Apply {
        object: format!("{} {}", object.kind(), object.name()),
        status,
        answer: message.chars().take(400).collect(),
    }
}
