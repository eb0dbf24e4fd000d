//! What a transaction did, as an answer.

use daas_chain::client::Receipt;
use serde_json::{Value, json};

use crate::output::Paint;
use crate::sheet::{Network, Sheet};

/// An answer about one executed transaction. `english` and `korean` say what is now true.
pub(super) fn receipt_sheet(
    network: Network,
    receipt: &Receipt,
    english: &'static str,
    korean: &'static str,
    more: Value,
) -> Sheet {
    let mut json = json!({
        "transaction": receipt.digest.to_string(),
        "checkpoint": receipt.checkpoint,
        "gas_paid_mist": receipt.gas_paid,
    });
    let mut fields = vec![("transaction", receipt.digest.to_string())];
    if let Value::Object(more) = more {
        for (name, value) in more {
            json[name] = value;
        }
    }
    fields.push(("gas", format!("{} MIST", receipt.gas_paid)));
    Sheet::new(network, json).words(Paint::Good, english, korean).fields(fields)
}
