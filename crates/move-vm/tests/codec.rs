//! Values and their bytes.
#![allow(clippy::unwrap_used)]

mod world;

use proptest::prelude::*;
use world::{World, bcs, own, tag};

proptest! {
    /// BCS is canonical: what decodes has no other encoding.
    #[test]
    fn what_decodes_encodes_to_the_same_bytes(bytes in proptest::collection::vec(0..6_u8, 0..64)) {
        let world = World::new();
        let mut session = world.session();
        let types = [
            tag("vector<vector<bool>>"),
            tag("vector<0x1::option::Option<u16>>"),
            tag("vector<u8>"),
            tag("0x1::string::String"),
            tag("u256"),
            own("shapes", "Shape"),
            own("bank", "Bank"),
        ];
        for type_ in types {
            if let Ok(value) = session.decode(&type_, &bytes) {
                prop_assert_eq!(session.encode(&value, &type_).unwrap(), bytes.clone());
            }
        }
    }

    #[test]
    fn what_encodes_decodes_to_the_same_value(
        numbers in proptest::collection::vec(any::<u64>(), 0..200),
        text in ".{0,40}",
        wide in any::<u128>(),
        flag in any::<bool>(),
    ) {
        let world = World::new();
        let mut session = world.session();
        for (type_, bytes) in [
            ("vector<u64>", bcs(&numbers)),
            ("0x1::string::String", bcs(&text)),
            ("u128", bcs(&wide)),
            ("0x1::option::Option<u128>", bcs(&Some(wide))),
            ("bool", bcs(&flag)),
        ] {
            let value = session.decode(&tag(type_), &bytes).unwrap();
            let encoded = session.encode(&value, &tag(type_)).unwrap();
            prop_assert_eq!(&encoded, &bytes);
            prop_assert!(session.decode(&tag(type_), &encoded).unwrap() == value);
        }
    }
}
