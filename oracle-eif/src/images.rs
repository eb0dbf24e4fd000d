//! Inputs of images: the edges of every size, made without chance.

use daas_measure::cpio::{Content, Node, Tree};
use daas_measure::{Packing, pack};

/// Inputs of one image.
pub struct Inputs {
    /// What it tries.
    pub name: &'static str,
    /// The kernel.
    pub kernel: Vec<u8>,
    /// Its command line.
    pub cmdline: String,
    /// The ramdisks.
    pub ramdisks: Vec<Vec<u8>>,
}

/// All inputs.
pub fn all() -> Vec<Inputs> {
    let image = |name, kernel: usize, cmdline: &str, ramdisks: Vec<Vec<u8>>| Inputs {
        name,
        kernel: bytes(1, kernel),
        cmdline: cmdline.to_owned(),
        ramdisks,
    };
    let application = tree();
    let plain = pack(&application, Packing::Plain).expect("a ramdisk");
    let packed = pack(&application, Packing::Gzip).expect("a ramdisk");
    let many = (0..28).map(|index| bytes(100 + index, index as usize)).collect();
    vec![
        image("the smallest", 1, "", vec![vec![]]),
        image("one ramdisk", 1000, "console=ttyS0", vec![bytes(2, 127)]),
        image("two ramdisks", 4096, "reboot=k panic=30", vec![bytes(2, 128), plain.clone()]),
        image("gzip", 4096, "quiet", vec![plain, packed]),
        image("an empty application", 129, "quiet", vec![bytes(2, 111), vec![]]),
        image("as many ramdisks as there is room for", 5, "quiet", many),
        image("a long command line", 5, &"x".repeat(2047), vec![bytes(2, 112)]),
        image("a command line of another script", 5, "이름=값", vec![bytes(2, 112)]),
        image("more than a thread is worth", 3 << 20, "quiet", vec![bytes(3, 1 << 20), bytes(4, 5 << 20)]),
    ]
}

fn tree() -> Tree {
    let mut tree = Tree::default();
    let file = |bytes: Vec<u8>| Node::File(Content { executable: true, bytes });
    tree.insert("init", file(bytes(9, 50_000))).expect("a path");
    tree.insert("rootfs/etc/hosts", file(b"127.0.0.1 localhost\n".to_vec())).expect("a path");
    tree.insert("rootfs/lib", Node::Link(b"usr/lib".to_vec())).expect("a path");
    tree
}

/// Bytes that look random (xorshift64).
fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect()
}
