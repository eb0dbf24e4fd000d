//! What an enclave of this project claims in `user_data`.

use crate::Refusal;

/// The claims of an instance, BCS in the document's `user_data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// The Cluster object that the enclave serves.
    pub cluster: [u8; 32],
    /// SHA-256 of the public key (SPKI, DER) of its TLS certificate on port 8443.
    pub tls_spki_sha256: [u8; 32],
    /// SHA-256 of the bytes that it serves as `/cacerts`.
    pub server_ca_sha256: [u8; 32],
    /// SHA-256 of its runtime configuration.
    pub config_sha256: [u8; 32],
    /// The newest epoch of its sealed state.
    pub state_epoch: u64,
}

impl Claims {
    /// The only version there is.
    pub const VERSION: u8 = 1;
    /// All fields are of fixed size.
    pub const LENGTH: usize = 1 + 4 * 32 + 8;

    /// BCS: the fields in order, integers little-endian, arrays without a length.
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[0] = Self::VERSION;
        bytes[1..33].copy_from_slice(&self.cluster);
        bytes[33..65].copy_from_slice(&self.tls_spki_sha256);
        bytes[65..97].copy_from_slice(&self.server_ca_sha256);
        bytes[97..129].copy_from_slice(&self.config_sha256);
        bytes[129..].copy_from_slice(&self.state_epoch.to_le_bytes());
        bytes
    }

    /// Reads claims; every one of [`LENGTH`](Self::LENGTH) bytes that begin with a known version is one.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let wrong_length = Refusal::ClaimsLength { length: bytes.len() };
        let Ok(bytes) = <&[u8; Self::LENGTH]>::try_from(bytes) else { return Err(wrong_length) };
        let [version, fields @ ..] = bytes;
        if *version != Self::VERSION {
            return Err(Refusal::ClaimsVersion { version: *version });
        }
        let (hashes, epoch) = fields.as_chunks::<32>();
        let (&[cluster, tls_spki_sha256, server_ca_sha256, config_sha256], Ok(epoch)) = (hashes, epoch.try_into())
        else {
            return Err(wrong_length);
        };
        let state_epoch = u64::from_le_bytes(epoch);
        Ok(Self { cluster, tls_spki_sha256, server_ca_sha256, config_sha256, state_epoch })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIMS: Claims = Claims {
        cluster: [1; 32],
        tls_spki_sha256: [2; 32],
        server_ca_sha256: [3; 32],
        config_sha256: [4; 32],
        state_epoch: 0x0102_0304_0506_0708,
    };

    /// The layout that `move/sources/attested.move` slices: 1, 33, 65, 97 and 129.
    #[test]
    fn the_layout_is_the_contracts() {
        let mut expected = vec![1];
        for byte in 1..=4 {
            expected.extend([byte; 32]);
        }
        expected.extend([8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(expected.len(), 137);
        assert_eq!(CLAIMS.to_bytes()[..], expected);
        assert_eq!(Claims::parse(&expected), Ok(CLAIMS));
    }

    #[test]
    fn other_lengths_and_versions_are_refused() {
        let bytes = CLAIMS.to_bytes();
        assert_eq!(Claims::parse(&bytes[..136]), Err(Refusal::ClaimsLength { length: 136 }));
        assert_eq!(Claims::parse(&[&bytes[..], &[0]].concat()), Err(Refusal::ClaimsLength { length: 138 }));
        assert_eq!(Claims::parse(&[]), Err(Refusal::ClaimsLength { length: 0 }));
        for version in [0, 2, 255] {
            let mut other = bytes;
            other[0] = version;
            assert_eq!(Claims::parse(&other), Err(Refusal::ClaimsVersion { version }));
        }
    }
}
