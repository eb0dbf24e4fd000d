//! The operator's wallet at work.

use daas_chain::client::{Node, NodeOptions, Package, Session};
use daas_chain::types::Bytes;
use daas_chain::types::messages::{EvidenceMessage, RenewMessage};
use daas_chain::wallet::Account;
use daas_join::master_api::{Offered, Submission};
use sha2::{Digest as _, Sha256};
use sui_sdk_types::Address;

use crate::configuration::Chain;

/// Connects when there is something to do; connects anew after a failure.
pub(super) struct Wallet {
    chain: Chain,
    account: Account,
    session: Option<Session>,
}

impl Wallet {
    pub(super) fn new(chain: Chain, account: Account) -> Self {
        Self { chain, account, session: None }
    }

    /// Submits what is offered; the transaction's digest, or an error for people.
    pub(super) async fn submit(&mut self, offered: &Offered) -> Result<String, String> {
        let cluster = self.chain.cluster;
        let instance = Bytes(offered.instance);
        let session = self.session().await?;
        let receipt = match &offered.submission {
            Submission::Register { bytes } => session.register_instance(cluster, bytes).await,
            Submission::Renew { bytes, sequence, signature } => {
                // The time is covered by the signature and read from the document by the contract: it is not sent.
                let message = RenewMessage { cluster, instance, sequence: *sequence, document_at_ms: 0 };
                session.renew_instance(&message, bytes, signature).await
            }
            Submission::Evidence { bytes, stake, offence, sequence, signature } => {
                let message = EvidenceMessage {
                    cluster,
                    instance,
                    sequence: *sequence,
                    stake: Address::new(stake.0),
                    offence: (*offence)
                        .try_into()
                        .map_err(|cause: daas_chain::types::UnknownNumber| cause.to_string())?,
                    digest: Bytes(Sha256::digest(bytes).into()),
                };
                session.report(&message, bytes, signature).await
            }
        };
        self.outcome(receipt)
    }

    /// Makes an instance the cluster's active one.
    pub(super) async fn activate(&mut self, instance: [u8; 32]) -> Result<String, String> {
        let cluster = self.chain.cluster;
        let receipt = self.session().await?.activate(cluster, &Bytes(instance)).await;
        self.outcome(receipt)
    }

    fn outcome(&mut self, receipt: Result<daas_chain::client::Receipt, daas_chain::Error>) -> Result<String, String> {
        if receipt.is_err() {
            self.session = None;
        }
        receipt.map(|receipt| receipt.digest.to_string()).map_err(|cause| cause.to_string())
    }

    async fn session(&mut self) -> Result<&Session, String> {
        if self.session.is_none() {
            let connect = async {
                let node = Node::connect(&self.chain.rpc, None, NodeOptions::default()).await?;
                let package = Package::load(&node, self.chain.package).await?;
                let session = Session::new(node, package, self.account.clone());
                Ok::<_, daas_chain::Error>(session.with_gas_budget(self.chain.gas_budget))
            };
            self.session = Some(connect.await.map_err(|cause| cause.to_string())?);
        }
        self.session.as_ref().ok_or_else(|| "there is no connection to the chain".to_owned())
    }
}
