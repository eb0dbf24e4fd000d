use std::sync::Arc;

use daas_join::{Frame, MAX_CHUNK_BYTES, Piece, StreamId};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{mpsc, watch};

use super::session::Session;

/// A stream inside a tunnel; it ends when this is dropped.
///
/// remotedialer knows no half-closed streams: the end of one direction is the end of both. What the worker sent before
/// its end still arrives, unless the whole tunnel ends.
#[derive(Debug)]
pub struct TunnelStream {
    id: StreamId,
    session: Arc<Session>,
    queue: mpsc::UnboundedReceiver<Piece>,
    asked_to_pause: watch::Receiver<bool>,
}

impl TunnelStream {
    pub(super) fn new(
        id: StreamId,
        session: Arc<Session>,
        queue: mpsc::UnboundedReceiver<Piece>,
        asked_to_pause: watch::Receiver<bool>,
    ) -> Self {
        Self { id, session, queue, asked_to_pause }
    }

    /// Carries bytes both ways until one side ends.
    pub async fn carry(mut self, socket: impl AsyncRead + AsyncWrite) {
        let (mut from, mut to) = tokio::io::split(socket);
        let (id, session) = (self.id, &self.session);
        let (queue, asked_to_pause) = (&mut self.queue, &mut self.asked_to_pause);
        let up = async move {
            let mut buffer = vec![0; MAX_CHUNK_BYTES];
            loop {
                // An error means that the stream is gone.
                if asked_to_pause.wait_for(|paused| !paused).await.is_err() {
                    return;
                }
                let Ok(count @ 1..) = from.read(&mut buffer).await else { return };
                if session.send(&Frame::Data { stream: id, bytes: &buffer[..count] }).await.is_err() {
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
        let both = async {
            tokio::select! {
                () = &mut down => {}
                () = &mut up => {
                    // If the worker ended the stream, what it sent before is still passed on; if kube-apiserver did,
                    // nobody waits for it.
                    if session.is_over(id) {
                        down.await;
                    }
                }
            }
        };
        // Whoever lost a tunnel keeps no memory by its streams.
        tokio::select! {
            () = session.closed() => {}
            () = both => {}
        }
    }
}

impl Drop for TunnelStream {
    fn drop(&mut self) {
        self.session.leave(self.id);
    }
}
