//! `daas doctor`.

use std::time::{SystemTime, UNIX_EPOCH};

use daas_diagnostics::{Diagnostic, codes};

use super::Answer;
use crate::arguments::Doctor;
use crate::doctor::{ChainCheck, Examination};
use crate::session::Session;

pub(super) async fn run(session: &Session, arguments: &Doctor) -> Answer {
    let endpoint = session.settings.rpc.first().map(ToString::to_string);
    let answer = Err(Diagnostic::new(codes::CHAIN_UNREACHABLE));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let check = ChainCheck { endpoint, answer, now_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX) };
    Ok(Box::new(Examination::of_this_machine(arguments.role, session.places.state(), &check)))
}
