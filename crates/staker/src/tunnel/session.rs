//! One tunnel, the worker's side: remotedialer's frames (`session.go`, `connection.go`, `readbuffer.go`).
//!
//! The gateway opens streams and nothing else. Bounds are those of docs/join.md: what is queued of a stream and of all of them, how many
//! there are, how long silence and a blocked write may last. A gateway that breaks them loses the tunnel, not the worker.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use daas_join::{Backlog, Bound, END_OF_STREAM, Frame, MAX_MESSAGE_BYTES, Message, Piece, StreamId};
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
    backlog: Arc<Backlog>,
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
    pieces: mpsc::UnboundedSender<Piece>,
    backlog: Arc<Backlog>,
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
        backlog: Backlog::of_tunnel(Backlog::of_all()),
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
        if gone.is_some() {
            self.send(&Frame::Error { stream: id, reason }).await;
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
    fn take(self: &Arc<Self>, bytes: &[u8]) -> Result<(), &'static str> {
        let message = Message::decode(bytes).map_err(|_| "not a message of the tunnel")?;
        match message.frame {
            Frame::Connect { stream, protocol, address } => return self.connect(stream, protocol, address),
            Frame::Data { stream, bytes: data } => return self.take_data(stream, data),
            Frame::Error { stream, .. } => {
                self.streams().remove(&stream);
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
        let (pieces, queue) = mpsc::unbounded_channel();
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
            let backlog = Backlog::of_stream(Arc::clone(&self.backlog));
            streams.insert(id, Inbound { pieces, backlog, told_to_pause: false, paused });
        }
        tokio::spawn(stream::dial(Arc::clone(self), id, target, queue, asked_to_pause));
        Ok(())
    }

    fn take_data(&self, id: StreamId, data: &[u8]) -> Result<(), &'static str> {
        let mut streams = self.streams();
        let Some(inbound) = streams.get_mut(&id) else {
            // Data may cross the end of a stream; the gateway learns that it is over.
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
            // The kubelet or pod has left.
            Ok(false) => END_OF_STREAM,
            Err(Bound::Tunnel) => return Err("too much waits for kubelet and pods"),
            Err(Bound::Stream | Bound::All) => "too much is queued",
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
