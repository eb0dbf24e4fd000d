//! Arbitrary text as token, credential, path, CA, headers and configuration.
#![no_main]

use daas_join::{AgentConfig, BasicCredential, CaHash, Endpoint, JoinToken, NodeHeaders};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(token) = JoinToken::parse(text) {
        assert_eq!(token.to_text().as_str(), text);
    }
    if let Ok(credential) = BasicCredential::parse(text) {
        assert_eq!(credential.to_header().as_str(), text);
    }
    for method in ["GET", "POST"] {
        if let Ok(endpoint) = Endpoint::route(method, text) {
            assert_eq!(endpoint.path(), text);
        }
    }
    let _ = CaHash::of_cacerts(text.as_bytes());
    let _ = NodeHeaders::read(|_| std::iter::once(text.as_bytes()));
    if let Ok(config) = AgentConfig::parse(text.as_bytes()) {
        let json = config.to_json().expect("a configuration that was read can be written");
        assert_eq!(AgentConfig::parse(json.as_bytes()), Ok(config));
    }
});
