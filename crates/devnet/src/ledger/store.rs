//! The durable chain: one redb file, one fsync per batch.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
};

use redb::{Database, Durability, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use serde::{Serialize, de::DeserializeOwned};
use sui_sdk_types::{Address, Digest, Object, Version};

use super::{
    records::{CheckpointRecord, ExecutedRecord, Position, TransactionRecord},
    state::LiveState,
};
use crate::Error;

type Table<K, V> = TableDefinition<'static, K, V>;

/// Settings of the chain by name.
const META: Table<&str, &[u8]> = TableDefinition::new("meta");
/// Every version of every object: id ‖ big-endian version.
const OBJECTS: Table<&[u8; 40], &[u8]> = TableDefinition::new("objects");
/// Version of each live object.
const LIVE: Table<&[u8; 32], u64> = TableDefinition::new("live");
/// Transactions by digest.
const TRANSACTIONS: Table<&[u8; 32], &[u8]> = TableDefinition::new("transactions");
/// Checkpoint, index and timestamp of each transaction that is in a checkpoint.
const POSITIONS: Table<&[u8; 32], (u64, u64, u64)> = TableDefinition::new("positions");
/// Transactions that wait for their checkpoint, in order of execution.
const PENDING: Table<u64, &[u8; 32]> = TableDefinition::new("pending");
/// Checkpoints by sequence number.
const CHECKPOINTS: Table<u64, &[u8]> = TableDefinition::new("checkpoints");
/// Sequence numbers by checkpoint digest.
const CHECKPOINT_DIGESTS: Table<&[u8; 32], u64> = TableDefinition::new("checkpoint_digests");

/// redb's page cache; live objects are in memory anyway.
const CACHE_BYTES: usize = 64 << 20;

/// The chain's file, with the lock on its directory.
pub(crate) struct Store {
    database: Database,
    _lock: File,
}

/// Everything that becomes durable together.
#[derive(Default)]
pub(crate) struct Batch {
    /// Executed transactions with the number of each in the order of execution.
    pub(crate) executed: Vec<(u64, Arc<ExecutedRecord>)>,
    /// Objects written, several versions of one in order.
    pub(crate) written: Vec<Arc<Object>>,
    /// Objects deleted or wrapped and not written again later in the batch.
    pub(crate) removed: Vec<Address>,
    /// A new checkpoint: it takes in all that waits, including `executed`.
    pub(crate) checkpoint: Option<CheckpointRecord>,
    /// New values of settings.
    pub(crate) meta: Vec<(&'static str, Vec<u8>)>,
}

impl Store {
    /// Opens the chain in `dir`, or makes one: `genesis` gives its first batch.
    pub(crate) fn open(dir: &Path, genesis: impl FnOnce() -> Result<Batch, Error>) -> Result<Self, Error> {
        let lock = lock(dir)?;
        let path = dir.join("chain.redb");
        let in_dir = |source| Error::DataDir { dir: dir.to_owned(), source };
        if !path.exists() {
            // A chain that was only half made when the machine stopped must not be taken for one: make it under another name.
            let unfinished = dir.join("chain.redb.new");
            match fs::remove_file(&unfinished) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(in_dir(error)),
                _ => {}
            }
            let store = Self { database: open_database(&unfinished)?, _lock: lock.try_clone().map_err(in_dir)? };
            store.create_tables()?;
            store.commit(&genesis()?)?;
            drop(store);
            fs::rename(&unfinished, &path).map_err(in_dir)?;
            File::open(dir).and_then(|dir| dir.sync_all()).map_err(in_dir)?;
        }
        Ok(Self { database: open_database(&path)?, _lock: lock })
    }

    /// Makes a batch durable: when this returns, a crash does not lose it.
    pub(crate) fn commit(&self, batch: &Batch) -> Result<(), Error> {
        let mut write = self.database.begin_write()?;
        write.set_durability(Durability::Immediate).map_err(redb::Error::from)?;
        {
            let mut transactions = write.open_table(TRANSACTIONS)?;
            let mut pending = write.open_table(PENDING)?;
            for (number, executed) in &batch.executed {
                let digest = executed.record.digest();
                transactions.insert(digest.inner(), encode("transaction", &executed.record)?.as_slice())?;
                pending.insert(number, digest.inner())?;
            }
            let mut objects = write.open_table(OBJECTS)?;
            let mut live = write.open_table(LIVE)?;
            for object in &batch.written {
                let (id, version) = (object.object_id(), object.version());
                objects.insert(&object_key(&id, version), encode("object", object.as_ref())?.as_slice())?;
                live.insert(id.inner(), version)?;
            }
            for id in &batch.removed {
                live.remove(id.inner())?;
            }
            if let Some(checkpoint) = &batch.checkpoint {
                let summary = &checkpoint.summary;
                write
                    .open_table(CHECKPOINTS)?
                    .insert(summary.sequence_number, encode("checkpoint", checkpoint)?.as_slice())?;
                write.open_table(CHECKPOINT_DIGESTS)?.insert(summary.digest().inner(), summary.sequence_number)?;
                let mut positions = write.open_table(POSITIONS)?;
                for (index, info) in (0u64..).zip(checkpoint.contents.transactions()) {
                    positions
                        .insert(info.transaction().inner(), (summary.sequence_number, index, summary.timestamp_ms))?;
                }
                pending.retain(|_, _| false)?;
            }
            let mut meta = write.open_table(META)?;
            for (name, value) in &batch.meta {
                meta.insert(name, value.as_slice())?;
            }
        }
        write.commit()?;
        Ok(())
    }

    /// A setting.
    pub(crate) fn meta<T: DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>, Error> {
        let table = self.database.begin_read()?.open_table(META)?;
        table.get(name)?.map(|value| decode(name, value.value())).transpose()
    }

    /// All live objects.
    pub(crate) fn live_state(&self) -> Result<LiveState, Error> {
        let read = self.database.begin_read()?;
        let objects = read.open_table(OBJECTS)?;
        let mut state = LiveState::default();
        for entry in read.open_table(LIVE)?.iter()? {
            let (id, version) = entry?;
            let (id, version) = (Address::new(*id.value()), version.value());
            let bytes = objects
                .get(&object_key(&id, version))?
                .ok_or_else(|| Error::Missing(format!("object {id} version {version}")))?;
            state.insert(Arc::new(decode("object", bytes.value())?));
        }
        Ok(state)
    }

    /// Digests of the transactions that wait for a checkpoint, with their numbers.
    pub(crate) fn pending(&self) -> Result<Vec<(u64, Digest)>, Error> {
        let table = self.database.begin_read()?.open_table(PENDING)?;
        let mut pending = Vec::new();
        for entry in table.iter()? {
            let (number, digest) = entry?;
            pending.push((number.value(), Digest::new(*digest.value())));
        }
        Ok(pending)
    }

    /// One version of an object.
    pub(crate) fn object(&self, id: &Address, version: Version) -> Result<Option<Object>, Error> {
        let table = self.database.begin_read()?.open_table(OBJECTS)?;
        table.get(&object_key(id, version))?.map(|bytes| decode("object", bytes.value())).transpose()
    }

    /// A transaction, and its place when it is in a checkpoint.
    pub(crate) fn transaction(&self, digest: &Digest) -> Result<Option<(TransactionRecord, Option<Position>)>, Error> {
        let read = self.database.begin_read()?;
        let transactions = read.open_table(TRANSACTIONS)?;
        let Some(bytes) = transactions.get(digest.inner())? else { return Ok(None) };
        let record = decode("transaction", bytes.value())?;
        let position = read.open_table(POSITIONS)?.get(digest.inner())?.map(|position| {
            let (checkpoint, index, timestamp_ms) = position.value();
            Position { checkpoint, index, timestamp_ms }
        });
        Ok(Some((record, position)))
    }

    /// A transaction with its objects.
    pub(crate) fn executed(&self, digest: &Digest) -> Result<Option<(ExecutedRecord, Option<Position>)>, Error> {
        let Some((record, position)) = self.transaction(digest)? else { return Ok(None) };
        let objects = record
            .objects
            .iter()
            .map(|(id, version)| {
                let object = self.object(id, *version)?;
                object.map(Arc::new).ok_or_else(|| Error::Missing(format!("object {id} version {version}")))
            })
            .collect::<Result<_, _>>()?;
        Ok(Some((ExecutedRecord { record, objects }, position)))
    }

    /// A checkpoint by its number.
    pub(crate) fn checkpoint(&self, sequence_number: u64) -> Result<Option<CheckpointRecord>, Error> {
        let table = self.database.begin_read()?.open_table(CHECKPOINTS)?;
        table.get(sequence_number)?.map(|bytes| decode("checkpoint", bytes.value())).transpose()
    }

    /// The number of the checkpoint with this digest.
    pub(crate) fn checkpoint_number(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        let table = self.database.begin_read()?.open_table(CHECKPOINT_DIGESTS)?;
        Ok(table.get(digest.inner())?.map(|number| number.value()))
    }

    /// The newest checkpoint.
    pub(crate) fn head(&self) -> Result<CheckpointRecord, Error> {
        let table = self.database.begin_read()?.open_table(CHECKPOINTS)?;
        match table.last()? {
            Some((_, bytes)) => decode("checkpoint", bytes.value()),
            None => Err(Error::Missing("its genesis checkpoint".to_owned())),
        }
    }

    /// How many transactions the chain has executed.
    pub(crate) fn transaction_count(&self) -> Result<u64, Error> {
        Ok(self.database.begin_read()?.open_table(TRANSACTIONS)?.len()?)
    }

    /// Reading a table that was never opened for writing is an error in redb.
    fn create_tables(&self) -> Result<(), Error> {
        let write = self.database.begin_write()?;
        write.open_table(META)?;
        write.open_table(OBJECTS)?;
        write.open_table(LIVE)?;
        write.open_table(TRANSACTIONS)?;
        write.open_table(POSITIONS)?;
        write.open_table(PENDING)?;
        write.open_table(CHECKPOINTS)?;
        write.open_table(CHECKPOINT_DIGESTS)?;
        write.commit()?;
        Ok(())
    }
}

/// BCS of a record.
pub(crate) fn encode<T: Serialize>(what: &'static str, value: &T) -> Result<Vec<u8>, Error> {
    bcs::to_bytes(value).map_err(|source| Error::Malformed { what, source })
}

fn decode<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, Error> {
    bcs::from_bytes(bytes).map_err(|source| Error::Malformed { what, source })
}

fn object_key(id: &Address, version: Version) -> [u8; 40] {
    let mut key = [0; 40];
    key[..32].copy_from_slice(id.inner());
    key[32..].copy_from_slice(&version.to_be_bytes());
    key
}

fn open_database(path: &PathBuf) -> Result<Database, Error> {
    Ok(Database::builder().set_cache_size(CACHE_BYTES).create(path)?)
}

/// Takes the directory for this process; the kernel gives it back when the process ends, however that happens.
fn lock(dir: &Path) -> Result<File, Error> {
    let in_dir = |source| Error::DataDir { dir: dir.to_owned(), source };
    fs::create_dir_all(dir).map_err(in_dir)?;
    let file = File::options().create(true).truncate(false).write(true).open(dir.join("LOCK")).map_err(in_dir)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(in_dir(source)),
    }
}
