use std::time::Duration;

use super::protocol::{read_answer, write_request};
use super::{Policy, Target};
use crate::{Error, Link, Result, Stream, ports};

/// The parent looks a name up, connects, and answers within this.
const ANSWER_TIME: Duration = Duration::from_secs(15);

/// The enclave's side: asks the parent for connections, as far as its own policy goes.
#[derive(Debug, Clone)]
pub struct Client {
    link: Link,
    policy: Policy,
}

impl Client {
    /// Asks over this link, for what this policy allows.
    pub fn new(link: Link, policy: Policy) -> Self {
        Self { link, policy }
    }

    /// What may be asked for.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// A connection to this destination, or what the parent takes for it.
    pub async fn connect(&self, target: &Target) -> Result<Stream> {
        if !self.policy.allows(target) {
            return Err(Error::NotAllowed(target.clone()));
        }
        let ask = async {
            let mut stream = self.link.connect(ports::EGRESS).await?;
            write_request(&mut stream, target).await?;
            match read_answer(&mut stream).await? {
                Ok(()) => Ok(stream),
                Err(refusal) => Err(Error::Refused { target: target.clone(), refusal }),
            }
        };
        let late = |_| Error::Late { what: "answer of the parent", limit: ANSWER_TIME };
        tokio::time::timeout(ANSWER_TIME, ask).await.map_err(late)?
    }
}
