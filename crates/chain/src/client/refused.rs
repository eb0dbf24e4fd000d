//! What becomes of transactions that a node called refused when other work spends the same coins.

use sui_sdk_types::Transaction;

use super::execute::owned_inputs;
use super::gas::GasPlan;
use super::session::Session;
use crate::error::Error;

impl Session {
    /// Keeps of refused transactions of other work that they have landed, where they wrote a coin of the plan. Once that coin is spent
    /// nothing shows it any more.
    pub(super) fn note_landed(&self, plan: &GasPlan) -> Result<(), Error> {
        let Some(journal) = &self.journal else { return Ok(()) };
        for found in journal.refused()? {
            if plan.landed(&[found.entry.transaction.digest()]).is_some() {
                journal.lock(&found.work)?.write_landed(&found.entry)?;
            }
        }
        Ok(())
    }

    /// Forgets refused transactions of other work that can never land, since the executed one took an input of theirs at the same version.
    /// Their coins may be gone for good, so nothing could exclude them once more.
    pub(super) fn forget_excluded(&self, executed: &Transaction) -> Result<(), Error> {
        let Some(journal) = &self.journal else { return Ok(()) };
        let (digest, spent) = (executed.digest(), owned_inputs(executed));
        for found in journal.refused()? {
            let refused = found.entry.transaction;
            if refused.digest() == digest || !owned_inputs(&refused).iter().any(|input| spent.contains(input)) {
                continue;
            }
            match journal.lock(&found.work) {
                Ok(lock) => {
                    let now = lock.read()?.map(|now| now.entry.transaction.digest());
                    if now == Some(refused.digest()) {
                        lock.clear()?;
                    }
                }
                // Whoever works on it finds out itself.
                Err(Error::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
