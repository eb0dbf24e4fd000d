//! Bytes from one stream to another and back.
//!
//! Like `tokio::io::copy_bidirectional`, and: a connection at rest holds no buffer, one whose reader is slow holds one in each direction and
//! reads no further; a reset on one side is a reset on the other; what is half closed and moves nothing ends; everything is counted.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::Stream;

/// How much a pair of streams may hold, and how long it may be of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes held at most in each direction.
    pub buffer: usize,
    /// Once one direction has ended, the other may rest for this long.
    pub after_half_close: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { buffer: 32 * 1024, after_half_close: Duration::from_mins(1) }
    }
}

/// What has been carried, of many pairs of streams together.
#[derive(Debug, Default)]
pub struct Traffic {
    opened: AtomicU64,
    ended: AtomicU64,
    broken: AtomicU64,
    to_left: AtomicU64,
    to_right: AtomicU64,
}

/// [`Traffic`] at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Carried {
    /// Pairs begun.
    pub opened: u64,
    /// Pairs over, in whichever way.
    pub ended: u64,
    /// Of these, the ones that broke or came to rest.
    pub broken: u64,
    /// Bytes to the left streams.
    pub to_left: u64,
    /// Bytes to the right streams.
    pub to_right: u64,
}

/// How a pair ended.
#[derive(Debug)]
pub enum Ending {
    /// Both sides were done.
    Done,
    /// A side broke.
    Broken(io::Error),
    /// One side was done, and the other neither sent nor ended.
    Rested,
}

/// Carries until both sides are done or one breaks; then the other breaks, too.
pub async fn carry(mut left: Stream, mut right: Stream, limits: Limits, traffic: &Traffic) -> Ending {
    let ending = exchange(&mut left, &mut right, limits, traffic).await;
    if !matches!(ending, Ending::Done) {
        left.reset();
        right.reset();
    }
    ending
}

/// The same for streams of any kind, which are left as they are.
pub async fn exchange<L, R>(left: &mut L, right: &mut R, limits: Limits, traffic: &Traffic) -> Ending
where
    L: AsyncRead + AsyncWrite + Unpin,
    R: AsyncRead + AsyncWrite + Unpin,
{
    let _counted = traffic.open();
    let ending = copy(left, right, limits, traffic).await;
    if !matches!(ending, Ending::Done) {
        traffic.broken.fetch_add(1, Ordering::Relaxed);
    }
    ending
}

impl Traffic {
    /// What has been carried until now.
    pub fn carried(&self) -> Carried {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        // What has ended had been opened: read in this order, no more end than began.
        let ended = read(&self.ended);
        Carried {
            opened: read(&self.opened),
            ended,
            broken: read(&self.broken),
            to_left: read(&self.to_left),
            to_right: read(&self.to_right),
        }
    }

    fn open(&self) -> Counted<'_> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        Counted(self)
    }
}

impl Carried {
    /// Pairs that are being carried.
    pub fn open(&self) -> u64 {
        self.opened.saturating_sub(self.ended)
    }
}

/// Counts a pair's end, also when its task is dropped.
struct Counted<'a>(&'a Traffic);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

async fn copy<L, R>(left: &mut L, right: &mut R, limits: Limits, traffic: &Traffic) -> Ending
where
    L: AsyncRead + AsyncWrite + Unpin,
    R: AsyncRead + AsyncWrite + Unpin,
{
    let size = limits.buffer.max(1);
    let mut to_right = Half::new(size, &traffic.to_right);
    let mut to_left = Half::new(size, &traffic.to_left);
    let first = poll_fn(|context| {
        let rightwards = to_right.poll(context, left, right)?;
        let leftwards = to_left.poll(context, right, left)?;
        if rightwards.is_ready() || leftwards.is_ready() { Poll::Ready(Ok(())) } else { Poll::Pending }
    });
    if let Err(cause) = first.await {
        return Ending::Broken(cause);
    }
    loop {
        let moved = (to_right.moved, to_left.moved);
        let rest = pin!(poll_fn(|context| {
            let rightwards = to_right.poll(context, left, right)?;
            let leftwards = to_left.poll(context, right, left)?;
            if rightwards.is_ready() && leftwards.is_ready() { Poll::Ready(Ok(())) } else { Poll::Pending }
        }));
        match tokio::time::timeout(limits.after_half_close, rest).await {
            Ok(Ok(())) => return Ending::Done,
            Ok(Err(cause)) => return Ending::Broken(cause),
            Err(_) if moved == (to_right.moved, to_left.moved) => return Ending::Rested,
            Err(_) => {}
        }
    }
}

/// One direction.
struct Half<'a> {
    size: usize,
    counter: &'a AtomicU64,
    moved: u64,
    held: Option<Held>,
    flush: bool,
    state: State,
}

/// Bytes that were read and not yet written.
struct Held {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

#[derive(PartialEq, Eq)]
enum State {
    Reading,
    /// The source has ended; the sink is to be told.
    Ending,
    Over,
}

impl<'a> Half<'a> {
    fn new(size: usize, counter: &'a AtomicU64) -> Self {
        Self { size, counter, moved: 0, held: None, flush: false, state: State::Reading }
    }

    /// Moves what can be moved; ready once the source has ended and the sink knows.
    fn poll<R, W>(&mut self, context: &mut Context<'_>, from: &mut R, to: &mut W) -> Poll<io::Result<()>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        loop {
            ready!(self.poll_write(context, to))?;
            match self.state {
                State::Over => return Poll::Ready(Ok(())),
                State::Ending => {
                    match ready!(Pin::new(&mut *to).poll_shutdown(context)) {
                        // The sink has gone as a whole: it needs no word of the end.
                        Err(cause) if cause.kind() == io::ErrorKind::NotConnected => {}
                        told => told?,
                    }
                    self.state = State::Over;
                }
                State::Reading => match self.poll_read(context, from) {
                    Poll::Ready(read) => read?,
                    Poll::Pending => {
                        if self.flush {
                            ready!(Pin::new(&mut *to).poll_flush(context))?;
                            self.flush = false;
                        }
                        return Poll::Pending;
                    }
                },
            }
        }
    }

    /// Writes all that is held.
    fn poll_write<W: AsyncWrite + Unpin>(&mut self, context: &mut Context<'_>, to: &mut W) -> Poll<io::Result<()>> {
        while let Some(held) = &mut self.held {
            let count = ready!(Pin::new(&mut *to).poll_write(context, &held.bytes[held.start..held.end]))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            held.start += count;
            self.moved += count as u64;
            self.counter.fetch_add(count as u64, Ordering::Relaxed);
            self.flush = true;
            if held.start == held.end
                && let Some(held) = self.held.take()
            {
                give_back(held.bytes);
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads once, into a buffer that is kept only if something came.
    fn poll_read<R: AsyncRead + Unpin>(&mut self, context: &mut Context<'_>, from: &mut R) -> Poll<io::Result<()>> {
        let mut bytes = borrow(self.size);
        let mut buffer = ReadBuf::new(&mut bytes);
        let read = Pin::new(from).poll_read(context, &mut buffer);
        let end = buffer.filled().len();
        if end > 0 {
            self.held = Some(Held { bytes, start: 0, end });
        } else {
            give_back(bytes);
            if matches!(read, Poll::Ready(Ok(()))) {
                self.state = State::Ending;
            }
        }
        read
    }
}

thread_local! {
    /// Buffers at rest: as many as one thread uses in turns.
    static SPARE: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}
const MAX_SPARE: usize = 4;

fn borrow(size: usize) -> Box<[u8]> {
    let spare = SPARE.with_borrow_mut(Vec::pop);
    spare.filter(|bytes| bytes.len() == size).unwrap_or_else(|| vec![0; size].into())
}

fn give_back(bytes: Box<[u8]>) {
    SPARE.with_borrow_mut(|spare| {
        if spare.len() < MAX_SPARE {
            spare.push(bytes);
        }
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::net::{TcpListener, TcpStream, UnixStream};

    use super::*;

    const QUICK: Limits = Limits { buffer: 1024, after_half_close: Duration::from_millis(50) };

    /// A carried pair with both far ends.
    fn pair(limits: Limits) -> (DuplexStream, DuplexStream, tokio::task::JoinHandle<(Ending, Carried)>) {
        let ((far_left, mut left), (mut right, far_right)) = (duplex(512), duplex(512));
        let task = tokio::spawn(async move {
            let traffic = Traffic::default();
            let ending = exchange(&mut left, &mut right, limits, &traffic).await;
            (ending, traffic.carried())
        });
        (far_left, far_right, task)
    }

    #[tokio::test]
    async fn an_answer_still_comes_after_the_question_has_ended() {
        let (mut client, mut server, task) = pair(Limits::default());
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut question = Vec::new();
        server.read_to_end(&mut question).await.unwrap();
        assert_eq!(question, b"question");
        server.write_all(b"an answer").await.unwrap();
        server.shutdown().await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"an answer");
        let (ending, carried) = task.await.unwrap();
        assert!(matches!(ending, Ending::Done));
        assert_eq!(carried, Carried { opened: 1, ended: 1, broken: 0, to_left: 9, to_right: 8 });
    }

    #[tokio::test]
    async fn a_half_closed_pair_at_rest_ends_and_a_busy_one_does_not() {
        let limits = Limits { after_half_close: Duration::from_millis(800), ..QUICK };
        let (mut client, mut server, task) = pair(limits);
        client.shutdown().await.unwrap();
        assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
        for _ in 0..10 {
            // More than the limit in all, each time with a byte.
            tokio::time::sleep(limits.after_half_close / 8).await;
            server.write_all(b"x").await.unwrap();
            assert_eq!(client.read_u8().await.unwrap(), b'x');
        }
        let (ending, carried) = tokio::time::timeout(Duration::from_secs(5), task).await.unwrap().unwrap();
        assert!(matches!(ending, Ending::Rested));
        assert_eq!((carried.to_left, carried.broken), (10, 1));
    }

    #[tokio::test]
    async fn a_slow_reader_stops_the_writer_within_bounded_memory() {
        let (mut client, server, task) = pair(QUICK);
        let mut written = 0;
        // Until nothing is taken any more.
        while let Ok(count) = tokio::time::timeout(Duration::from_millis(200), client.write(&[7; 700])).await {
            written += count.unwrap();
            assert!(written < 1 << 20, "no back-pressure");
        }
        // Two pipes of 512 bytes and one buffer.
        assert!(written <= 512 + QUICK.buffer + 512, "{written} bytes were taken");
        drop((client, server));
        let (_, carried) = task.await.unwrap();
        assert!(carried.to_right <= 512);
    }

    #[tokio::test]
    async fn connections_at_rest_hold_no_buffer() {
        let mut left = duplex(16);
        let mut right = duplex(16);
        let counter = AtomicU64::new(0);
        let mut half = Half::new(1024, &counter);
        left.0.write_all(b"abc").await.unwrap();
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(half.poll(&mut context, &mut left.1, &mut right.0).is_pending());
        assert!(half.held.is_none());
        assert_eq!(counter.load(Ordering::Relaxed), 3);
        // Blocked, it holds one.
        for _ in 0..2 {
            left.0.write_all(&[0; 16]).await.unwrap();
            assert!(half.poll(&mut context, &mut left.1, &mut right.0).is_pending());
        }
        assert!(half.held.is_some());
    }

    #[tokio::test]
    async fn a_reset_on_one_side_is_a_reset_on_the_other() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (left, _) = listener.accept().await.unwrap();
        let (right, mut server) = UnixStream::pair().unwrap();
        let traffic = Traffic::default();
        let carried = carry(left.into(), right.into(), Limits::default(), &traffic);
        let breaks = async {
            client.write_all(b"half of a messa").await.unwrap();
            // A Unix socket that is closed with bytes unread breaks its peer.
            server.write_all(b"answ").await.unwrap();
            assert_eq!(client.read_u8().await.unwrap(), b'a');
            server.readable().await.unwrap();
            drop(server);
            let mut rest = Vec::new();
            client.read_to_end(&mut rest).await
        };
        let (ending, read) = tokio::join!(carried, breaks);
        assert!(matches!(ending, Ending::Broken(_)), "{ending:?}");
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn a_dropped_task_counts_as_ended() {
        let traffic = Traffic::default();
        let (mut left, _far_left) = duplex(8);
        let (mut right, _far_right) = duplex(8);
        let pending = exchange(&mut left, &mut right, QUICK, &traffic);
        assert!(tokio::time::timeout(Duration::from_millis(1), pending).await.is_err());
        assert_eq!((traffic.carried().opened, traffic.carried().open()), (1, 0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Whatever the sizes, the bytes arrive, in order, in both directions at once.
        #[test]
        fn bytes_arrive_as_they_were_sent(
            there in proptest::collection::vec(any::<u8>(), 0..5000),
            back in proptest::collection::vec(any::<u8>(), 0..5000),
            buffer in 1_usize..2000,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let (got_there, got_back) = runtime.block_on(async {
                let (client, server, _task) = pair(Limits { buffer, ..QUICK });
                let speak = |stream: DuplexStream, words: Vec<u8>| async move {
                    let (mut read, mut write) = tokio::io::split(stream);
                    let mut heard = Vec::new();
                    let say = async {
                        write.write_all(&words).await.unwrap();
                        write.shutdown().await.unwrap();
                    };
                    let (_, ()) = tokio::join!(read.read_to_end(&mut heard), say);
                    heard
                };
                let (got_back, got_there) = tokio::join!(speak(client, there.clone()), speak(server, back.clone()));
                (got_there, got_back)
            });
            prop_assert!(got_there == there && got_back == back);
        }
    }
}
