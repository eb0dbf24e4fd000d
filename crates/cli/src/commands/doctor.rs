//! `daas doctor`.

use daas_diagnostics::Diagnostic;

use super::Answer;
use crate::arguments::Doctor;
use crate::connection::{Connection, chain_time_ms};
use crate::doctor::{ChainAnswer, ChainCheck, Examination};
use crate::invocation::Invocation;
use crate::moment;
use crate::sheet::Network;

pub(super) async fn run(invocation: &Invocation, arguments: &Doctor) -> Answer {
    let endpoint = invocation.settings.rpc.first().map(ToString::to_string);
    let answer = ask_chain(invocation).await;
    let check = ChainCheck { endpoint, answer, now_ms: moment::now_ms() };
    Ok(Box::new(Examination::of_this_machine(arguments.role, invocation.places.state(), &check)))
}

async fn ask_chain(invocation: &Invocation) -> Result<ChainAnswer, Diagnostic> {
    let Connection { node, network } = invocation.connect().await?;
    let newest_checkpoint_ms = chain_time_ms(&node).await?;
    let chain = node.chain().to_string();
    Ok(ChainAnswer { chain, newest_checkpoint_ms, is_production: network == Network::Production })
}
