//! The program itself, started as a shell would that allows few open files.
#![allow(clippy::unwrap_used)]

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

#[test]
fn a_shells_limit_of_open_files_does_not_limit_the_clients() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let configuration = json!({
        "version": 1, "link": place("link"), "logs": {"file": place("log")}, "status": place("status"), "runtime_configuration": {},
        "inbound": {"listeners": [{"address": "127.0.0.1"}], "ports": [port]},
    });
    std::fs::write(place("parent.json"), configuration.to_string()).unwrap();
    let mut parent = Command::new("/bin/sh")
        .args([
            "-c",
            "ulimit -S -n 64; exec \"$0\" --config \"$1\"",
            env!("CARGO_BIN_EXE_daas-parent"),
            &place("parent.json"),
        ])
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !folder.path().join("status").exists() {
        assert!(begun.elapsed() < Duration::from_secs(20) && parent.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(10));
    }
    let enclave = UnixListener::bind(folder.path().join(format!("link/vsock_{port}"))).unwrap();
    enclave.set_nonblocking(true).unwrap();
    let mut open = Vec::new();
    for _ in 0..200 {
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let mut stream = accept(&enclave);
        let mut line = [0; 7];
        stream.read_exact(&mut line).unwrap();
        assert_eq!(&line, b"CLIENT ");
        open.push((client, stream));
    }
    parent.kill().unwrap();
    parent.wait().unwrap();
}

fn accept(enclave: &UnixListener) -> UnixStream {
    let begun = Instant::now();
    loop {
        match enclave.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).unwrap();
                return stream;
            }
            Err(_) => assert!(begun.elapsed() < Duration::from_secs(10), "the client is not passed on"),
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
