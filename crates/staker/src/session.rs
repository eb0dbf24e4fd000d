//! One session with a verified enclave: registration, certificates, tunnel, heartbeats, renewals, until something ends it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use daas_join::Audience;
use daas_join::master_api::{ErrorCode, Heartbeat, NodeStatus};
use daas_seal_token::TokenId;
use daas_settings::StakerSettings;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::api::{Command, Snapshot};
use crate::chain::{Chain, now_ms};
use crate::credentials::{AUDIENCES, CredentialFolder, Expected, Life as CertificateLife};
use crate::enclave::{Roots, verify_enclave};
use crate::error::Error;
use crate::gateway::{Caller, Gateway};
use crate::http_client::Peer;
use crate::judge::{ChainWord, Judge, MasterWord, Ruling};
use crate::life::{Cause, Joined, Verified};
use crate::master::{Master, word};
use crate::node::{NodePlan, RunningNode};
use crate::pinned;
use crate::resources::{Meter, machine, pods};
use crate::tunnel::{self, Rules, TunnelEvent};
use crate::worker::contradicted;

/// Heartbeats in a row that may fail.
const FAILURES: u32 = 3;
/// The enclave is verified anew at every session and so often within one.
const VERIFY: Duration = Duration::from_hours(1);
/// How often certificates, Seal token and key generation are looked at. Certificates of an old generation count for ten minutes.
const RENEW: Duration = Duration::from_mins(2);
/// Not more often than this, whatever certificates say.
const RENEW_SOONEST: Duration = Duration::from_secs(1);
/// An enclave that nobody could ask about for so many minutes is lost; one that is refused is lost at once.
const UNVERIFIED: u32 = 5;
const VERIFY_AGAIN: Duration = Duration::from_mins(1);
/// How often the node is looked at: the master hears at once when it becomes ready, or is no more.
const LOOK: Duration = Duration::from_millis(500);
/// Whatever happens to the tunnel, heartbeats are this far apart.
const SOONEST: Duration = Duration::from_millis(500);
/// The chain's word is not waited for longer.
const CHAIN_WORD: Duration = Duration::from_secs(2);

/// What every session needs.
pub(crate) struct Parts {
    pub(crate) settings: StakerSettings,
    pub(crate) chain: Chain,
    pub(crate) roots: Roots,
    pub(crate) credentials: CredentialFolder,
}

/// How a session ended.
#[derive(Debug)]
pub(crate) enum SessionEnd {
    /// Begin again at once.
    Again,
    /// The master is lost, or no longer to be trusted.
    Lost(Error),
    /// The master says that the identity is over; verify and ask again.
    AskAgain,
    /// The identity is over.
    Over(Cause),
    /// Somebody on this machine wants the stake back.
    Unstake,
}

/// A node that has joined.
pub(crate) struct Established {
    pub(crate) joined: Joined,
    pub(crate) plan: NodePlan,
    master: Master,
    master_at: String,
    gateway: Gateway,
    client_ca: Vec<u8>,
    lives: Vec<CertificateLife>,
    key_generation: u64,
}

/// Registers the node and fetches its certificates.
pub(crate) async fn establish(
    parts: &Parts,
    verified: Verified,
    master_at: &str,
    join_at: &str,
    address: IpAddr,
    api: SocketAddr,
) -> Result<Established, Error> {
    let master = Master::new(master_at, &verified.enclave)?;
    let staked = verified.tokened.staked.clone();
    let token = parts.chain.bearer(&verified.tokened)?;
    let place = master.register(&token, &staked, address, machine()?).await?;
    tracing::info!(node = %staked.name, pods = %place.pod_cidr, "registered");
    let registered = verified.registered(place.clone());
    let gateway = Gateway::find(join_at, &registered.verified.enclave).await?;
    let password = parts.credentials.password(&staked.name)?;
    let caller = Caller { token: &token, name: &staked.name, address, password: &password };
    let client_ca = gateway.client_ca(&caller).await?;
    parts.credentials.keep_authorities(gateway.server_ca(), &client_ca)?;
    let key_generation = parts.chain.key_generation(&registered.verified.tokened).await?;
    let lives = certificates(parts, &gateway, &caller, &registered.verified, &client_ca).await?;
    let text = |pem: &[u8]| String::from_utf8_lossy(pem).into_owned();
    let plan = NodePlan {
        name: staked.name.clone(),
        place,
        api,
        server_ca: text(gateway.server_ca()),
        client_ca: text(&client_ca),
        credentials: parts.credentials.clone(),
    };
    tracing::info!(node = %staked.name, "joined");
    let (joined, master_at) = (registered.joined(), master_at.to_owned());
    Ok(Established { joined, plan, master, master_at, gateway, client_ca, lives, key_generation })
}

/// A new key and certificate for each program, in the place of those that were there.
async fn certificates(
    parts: &Parts,
    gateway: &Gateway,
    caller: &Caller<'_>,
    verified: &Verified,
    client_ca: &[u8],
) -> Result<Vec<CertificateLife>, Error> {
    let expected = Expected { name: caller.name, token: TokenId(verified.tokened.token.into_inner()), client_ca };
    let mut lives = Vec::new();
    for audience in AUDIENCES {
        let credential = gateway.certificate(audience, caller, &expected).await?;
        parts.credentials.write(audience, &credential)?;
        lives.push(credential.life);
    }
    Ok(lives)
}

impl Established {
    /// Keeps the node a member until something ends that. Dropping it ends tunnel and heartbeats; the node goes on.
    pub(crate) async fn run<N: RunningNode>(
        mut self,
        parts: &Parts,
        node: Option<&N>,
        judge: &mut Judge,
        commands: &mut mpsc::Receiver<Command>,
        snapshot: &ArcSwap<Snapshot>,
    ) -> Result<SessionEnd, Error> {
        let stop = CancellationToken::new();
        let _ends = stop.clone().drop_guard();
        let (events, mut tunnel_events) = mpsc::channel(4);
        self.keep_tunnel(events, stop);
        let meter = Meter::default();
        let mut look = interval_at(Instant::now() + LOOK, LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_renew = self.next_renewal();
        let (mut next_verify, mut unverified) = (Instant::now() + VERIFY, 0);
        let (mut next_beat, mut last_beat) = (Instant::now(), None::<Instant>);
        let (mut failures, mut tunnel_is_up, mut was_ready) = (0, false, None);
        loop {
            tokio::select! {
                () = sleep_until(next_beat) => {
                    let is_ready = node.is_some_and(RunningNode::is_ready);
                    was_ready = Some(is_ready);
                    let beaten = self.beat(parts, &meter, is_ready).await;
                    last_beat = Some(Instant::now());
                    let (ruling, problem) = self.weigh(parts, judge, &beaten).await;
                    match ruling {
                        Ruling::Over(cause) => return Ok(SessionEnd::Over(cause)),
                        Ruling::AskAgain => return Ok(SessionEnd::AskAgain),
                        Ruling::Contradicted | Ruling::GoOn => {}
                    }
                    let period = match beaten {
                        Ok(seconds) => {
                            failures = 0;
                            Duration::from_secs(seconds)
                        }
                        Err(Error::Master { code: ErrorCode::NotRegistered, .. }) => return Ok(SessionEnd::Again),
                        Err(error) => {
                            failures += 1;
                            tracing::warn!(%error, failures, "a heartbeat failed");
                            if failures >= FAILURES {
                                return Ok(SessionEnd::Lost(error));
                            }
                            Duration::from_secs(self.joined.registered.place.heartbeat_seconds)
                        }
                    };
                    next_beat = Instant::now() + period;
                    show(snapshot, failures == 0 && is_ready && tunnel_is_up, failures == 0, problem);
                }
                Some(event) = tunnel_events.recv() => {
                    tunnel_is_up = event == TunnelEvent::Up;
                    // A tunnel that ended may be the first sign that the identity is over; one that is up may make the node well.
                    let soonest = last_beat.map_or_else(Instant::now, |last| last + SOONEST);
                    next_beat = next_beat.min(soonest.max(Instant::now()));
                }
                _ = look.tick() => {
                    let is_ready = node.is_some_and(RunningNode::is_ready);
                    if was_ready.is_some_and(|was| was != is_ready) {
                        next_beat = next_beat.min(last_beat.map_or_else(Instant::now, |last| last + SOONEST));
                    }
                }
                () = sleep_until(next_verify) => {
                    let enclave = verify_enclave(&parts.chain, &parts.roots, &self.master_at).await;
                    match enclave {
                        Ok(enclave) if enclave == self.joined.registered.verified.enclave => {
                            tracing::info!("the enclave is verified again");
                            (next_verify, unverified) = (Instant::now() + VERIFY, 0);
                        }
                        Ok(_) => return Ok(SessionEnd::Again),
                        Err(error @ (Error::EnclaveRefused { .. } | Error::NoInstance { .. })) => {
                            return Ok(SessionEnd::Lost(error));
                        }
                        Err(error) => {
                            unverified += 1;
                            tracing::warn!(%error, unverified, "the enclave could not be verified again");
                            if unverified >= UNVERIFIED {
                                return Ok(SessionEnd::Lost(error));
                            }
                            next_verify = Instant::now() + VERIFY_AGAIN;
                        }
                    }
                }
                () = sleep_until(next_renew) => {
                    match self.renew(parts).await {
                        Ok(Renewed::Nothing | Renewed::Certificates) => {}
                        Ok(Renewed::Token) => return Ok(SessionEnd::Again),
                        Err(error) if error.is_final() => return Ok(SessionEnd::Lost(error)),
                        Err(error) => tracing::warn!(%error, "what should be renewed is not yet"),
                    }
                    next_renew = self.next_renewal();
                }
                Some(command) = commands.recv() => return Ok(match command {
                    Command::Register => SessionEnd::Again,
                    Command::Unstake => {
                        // So that the master knows before the pods leave.
                        if let Err(error) = self.say(parts, &meter, NodeStatus::Draining).await {
                            tracing::warn!(%error, "the master does not know that this node leaves");
                        }
                        SessionEnd::Unstake
                    }
                }),
            }
        }
    }

    fn next_renewal(&self) -> Instant {
        let now = SystemTime::now();
        let due = self.lives.iter().map(|life| life.due_in(now)).min().unwrap_or(RENEW);
        Instant::now() + due.clamp(RENEW_SOONEST, RENEW)
    }

    fn keep_tunnel(&self, events: mpsc::Sender<TunnelEvent>, stop: CancellationToken) {
        let place = &self.joined.registered.place;
        let rules = Rules::new(place.address, place.pod_cidr);
        let (gateway, path) = (self.gateway.clone(), self.plan.credentials.path(Audience::Kubelet));
        let dial = move || {
            let (gateway, path) = (gateway.clone(), path.clone());
            async move {
                let pem = tokio::fs::read(&path).await.map_err(Error::file("read", &path))?;
                gateway.showing(&zeroize::Zeroizing::new(pem))
            }
        };
        tokio::spawn(async move { tunnel::keep(dial, rules, events, stop).await });
    }

    async fn beat(&self, parts: &Parts, meter: &Meter, is_ready: bool) -> Result<u64, Error> {
        self.say(parts, meter, if is_ready { NodeStatus::Ready } else { NodeStatus::NotReady }).await
    }

    async fn say(&self, parts: &Parts, meter: &Meter, status: NodeStatus) -> Result<u64, Error> {
        let tokened = &self.joined.registered.verified.tokened;
        let beat = Heartbeat {
            node_name: tokened.staked.name.clone(),
            timestamp_ms: now_ms(),
            status,
            resources: meter.used(&parts.settings.state_dir),
            running_pods: pods(&parts.settings.kubelet_dir),
        };
        self.master.heartbeat(&parts.chain.bearer(tokened)?, &beat).await
    }

    async fn weigh(&self, parts: &Parts, judge: &mut Judge, beaten: &Result<u64, Error>) -> (Ruling, Option<String>) {
        let master = match beaten {
            Ok(_) => MasterWord::Good,
            Err(error) => word(error),
        };
        let stake = self.joined.registered.verified.tokened.staked.stake;
        let chain: ChainWord = parts.chain.word(stake, CHAIN_WORD).await;
        let ruling = judge.rule(master, chain);
        if ruling == Ruling::Contradicted {
            contradicted(chain);
        }
        (ruling, beaten.as_ref().err().map(ToString::to_string))
    }

    async fn renew(&mut self, parts: &Parts) -> Result<Renewed, Error> {
        let verified = &self.joined.registered.verified;
        let kept = parts.chain.keep_token(&verified.tokened).await?;
        if kept.token != verified.tokened.token {
            return Ok(Renewed::Token);
        }
        let key_generation = parts.chain.key_generation(&kept).await?;
        let now = SystemTime::now();
        if key_generation == self.key_generation && !self.lives.iter().any(|life| life.is_due(now)) {
            return Ok(Renewed::Nothing);
        }
        let token = parts.chain.bearer(&kept)?;
        let name = &kept.staked.name;
        let password = parts.credentials.password(name)?;
        let caller = Caller { token: &token, name, address: self.plan.place.address, password: &password };
        self.lives = certificates(parts, &self.gateway, &caller, verified, &self.client_ca).await?;
        self.key_generation = key_generation;
        tracing::info!("the node's certificates are renewed");
        Ok(Renewed::Certificates)
    }
}

enum Renewed {
    Nothing,
    Certificates,
    Token,
}

/// Drains a node through kube-apiserver, as the node.
pub(crate) async fn drain_node(plan: &NodePlan, within: Duration) -> Result<usize, Error> {
    let path = plan.credentials.path(Audience::Kubelet);
    let pem = zeroize::Zeroizing::new(tokio::fs::read(&path).await.map_err(Error::file("read", &path))?);
    let api = Peer::new(&plan.api.to_string(), pinned::by_ca(plan.server_ca.as_bytes(), Some(&pem))?)?;
    crate::drain::drain(&api, &plan.name, within).await
}

fn show(snapshot: &ArcSwap<Snapshot>, healthy: bool, beaten: bool, problem: Option<String>) {
    let before = snapshot.load();
    let last_heartbeat_ms = if beaten { Some(now_ms()) } else { before.last_heartbeat_ms };
    snapshot.store(Arc::new(Snapshot { healthy, last_heartbeat_ms, problem, ..Snapshot::clone(&before) }));
}
