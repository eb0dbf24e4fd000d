//! The tunnel's messages, as `github.com/rancher/remotedialer` writes them (`message.go`, `session_sync.go` at f631a87).
//!
//! A message is one binary websocket message: three signed varints (message id, connection id, type), for `Data` and
//! `Connect` a fourth (a deadline in milliseconds that nobody reads any more), then the body. Unlike Go's reader this one
//! takes only the shortest varints, which is what Go's writer makes.

use crate::error::Error;

/// The longest message that is read. remotedialer copies in pieces of 32 KiB.
pub const MAX_MESSAGE_BYTES: usize = 128 * 1024;
/// The longest body of a `Data` message that is written.
pub const MAX_CHUNK_BYTES: usize = 32 * 1024;
/// The text of an `Error` that ends a stream without one.
pub const END_OF_STREAM: &str = "EOF";

/// remotedialer's limits on text (`io.LimitReader`).
const MAX_ADDRESS: usize = 266;
const MAX_REASON: usize = 100;
const MAX_CLIENT: usize = 100;
/// The deadline that remotedialer writes.
const LEGACY_DEADLINE_MS: i64 = 15_000;
/// Four varints at most.
const MAX_HEADER: usize = 40;

/// One stream of a tunnel; the number is given by the side that asks for the connection.
pub type StreamId = i64;

/// A message: its id distinguishes it in logs and means nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// Rises with each message of a side.
    pub id: i64,
    /// What it says.
    pub frame: Frame<'a>,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame<'a> {
    /// Bytes of a stream, at least one.
    Data {
        /// Which.
        stream: StreamId,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// Asks the other side to dial. Only the gateway asks; it never dials.
    Connect {
        /// Which stream it will be.
        stream: StreamId,
        /// `tcp`.
        protocol: &'a str,
        /// Host and port.
        address: &'a str,
    },
    /// The stream is over, for both directions.
    Error {
        /// Which.
        stream: StreamId,
        /// [`END_OF_STREAM`], or why.
        reason: &'a str,
    },
    /// Another server has this client: only servers say so, to each other.
    AddClient {
        /// Whom.
        client: &'a str,
    },
    /// Another server has lost this client.
    RemoveClient {
        /// Whom.
        client: &'a str,
    },
    /// Send nothing more on this stream for now.
    Pause {
        /// Which.
        stream: StreamId,
    },
    /// Send again.
    Resume {
        /// Which.
        stream: StreamId,
    },
    /// The streams that the sender still knows, eight little-endian bytes each.
    Sync {
        /// The bytes; see [`Frame::streams`].
        streams: &'a [u8],
    },
}

impl<'a> Message<'a> {
    /// Reads a message.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(Error::FrameLength(bytes.len()));
        }
        let mut rest = bytes;
        let id = read_varint(&mut rest)?;
        let stream = read_varint(&mut rest)?;
        let kind = read_varint(&mut rest)?;
        if matches!(kind, DATA | CONNECT) {
            read_varint(&mut rest)?;
        }
        let frame = match kind {
            // Go's `io.Copy`, which writes them there, never writes nothing (`client_dialer.go`).
            DATA if rest.is_empty() => return Err(Error::Frame),
            DATA => Frame::Data { stream, bytes: rest },
            CONNECT => {
                let (protocol, address) = text(rest, MAX_ADDRESS)?.split_once('/').ok_or(Error::Frame)?;
                Frame::Connect { stream, protocol, address }
            }
            ERROR => Frame::Error { stream, reason: reason(rest) },
            ADD_CLIENT => Frame::AddClient { client: text(rest, MAX_CLIENT)? },
            REMOVE_CLIENT => Frame::RemoveClient { client: text(rest, MAX_CLIENT)? },
            PAUSE if rest.is_empty() => Frame::Pause { stream },
            RESUME if rest.is_empty() => Frame::Resume { stream },
            SYNC if rest.len().is_multiple_of(8) => Frame::Sync { streams: rest },
            PAUSE | RESUME | SYNC => return Err(Error::Frame),
            other => return Err(Error::FrameType(other)),
        };
        Ok(Self { id, frame })
    }

    /// Writes the message.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, stream, body): (_, _, &[u8]) = match &self.frame {
            Frame::Data { stream, bytes } => (DATA, *stream, bytes),
            Frame::Connect { stream, .. } => (CONNECT, *stream, &[]),
            Frame::Error { stream, reason } => (ERROR, *stream, reason.as_bytes()),
            Frame::AddClient { client } => (ADD_CLIENT, 0, client.as_bytes()),
            Frame::RemoveClient { client } => (REMOVE_CLIENT, 0, client.as_bytes()),
            Frame::Pause { stream } => (PAUSE, *stream, &[]),
            Frame::Resume { stream } => (RESUME, *stream, &[]),
            Frame::Sync { streams } => (SYNC, 0, streams),
        };
        let mut bytes = Vec::with_capacity(MAX_HEADER + body.len());
        write_varint(&mut bytes, self.id);
        write_varint(&mut bytes, stream);
        write_varint(&mut bytes, kind);
        if matches!(kind, DATA | CONNECT) {
            write_varint(&mut bytes, LEGACY_DEADLINE_MS);
        }
        if let Frame::Connect { protocol, address, .. } = &self.frame {
            bytes.extend_from_slice(protocol.as_bytes());
            bytes.push(b'/');
            bytes.extend_from_slice(address.as_bytes());
        }
        bytes.extend_from_slice(body);
        bytes
    }
}

impl Frame<'_> {
    /// The streams of a `Sync`; empty for every other message.
    pub fn streams(&self) -> impl Iterator<Item = StreamId> {
        let bytes = if let Frame::Sync { streams } = self { streams } else { &[][..] };
        bytes.chunks_exact(8).map(|chunk| chunk.try_into().map(i64::from_le_bytes).unwrap_or_default())
    }
}

const DATA: i64 = 1;
const CONNECT: i64 = 2;
const ERROR: i64 = 3;
const ADD_CLIENT: i64 = 4;
const REMOVE_CLIENT: i64 = 5;
const PAUSE: i64 = 6;
const RESUME: i64 = 7;
const SYNC: i64 = 8;

/// Go's `binary.ReadVarint`: zigzag, seven bits a byte, least significant first.
fn read_varint(rest: &mut &[u8]) -> Result<i64, Error> {
    let mut value = 0_u64;
    for index in 0..10_u32 {
        let (byte, tail) = rest.split_first().ok_or(Error::Frame)?;
        *rest = tail;
        let bits = u64::from(byte & 0x7f);
        // The tenth byte holds one bit; a last byte of zero would be a longer spelling of the same number.
        if index == 9 && bits > 1 || *byte == 0 && index > 0 {
            return Err(Error::Frame);
        }
        value |= bits << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
    Err(Error::Frame)
}

fn write_varint(bytes: &mut Vec<u8>, value: i64) {
    let mut rest = (value << 1 ^ value >> 63).cast_unsigned();
    while rest >= 0x80 {
        bytes.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    bytes.push(rest.to_le_bytes()[0]);
}

fn text(bytes: &[u8], max: usize) -> Result<&str, Error> {
    if bytes.len() > max {
        return Err(Error::FrameLength(bytes.len()));
    }
    std::str::from_utf8(bytes).map_err(|_| Error::Frame)
}

/// Why a stream ended is for logs only: whatever is too long or unreadable is cut, not refused.
fn reason(bytes: &[u8]) -> &str {
    let bytes = &bytes[..bytes.len().min(MAX_REASON)];
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes as Go's `encoding/binary` writes them: `PutVarint` of 1, −1, 64 and 15000 is 02, 01, 80 01, b0 ea 01.
    #[test]
    fn messages_are_written_as_remotedialer_writes_them() {
        let data = Message { id: 64, frame: Frame::Data { stream: 1, bytes: b"hi" } };
        assert_eq!(data.encode(), b"\x80\x01\x02\x02\xb0\xea\x01hi");
        let connect = Frame::Connect { stream: 2, protocol: "tcp", address: "127.0.0.1:10250" };
        let connect = Message { id: -1, frame: connect };
        assert_eq!(connect.encode(), b"\x01\x04\x04\xb0\xea\x01tcp/127.0.0.1:10250");
        let over = Message { id: 0, frame: Frame::Error { stream: 2, reason: END_OF_STREAM } };
        assert_eq!(over.encode(), b"\x00\x04\x06EOF");
        let sync = Message { id: 0, frame: Frame::Sync { streams: &[2, 0, 0, 0, 0, 0, 0, 0] } };
        assert_eq!(sync.encode(), b"\x00\x00\x10\x02\0\0\0\0\0\0\0");
        assert_eq!(sync.frame.streams().collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn the_ends_of_the_numbers_are_read_and_written() {
        for id in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX] {
            let message = Message { id, frame: Frame::Pause { stream: id } };
            assert_eq!(Message::decode(&message.encode()), Ok(message));
        }
    }

    #[test]
    fn malformed_messages_are_refused() {
        let head = |kind: u8| vec![2, 2, kind << 1];
        for (message, error) in [
            (vec![], Error::Frame),
            (vec![2, 2], Error::Frame),
            (vec![0x82, 0, 2, 2], Error::Frame),
            ([vec![0xff; 9], vec![2, 2, 2]].concat(), Error::Frame),
            (vec![0xff; 64], Error::Frame),
            (head(1), Error::Frame),
            ([head(1), vec![0]].concat(), Error::Frame),
            (head(0), Error::FrameType(0)),
            (head(9), Error::FrameType(9)),
            ([head(2), vec![0], b"tcp".to_vec()].concat(), Error::Frame),
            ([head(2), vec![0], b"tcp/\xff".to_vec()].concat(), Error::Frame),
            ([head(2), vec![0], vec![b'/'; 267]].concat(), Error::FrameLength(267)),
            ([head(4), vec![b'a'; 101]].concat(), Error::FrameLength(101)),
            ([head(6), vec![0]].concat(), Error::Frame),
            ([head(8), vec![0; 7]].concat(), Error::Frame),
            (vec![0; MAX_MESSAGE_BYTES + 1], Error::FrameLength(MAX_MESSAGE_BYTES + 1)),
        ] {
            assert_eq!(Message::decode(&message), Err(error), "{message:?}");
        }
    }

    #[test]
    fn a_reason_is_cut_and_never_refused() {
        let long = [vec![2, 2, 6], "é".repeat(80).into_bytes()].concat();
        let message = Message::decode(&long).unwrap();
        assert_eq!(message.frame, Frame::Error { stream: 1, reason: &"é".repeat(50) });
        let unreadable = Message::decode(b"\x02\x02\x06ok\xff").unwrap();
        assert_eq!(unreadable.frame, Frame::Error { stream: 1, reason: "ok" });
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_back(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(message) = Message::decode(&bytes) {
                let written = message.encode();
                prop_assert_eq!(Message::decode(&written), Ok(message));
            }
        }

        #[test]
        fn what_is_written_is_read(id in any::<i64>(), stream in any::<i64>(), body in prop::collection::vec(any::<u8>(), 1..1000)) {
            let message = Message { id, frame: Frame::Data { stream, bytes: &body } };
            let written = message.encode();
            prop_assert_eq!(Message::decode(&written), Ok(message));
        }
    }
}
