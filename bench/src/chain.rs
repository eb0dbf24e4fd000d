//! Stakes on the development chain: executed on one core, durable end to end, and seen by a registry.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daas_chain::registry::{Change, Registry, RegistryConfig};
use daas_devnet::execution::{Environment, Limits, ModuleCache, ObjectReader, execute};
use daas_devnet::ledger::{Ledger, REFERENCE_GAS_PRICE};
use daas_seal_token::StakeId;
use sui_rpc::Client;
use sui_rpc::field::{FieldMask, FieldMaskUtil as _};
use sui_rpc::proto::sui::rpc::v2::ExecuteTransactionRequest;
use sui_sdk_types::{Address, Object, Owner, Transaction, TransactionEffects};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::cpu::{self, Cpu, SERVER};
use crate::latencies::Latencies;
use crate::scene::{Outcome, Scene, Wallet};

const EXECUTIONS: usize = 3_000;
const CLIENTS: usize = 64;
const STAKES_IN_PROCESS: usize = 60;
const STAKES_BY_SDK: usize = 40;
const SEEN: usize = 100;
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn run() {
    let server = runtime(SERVER);
    let clients = runtime(cpu::CLIENTS);
    // On a thread of the clients' runtime, so that all that the clients do counts as theirs.
    let measured = clients.block_on(clients.spawn(measure(server.handle().clone())));
    if let Err(error) = measured.unwrap_or_else(|error| Err(error.into())) {
        println!("  could not be measured: {error}");
    }
}

fn runtime(name: &str) -> Runtime {
    Builder::new_multi_thread().thread_name(name).enable_all().build().expect("a runtime")
}

async fn measure(server: Handle) -> Outcome<()> {
    let mut scene = Scene::new(&server).await?;
    let (executed, steps) = execution(&mut scene).await?;
    println!("  executed on one core         {executed}   (goal: 1 000/s; {steps} interpreter steps each)");
    let (durable, cpu) = in_process(&mut scene).await?;
    println!("  durable, {CLIENTS} in process      {durable}   (goal: 1 000/s, signatures and fsync included)");
    println!("    CPU time a stake: chain {:?}, signing and checking {:?}", cpu.ledger, cpu.clients);
    let (by_clients, cpu) = by_sdk(&mut scene).await?;
    println!(
        "  durable, {CLIENTS} SDK clients     {by_clients}   (goal: 1 000/s, gRPC of the official client included)"
    );
    println!(
        "    CPU time a stake: chain {:?}, gRPC and signatures {:?}, the clients themselves {:?}",
        cpu.ledger, cpu.server, cpu.clients
    );
    let (stakes, slashes) = seen(&mut scene).await?;
    let within = "(goal: within 1 s; the chain seals a checkpoint every 50 ms)";
    println!(
        "  acknowledged stake to registry   p50 {:?}   p99 {:?}   {within}",
        stakes.percentile(50),
        stakes.percentile(99)
    );
    println!("  acknowledged slash to registry   p50 {:?}   p99 {:?}", slashes.percentile(50), slashes.percentile(99));
    scene.devnet.stop().await;
    Ok(())
}

/// Execution alone: no signatures, no disk. Each transaction sees what the one before it wrote.
async fn execution(scene: &mut Scene) -> Outcome<(Latencies, u64)> {
    let mut wallet = scene.wallet().await?;
    let ledger = scene.ledger();
    let (epoch, epoch_start_ms) = ledger.epoch();
    let environment = Environment {
        epoch,
        epoch_start_ms,
        now_ms: ledger.now_ms(),
        reference_gas_price: REFERENCE_GAS_PRICE,
        chain: ledger.chain_id(),
        limits: Limits::default(),
        attestation: None,
    };
    let modules = ModuleCache::new();
    let objects = Overlay { ledger, written: RefCell::default() };
    let (mut durations, mut total, mut steps) = (Vec::new(), Duration::ZERO, 0);
    for run in 0..EXECUTIONS + EXECUTIONS / 10 {
        let transaction = wallet.stake()?;
        let start = Instant::now();
        let executed = execute(black_box(&transaction), &objects, &modules, &environment)?;
        let taken = start.elapsed();
        if run >= EXECUTIONS / 10 {
            durations.push(taken);
            total += taken;
        }
        steps = executed.steps;
        wallet.accept(&executed.effects)?;
        objects.apply(executed.written, &executed.deleted);
    }
    Ok((Latencies::from_parts(durations, total), steps))
}

/// Clients that hand signed transactions to the chain in its own process, each waiting for its answer.
async fn in_process(scene: &mut Scene) -> Outcome<(Latencies, Cpu)> {
    let mut tasks = Vec::new();
    let mut wallets = Vec::new();
    for _ in 0..CLIENTS {
        wallets.push(scene.wallet().await?);
    }
    let (start, before) = (Instant::now(), Cpu::now());
    for mut wallet in wallets {
        let ledger = scene.ledger().clone();
        tasks.push(tokio::spawn(async move {
            let mut durations = Vec::with_capacity(STAKES_IN_PROCESS);
            for _ in 0..STAKES_IN_PROCESS {
                let start = Instant::now();
                let submitted = ledger.submit(wallet.verified_stake()?).await?;
                durations.push(start.elapsed());
                wallet.accept(&submitted.executed.record.effects)?;
            }
            Outcome::Ok(durations)
        }));
    }
    joined(tasks, start, before).await
}

/// Clients of the official SDK, each with a connection of its own.
async fn by_sdk(scene: &mut Scene) -> Outcome<(Latencies, Cpu)> {
    let mut tasks = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push((scene.wallet().await?, Client::new(scene.devnet.url())?));
    }
    let (start, before) = (Instant::now(), Cpu::now());
    for (mut wallet, mut client) in clients {
        tasks.push(tokio::spawn(async move {
            let mut durations = Vec::with_capacity(STAKES_BY_SDK);
            for _ in 0..STAKES_BY_SDK {
                let transaction = wallet.stake()?;
                let start = Instant::now();
                let effects = send(&mut client, &wallet, transaction).await?;
                durations.push(start.elapsed());
                wallet.accept(&effects)?;
            }
            Outcome::Ok(durations)
        }));
    }
    joined(tasks, start, before).await
}

async fn joined(
    tasks: Vec<JoinHandle<Outcome<Vec<Duration>>>>,
    start: Instant,
    before: Cpu,
) -> Outcome<(Latencies, Cpu)> {
    let mut durations = Vec::new();
    for task in tasks {
        durations.extend(task.await??);
    }
    let cpu = Cpu::now().since(before, durations.len());
    Ok((Latencies::from_parts(durations, start.elapsed()), cpu))
}

/// From the chain's answer to the moment in which a registry that follows it has told its subscribers.
async fn seen(scene: &mut Scene) -> Outcome<(Latencies, Latencies)> {
    let config = RegistryConfig::rpc(scene.devnet.url(), scene.devnet.chain_id(), scene.package, scene.cluster);
    let registry = Registry::start(config)?;
    registry.ready(PATIENCE).await?;
    let mut changes = registry.subscribe();
    let (told, mut seen) = mpsc::unbounded_channel();
    let follower = tokio::spawn(async move {
        while let Some(change) = changes.next().await {
            if let Change::Staked { stake, .. } | Change::Ended { stake, .. } = change
                && told.send((stake, Instant::now())).is_err()
            {
                return;
            }
        }
    });

    let mut client = Client::new(scene.devnet.url())?;
    let mut wallet = scene.wallet().await?;
    let (mut stakes, mut durations) = (Vec::new(), Vec::new());
    for _ in 0..SEEN {
        let transaction = wallet.stake()?;
        let effects = send(&mut client, &wallet, transaction).await?;
        let acknowledged = Instant::now();
        wallet.accept(&effects)?;
        let (stake, at) = next(&mut seen).await?;
        durations.push(at.saturating_duration_since(acknowledged));
        stakes.push(Address::new(stake.0));
    }
    let stakes_seen = Latencies::from_parts(durations, Duration::ZERO);

    let mut administrator = scene.administrator().await?;
    let mut durations = Vec::new();
    for stake in stakes {
        let transaction = scene.slash(&administrator, stake)?;
        let effects = send(&mut client, &administrator, transaction).await?;
        let acknowledged = Instant::now();
        administrator.accept(&effects)?;
        let (ended, at) = next(&mut seen).await?;
        if ended.0 != stake.into_inner() {
            return Err("another stake ended".into());
        }
        durations.push(at.saturating_duration_since(acknowledged));
    }
    follower.abort();
    Ok((stakes_seen, Latencies::from_parts(durations, Duration::ZERO)))
}

async fn next(seen: &mut mpsc::UnboundedReceiver<(StakeId, Instant)>) -> Outcome<(StakeId, Instant)> {
    let change = tokio::time::timeout(PATIENCE, seen.recv()).await?;
    Ok(change.ok_or("the registry stopped")?)
}

async fn send(client: &mut Client, wallet: &Wallet, transaction: Transaction) -> Outcome<TransactionEffects> {
    let signature = wallet.sign(&transaction)?;
    let mut request =
        ExecuteTransactionRequest::new(transaction.into()).with_read_mask(FieldMask::from_paths(["effects.bcs"]));
    request.signatures = vec![signature.into()];
    let answer = client.execution_client().execute_transaction(request).await?.into_inner();
    let effects = answer.transaction.and_then(|executed| executed.effects).and_then(|effects| effects.bcs);
    Ok(effects.ok_or("an answer without effects")?.deserialize()?)
}

/// The chain's objects, and on top of them what this benchmark executed.
struct Overlay<'a> {
    ledger: &'a Ledger,
    written: RefCell<HashMap<Address, Option<Arc<Object>>>>,
}

impl Overlay<'_> {
    fn apply(&self, written: Vec<Object>, deleted: &[Address]) {
        let mut overlay = self.written.borrow_mut();
        overlay.extend(deleted.iter().map(|id| (*id, None)));
        overlay.extend(written.into_iter().map(|object| (object.object_id(), Some(Arc::new(object)))));
    }
}

impl ObjectReader for Overlay<'_> {
    fn object(&self, id: &Address) -> Option<Arc<Object>> {
        match self.written.borrow().get(id) {
            Some(object) => object.clone(),
            None => self.ledger.object(id),
        }
    }

    fn child(&self, parent: &Address, id: &Address) -> Option<Arc<Object>> {
        self.object(id).filter(|object| *object.owner() == Owner::Object(*parent))
    }
}
