//! The worker's side against the gateway's real one.

use std::net::SocketAddr;
use std::sync::Arc;

use daas_authenticator::tunnel::{Session, websocket_limits as gateway_limits};
use daas_join::{Backlog, Frame, Message, StreamId};
use futures::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, protocol::Role};

use super::*;

const WITHIN: Duration = Duration::from_secs(20);
/// More than sockets and queues hold.
const ALL: usize = 16 * 1024 * 1024;

/// A kubelet on a port of its own, known as this node's; the node's pods are those of 127.8.0.0/24.
struct World {
    kubelet: TcpListener,
    gateway: Arc<Session>,
    ended: JoinHandle<&'static str>,
    stop: CancellationToken,
}

fn rules(kubelet: SocketAddr) -> Rules {
    Rules::new("172.30.0.11".parse().unwrap(), "127.8.0.0/24".parse().unwrap()).with_kubelet(kubelet)
}

async fn world() -> World {
    let kubelet = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (ours, theirs) = duplex(64 * 1024);
    let gateway = Session::new(Backlog::of_all());
    let socket = WebSocketStream::from_raw_socket(theirs, Role::Server, Some(gateway_limits())).await;
    let running = Arc::clone(&gateway);
    tokio::spawn(async move { running.run(socket).await });
    let socket = WebSocketStream::from_raw_socket(ours, Role::Client, Some(websocket_limits())).await;
    let stop = CancellationToken::new();
    let ended = tokio::spawn(serve(socket, rules(kubelet.local_addr().unwrap()), stop.clone()));
    World { kubelet, gateway, ended, stop }
}

impl World {
    /// A stream as kube-apiserver has it.
    async fn open(&self, address: &str) -> DuplexStream {
        let (ours, theirs) = duplex(64 * 1024);
        tokio::spawn(self.gateway.open(address).await.unwrap().carry(theirs));
        ours
    }

    async fn accept(&self) -> TcpStream {
        timeout(WITHIN, self.kubelet.accept()).await.unwrap().unwrap().0
    }
}

async fn read(stream: &mut (impl tokio::io::AsyncRead + Unpin), count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    timeout(WITHIN, stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    bytes
}

async fn rest(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    timeout(WITHIN, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    bytes
}

#[tokio::test]
async fn kube_apiserver_reaches_the_kubelet_and_a_pod() {
    let world = world().await;
    let mut client = world.open("127.0.0.1:10250").await;
    let mut kubelet = world.accept().await;
    client.write_all(b"GET /healthz").await.unwrap();
    assert_eq!(read(&mut kubelet, 12).await, b"GET /healthz");
    kubelet.write_all(b"ok").await.unwrap();
    drop(kubelet);
    assert_eq!(rest(&mut client).await, b"ok");

    let pod = TcpListener::bind("127.8.0.7:0").await.unwrap();
    let mut client = world.open(&pod.local_addr().unwrap().to_string()).await;
    let (mut served, _) = timeout(WITHIN, pod.accept()).await.unwrap().unwrap();
    client.write_all(b"last words").await.unwrap();
    assert_eq!(read(&mut served, 10).await, b"last words");
    drop(client);
    assert_eq!(rest(&mut served).await, b"");
}

#[tokio::test]
async fn what_the_control_plane_may_not_reach_is_not_dialled() {
    let world = world().await;
    let forbidden = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = forbidden.local_addr().unwrap();
    for address in [&*here.to_string(), "127.8.0.1:80", "169.254.169.254:80", "localhost:10250", "172.30.0.12:10250"] {
        let mut client = world.open(address).await;
        assert_eq!(rest(&mut client).await, b"", "{address}");
    }
    assert!(timeout(Duration::from_millis(50), forbidden.accept()).await.is_err());
    // The tunnel lives.
    let mut client = world.open("127.0.0.1:10250").await;
    world.accept().await.write_all(b"alive").await.unwrap();
    assert_eq!(read(&mut client, 5).await, b"alive");
}

#[tokio::test]
async fn a_pod_that_does_not_answer_ends_its_stream_alone() {
    let world = world().await;
    let mut nobody = world.open("127.8.0.9:1").await;
    assert_eq!(rest(&mut nobody).await, b"");
    assert!(!world.gateway.is_closed());
}

#[tokio::test]
async fn a_slow_pod_holds_its_own_stream_back_and_no_other() {
    let world = world().await;
    let mut slow = world.open("127.0.0.1:10250").await;
    let mut unread = world.accept().await;
    let mut other = world.open("127.0.0.1:10250").await;
    let mut quick = world.accept().await;
    // Written by somebody who does not wait.
    let writer = tokio::spawn(async move {
        slow.write_all(&vec![7; ALL]).await.unwrap();
        slow
    });
    for _ in 0..20 {
        other.write_all(b"ping").await.unwrap();
        assert_eq!(read(&mut quick, 4).await, b"ping");
        quick.write_all(b"pong").await.unwrap();
        assert_eq!(read(&mut other, 4).await, b"pong");
    }
    assert!(!writer.is_finished(), "the writer was not held back");
    assert_eq!(read(&mut unread, ALL).await.len(), ALL);
    let slow = timeout(WITHIN, writer).await.unwrap().unwrap();
    drop(slow);
    assert_eq!(rest(&mut unread).await, b"");
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_its_pod_back() {
    let world = world().await;
    let mut client = world.open("127.0.0.1:10250").await;
    let mut pod = world.accept().await;
    let writer = tokio::spawn(async move {
        pod.write_all(&vec![9; ALL]).await.unwrap();
        pod
    });
    // Another stream is not held back.
    let mut other = world.open("127.0.0.1:10250").await;
    world.accept().await.write_all(b"through").await.unwrap();
    assert_eq!(read(&mut other, 7).await, b"through");
    assert!(world.gateway.queued() <= 9 * 1024 * 1024);
    assert_eq!(read(&mut client, ALL).await.len(), ALL);
    drop(timeout(WITHIN, writer).await.unwrap().unwrap());
    assert_eq!(rest(&mut client).await, b"");
}

#[tokio::test]
async fn the_end_of_a_tunnel_ends_its_streams_and_the_other_way_round() {
    let first = world().await;
    let _client = first.open("127.0.0.1:10250").await;
    let mut kubelet = first.accept().await;
    first.gateway.close();
    assert_eq!(timeout(WITHIN, first.ended).await.unwrap().unwrap(), "the gateway left");
    assert_eq!(rest(&mut kubelet).await, b"");

    let second = world().await;
    let mut client = second.open("127.0.0.1:10250").await;
    let mut kubelet = second.accept().await;
    second.stop.cancel();
    assert_eq!(rest(&mut kubelet).await, b"");
    assert_eq!(rest(&mut client).await, b"");
    timeout(WITHIN, second.ended).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_tunnel_has_a_bounded_number_of_streams() {
    // Both ends of 1024 connections, and what the tests beside this one open.
    assert!(daas_transport::open_files::raise(8192) >= 4096, "ulimit -Hn is less than 4096");
    let world = world().await;
    let kubelet = world.kubelet.local_addr().unwrap();
    let World { kubelet: listener, gateway, .. } = world;
    tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            open.push(listener.accept().await.unwrap());
        }
    });
    let mut open = Vec::new();
    for _ in 0..1024 {
        open.push(gateway.open("127.0.0.1:10250").await.unwrap());
    }
    assert!(gateway.open("127.0.0.1:10250").await.is_err(), "{kubelet}");
}

/// A gateway that breaks the rules, on the bare frames.
struct Hostile {
    socket: WebSocketStream<DuplexStream>,
    ended: JoinHandle<&'static str>,
    kubelet: TcpListener,
}

async fn hostile() -> Hostile {
    let kubelet = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (ours, theirs) = duplex(64 * 1024);
    let socket = WebSocketStream::from_raw_socket(ours, Role::Client, Some(websocket_limits())).await;
    let rules = rules(kubelet.local_addr().unwrap());
    let ended = tokio::spawn(serve(socket, rules, CancellationToken::new()));
    let socket = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
    Hostile { socket, ended, kubelet }
}

impl Hostile {
    async fn say(&mut self, frame: Frame<'_>) -> bool {
        let message = Message { id: 1, frame }.encode();
        self.socket.send(tungstenite::Message::Binary(message.into())).await.is_ok()
    }

    /// The next end of a stream, and whether a pause came before; pings are passed over.
    async fn hear_end(&mut self) -> (StreamId, bool) {
        let mut paused = false;
        let deadline = tokio::time::Instant::now() + WITHIN;
        loop {
            let heard = tokio::time::timeout_at(deadline, self.socket.next()).await.unwrap().unwrap().unwrap();
            let tungstenite::Message::Binary(bytes) = heard else { continue };
            match Message::decode(&bytes).unwrap().frame {
                Frame::Error { stream, .. } => return (stream, paused),
                Frame::Pause { .. } => paused = true,
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn a_gateway_that_breaks_the_rules_loses_the_tunnel() {
    let connect = Frame::Connect { stream: 5, protocol: "tcp", address: "127.0.0.1:10250" };
    for (frames, why) in [
        (vec![Frame::AddClient { client: "worker-2/1" }], "the gateway spoke to a server"),
        (vec![Frame::RemoveClient { client: "worker-2/1" }], "the gateway spoke to a server"),
        (vec![Frame::Sync { streams: &[] }], "the gateway spoke as a client"),
        (vec![Frame::Data { stream: 5, bytes: b"" }], "not a message of the tunnel"),
        (vec![connect.clone(), connect], "a stream was opened twice"),
    ] {
        let mut hostile = hostile().await;
        for frame in frames {
            hostile.say(frame).await;
        }
        assert_eq!(timeout(WITHIN, hostile.ended).await.unwrap().unwrap(), why);
    }
    for message in [
        tungstenite::Message::Binary(vec![0; 200 * 1024].into()),
        tungstenite::Message::Binary(vec![0xff; 16].into()),
        tungstenite::Message::Text("hello".into()),
    ] {
        let mut hostile = hostile().await;
        let _ = hostile.socket.send(message).await;
        timeout(WITHIN, hostile.ended).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_gateway_that_does_not_pause_loses_the_stream_alone() {
    let mut hostile = hostile().await;
    hostile.say(Frame::Connect { stream: 5, protocol: "tcp", address: "127.0.0.1:10250" }).await;
    let (_unread, _) = timeout(WITHIN, hostile.kubelet.accept()).await.unwrap().unwrap();
    let chunk = vec![7; 32 * 1024];
    // Sockets on loopback hold some megabytes; the queue holds eight.
    for _ in 0..(24 * 1024 * 1024 / chunk.len()) {
        assert!(hostile.say(Frame::Data { stream: 5, bytes: &chunk }).await);
    }
    assert_eq!(hostile.hear_end().await, (5, true));
    hostile.say(Frame::Data { stream: 6, bytes: b"nobody's" }).await;
    loop {
        // Data that was under way is answered, too.
        if hostile.hear_end().await.0 == 6 {
            break;
        }
    }
    assert!(!hostile.ended.is_finished());
}
