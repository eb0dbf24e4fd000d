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
/// Every version of every object: id ‖ big-endian version. No bytes where the object was deleted or wrapped, so that the
/// last version of an id says whether and how it lives.
const VERSIONS: Table<&[u8; 40], &[u8]> = TableDefinition::new("versions");
/// Transactions by digest: their number in the order of execution, and the record.
const TRANSACTIONS: Table<&[u8; 32], (u64, &[u8])> = TableDefinition::new("transactions_in_order");
/// Digests by number.
const ORDER: Table<u64, &[u8; 32]> = TableDefinition::new("order");
/// Sequence number and timestamp of each checkpoint, by the number of the first transaction after it.
const ENDS: Table<u64, (u64, u64)> = TableDefinition::new("ends");
/// Checkpoints by sequence number.
const CHECKPOINTS: Table<u64, &[u8]> = TableDefinition::new("checkpoints");
/// Sequence numbers by checkpoint digest.
const CHECKPOINT_DIGESTS: Table<&[u8; 32], u64> = TableDefinition::new("checkpoint_digests");

/// Name in `META` of the tables' format. It rises whenever a table or a record changes its form.
const FORMAT: &str = "format";
const KNOWN_FORMAT: u32 = 2;

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
    /// Objects deleted or wrapped, with the version that they would have had.
    pub(crate) removed: Vec<(Address, Version)>,
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
        let store = Self { database: open_database(&path)?, _lock: lock };
        let found = store.meta(FORMAT)?.unwrap_or(1);
        if found != KNOWN_FORMAT {
            return Err(Error::Format { dir: dir.to_owned(), found, known: KNOWN_FORMAT });
        }
        Ok(store)
    }

    /// Makes a batch durable: when this returns, a crash does not lose it.
    pub(crate) fn commit(&self, batch: &Batch) -> Result<(), Error> {
        let mut write = self.database.begin_write()?;
        write.set_durability(Durability::Immediate).map_err(redb::Error::from)?;
        {
            let mut transactions = write.open_table(TRANSACTIONS)?;
            let mut order = write.open_table(ORDER)?;
            for (number, executed) in &batch.executed {
                let digest = executed.record.digest();
                let record = encode("transaction", &executed.record)?;
                transactions.insert(digest.inner(), (*number, record.as_slice()))?;
                order.insert(number, digest.inner())?;
            }
            let mut versions = write.open_table(VERSIONS)?;
            for object in &batch.written {
                let key = object_key(&object.object_id(), object.version());
                versions.insert(&key, encode("object", object.as_ref())?.as_slice())?;
            }
            for (id, version) in &batch.removed {
                versions.insert(&object_key(id, *version), [].as_slice())?;
            }
            if let Some(checkpoint) = &batch.checkpoint {
                let summary = &checkpoint.summary;
                write
                    .open_table(CHECKPOINTS)?
                    .insert(summary.sequence_number, encode("checkpoint", checkpoint)?.as_slice())?;
                write.open_table(CHECKPOINT_DIGESTS)?.insert(summary.digest().inner(), summary.sequence_number)?;
                write
                    .open_table(ENDS)?
                    .insert(summary.network_total_transactions, (summary.sequence_number, summary.timestamp_ms))?;
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
        let versions = self.database.begin_read()?.open_table(VERSIONS)?;
        let mut state = LiveState::default();
        let mut entries = versions.iter()?.peekable();
        while let Some(entry) = entries.next() {
            let (key, bytes) = entry?;
            let is_last = match entries.peek() {
                Some(Ok((next, _))) => next.value()[..Address::LENGTH] != key.value()[..Address::LENGTH],
                // The error comes next.
                Some(Err(_)) => false,
                None => true,
            };
            if is_last && !bytes.value().is_empty() {
                state.insert(Arc::new(decode("object", bytes.value())?));
            }
        }
        Ok(state)
    }

    /// Digests of the transactions that wait for a checkpoint, in order.
    pub(crate) fn pending(&self) -> Result<Vec<Digest>, Error> {
        let read = self.database.begin_read()?;
        let first = read.open_table(ENDS)?.last()?.map_or(0, |(end, _)| end.value());
        let mut pending = Vec::new();
        for entry in read.open_table(ORDER)?.range(first..)? {
            pending.push(Digest::new(*entry?.1.value()));
        }
        Ok(pending)
    }

    /// One version of an object.
    pub(crate) fn object(&self, id: &Address, version: Version) -> Result<Option<Object>, Error> {
        let versions = self.database.begin_read()?.open_table(VERSIONS)?;
        let stored = versions.get(&object_key(id, version))?.filter(|bytes| !bytes.value().is_empty());
        stored.map(|bytes| decode("object", bytes.value())).transpose()
    }

    /// A transaction, and its place when it is in a checkpoint.
    pub(crate) fn transaction(&self, digest: &Digest) -> Result<Option<(TransactionRecord, Option<Position>)>, Error> {
        let read = self.database.begin_read()?;
        let transactions = read.open_table(TRANSACTIONS)?;
        let Some(stored) = transactions.get(digest.inner())? else { return Ok(None) };
        let (number, bytes) = stored.value();
        let record = decode("transaction", bytes)?;
        // Transactions are in checkpoints in the order of their numbers.
        let ends = read.open_table(ENDS)?;
        let Some(end) = ends.range(number + 1..)?.next() else { return Ok(Some((record, None))) };
        let (checkpoint, timestamp_ms) = end?.1.value();
        let first = ends.range(..=number)?.next_back().transpose()?.map_or(0, |(end, _)| end.value());
        Ok(Some((record, Some(Position { checkpoint, index: number - first, timestamp_ms }))))
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
        write.open_table(META)?.insert(FORMAT, encode(FORMAT, &KNOWN_FORMAT)?.as_slice())?;
        write.open_table(VERSIONS)?;
        write.open_table(TRANSACTIONS)?;
        write.open_table(ORDER)?;
        write.open_table(ENDS)?;
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

#[cfg(test)]
mod tests {
    use super::{
        super::{
            checkpoint::{self, Totals},
            clock,
            committee::Committee,
            genesis::{EPOCH, IDENTITY, Identity, genesis},
        },
        *,
    };

    fn open(dir: &Path) -> Store {
        Store::open(dir, genesis).unwrap()
    }

    /// Ticks of the clock as transactions, from `first` on, and the clock after them.
    fn ticks(clock: &Arc<Object>, numbers: std::ops::Range<u64>) -> (Batch, Arc<Object>) {
        let (mut batch, mut clock) = (Batch::default(), clock.clone());
        for number in numbers {
            let (executed, moved) = clock::prologue(&clock, number);
            batch.written.push(moved.clone());
            batch.executed.push((number, Arc::new(executed)));
            clock = moved;
        }
        (batch, clock)
    }

    #[test]
    fn a_chain_of_another_format_is_refused_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        store.commit(&Batch { meta: vec![(FORMAT, encode(FORMAT, &7_u32).unwrap())], ..Batch::default() }).unwrap();
        drop(store);
        let error = Store::open(dir.path(), genesis).err().expect("another format");
        assert!(matches!(error, Error::Format { found: 7, known: KNOWN_FORMAT, .. }), "{error}");
        assert!(error.to_string().contains("daas down --purge"), "{error}");
    }

    #[test]
    fn a_transaction_s_place_and_what_waits_follow_from_the_order_of_execution() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        let identity: Identity = store.meta(IDENTITY).unwrap().unwrap();
        let committee = Committee::new(&identity.committee, EPOCH).unwrap();
        let clock = store.live_state().unwrap().object(&clock::CLOCK).unwrap().clone();
        let head = store.head().unwrap().summary;

        let (mut sealed, clock) = ticks(&clock, 1..4);
        let transactions: Vec<_> = sealed.executed.iter().map(|(_, executed)| executed.clone()).collect();
        let checkpoint = checkpoint::seal(&transactions, 77, Some(&head), &Totals::of(&head), &committee).unwrap();
        sealed.checkpoint = Some(checkpoint);
        store.commit(&sealed).unwrap();
        let (waiting, _) = ticks(&clock, 4..6);
        store.commit(&waiting).unwrap();
        drop(store);

        let store = open(dir.path());
        let place = |digest: &Digest| store.transaction(digest).unwrap().unwrap().1;
        for (index, executed) in (0..).zip(&transactions) {
            let expected = Position { checkpoint: 1, index, timestamp_ms: 77 };
            assert_eq!(place(&executed.record.digest()), Some(expected));
        }
        let waiting: Vec<_> = waiting.executed.iter().map(|(_, executed)| executed.record.digest()).collect();
        assert!(waiting.iter().all(|digest| place(digest).is_none()));
        assert_eq!(store.pending().unwrap(), waiting);
        assert_eq!(store.transaction_count().unwrap(), 6);
    }

    #[test]
    fn an_object_that_was_removed_stays_away_until_it_is_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        let lives = |store: &Store| store.live_state().unwrap().object(&clock::CLOCK).map(|clock| clock.version());
        assert_eq!(lives(&store), Some(1));
        store.commit(&Batch { removed: vec![(clock::CLOCK, 2)], ..Batch::default() }).unwrap();
        drop(store);
        let store = open(dir.path());
        assert_eq!(lives(&store), None);
        assert!(store.object(&clock::CLOCK, 1).unwrap().is_some(), "past versions stay readable");
        assert!(store.object(&clock::CLOCK, 2).unwrap().is_none());
        let again = Arc::new(clock::clock_object(5, 3, Digest::ZERO));
        store.commit(&Batch { written: vec![again], ..Batch::default() }).unwrap();
        assert_eq!(lives(&store), Some(3));
    }
}
