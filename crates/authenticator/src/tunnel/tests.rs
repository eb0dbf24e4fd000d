//! The tunnel against a worker's side that is written here on the bare frames.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use daas_join::{Backlog, Frame, Message, NodeSubject, StreamId};
use daas_seal_token::TokenId;
use futures::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::net::{UnixListener, UnixStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, protocol::Role};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::egress::Egress;
use crate::nodes::{NodeRecord, Nodes};

const WITHIN: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<DuplexStream>;

struct Worker {
    socket: Socket,
    sent: i64,
}

/// What the worker reads, owned.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Connect(StreamId, String),
    Data(StreamId, Vec<u8>),
    End(StreamId),
    Pause(StreamId),
    Resume(StreamId),
}

impl Worker {
    async fn say(&mut self, frame: Frame<'_>) {
        self.sent += 1;
        let message = Message { id: self.sent, frame }.encode();
        self.socket.send(tungstenite::Message::Binary(message.into())).await.unwrap();
    }

    /// `None` when the tunnel has ended.
    async fn hear(&mut self) -> Option<Heard> {
        let heard = tokio::time::timeout(WITHIN, self.socket.next()).await.unwrap();
        let Some(Ok(tungstenite::Message::Binary(bytes))) = heard else { return None };
        Some(match Message::decode(&bytes).unwrap().frame {
            Frame::Connect { stream, protocol, address } => Heard::Connect(stream, format!("{protocol}/{address}")),
            Frame::Data { stream, bytes } => Heard::Data(stream, bytes.to_vec()),
            Frame::Error { stream, .. } => Heard::End(stream),
            Frame::Pause { stream } => Heard::Pause(stream),
            Frame::Resume { stream } => Heard::Resume(stream),
            other => panic!("{other:?}"),
        })
    }
}

fn subject(name: &str) -> NodeSubject {
    NodeSubject { name: name.parse().unwrap(), token: TokenId([6; 32]), key_generation: 1 }
}

async fn join(tunnels: &Arc<Tunnels>, name: &str) -> (Arc<Session>, Worker) {
    let (session, worker, contest) = join_with_key(tunnels, name, [1; 32]).await;
    assert!(contest.is_none());
    (session, worker)
}

async fn join_with_key(tunnels: &Arc<Tunnels>, name: &str, key: [u8; 32]) -> (Arc<Session>, Worker, Option<Contest>) {
    let (ours, theirs) = duplex(64 * 1024);
    let session = tunnels.session();
    let tunnel = Tunnel { subject: subject(name), key, from: None, session: Arc::clone(&session) };
    let contest = tunnels.put(tunnel).unwrap();
    let socket = WebSocketStream::from_raw_socket(ours, Role::Server, Some(websocket_limits())).await;
    let (running, tunnels) = (Arc::clone(&session), Arc::clone(tunnels));
    let subject = subject(name);
    tokio::spawn(async move {
        running.run(socket).await;
        tunnels.remove(&subject.name, &running);
    });
    let socket = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    (session, Worker { socket, sent: 0 }, contest)
}

/// As [`Rhythm::default`], in less time.
const QUICK: Rhythm = Rhythm { rounds: 4, every: Duration::from_millis(20), answer: Duration::from_millis(1500) };

/// A worker that is alive: reading answers challenges.
fn alive(mut worker: Worker) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move { while let Some(Ok(_)) = worker.socket.next().await {} })
}

fn nodes() -> Arc<Nodes> {
    let nodes = Nodes::new("10.42.0.0/16".parse().unwrap(), "10.43.0.0/16".parse().unwrap());
    for (name, address, pods) in
        [("one-dead000f", "192.0.2.1", "10.42.1.0/24"), ("two-dead000f", "192.0.2.2", "10.42.2.0/24")]
    {
        let address: IpAddr = address.parse().unwrap();
        nodes.put(NodeRecord { name: name.parse().unwrap(), address, pods: Some(pods.parse().unwrap()) }).unwrap();
    }
    Arc::new(nodes)
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + WITHIN;
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn streams_reach_exactly_the_worker_that_an_address_belongs_to() {
    let tunnels = Arc::new(Tunnels::default());
    let (_, mut one) = join(&tunnels, "one-dead000f").await;
    let (_, mut two) = join(&tunnels, "two-dead000f").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("egress.sock");
    let egress = Egress::new(nodes(), Arc::clone(&tunnels));
    tokio::spawn(egress.serve(UnixListener::bind(&path).unwrap(), CancellationToken::new()));
    let ask = async |authority: &str| {
        let mut client = UnixStream::connect(&path).await.unwrap();
        let request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        client.read_exact(&mut status).await.unwrap();
        (String::from_utf8(status.to_vec()).unwrap(), client)
    };

    let (status, mut client) = ask("one-dead000f:10250").await;
    assert_eq!(status, "HTTP/1.1 200");
    assert_eq!(one.hear().await, Some(Heard::Connect(1, "tcp/127.0.0.1:10250".into())));
    one.say(Frame::Data { stream: 1, bytes: b"from the kubelet" }).await;
    let mut answer = vec![0; " OK\r\n\r\nfrom the kubelet".len()];
    client.read_exact(&mut answer).await.unwrap();
    assert!(answer.ends_with(b"from the kubelet"));
    client.write_all(b"to the kubelet").await.unwrap();
    assert_eq!(one.hear().await, Some(Heard::Data(1, b"to the kubelet".to_vec())));
    drop(client);
    assert_eq!(one.hear().await, Some(Heard::End(1)));

    let (status, _client) = ask("10.42.2.9:8443").await;
    assert_eq!(status, "HTTP/1.1 200");
    assert_eq!(two.hear().await, Some(Heard::Connect(1, "tcp/10.42.2.9:8443".into())));

    for (authority, expected) in [
        ("three-dead000f:10250", "HTTP/1.1 502"),
        ("10.42.3.1:443", "HTTP/1.1 502"),
        ("127.0.0.1:6443", "HTTP/1.1 502"),
        ("169.254.169.254:80", "HTTP/1.1 502"),
        ("10.43.0.1:443", "HTTP/1.1 502"),
        ("one-dead000f:22", "HTTP/1.1 403"),
        ("localhost:10250", "HTTP/1.1 403"),
    ] {
        assert_eq!(ask(authority).await.0, expected, "{authority}");
    }
}

#[tokio::test]
async fn what_a_worker_sent_before_its_end_still_arrives() {
    let tunnels = Arc::new(Tunnels::default());
    let (session, mut worker) = join(&tunnels, "one-dead000f").await;
    let stream = session.open("10.42.1.1:80").await.unwrap();
    worker.hear().await;
    worker.say(Frame::Data { stream: 2, bytes: b"nobody's" }).await;
    worker.say(Frame::Data { stream: 1, bytes: b"last words" }).await;
    worker.say(Frame::Error { stream: 1, reason: "EOF" }).await;
    assert_eq!(worker.hear().await, Some(Heard::End(2)));
    let (ours, mut theirs) = duplex(1024);
    tokio::spawn(stream.carry(ours));
    let mut all = Vec::new();
    tokio::time::timeout(WITHIN, theirs.read_to_end(&mut all)).await.unwrap().unwrap();
    assert_eq!(all, b"last words");
}

#[tokio::test]
async fn a_worker_that_asks_the_gateway_to_dial_loses_its_tunnel() {
    let tunnels = Arc::new(Tunnels::default());
    for frame in [
        Frame::Connect { stream: 9, protocol: "tcp", address: "127.0.0.1:2379" },
        Frame::AddClient { client: "two-dead000f/1" },
    ] {
        let (session, mut worker) = join(&tunnels, "one-dead000f").await;
        worker.say(frame).await;
        assert_eq!(worker.hear().await, None);
        until("the tunnel ends", || session.is_closed() && tunnels.nodes().is_empty()).await;
    }
}

#[tokio::test]
async fn a_slashed_workers_tunnel_and_streams_end_and_no_others() {
    let tunnels = Arc::new(Tunnels::default());
    let (session, mut slashed) = join(&tunnels, "one-dead000f").await;
    let (_, mut honest) = join(&tunnels, "two-dead000f").await;
    let stream = session.open("10.42.1.1:80").await.unwrap();
    let (ours, mut theirs) = duplex(1024);
    tokio::spawn(stream.carry(ours));
    assert_eq!(tunnels.recheck(|_| true), 0);
    assert_eq!(tunnels.recheck(|subject| subject.name.as_str() != "one-dead000f"), 1);
    let mut all = Vec::new();
    tokio::time::timeout(WITHIN, theirs.read_to_end(&mut all)).await.unwrap().unwrap();
    while slashed.hear().await.is_some() {}
    assert!(session.open("10.42.1.1:80").await.is_err());
    let stream = tunnels.get(&"two-dead000f".parse().unwrap()).unwrap().open("10.42.2.1:80").await.unwrap();
    assert!(matches!(honest.hear().await, Some(Heard::Connect(..))));
    drop(stream);
}

#[tokio::test]
async fn a_newer_tunnel_takes_the_place_of_the_one_before() {
    let tunnels = Arc::new(Tunnels::default());
    let (older, _first, _) = join_with_key(&tunnels, "one-dead000f", [1; 32]).await;
    // A renewed certificate with another key: no question who is there.
    let (newer, _second, contest) = join_with_key(&tunnels, "one-dead000f", [2; 32]).await;
    assert!(contest.is_none());
    until("the older ends", || older.is_closed()).await;
    // The older one's end does not take the newer one out.
    let current = tunnels.get(&"one-dead000f".parse().unwrap()).unwrap();
    assert!(Arc::ptr_eq(&current, &newer) && !newer.is_closed());
}

#[tokio::test]
async fn an_agent_that_comes_back_while_its_old_connection_is_dead_is_no_offender() {
    let tunnels = Arc::new(Tunnels::default());
    let (older, dead, _) = join_with_key(&tunnels, "one-dead000f", [1; 32]).await;
    let (newer, worker, contest) = join_with_key(&tunnels, "one-dead000f", [1; 32]).await;
    let worker = alive(worker);
    assert!(!older.is_closed(), "nothing is known yet");
    // Nobody reads what is sent to the dead one.
    assert!(contest.unwrap().run(QUICK).await.is_none());
    assert!(older.is_closed() && !newer.is_closed());
    let current = tunnels.get(&"one-dead000f".parse().unwrap()).unwrap();
    assert!(Arc::ptr_eq(&current, &newer));
    drop(dead);
    worker.abort();
}

#[tokio::test]
async fn one_key_in_two_tunnels_that_both_answer_is_seen_and_the_newer_stays() {
    let tunnels = Arc::new(Tunnels::default());
    let (older, first, _) = join_with_key(&tunnels, "one-dead000f", [1; 32]).await;
    let (newer, second, contest) = join_with_key(&tunnels, "one-dead000f", [1; 32]).await;
    let (first, second) = (alive(first), alive(second));
    let seen = contest.unwrap().run(QUICK).await.expect("both answered");
    assert_eq!(seen.challenges.len(), 4);
    assert_eq!(seen.challenges.iter().collect::<std::collections::HashSet<_>>().len(), 4, "each is another");
    assert!(seen.ended.duration_since(seen.began).unwrap() >= QUICK.every * (QUICK.rounds - 1));
    assert!(older.is_closed() && !newer.is_closed());
    first.await.unwrap();
    second.abort();
}

#[tokio::test]
async fn a_newer_tunnel_that_ends_gives_its_place_back_and_a_wrong_answer_is_none() {
    let tunnels = Arc::new(Tunnels::default());
    let name = "one-dead000f".parse().unwrap();
    let (older, first, _) = join_with_key(&tunnels, "one-dead000f", [1; 32]).await;
    let (newer, mut second, contest) = join_with_key(&tunnels, "one-dead000f", [1; 32]).await;
    let first = alive(first);
    let contest = tokio::spawn(contest.unwrap().run(QUICK));
    // Pongs that repeat no challenge are no answers, however many come.
    while !contest.is_finished() {
        let _ = second.socket.send(tungstenite::Message::Pong(vec![0; 16].into())).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(contest.await.unwrap().is_none());
    assert!(newer.is_closed() && !older.is_closed());
    until("the older has its place again", || tunnels.get(&name).is_some_and(|current| Arc::ptr_eq(&current, &older)))
        .await;
    first.abort();
}

#[tokio::test]
async fn a_worker_that_lives_and_repeats_nothing_keeps_its_newest_tunnel_and_is_no_offender() {
    let tunnels = Arc::new(Tunnels::default());
    let (older, mut first, _) = join_with_key(&tunnels, "one-dead000f", [1; 32]).await;
    let (newer, mut second, contest) = join_with_key(&tunnels, "one-dead000f", [1; 32]).await;
    let contest = tokio::spawn(contest.unwrap().run(QUICK));
    while !contest.is_finished() {
        for worker in [&mut first, &mut second] {
            let _ = worker.socket.send(tungstenite::Message::Pong(Vec::new().into())).await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(contest.await.unwrap().is_none());
    assert!(older.is_closed() && !newer.is_closed());
}

#[tokio::test]
async fn a_slash_ends_both_tunnels_of_a_contest() {
    let tunnels = Arc::new(Tunnels::default());
    let (older, _first, _) = join_with_key(&tunnels, "one-dead000f", [1; 32]).await;
    let (newer, _second, contest) = join_with_key(&tunnels, "one-dead000f", [1; 32]).await;
    assert_eq!(tunnels.load().tunnels, 2);
    assert_eq!(tunnels.recheck(|_| false), 2);
    assert!(older.is_closed() && newer.is_closed() && tunnels.nodes().is_empty());
    assert!(contest.unwrap().run(QUICK).await.is_none());
}

#[tokio::test]
async fn a_worker_is_told_to_pause_and_one_that_does_not_loses_the_stream_alone() {
    let tunnels = Arc::new(Tunnels::default());
    let (session, mut worker) = join(&tunnels, "one-dead000f").await;
    let slow = session.open("10.42.1.1:80").await.unwrap();
    let other = session.open("10.42.1.1:81").await.unwrap();
    let (Some(Heard::Connect(slow_id, _)), Some(Heard::Connect(other_id, _))) =
        (worker.hear().await, worker.hear().await)
    else {
        panic!()
    };
    let chunk = vec![7; 32 * 1024];
    for _ in 0..17 {
        worker.say(Frame::Data { stream: slow_id, bytes: &chunk }).await;
    }
    assert_eq!(worker.hear().await, Some(Heard::Pause(slow_id)));
    // Read by kube-apiserver: go on.
    let (ours, mut theirs) = duplex(64 * 1024);
    let carried = tokio::spawn(slow.carry(ours));
    let mut taken = vec![0; 17 * chunk.len()];
    theirs.read_exact(&mut taken).await.unwrap();
    assert_eq!(worker.hear().await, Some(Heard::Resume(slow_id)));
    // Not read any more, and the worker sends on: the stream ends, the queue stays bounded.
    let mut sent = 0;
    let ended = loop {
        worker.say(Frame::Data { stream: slow_id, bytes: &chunk }).await;
        sent += chunk.len();
        assert!(session.queued() <= 9 * 1024 * 1024 && sent < 20 * 1024 * 1024);
        let heard = tokio::time::timeout(Duration::from_millis(1), worker.socket.next()).await;
        let Ok(Some(Ok(tungstenite::Message::Binary(bytes)))) = heard else { continue };
        match Message::decode(&bytes).unwrap().frame {
            Frame::Error { stream, .. } => break stream,
            Frame::Pause { .. } => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ended, slow_id);
    drop(theirs);
    carried.await.unwrap();
    // The other stream of the same tunnel lives.
    let (ours, mut theirs) = duplex(1024);
    tokio::spawn(other.carry(ours));
    worker.say(Frame::Data { stream: other_id, bytes: b"alive" }).await;
    let mut alive = [0; 5];
    tokio::time::timeout(WITHIN, theirs.read_exact(&mut alive)).await.unwrap().unwrap();
    assert_eq!(&alive, b"alive");
}

#[tokio::test]
async fn a_worker_that_sends_data_without_a_byte_loses_its_tunnel() {
    let tunnels = Arc::new(Tunnels::default());
    let (session, mut worker) = join(&tunnels, "one-dead000f").await;
    let _unread = session.open("10.42.1.1:80").await.unwrap();
    assert!(matches!(worker.hear().await, Some(Heard::Connect(1, _))));
    worker.say(Frame::Data { stream: 1, bytes: b"" }).await;
    worker.say(Frame::Data { stream: 99, bytes: b"?" }).await;
    assert_eq!(worker.hear().await, None);
    assert_eq!(session.queued(), 0);
}

#[tokio::test]
async fn data_of_one_byte_each_counts_with_what_its_place_in_the_queue_takes() {
    let tunnels = Arc::new(Tunnels::default());
    let (session, mut worker) = join(&tunnels, "one-dead000f").await;
    let unread = session.open("10.42.1.1:80").await.unwrap();
    assert!(matches!(worker.hear().await, Some(Heard::Connect(1, _))));
    let pieces = 512 * 1024 / 65 + 1;
    for _ in 0..pieces {
        worker.say(Frame::Data { stream: 1, bytes: b"1" }).await;
    }
    worker.say(Frame::Data { stream: 99, bytes: b"?" }).await;
    assert_eq!(worker.hear().await, Some(Heard::Pause(1)));
    assert_eq!(worker.hear().await, Some(Heard::End(99)));
    assert_eq!(session.queued(), pieces * 65);
    drop(unread);
    assert_eq!(session.queued(), 0);
}

#[tokio::test]
async fn what_an_ended_stream_left_unread_counts_until_it_is_read_or_the_tunnel_ends() {
    let tunnels = Arc::new(Tunnels::default());
    let (session, mut worker) = join(&tunnels, "one-dead000f").await;
    let chunk = vec![7; 64 * 1024];
    let mut unread = Vec::new();
    for id in 1..=2 {
        let (ours, theirs) = duplex(1024);
        tokio::spawn(session.open("10.42.1.1:80").await.unwrap().carry(ours));
        unread.push(theirs);
        assert!(matches!(worker.hear().await, Some(Heard::Connect(..))));
        worker.say(Frame::Data { stream: id, bytes: &chunk }).await;
        worker.say(Frame::Error { stream: id, reason: "EOF" }).await;
    }
    worker.say(Frame::Data { stream: 99, bytes: b"?" }).await;
    assert_eq!(worker.hear().await, Some(Heard::End(99)));
    assert_eq!(session.stream_count(), 0);
    assert_eq!([session.queued(), tunnels.load().queued], [2 * (chunk.len() + 64); 2]);
    let mut all = Vec::new();
    tokio::time::timeout(WITHIN, unread.remove(0).read_to_end(&mut all)).await.unwrap().unwrap();
    assert!(all == chunk);
    until("what was read is given back", || tunnels.load().queued == chunk.len() + 64).await;
    drop(worker);
    until("what nobody reads ends with the tunnel", || tunnels.load().queued == 0).await;
}

#[tokio::test]
async fn all_tunnels_together_are_bounded_and_the_stream_that_asks_for_more_ends() {
    let tunnels = Arc::new(Tunnels::within(Backlog::of_all_within(100 * 1024)));
    let chunk = vec![7; 64 * 1024];
    let (first, mut one) = join(&tunnels, "one-dead000f").await;
    let (second, mut two) = join(&tunnels, "two-dead000f").await;
    let held = first.open("10.42.1.1:80").await.unwrap();
    let _more = second.open("10.42.2.1:80").await.unwrap();
    one.hear().await;
    two.hear().await;
    one.say(Frame::Data { stream: 1, bytes: &chunk }).await;
    until("it waits", || first.queued() > chunk.len()).await;
    two.say(Frame::Data { stream: 1, bytes: &chunk }).await;
    assert_eq!(two.hear().await, Some(Heard::End(1)));
    assert_eq!([second.queued(), tunnels.load().queued], [0, chunk.len() + 64]);
    // Nobody else loses anything, and there is room when it was read.
    assert!(!first.is_closed() && !second.is_closed() && first.stream_count() == 1);
    drop(held);
    let _again = second.open("10.42.2.1:80").await.unwrap();
    assert_eq!(two.hear().await, Some(Heard::Connect(2, "tcp/10.42.2.1:80".into())));
    two.say(Frame::Data { stream: 2, bytes: &chunk }).await;
    until("there is room again", || second.queued() > chunk.len()).await;
}

#[tokio::test]
async fn a_stream_that_the_worker_pauses_waits_and_others_do_not() {
    let tunnels = Arc::new(Tunnels::default());
    let (session, mut worker) = join(&tunnels, "one-dead000f").await;
    let mut ends = HashMap::new();
    for _ in 0..2 {
        let stream = session.open("10.42.1.1:80").await.unwrap();
        let Some(Heard::Connect(id, _)) = worker.hear().await else { panic!() };
        let (ours, theirs) = duplex(64 * 1024);
        tokio::spawn(stream.carry(ours));
        ends.insert(id, theirs);
    }
    let ids: Vec<_> = ends.keys().copied().collect();
    let [paused, free] = ids[..] else { panic!() };
    worker.say(Frame::Pause { stream: paused }).await;
    // The pause has been taken in when what follows it is answered.
    worker.say(Frame::Data { stream: 99, bytes: b"?" }).await;
    assert_eq!(worker.hear().await, Some(Heard::End(99)));
    // One piece may already be waiting in a read when the pause arrives.
    ends.get_mut(&paused).unwrap().write_all(b"1").await.unwrap();
    assert_eq!(worker.hear().await, Some(Heard::Data(paused, b"1".to_vec())));
    ends.get_mut(&paused).unwrap().write_all(b"2").await.unwrap();
    ends.get_mut(&free).unwrap().write_all(b"free").await.unwrap();
    assert_eq!(worker.hear().await, Some(Heard::Data(free, b"free".to_vec())));
    worker.say(Frame::Resume { stream: paused }).await;
    assert_eq!(worker.hear().await, Some(Heard::Data(paused, b"2".to_vec())));
}

#[tokio::test]
async fn oversized_and_malformed_messages_end_the_tunnel() {
    let tunnels = Arc::new(Tunnels::default());
    for message in [
        tungstenite::Message::Binary(vec![0; 200 * 1024].into()),
        tungstenite::Message::Binary(vec![0xff; 16].into()),
        tungstenite::Message::Text("hello".into()),
    ] {
        let (session, mut worker) = join(&tunnels, "one-dead000f").await;
        let _ = worker.socket.send(message).await;
        while worker.hear().await.is_some() {}
        until("the tunnel ends", || session.is_closed()).await;
    }
}

#[tokio::test]
async fn a_tunnel_has_a_bounded_number_of_streams() {
    let tunnels = Arc::new(Tunnels::default());
    let (session, mut worker) = join(&tunnels, "one-dead000f").await;
    tokio::spawn(async move { while worker.hear().await.is_some() {} });
    let mut open = Vec::new();
    for _ in 0..1024 {
        open.push(session.open("10.42.1.1:80").await.unwrap());
    }
    assert!(session.open("10.42.1.1:80").await.is_err());
    open.pop();
    assert!(session.open("10.42.1.1:80").await.is_ok());
}
