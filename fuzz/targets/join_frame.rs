//! Arbitrary bytes as a message of the tunnel: what is read is written back and read again.
#![no_main]

use daas_join::{Frame, Message};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = Message::decode(bytes) {
        let written = message.encode();
        assert_eq!(Message::decode(&written), Ok(message.clone()));
        if let Frame::Sync { streams } = message.frame {
            assert_eq!(message.frame.streams().count() * 8, streams.len());
        }
    }
});
