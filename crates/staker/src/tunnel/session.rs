//! One tunnel, the worker's side: remotedialer's frames (`session.go`, `connection.go`, `readbuffer.go`).
//!
//! The gateway opens streams and nothing else. Bounds are those of docs/join.md: what is queued of a stream and of all of them, how many
//! there are, how long silence and a blocked write may last. A gateway that breaks them loses the tunnel, not the worker.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use daas_join::{END_OF_STREAM, Frame, MAX_MESSAGE_BYTES, Message, StreamId};
use futures::{Sink, SinkExt as _, Stream, StreamExt as _};
use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, protocol::WebSocketConfig};
use tokio_util::sync::CancellationToken;

use super::rules::Rules;
use super::stream;

/// Streams of one tunnel.
const MAX_STREAMS: usize = 1024;
/// Bytes of one stream that wait for a kubelet or pod: from here on the gateway is told to pause.
const PAUSE_ABOVE: usize = 512 * 1024;
/// And here to go on.
const RESUME_BELOW: usize = PAUSE_ABOVE / 8;
/// Here the stream ends.
const MAX_QUEUED: usize = 8 * 1024 * 1024;
/// Here the tunnel ends: all its streams together.
const MAX_QUEUED_IN_ALL: usize = 64 * 1024 * 1024;
/// Messages of data that wait to be written, each of 32 KiB at most.
const DATA_QUEUE: usize = 8;
/// Small messages that wait to be written.
const CONTROL_QUEUE: usize = 1024;
const SILENCE: Duration = Duration::from_secs(30);
const WRITE_TIME: Duration = Duration::from_secs(20);
/// remotedialer's client pings every five seconds.
const PING: Duration = Duration::from_secs(5);
/// How often the gateway is told which streams live.
const SYNC: Duration = Duration::from_mins(1);

/// A tunnel from one worker.
#[derive(Debug)]
pub(super) struct Session {
    rules: Rules,
    streams: Mutex<HashMap<StreamId, Inbound>>,
    data: mpsc::Sender<Vec<u8>>,
    control: mpsc::Sender<Vec<u8>>,
    next_message: AtomicI64,
    queued: AtomicUsize,
    closed: CancellationToken,
}

/// What the writer takes from.
struct Outgoing {
    data: mpsc::Receiver<Vec<u8>>,
    control: mpsc::Receiver<Vec<u8>>,
}

/// The reading end's view of a stream.
#[derive(Debug)]
struct Inbound {
    bytes: mpsc::UnboundedSender<Bytes>,
    queued: usize,
    told_to_pause: bool,
    /// The gateway asked us to pause.
    paused: watch::Sender<bool>,
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

/// Serves a tunnel until it ends or `stop`; says why it ended.
pub async fn serve<S>(socket: WebSocketStream<S>, rules: Rules, stop: CancellationToken) -> &'static str
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (data, data_queue) = mpsc::channel(DATA_QUEUE);
    let (control, control_queue) = mpsc::channel(CONTROL_QUEUE);
    let session = Arc::new(Session {
        rules,
        streams: Mutex::default(),
        data,
        control,
        next_message: AtomicI64::new(1),
        queued: AtomicUsize::new(0),
        closed: stop.child_token(),
    });
    let (sink, stream) = socket.split();
    let why = tokio::select! {
        () = session.closed.cancelled() => "it was closed",
        why = session.read(stream) => why,
        why = session.write(sink, Outgoing { data: data_queue, control: control_queue }) => why,
    };
    session.closed.cancel();
    session.streams().clear();
    why
}

impl Session {
    /// Ends when the tunnel does.
    pub(super) fn closed(&self) -> &CancellationToken {
        &self.closed
    }

    /// Sends data, waiting for a place in the queue; false if the tunnel is over.
    pub(super) async fn send(&self, frame: &Frame<'_>) -> bool {
        let message = self.message(frame);
        tokio::select! {
            biased;
            () = self.closed.cancelled() => false,
            sent = self.data.send(message) => sent.is_ok(),
        }
    }

    /// Whether the gateway has ended a stream.
    pub(super) fn is_over(&self, id: StreamId) -> bool {
        !self.streams().contains_key(&id)
    }

    /// A stream ended on this side. What was sent before arrives first: the end stands in the same queue as the data.
    pub(super) async fn leave(&self, id: StreamId, reason: &str) {
        let gone = self.streams().remove(&id);
        if let Some(inbound) = gone {
            self.queued.fetch_sub(inbound.queued, Ordering::Relaxed);
            self.send(&Frame::Error { stream: id, reason }).await;
        }
    }

    /// Bytes of a stream were passed on.
    pub(super) fn passed_on(&self, id: StreamId, count: usize) {
        let mut streams = self.streams();
        let Some(inbound) = streams.get_mut(&id) else { return };
        let count = count.min(inbound.queued);
        inbound.queued -= count;
        self.queued.fetch_sub(count, Ordering::Relaxed);
        if inbound.told_to_pause && inbound.queued < RESUME_BELOW {
            inbound.told_to_pause = false;
            self.say(&Frame::Resume { stream: id });
        }
    }

    /// Sends a small message without waiting; a gateway that makes us answer faster than it reads loses the tunnel.
    fn say(&self, frame: &Frame<'_>) {
        if self.control.try_send(self.message(frame)).is_err() {
            self.closed.cancel();
        }
    }

    fn message(&self, frame: &Frame<'_>) -> Vec<u8> {
        let id = self.next_message.fetch_add(1, Ordering::Relaxed);
        Message { id, frame: frame.clone() }.encode()
    }

    async fn read<S>(self: &Arc<Self>, mut socket: S) -> &'static str
    where
        S: Stream<Item = Result<tungstenite::Message, tungstenite::Error>> + Unpin,
    {
        loop {
            let message = match timeout(SILENCE, socket.next()).await {
                Ok(Some(Ok(message))) => message,
                Ok(Some(Err(tungstenite::Error::Capacity(_)))) => return "a message was too long",
                Ok(_) => return "the gateway left",
                Err(_) => return "the gateway was silent",
            };
            match message {
                tungstenite::Message::Binary(bytes) => {
                    if let Err(why) = self.take(&bytes) {
                        return why;
                    }
                }
                tungstenite::Message::Ping(_) | tungstenite::Message::Pong(_) => {}
                tungstenite::Message::Close(_) => return "the gateway left",
                tungstenite::Message::Text(_) | tungstenite::Message::Frame(_) => return "not a message of the tunnel",
            }
        }
    }

    async fn write<S>(&self, mut socket: S, mut outgoing: Outgoing) -> &'static str
    where
        S: Sink<tungstenite::Message> + Unpin,
    {
        let (mut ping, mut sync) = (interval(PING), interval(SYNC));
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        sync.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick is now.
        sync.tick().await;
        loop {
            let message = tokio::select! {
                biased;
                _ = ping.tick() => tungstenite::Message::Ping(Bytes::new()),
                _ = sync.tick() => tungstenite::Message::Binary(self.sync().into()),
                Some(message) = outgoing.control.recv() => tungstenite::Message::Binary(message.into()),
                Some(message) = outgoing.data.recv() => tungstenite::Message::Binary(message.into()),
                else => return "the session is gone",
            };
            match timeout(WRITE_TIME, socket.send(message)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return "the gateway left",
                Err(_) => return "the gateway does not read",
            }
        }
    }

    fn sync(&self) -> Vec<u8> {
        let live: Vec<u8> = self.streams().keys().flat_map(|id| id.to_le_bytes()).collect();
        self.message(&Frame::Sync { streams: &live })
    }

    /// Takes a message in. Never waits.
    fn take(self: &Arc<Self>, bytes: &Bytes) -> Result<(), &'static str> {
        let message = Message::decode(bytes).map_err(|_| "not a message of the tunnel")?;
        match message.frame {
            Frame::Connect { stream, protocol, address } => return self.connect(stream, protocol, address),
            Frame::Data { stream, bytes: data } => return self.take_data(stream, bytes.slice_ref(data)),
            Frame::Error { stream, .. } => {
                if let Some(inbound) = self.streams().remove(&stream) {
                    self.queued.fetch_sub(inbound.queued, Ordering::Relaxed);
                }
            }
            Frame::Pause { stream } => self.set_paused(stream, true),
            Frame::Resume { stream } => self.set_paused(stream, false),
            Frame::Sync { .. } => return Err("the gateway spoke as a client"),
            Frame::AddClient { .. } | Frame::RemoveClient { .. } => return Err("the gateway spoke to a server"),
        }
        Ok(())
    }

    fn connect(self: &Arc<Self>, id: StreamId, protocol: &str, address: &str) -> Result<(), &'static str> {
        let target = match self.rules.target(protocol, address) {
            Ok(target) => target,
            Err(forbidden) => {
                tracing::warn!(%forbidden, address, "the control plane asked for what it may not reach");
                self.say(&Frame::Error { stream: id, reason: "this worker does not dial that" });
                return Ok(());
            }
        };
        let (bytes, queue) = mpsc::unbounded_channel();
        let (paused, asked_to_pause) = watch::channel(false);
        {
            let mut streams = self.streams();
            if streams.contains_key(&id) {
                return Err("a stream was opened twice");
            }
            if streams.len() >= MAX_STREAMS {
                drop(streams);
                self.say(&Frame::Error { stream: id, reason: "too many streams" });
                return Ok(());
            }
            streams.insert(id, Inbound { bytes, queued: 0, told_to_pause: false, paused });
        }
        tokio::spawn(stream::dial(Arc::clone(self), id, target, queue, asked_to_pause));
        Ok(())
    }

    fn take_data(&self, id: StreamId, data: Bytes) -> Result<(), &'static str> {
        let mut streams = self.streams();
        let Some(inbound) = streams.get_mut(&id) else {
            // Data may cross the end of a stream; the gateway learns that it is over.
            self.say(&Frame::Error { stream: id, reason: "no such connection" });
            return Ok(());
        };
        let length = data.len();
        if self.queued.fetch_add(length, Ordering::Relaxed) + length > MAX_QUEUED_IN_ALL {
            return Err("too much waits for kubelet and pods");
        }
        inbound.queued += length;
        let too_much = inbound.queued > MAX_QUEUED;
        if too_much || inbound.bytes.send(data).is_err() {
            let queued = inbound.queued;
            streams.remove(&id);
            self.queued.fetch_sub(queued, Ordering::Relaxed);
            let reason = if too_much { "too much is queued" } else { END_OF_STREAM };
            self.say(&Frame::Error { stream: id, reason });
        } else if inbound.queued > PAUSE_ABOVE && !inbound.told_to_pause {
            inbound.told_to_pause = true;
            self.say(&Frame::Pause { stream: id });
        }
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
