//! One tunnel: the gateway's side of a remotedialer session (`session.go`, `session_serve.go`, `readbuffer.go`).
//!
//! Bounds: messages have a length, streams a number, each stream a queue with a mark at which the other side is told to
//! pause and a bound at which the stream ends ([`Backlog`]), writes a time. A worker can stall or kill its own tunnel and
//! nobody else's.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use daas_join::{Backlog, Bound, END_OF_STREAM, Frame, MAX_MESSAGE_BYTES, Message, Piece, StreamId};
use futures::{Sink, SinkExt as _, Stream, StreamExt as _};
use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, protocol::WebSocketConfig};
use tokio_util::sync::CancellationToken;

use super::stream::TunnelStream;
use crate::error::Error;

/// Streams of one tunnel.
const MAX_STREAMS: usize = 1024;
/// Bytes of one stream that wait for kube-apiserver: from here on the worker is told to pause (remotedialer: 2 MiB). What is
/// under way by then is less than what a stream may hold.
const PAUSE_ABOVE: usize = 512 * 1024;
/// And here to go on.
const RESUME_BELOW: usize = PAUSE_ABOVE / 8;
/// Messages of data that wait to be written, each of 32 KiB at most.
const DATA_QUEUE: usize = 8;
/// Small messages that wait to be written. A worker that makes the gateway answer faster than it reads loses its tunnel.
const CONTROL_QUEUE: usize = 1024;
/// remotedialer's client pings every five seconds.
const SILENCE: Duration = Duration::from_secs(30);
const WRITE_TIME: Duration = Duration::from_secs(20);
/// A list of live streams may have been written before the newest were opened.
const SYNC_SPARES: Duration = Duration::from_secs(30);

/// A tunnel to one worker.
#[derive(Debug)]
pub struct Session {
    streams: Mutex<HashMap<StreamId, Inbound>>,
    data: mpsc::Sender<tungstenite::Message>,
    control: mpsc::Sender<tungstenite::Message>,
    /// The challenge whose answer is awaited.
    challenge: Mutex<Option<Challenge>>,
    outgoing: Mutex<Option<Outgoing>>,
    next_stream: AtomicI64,
    next_message: AtomicI64,
    backlog: Arc<Backlog>,
    closed: CancellationToken,
}

/// What the session's writer takes from.
#[derive(Debug)]
struct Outgoing {
    data: mpsc::Receiver<tungstenite::Message>,
    control: mpsc::Receiver<tungstenite::Message>,
}

/// What a ping asked.
#[derive(Debug)]
struct Challenge {
    payload: [u8; 16],
    answered: oneshot::Sender<Answer>,
}

/// What whoever holds the other end of a tunnel does with a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A pong that repeats it (RFC 6455 §5.5.3): somebody with the key's TLS session has read it.
    Repeated,
    /// A pong without content, as remotedialer's client writes them (`wsconn.go`): it lives, and proves nothing.
    Empty,
    /// The tunnel has ended.
    Ended,
}

/// The reading end's view of a stream.
#[derive(Debug)]
struct Inbound {
    pieces: mpsc::UnboundedSender<Piece>,
    backlog: Arc<Backlog>,
    told_to_pause: bool,
    /// The other side asked us to pause.
    paused: watch::Sender<bool>,
    opened: Instant,
}

/// The limits that the websocket itself keeps to.
pub fn websocket_limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES))
        .read_buffer_size(32 * 1024)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_MESSAGE_BYTES * 4)
}

impl Session {
    /// A session whose websocket is not up yet: see [`Self::run`]. What waits in it counts into that of `all` tunnels.
    pub fn new(all: Arc<Backlog>) -> Arc<Self> {
        let (data, data_queue) = mpsc::channel(DATA_QUEUE);
        let (control, control_queue) = mpsc::channel(CONTROL_QUEUE);
        Arc::new(Self {
            streams: Mutex::default(),
            data,
            control,
            challenge: Mutex::default(),
            outgoing: Mutex::new(Some(Outgoing { data: data_queue, control: control_queue })),
            next_stream: AtomicI64::new(1),
            next_message: AtomicI64::new(1),
            backlog: Backlog::of_tunnel(all),
            closed: CancellationToken::new(),
        })
    }

    /// Speaks on a websocket until it ends, is closed, or the worker breaks the rules. Can be called once.
    pub async fn run<S>(self: &Arc<Self>, socket: WebSocketStream<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let outgoing = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(outgoing) = outgoing {
            let (sink, stream) = socket.split();
            tokio::select! {
                () = self.closed.cancelled() => {}
                ended = self.read(stream) => tracing::info!(why = ended, "tunnel ended"),
                ended = self.write(sink, outgoing) => tracing::info!(why = ended, "tunnel ended"),
            }
        }
        self.close();
        // Streams see the end of their queues.
        self.streams().clear();
    }

    /// Opens a stream: the worker dials `address`. Whether it could, the stream itself tells by ending.
    pub async fn open(self: &Arc<Self>, address: &str) -> Result<TunnelStream, Error> {
        let id = self.next_stream.fetch_add(1, Ordering::Relaxed);
        let (pieces, queue) = mpsc::unbounded_channel();
        let (paused, asked_to_pause) = watch::channel(false);
        {
            let mut streams = self.streams();
            if streams.len() >= MAX_STREAMS {
                return Err(Error::Limit("the worker's tunnel has too many streams"));
            }
            let (backlog, opened) = (Backlog::of_stream(Arc::clone(&self.backlog)), Instant::now());
            streams.insert(id, Inbound { pieces, backlog, told_to_pause: false, paused, opened });
        }
        let stream = TunnelStream::new(id, Arc::clone(self), queue, asked_to_pause);
        // In order with the data that follows.
        self.send(&Frame::Connect { stream: id, protocol: "tcp", address }).await?;
        Ok(stream)
    }

    /// What whoever holds the other end says to this challenge, or that the tunnel has ended. A later challenge takes an
    /// earlier one's place.
    pub async fn challenge(&self, payload: [u8; 16]) -> Answer {
        let (answered, heard) = oneshot::channel();
        *self.challenge.lock().unwrap_or_else(PoisonError::into_inner) = Some(Challenge { payload, answered });
        self.say_message(tungstenite::Message::Ping(Bytes::copy_from_slice(&payload)));
        tokio::select! {
            biased;
            () = self.closed.cancelled() => Answer::Ended,
            heard = heard => heard.unwrap_or(Answer::Ended),
        }
    }

    /// Ends the tunnel.
    pub fn close(&self) {
        self.closed.cancel();
    }

    /// Done when it has ended.
    pub async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Whether it has ended.
    pub fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// How many streams are open.
    pub fn stream_count(&self) -> usize {
        self.streams().len()
    }

    /// Bytes that wait for kube-apiserver, also of streams that the worker has ended.
    pub fn queued(&self) -> usize {
        self.backlog.waiting()
    }

    /// Sends data, waiting for a place in the queue.
    pub(super) async fn send(&self, frame: &Frame<'_>) -> Result<(), Error> {
        let message = self.message(frame);
        tokio::select! {
            biased;
            () = self.closed.cancelled() => Err(Error::TunnelClosed),
            sent = self.data.send(message) => sent.map_err(|_| Error::TunnelClosed),
        }
    }

    /// Whether the other side has ended a stream.
    pub(super) fn is_over(&self, id: StreamId) -> bool {
        !self.streams().contains_key(&id)
    }

    /// A stream was dropped on this side.
    pub(super) fn leave(&self, id: StreamId) {
        if self.streams().remove(&id).is_some() {
            self.say(&Frame::Error { stream: id, reason: END_OF_STREAM });
        }
    }

    /// A piece of a stream was passed on and dropped.
    pub(super) fn passed_on(&self, id: StreamId) {
        let mut streams = self.streams();
        let Some(inbound) = streams.get_mut(&id) else { return };
        if inbound.told_to_pause && inbound.backlog.waiting() < RESUME_BELOW {
            inbound.told_to_pause = false;
            self.say(&Frame::Resume { stream: id });
        }
    }

    /// Sends a small message without waiting; if there is no place for it, the worker does not read, and loses its tunnel.
    fn say(&self, frame: &Frame<'_>) {
        self.say_message(self.message(frame));
    }

    fn say_message(&self, message: tungstenite::Message) {
        if self.control.try_send(message).is_err() {
            self.close();
        }
    }

    fn message(&self, frame: &Frame<'_>) -> tungstenite::Message {
        let id = self.next_message.fetch_add(1, Ordering::Relaxed);
        tungstenite::Message::Binary(Message { id, frame: frame.clone() }.encode().into())
    }

    fn heard_pong(&self, payload: &[u8]) {
        let mut awaited = self.challenge.lock().unwrap_or_else(PoisonError::into_inner);
        let repeats = |challenge: &Challenge| challenge.payload == payload;
        let answer = match &*awaited {
            Some(challenge) if repeats(challenge) => Answer::Repeated,
            Some(_) if payload.is_empty() => Answer::Empty,
            // Nobody asked.
            _ => return,
        };
        if let Some(challenge) = awaited.take() {
            // Whoever asked may have given up.
            let _ = challenge.answered.send(answer);
        }
    }

    async fn read<S>(&self, mut socket: S) -> &'static str
    where
        S: Stream<Item = Result<tungstenite::Message, tungstenite::Error>> + Unpin,
    {
        loop {
            let message = match timeout(SILENCE, socket.next()).await {
                Ok(Some(Ok(message))) => message,
                Ok(Some(Err(tungstenite::Error::Capacity(_)))) => return "a message was too long",
                Ok(_) => return "the worker left",
                Err(_) => return "the worker was silent",
            };
            match message {
                tungstenite::Message::Binary(bytes) => {
                    if let Err(why) = self.take(&bytes) {
                        return why;
                    }
                }
                tungstenite::Message::Pong(payload) => self.heard_pong(&payload),
                tungstenite::Message::Ping(_) => {}
                tungstenite::Message::Close(_) => return "the worker left",
                tungstenite::Message::Text(_) | tungstenite::Message::Frame(_) => return "not a message of the tunnel",
            }
        }
    }

    async fn write<S>(&self, mut socket: S, mut outgoing: Outgoing) -> &'static str
    where
        S: Sink<tungstenite::Message> + Unpin,
    {
        loop {
            let message = tokio::select! {
                biased;
                message = outgoing.control.recv() => message,
                message = outgoing.data.recv() => message,
            };
            let Some(message) = message else { return "the session is gone" };
            match timeout(WRITE_TIME, socket.send(message)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return "the worker left",
                Err(_) => return "the worker does not read",
            }
        }
    }

    /// Takes a message in. Never waits.
    fn take(&self, bytes: &[u8]) -> Result<(), &'static str> {
        let message = Message::decode(bytes).map_err(|_| "not a message of the tunnel")?;
        match message.frame {
            Frame::Data { stream, bytes: data } => return self.take_data(stream, data),
            Frame::Error { stream, .. } => {
                self.streams().remove(&stream);
            }
            Frame::Pause { stream } => self.set_paused(stream, true),
            Frame::Resume { stream } => self.set_paused(stream, false),
            Frame::Sync { .. } => {
                let live: std::collections::HashSet<_> = message.frame.streams().collect();
                self.streams().retain(|id, inbound| live.contains(id) || inbound.opened.elapsed() < SYNC_SPARES);
            }
            Frame::Connect { .. } => return Err("the worker asked the gateway to dial"),
            Frame::AddClient { .. } | Frame::RemoveClient { .. } => return Err("the worker spoke as a server"),
        }
        Ok(())
    }

    fn take_data(&self, id: StreamId, data: &[u8]) -> Result<(), &'static str> {
        let mut streams = self.streams();
        let Some(inbound) = streams.get_mut(&id) else {
            // Data may cross the end of a stream; the worker learns that it is over.
            self.say(&Frame::Error { stream: id, reason: "no such connection" });
            return Ok(());
        };
        let sent = inbound.backlog.piece(data).map(|piece| inbound.pieces.send(piece).is_ok());
        let reason = match sent {
            Ok(true) => {
                if inbound.backlog.waiting() > PAUSE_ABOVE && !inbound.told_to_pause {
                    inbound.told_to_pause = true;
                    self.say(&Frame::Pause { stream: id });
                }
                return Ok(());
            }
            // kube-apiserver has left.
            Ok(false) => END_OF_STREAM,
            Err(Bound::Tunnel) => return Err("too much waits for the control plane"),
            Err(Bound::Stream) => "too much is queued",
            Err(Bound::All) => "too much is queued of all workers",
        };
        streams.remove(&id);
        self.say(&Frame::Error { stream: id, reason });
        Ok(())
    }

    fn set_paused(&self, id: StreamId, paused: bool) {
        if let Some(inbound) = self.streams().get(&id) {
            inbound.paused.send_replace(paused);
        }
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<StreamId, Inbound>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
