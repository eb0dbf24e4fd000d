//! `daas token`: prints a Seal token, or serves kubectl as its credential plugin; rotates, extends and revokes it on chain.

use std::time::Duration;

use daas_chain::client::TokenRequest;
use daas_chain::types::{Bytes, SealTokenObject, Stake};
use daas_diagnostics::{Diagnostic, codes};
use daas_seal_token::{Claims, ClusterId, Purpose, SigningKey, StakeStatus, TokenId};
use serde_json::{Value, json};

use super::receipt::receipt_sheet;
use super::{Answer, exec_credential};
use crate::arguments::{Token, TokenPurpose};
use crate::connection::{ClusterLink, told};
use crate::invocation::Invocation;
use crate::moment;
use crate::output::{Format, Page, Paint, Report};
use crate::places::Role;
use crate::session_keys::{SessionKeys, random_secret};
use crate::sheet::Sheet;
use crate::views;

pub(super) async fn run(invocation: &Invocation, arguments: &Token) -> Answer {
    // kubectl asks for credentials of the API; a join token or a change is somebody's own wish.
    let wants_api = arguments.purpose == TokenPurpose::Api && !arguments.is_change();
    let for_kubectl =
        wants_api && (exec_credential::is_asked(exec_credential::question().as_deref())? || arguments.exec_credential);
    let link = invocation.connect_cluster().await?;
    link.read().await?;
    let stake = match &arguments.node {
        Some(node) => link.stake(node).await?,
        None => only_stake(invocation, &link).await?,
    };
    check_live(&stake)?;
    let keys = SessionKeys::below(&invocation.settings.state_dir);
    if arguments.rotate {
        return rotate(invocation, link, &stake, &keys).await;
    }
    if let Some(lifetime) = arguments.extend {
        return extend(invocation, link, &stake, &keys, lifetime).await;
    }
    if arguments.revoke {
        return revoke(invocation, link, &stake).await;
    }
    let object = link.token(&stake).await?.ok_or_else(|| no_token(&stake))?;
    let key = signing_key(&keys, &stake, &object)?;
    let bearer = Bearer { for_kubectl, ..bearer(&link, &object, &key, arguments)? };
    if !for_kubectl && invocation.screen.format == Format::Human && invocation.screen.answers_a_terminal() {
        invocation.screen.warn(
            "a Seal token is a credential: who reads this terminal can use it until it expires",
            "Seal 토큰은 자격 증명입니다. 이 터미널을 보는 사람은 만료 전까지 쓸 수 있습니다",
        );
    }
    Ok(Box::new(bearer))
}

/// Gives the Seal token another session key; the old one counts for nothing from then on.
async fn rotate(invocation: &Invocation, link: ClusterLink, stake: &Stake, keys: &SessionKeys) -> Answer {
    let (network, id) = (link.network, stake.id.to_string());
    let purpose = format!("rotate-{id}");
    let key = Bytes(keys.draft(&purpose)?.public().to_bytes());
    // An attempt that was cut off after the chain had learned the key only lacks this step.
    if link.token(stake).await?.is_some_and(|token| token.session_key == key) {
        keys.adopt(&purpose, &id)?;
        let json = json!({ "name": stake.name, "session_key": key });
        return Ok(Box::new(Sheet::new(network, json).words(Paint::Good, ROTATED.0, ROTATED.1)));
    }
    let session = invocation.sign_with(invocation.account(Role::Staker)?, link.node, link.package)?;
    let receipt = session.rotate_session_key(stake, &key).await.map_err(told)?;
    keys.adopt(&purpose, &id)?;
    let more = json!({ "name": stake.name, "session_key": key });
    Ok(Box::new(receipt_sheet(network, &receipt, ROTATED.0, ROTATED.1, more)))
}

const ROTATED: (&str, &str) = (
    "the Seal token has a new session key; the old one is void",
    "Seal 토큰에 새 세션 키가 있습니다. 이전 키는 무효입니다",
);

/// A later end; a token that has expired is past that, so the stake gets another one.
async fn extend(
    invocation: &Invocation,
    link: ClusterLink,
    stake: &Stake,
    keys: &SessionKeys,
    lifetime: Duration,
) -> Answer {
    let (network, id) = (link.network, stake.id.to_string());
    let lifetime_ms = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
    let now = link.now_ms().await?;
    let session = invocation.sign_with(invocation.account(Role::Staker)?, link.node, link.package)?;
    let receipt = if stake.token.is_some_and(|token| token.expires_at_ms > now) {
        session.extend_token(stake, lifetime_ms).await.map_err(told)?
    } else {
        // The same draft as of a rotation: one that an interrupted attempt left is taken up by either.
        let purpose = format!("rotate-{id}");
        let session_key = Bytes(keys.draft(&purpose)?.public().to_bytes());
        let receipt = session.create_token(stake, TokenRequest { session_key, lifetime_ms }).await.map_err(told)?;
        keys.adopt(&purpose, &id)?;
        receipt
    };
    let stake: Stake = session.node().read(stake.id, &session.package().origin).await.map_err(told)?;
    let expires = stake.token.map(|token| token.expires_at_ms);
    let more = json!({
        "name": stake.name,
        "token": stake.token.map(|token| token.id.to_string()),
        "expires_at_ms": expires,
    });
    let (english, korean) = ("the Seal token lives on", "Seal 토큰의 기한을 늘렸습니다");
    Ok(Box::new(
        receipt_sheet(network, &receipt, english, korean, more)
            .fields([("node", stake.name.clone()), ("until", expires.map(moment::show).unwrap_or_default())]),
    ))
}

async fn revoke(invocation: &Invocation, link: ClusterLink, stake: &Stake) -> Answer {
    let network = link.network;
    let session = invocation.sign_with(invocation.account(Role::Staker)?, link.node, link.package)?;
    let receipt = session.revoke_token(stake).await.map_err(told)?;
    let more = json!({ "name": stake.name, "token": stake.token.map(|token| token.id.to_string()) });
    let (english, korean) = (
        "the Seal token is revoked; daas stake makes another",
        "Seal 토큰을 폐기했습니다. daas stake 명령으로 새로 만들 수 있습니다",
    );
    Ok(Box::new(receipt_sheet(network, &receipt, english, korean, more)))
}

/// A finished token and its end.
struct Bearer {
    token: String,
    purpose: Purpose,
    expires_at_ms: u64,
    for_kubectl: bool,
}

fn bearer(
    link: &ClusterLink,
    object: &SealTokenObject,
    key: &SigningKey,
    arguments: &Token,
) -> Result<Bearer, Diagnostic> {
    let purpose = Purpose::from(arguments.purpose);
    let now = moment::now_ms();
    if object.expires_at_ms <= now {
        return Err(Diagnostic::new(codes::TOKEN_OBJECT_EXPIRED)
            .with("token", object.id)
            .with("expired", moment::show(object.expires_at_ms)));
    }
    let longest = purpose.max_lifetime_ms();
    let asked = arguments.lifetime.map_or(longest, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    let mut nonce = [0; 16];
    nonce.copy_from_slice(&random_secret()?[..16]);
    let (cluster, token) = (ClusterId(*link.cluster.inner()), TokenId(*object.id.inner()));
    let claims = Claims::new(link.node.network(), cluster, token, purpose, now, asked, nonce).map_err(|_| {
        Diagnostic::new(codes::TOKEN_LIFETIME_TOO_LONG)
            .with("lifetime", format!("{} s", asked / 1000))
            .with("limit", format!("{} s", longest / 1000))
    })?;
    Ok(Bearer {
        token: key.sign(&claims).to_bearer(),
        purpose,
        expires_at_ms: claims.expires_at_ms,
        for_kubectl: false,
    })
}

/// The key of the stake, if it is the one that the chain knows.
pub(super) fn signing_key(
    keys: &SessionKeys,
    stake: &Stake,
    object: &SealTokenObject,
) -> Result<SigningKey, Diagnostic> {
    let id = stake.id.to_string();
    let key = keys.read(&id)?.ok_or_else(|| {
        Diagnostic::new(codes::SESSION_KEY_UNREADABLE)
            .with("path", keys.path(&id).display())
            .with_words("reason", "this machine has no session key for it", "이 컴퓨터에는 해당 세션 키가 없습니다")
            .technical("daas token --rotate makes a new one")
    })?;
    if key.public().to_bytes() == object.session_key.0 {
        Ok(key)
    } else {
        Err(Diagnostic::new(codes::TOKEN_KEY_ROTATED).with("token", object.id))
    }
}

/// The one live stake of this wallet, where no node was named.
pub(super) async fn only_stake(invocation: &Invocation, link: &ClusterLink) -> Result<Stake, Diagnostic> {
    let owner = invocation.account(Role::Staker)?.address();
    let stakes = link.stakes().await?.into_iter();
    let own: Vec<_> = stakes.filter(|stake| stake.owner == owner && stake.status == StakeStatus::Active).collect();
    match own.as_slice() {
        [stake] => Ok(stake.clone()),
        [] => Err(Diagnostic::new(codes::UNKNOWN_NODE).with("name", owner).with("cluster", link.cluster)),
        several => {
            let names: Vec<_> = several.iter().map(|stake| stake.name.as_str()).collect();
            Err(Diagnostic::new(codes::UNKNOWN_NODE)
                .with("name", owner)
                .with("cluster", link.cluster)
                .with("nearest", names.join("\", \"")))
        }
    }
}

fn check_live(stake: &Stake) -> Result<(), Diagnostic> {
    match stake.status {
        StakeStatus::Slashed => Err(Diagnostic::new(codes::STAKE_SLASHED).with("stake", stake.id)),
        StakeStatus::Active if stake.suspended => {
            let token = stake.token.map_or_else(|| stake.id.to_string(), |token| token.id.to_string());
            Err(Diagnostic::new(codes::TOKEN_SUSPENDED).with("token", token))
        }
        StakeStatus::Active => Ok(()),
        StakeStatus::Unbonding | StakeStatus::Withdrawn => {
            Err(Diagnostic::new(codes::STAKE_NOT_ACTIVE).with("stake", stake.id).with("state", views::status(stake)))
        }
    }
}

pub(super) fn no_token(stake: &Stake) -> Diagnostic {
    daas_diagnostics::Diagnose::diagnostic(&daas_chain::Error::NoToken { stake: stake.id })
}

impl Report for Bearer {
    /// For the API: what kubectl reads.
    fn json(&self) -> Value {
        match self.purpose {
            Purpose::Api => exec_credential::credential(&self.token, self.expires_at_ms),
            Purpose::Join => json!({ "token": self.token, "purpose": "join", "expires_at_ms": self.expires_at_ms }),
        }
    }

    fn human(&self, page: &mut Page) {
        if self.for_kubectl { page.secret(&self.json().to_string()) } else { page.secret(&self.token) }
    }
}
