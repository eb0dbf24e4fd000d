//! One stream of a tunnel: a connection to the kubelet or to a pod.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use daas_join::{END_OF_STREAM, Frame, MAX_CHUNK_BYTES, Piece, StreamId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use super::session::Session;

const DIAL: Duration = Duration::from_secs(10);

/// Dials and carries until one side ends. remotedialer knows no half-closed streams: the end of one direction is the end of both; what was
/// sent before an end still arrives.
pub(super) async fn dial(
    session: Arc<Session>,
    id: StreamId,
    target: SocketAddr,
    queue: mpsc::UnboundedReceiver<Piece>,
    asked_to_pause: watch::Receiver<bool>,
) {
    let closed = session.closed().clone();
    tokio::select! {
        () = closed.cancelled() => {}
        () = run(&session, id, target, queue, asked_to_pause) => {}
    }
}

async fn run(
    session: &Session,
    id: StreamId,
    target: SocketAddr,
    queue: mpsc::UnboundedReceiver<Piece>,
    asked_to_pause: watch::Receiver<bool>,
) {
    let reason = match tokio::time::timeout(DIAL, TcpStream::connect(target)).await {
        Ok(Ok(socket)) => {
            let _ = socket.set_nodelay(true);
            carry(session, id, socket, queue, asked_to_pause).await;
            END_OF_STREAM
        }
        Ok(Err(_)) => "nobody answers there",
        Err(_) => "nobody answers there in time",
    };
    session.leave(id, reason).await;
}

async fn carry(
    session: &Session,
    id: StreamId,
    socket: TcpStream,
    mut queue: mpsc::UnboundedReceiver<Piece>,
    mut asked_to_pause: watch::Receiver<bool>,
) {
    let (mut from, mut to) = socket.into_split();
    let up = async move {
        let mut buffer = vec![0; MAX_CHUNK_BYTES];
        loop {
            // An error means that the stream is gone.
            if asked_to_pause.wait_for(|paused| !paused).await.is_err() {
                return;
            }
            let Ok(count @ 1..) = from.read(&mut buffer).await else { return };
            if !session.send(&Frame::Data { stream: id, bytes: &buffer[..count] }).await {
                return;
            }
        }
    };
    let down = async move {
        while let Some(piece) = queue.recv().await {
            if to.write_all(&piece).await.is_err() {
                return;
            }
            drop(piece);
            session.passed_on(id);
        }
        let _ = to.shutdown().await;
    };
    tokio::pin!(up, down);
    tokio::select! {
        () = &mut down => {}
        () = &mut up => {
            // If the gateway ended the stream, what it sent before is still passed on.
            if session.is_over(id) {
                down.await;
            }
        }
    }
}
