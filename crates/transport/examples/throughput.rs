//! How fast bytes are carried from TCP to a Unix socket, beside sockets without anybody between, and beside tokio's own loop:
//! `cargo run --release -p daas-transport --example throughput`.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]

use std::time::Instant;

use daas_transport::Stream;
use daas_transport::carry::{Limits, Traffic, carry};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};

const BYTES: usize = 1 << 30;
const CHUNK: usize = 256 * 1024;
const ROUNDS: usize = 3;

#[derive(Debug, Clone, Copy)]
enum Between {
    Tcp,
    Unix,
    Tokio(usize),
    Carry(usize),
}

#[tokio::main]
async fn main() {
    let all = [
        Between::Tcp,
        Between::Unix,
        Between::Tokio(8 * 1024),
        Between::Tokio(64 * 1024),
        Between::Carry(16 * 1024),
        Between::Carry(32 * 1024),
        Between::Carry(64 * 1024),
        Between::Carry(128 * 1024),
        Between::Carry(256 * 1024),
    ];
    let mut best = vec![0_f64; all.len()];
    for _ in 0..ROUNDS {
        for (place, between) in all.into_iter().enumerate() {
            best[place] = best[place].max(measure(between).await);
        }
    }
    for (between, measured) in all.into_iter().zip(&best) {
        println!("{between:?}: {measured:.0} MB/s, {:.2} of TCP alone", measured / best[0]);
    }
}

async fn measure(between: Between) -> f64 {
    let (client, accepted) = tcp_pair().await;
    let begun;
    match between {
        Between::Tcp => {
            begun = Instant::now();
            flow(client, accepted).await;
        }
        Between::Unix => {
            let (from, to) = UnixStream::pair().unwrap();
            begun = Instant::now();
            flow(from, to).await;
        }
        Between::Tokio(size) => {
            let (mut near, far) = UnixStream::pair().unwrap();
            let mut accepted = accepted;
            tokio::spawn(async move {
                let _ = tokio::io::copy_bidirectional_with_sizes(&mut accepted, &mut near, size, size).await;
            });
            begun = Instant::now();
            flow(client, far).await;
        }
        Between::Carry(buffer) => {
            let (near, far) = UnixStream::pair().unwrap();
            tokio::spawn(async move {
                let limits = Limits { buffer, ..Limits::default() };
                carry(Stream::from(accepted), Stream::from(near), limits, &Traffic::default()).await;
            });
            begun = Instant::now();
            flow(client, far).await;
        }
    }
    BYTES as f64 / 1e6 / begun.elapsed().as_secs_f64()
}

async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (client, accepted) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    let (client, (accepted, _)) = (client.unwrap(), accepted.unwrap());
    (client, accepted)
}

async fn flow(
    mut from: impl tokio::io::AsyncWrite + Unpin + Send + 'static,
    mut to: impl tokio::io::AsyncRead + Unpin,
) {
    let writer = tokio::spawn(async move {
        let chunk = vec![1; CHUNK];
        for _ in 0..BYTES / CHUNK {
            from.write_all(&chunk).await.unwrap();
        }
        from
    });
    let (mut chunk, mut left) = (vec![0; CHUNK], BYTES);
    while left > 0 {
        left -= to.read(&mut chunk).await.unwrap();
    }
    writer.await.unwrap();
}
