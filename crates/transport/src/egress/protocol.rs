use std::fmt;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

use super::Target;
use crate::line::read_line;
use crate::{Error, Result};

/// `CONNECT `, the longest host, `:65535`, the line's end.
const LONGEST_REQUEST: usize = 8 + 253 + 6 + 1;
const LONGEST_TEXT: usize = 200;
/// `ERR `, the longest code, a space, the text, the line's end.
const LONGEST_ANSWER: usize = 4 + 16 + 1 + LONGEST_TEXT + 1;
const CONNECT: &str = "CONNECT ";

/// The parent's refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its kind.
    pub code: RefusalCode,
    /// Its words; printable ASCII, not trusted.
    pub text: String,
}

/// Why the parent refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalCode {
    /// The request is none.
    BadRequest,
    /// The parent knows no such destination.
    NotAllowed,
    /// The destination took no connection.
    Unreachable,
    /// Too many connections are open.
    Busy,
}

const CODES: [(RefusalCode, &str); 4] = [
    (RefusalCode::BadRequest, "bad-request"),
    (RefusalCode::NotAllowed, "not-allowed"),
    (RefusalCode::Unreachable, "unreachable"),
    (RefusalCode::Busy, "busy"),
];

pub(super) async fn write_request(to: &mut (impl AsyncWrite + Unpin), target: &Target) -> Result<()> {
    write(to, &format!("{CONNECT}{target}\n"), "asking for a connection").await
}

pub(super) async fn read_request(from: &mut (impl AsyncRead + Unpin)) -> Result<Target> {
    let line = read_line(from, LONGEST_REQUEST).await?;
    let text = std::str::from_utf8(&line).ok().and_then(|text| text.strip_prefix(CONNECT));
    Target::parse(text.ok_or(Error::Protocol("the request is no CONNECT"))?)
}

pub(super) async fn write_answer(to: &mut (impl AsyncWrite + Unpin), answer: Result<(), &Refusal>) -> Result<()> {
    let line = match answer {
        Ok(()) => "OK\n".to_owned(),
        Err(Refusal { code, text }) => format!("ERR {} {text}\n", code.as_str()),
    };
    write(to, &line, "answering").await
}

pub(super) async fn read_answer(from: &mut (impl AsyncRead + Unpin)) -> Result<Result<(), Refusal>> {
    let line = read_line(from, LONGEST_ANSWER).await?;
    parse_answer(&line).ok_or(Error::Protocol("the parent's answer is neither OK nor ERR"))
}

fn parse_answer(line: &[u8]) -> Option<Result<(), Refusal>> {
    if line == b"OK" {
        return Some(Ok(()));
    }
    let (code, text) = std::str::from_utf8(line).ok()?.strip_prefix("ERR ")?.split_once(' ')?;
    let code = CODES.iter().find(|(_, name)| *name == code)?.0;
    let printable = text.len() <= LONGEST_TEXT && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    printable.then(|| Err(Refusal { code, text: text.into() }))
}

async fn write(to: &mut (impl AsyncWrite + Unpin), line: &str, doing: &'static str) -> Result<()> {
    to.write_all(line.as_bytes()).await.map_err(|cause| Error::Io { doing, cause })
}

impl Refusal {
    /// A refusal with these words, as far as they can be sent.
    pub(super) fn new(code: RefusalCode, text: &str) -> Self {
        let text = text.chars().filter(|char| matches!(char, ' '..='~')).take(LONGEST_TEXT).collect();
        Self { code, text }
    }
}

impl RefusalCode {
    /// As it is sent.
    pub fn as_str(self) -> &'static str {
        CODES.iter().find(|(code, _)| *code == self).map_or("", |(_, name)| name)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.text, self.code.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[tokio::test]
    async fn requests_and_answers_are_read_as_they_were_written() {
        let target = Target::parse("chain.internal:9123").unwrap();
        let mut wire = Vec::new();
        write_request(&mut wire, &target).await.unwrap();
        assert_eq!(wire, b"CONNECT chain.internal:9123\n");
        assert_eq!(read_request(&mut &wire[..]).await.unwrap(), target);
        for (code, name) in CODES {
            let refusal = Refusal::new(code, "no\nsuch\u{e4} \u{1b}[31mhost");
            assert_eq!(refusal.text, "nosuch [31mhost");
            let mut wire = Vec::new();
            write_answer(&mut wire, Err(&refusal)).await.unwrap();
            assert_eq!(wire, format!("ERR {name} nosuch [31mhost\n").as_bytes());
            assert_eq!(read_answer(&mut &wire[..]).await.unwrap(), Err(refusal));
        }
        let mut wire = Vec::new();
        write_answer(&mut wire, Ok(())).await.unwrap();
        assert_eq!(read_answer(&mut &wire[..]).await.unwrap(), Ok(()));
    }

    #[tokio::test]
    async fn a_request_that_is_too_long_or_something_else_is_refused() {
        let host = [&"a".repeat(63)[..]; 4].join(".")[..253].to_owned();
        let longest = format!("CONNECT {host}:65535\n");
        assert_eq!(longest.len(), LONGEST_REQUEST);
        assert!(read_request(&mut longest.as_bytes()).await.is_ok());
        let endless = "CONNECT ".to_owned() + &"a".repeat(10_000);
        assert!(matches!(read_request(&mut endless.as_bytes()).await, Err(Error::Protocol(_))));
        for bad in
            ["\n", "GET / HTTP/1.1\r\n", "CONNECT\n", "connect a:1\n", "CONNECT a:1\r\n", "CONNECT a:1 HTTP/1.1\n"]
        {
            assert!(read_request(&mut bad.as_bytes()).await.is_err(), "{bad:?}");
        }
    }

    #[test]
    fn other_answers_are_none() {
        for bad in ["", "OK ", "ok", "OK\r", "ERR", "ERR busy", "ERR huh text", "ERR busy \u{1b}[2J", "ERR busy \u{e4}"]
        {
            assert_eq!(parse_answer(bad.as_bytes()), None, "{bad:?}");
        }
        let long = format!("ERR busy {}", "x".repeat(LONGEST_TEXT + 1));
        assert_eq!(parse_answer(long.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn arbitrary_answers_never_carry_control_characters(line in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(Err(refusal)) = parse_answer(&line) {
                prop_assert!(!refusal.text.chars().any(char::is_control));
            }
        }
    }
}
