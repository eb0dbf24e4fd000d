//! Types of the standard library as settings.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use daas_diagnostics::Phrase;

use super::{Refusal, Value};

impl Value for bool {
    const FORM: Phrase = Phrase::new("`true` or `false`", "`true` 또는 `false`");

    fn parse(text: &str) -> Result<Self, Refusal> {
        match text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(Refusal::Expected(Self::FORM)),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for u32 {
    const FORM: Phrase = Phrase::new("a whole number", "정수");

    fn parse(text: &str) -> Result<Self, Refusal> {
        text.parse().map_err(|_| Refusal::Expected(Self::FORM))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for PathBuf {
    const FORM: Phrase = Phrase::new("a path", "경로");
    const PATH: bool = true;

    fn parse(text: &str) -> Result<Self, Refusal> {
        if text.is_empty() || text.contains('\0') {
            return Err(Refusal::Expected(Self::FORM));
        }
        Ok(Self::from(text))
    }

    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Value for SocketAddr {
    const FORM: Phrase = Phrase::new("an IP address and a port: `127.0.0.1:9000`", "IP 주소와 포트: `127.0.0.1:9000`");

    fn parse(text: &str) -> Result<Self, Refusal> {
        text.parse().map_err(|_| Refusal::Expected(Self::FORM))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for IpAddr {
    const FORM: Phrase = Phrase::new("an IP address: `192.0.2.1`", "IP 주소: `192.0.2.1`");

    fn parse(text: &str) -> Result<Self, Refusal> {
        text.parse().map_err(|_| Refusal::Expected(Self::FORM))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}
