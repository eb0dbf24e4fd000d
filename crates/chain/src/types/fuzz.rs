//! Entry points for fuzzing: arbitrary bytes in, an error or a value that encodes to the same bytes out.

use super::cluster::{AdminCap, Cluster};
use super::events::{Event, EventError};
use super::gateway::SealTokenObject;
use super::objects::ClusterField;
use super::staking::Stake;
use super::upgrade_lock::UpgradeLock;

/// Reads an event: the first byte chooses which, the rest is its BCS.
pub fn decode_event(bytes: &[u8]) -> Result<Event, EventError> {
    let (choice, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let (module, name) = Event::NAMES[usize::from(*choice) % Event::NAMES.len()];
    Event::decode_named(module, name, rest)
}

/// Reads the contents of an object or a dynamic field: the first byte chooses which. Says whether they were good.
pub fn decode_object(bytes: &[u8]) -> bool {
    const FIELDS: [(&str, &str); 6] = [
        ("cluster", "GrantKey"),
        ("staking", "MemberKey"),
        ("staking", "NameKey"),
        ("evidence", "EvidenceKey"),
        ("measurements", "ReleaseKey"),
        ("enclave", "InstanceKey"),
    ];
    let (choice, rest) = bytes.split_first().unwrap_or((&0, &[]));
    match choice % 11 {
        0 => bcs::from_bytes::<Cluster>(rest).is_ok(),
        1 => bcs::from_bytes::<AdminCap>(rest).is_ok(),
        2 => bcs::from_bytes::<Stake>(rest).is_ok(),
        3 => bcs::from_bytes::<SealTokenObject>(rest).is_ok(),
        4 => bcs::from_bytes::<UpgradeLock>(rest).is_ok(),
        other => {
            let (module, name) = FIELDS[usize::from(other) - 5];
            ClusterField::decode_named(module, name, rest).is_ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn arbitrary_bytes_are_an_error_or_encode_to_themselves(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(event) = decode_event(&bytes) {
                // Behind the number of the enum's variant.
                prop_assert_eq!(&bcs::to_bytes(&event).unwrap()[1..], &bytes[1..]);
            }
            decode_object(&bytes);
        }

        #[test]
        fn lengths_that_promise_too_much_are_refused(choice: u8, filler: u8) {
            let bytes = [&[choice][..], &[filler; 32], &[0xff, 0xff, 0xff, 0xff, 0x07]].concat();
            prop_assert!(decode_event(&bytes).is_err() || choice != 0);
            decode_object(&bytes);
        }
    }
}
