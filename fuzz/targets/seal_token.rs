//! Arbitrary text as a bearer: what is read as a token has no second spelling, and nothing of it is ever shown.
#![no_main]

use daas_seal_token::SealToken;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(token) = SealToken::parse(text) {
        assert_eq!(token.to_bearer(), text);
        assert!(!format!("{token} {token:?}").contains(&text[10..60]));
    }
});
