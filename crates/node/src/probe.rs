//! Asks the programs how they are.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use daas_supervise::Probe;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

const SLOWEST: Duration = Duration::from_secs(3);

/// `GET` over plain HTTP on 127.0.0.1; 200 is health.
pub(crate) fn http(port: u16, path: &'static str) -> Probe {
    Arc::new(move || Box::pin(within(get(port, path))))
}

/// Whether a gRPC server answers on a socket. A connection alone says nothing: the kernel accepts it for a server that hangs.
pub(crate) async fn grpc(socket: PathBuf) -> Result<(), String> {
    within(greet(socket)).await
}

async fn within(asked: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    let late = || format!("no answer within {} s", SLOWEST.as_secs());
    tokio::time::timeout(SLOWEST, asked).await.unwrap_or_else(|_| Err(late()))
}

async fn get(port: u16, path: &'static str) -> Result<(), String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let tcp = TcpStream::connect(address).await.map_err(|cause| format!("connecting: {cause}"))?;
    let fault = |cause: hyper::Error| format!("HTTP: {cause}");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await.map_err(fault)?;
    let request = http::Request::get(path).header(http::header::HOST, "localhost").body(Empty::<Bytes>::new());
    let request = request.map_err(|cause| format!("request: {cause}"))?;
    let answer = tokio::select! {
        answer = sender.send_request(request) => answer.map_err(fault)?,
        _ = connection => return Err("the connection ended".into()),
    };
    if answer.status().is_success() { Ok(()) } else { Err(answer.status().to_string()) }
}

/// An HTTP/2 connection begins with a preface and settings of either side (RFC 9113 §3.4): the server's are its sign of life.
async fn greet(socket: PathBuf) -> Result<(), String> {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    const SETTINGS: u8 = 4;
    let mut stream = UnixStream::connect(socket).await.map_err(|cause| format!("connecting: {cause}"))?;
    stream.write_all(PREFACE).await.map_err(|cause| format!("writing: {cause}"))?;
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.map_err(|cause| format!("reading: {cause}"))?;
    if head[3] == SETTINGS { Ok(()) } else { Err("answers, but not in HTTP/2".into()) }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, UnixListener};

    use super::*;

    #[tokio::test]
    async fn a_server_that_accepts_and_hangs_is_not_well() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let _listener = UnixListener::bind(&path).unwrap();
        assert!(grpc(path).await.unwrap_err().contains("no answer"));
        assert!(grpc(folder.path().join("none")).await.unwrap_err().contains("connecting"));
    }

    #[tokio::test]
    async fn settings_are_a_sign_of_life_and_other_bytes_are_not() {
        for (answer, well) in [(b"\0\0\0\x04\0\0\0\0\0", true), (b"HTTP/1.1 ", false)] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("s");
            let listener = UnixListener::bind(&path).unwrap();
            let server = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(answer).await.unwrap();
                stream
            });
            assert_eq!(grpc(path).await.is_ok(), well);
            drop(server.await.unwrap());
        }
    }

    #[tokio::test]
    async fn only_success_is_health() {
        for (status, well) in [("200 OK", true), ("503 Service Unavailable", false)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let server = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut asked = [0; 1024];
                let count = stream.read(&mut asked).await.unwrap();
                assert!(asked[..count].starts_with(b"GET /healthz HTTP/1.1\r\n"));
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream
            });
            assert_eq!(http(port, "/healthz")().await.is_ok(), well, "{status}");
            drop(server.await.unwrap());
        }
    }
}
