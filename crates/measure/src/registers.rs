//! What an image puts into the registers of the enclave that boots it.
//!
//! Each register starts as 48 zero bytes and is extended once: `SHA-384(zeros ‖ SHA-384(measured bytes))`. PCR0 measures kernel,
//! command line and all ramdisks, PCR1 kernel, command line and the first ramdisk, PCR2 the other ramdisks, PCR8 the signing
//! certificate in DER (AWS' `utils/mod.rs`; "Cryptographic attestation" in the Nitro Enclaves user guide).

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::digest::{Context, Digest, SHA384};
use serde::{Serialize, Serializer};

/// What a sandbox measures in place of a kernel. No image's measured bytes may begin like this.
pub const SANDBOX_KERNEL: &[u8] = b"k3s-daas-sandbox";

/// Fewer bytes than this are hashed before a thread has started.
const THREAD_PAYS_FROM: usize = 1 << 20;

/// The value of one register.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Register(pub [u8; 48]);

/// The registers that depend on the image alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registers {
    /// Kernel, command line and all ramdisks.
    pub pcr0: Register,
    /// Kernel, command line and the first ramdisk.
    pub pcr1: Register,
    /// The other ramdisks.
    pub pcr2: Register,
    /// The certificate of whoever signed the image; none if nobody did, and then the enclave's register is zero.
    pub pcr8: Option<Register>,
}

impl Registers {
    /// The values by index.
    pub fn by_index(&self) -> BTreeMap<u8, Register> {
        let registers = [(0, Some(self.pcr0)), (1, Some(self.pcr1)), (2, Some(self.pcr2)), (8, self.pcr8)];
        registers.into_iter().filter_map(|(index, value)| value.map(|value| (index, value))).collect()
    }
}

/// The registers of an image with these parts.
pub fn measure(kernel: &[u8], cmdline: &[u8], ramdisks: &[&[u8]], certificate: Option<&[u8]>) -> Registers {
    let (boot, application) = ramdisks.split_at(ramdisks.len().min(1));
    // PCR1 is what PCR0's hash has seen after the first ramdisk, so its bytes are read once. The application's ramdisks are
    // hashed for PCR0 and for PCR2: side by side where that is worth a thread.
    let whole = || {
        let mut context = Context::new(&SHA384);
        for bytes in [kernel, cmdline].iter().chain(boot) {
            context.update(bytes);
        }
        let bootstrap = context.clone();
        for bytes in application {
            context.update(bytes);
        }
        (context.finish(), bootstrap.finish())
    };
    let rest = || {
        let mut context = Context::new(&SHA384);
        for bytes in application {
            context.update(bytes);
        }
        context.finish()
    };
    let size: usize = application.iter().map(|bytes| bytes.len()).sum();
    let ((pcr0, pcr1), pcr2) = if size < THREAD_PAYS_FROM {
        (whole(), rest())
    } else {
        std::thread::scope(|scope| {
            let other = std::thread::Builder::new().spawn_scoped(scope, rest);
            let whole = whole();
            // Without a second thread, or should it fail, this one does its work.
            (whole, other.ok().and_then(|other| other.join().ok()).unwrap_or_else(rest))
        })
    };
    Registers {
        pcr0: extended(&pcr0),
        pcr1: extended(&pcr1),
        pcr2: extended(&pcr2),
        pcr8: certificate.map(|der| extended(&aws_lc_rs::digest::digest(&SHA384, der))),
    }
}

/// The registers of a development sandbox, whose parts are its binaries by name: the same rule with a fixed word as the kernel,
/// no command line and each binary as a ramdisk, in the order of the names.
pub fn measure_sandbox(binaries: &BTreeMap<String, Vec<u8>>) -> Registers {
    let ramdisks: Vec<_> = binaries.values().map(Vec::as_slice).collect();
    measure(SANDBOX_KERNEL, b"", &ramdisks, None)
}

/// Whether measured parts, one after another, begin as a sandbox's do. Registers do not tell where a part ends, so that all of them count.
pub(crate) fn begins_like_a_sandbox<'a>(parts: impl Iterator<Item = &'a [u8]>) -> bool {
    parts.flatten().take(SANDBOX_KERNEL.len()).eq(SANDBOX_KERNEL)
}

fn extended(measured: &Digest) -> Register {
    let mut context = Context::new(&SHA384);
    context.update(&[0; 48]);
    context.update(measured.as_ref());
    let mut value = [0; 48];
    value.copy_from_slice(context.finish().as_ref());
    Register(value)
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Register {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{ head -c48 /dev/zero; printf %s MEASURED | sha384sum | cut -d' ' -f1 | xxd -r -p; } | sha384sum`
    #[test]
    fn registers_are_what_coreutils_compute() {
        let registers = measure(b"K", b"c", &[b"one", b"two"], Some(b"der"));
        for (value, expected) in [
            (
                registers.pcr0,
                "b88b90779de41ec9d63641a9bd4ce534c9ce8ff4be0dc627b8e237419a719b0bfe6d67dd24f822ee7ec7bd3d061fc297",
            ),
            (
                registers.pcr1,
                "9bc15ba8f473b16222013f803cdb0bd0b014f740547eb77edeae4a02e9bfd74509580c3ae625b0db955f4f53f3c79baf",
            ),
            (
                registers.pcr2,
                "520a75a89f23576738754eecacb557b46a3e2d140c8d09370a959613db76bd3ee3a97b59cb4acbafd90108e8a7b0186e",
            ),
            (
                registers.pcr8.unwrap(),
                "f9e8bca7da8b501684d22349a544f36e085854176428e4279e275724871a9e3eeeec13923b71ca59938a22d8134c5143",
            ),
        ] {
            assert_eq!(value.to_string(), expected);
        }
    }

    #[test]
    fn threads_change_no_value() {
        let (boot, large) = (vec![1; 10], vec![7; 3 * THREAD_PAYS_FROM]);
        let split = large.split_at(5);
        let together = measure(b"K", b"c", &[&boot, &large], None);
        // The same bytes in two ramdisks: where one ends and the next begins is not measured.
        assert_eq!(measure(b"K", b"c", &[&boot, split.0, split.1], None), together);
        let small = measure(b"K", b"c", &[&boot, &large[..5]], None);
        assert_ne!(small, together);
    }
}
