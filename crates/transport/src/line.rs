//! One line before a stream of bytes.

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::{Error, Result};

/// Reads a line without its end, byte by byte, so that nothing behind it is taken. The line's end counts among `longest`.
pub(crate) async fn read_line(from: &mut (impl AsyncRead + Unpin), longest: usize) -> Result<Vec<u8>> {
    let mut line = Vec::with_capacity(longest.min(64));
    loop {
        match from.read_u8().await {
            Ok(b'\n') => return Ok(line),
            Ok(_) if line.len() + 1 >= longest => return Err(Error::Protocol("the other side's line is too long")),
            Ok(byte) => line.push(byte),
            Err(cause) => return Err(Error::Io { doing: "reading a line", cause }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_ends_where_it_ends_and_may_not_be_longer_than_agreed() {
        let mut from = &b"abc\nrest"[..];
        assert_eq!(read_line(&mut from, 4).await.unwrap(), b"abc");
        assert_eq!(from, b"rest");
        assert!(matches!(read_line(&mut &b"abcd\n"[..], 4).await, Err(Error::Protocol(_))));
        assert!(matches!(read_line(&mut &b"abc"[..], 4).await, Err(Error::Io { .. })));
        assert_eq!(read_line(&mut &b"\n"[..], 4).await.unwrap(), b"");
    }
}
