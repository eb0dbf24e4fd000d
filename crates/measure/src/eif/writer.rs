//! Writes an image file: sections in the order of AWS' builder, nothing that depends on where or when it was built.

use std::borrow::Cow;
use std::io::{self, Write};

use super::format::{
    Architecture, HEADER_BYTES, Header, MAX_SECTIONS, SECTION_HEADER_BYTES, SectionHeader, SectionKind, crc32,
};
use crate::Error;
use crate::metadata::Metadata;
use crate::registers::{Registers, begins_like_a_sandbox, measure};
use crate::signature::{Certificate, Signature};

/// The longest command line that an x86-64 kernel keeps (`COMMAND_LINE_SIZE`), less its NUL.
pub const MAX_CMDLINE_BYTES: usize = 2047;

/// What goes into an image.
#[derive(Debug, Clone)]
pub struct Contents<'a> {
    /// The processor that the kernel is for.
    pub architecture: Architecture,
    /// The kernel image, as its bootloader takes it (bzImage, or Image for arm64).
    pub kernel: &'a [u8],
    /// The kernel's command line.
    pub cmdline: &'a str,
    /// Ramdisks: the first boots, the others are the application.
    pub ramdisks: Vec<&'a [u8]>,
    /// What the image says about itself. Not measured.
    pub metadata: Metadata,
    /// Bytes of memory to give the enclave when its starter names none; at least 4 times the image. Not measured.
    pub default_memory: u64,
    /// Processors to give the enclave when its starter names none. Not measured.
    pub default_cpus: u64,
}

impl<'a> Contents<'a> {
    /// An image for x86-64 with the defaults of AWS' builder (1 GiB, two processors).
    pub fn new(kernel: &'a [u8], cmdline: &'a str, ramdisks: Vec<&'a [u8]>) -> Self {
        Self {
            architecture: Architecture::X86_64,
            kernel,
            cmdline,
            ramdisks,
            metadata: Metadata::default(),
            default_memory: 1 << 30,
            default_cpus: 2,
        }
    }

    /// Lays out and measures an unsigned image.
    pub fn build(self) -> Result<Image<'a>, Error> {
        self.build_while(|_| ()).map(|(image, ())| image)
    }

    /// As [`Contents::build`], and does `meanwhile` with the file's bytes, which do not depend on the registers: writing an image
    /// takes about as long as measuring it, and neither waits for the other.
    pub fn build_while<T>(self, meanwhile: impl FnOnce(&Layout<'a>) -> T) -> Result<(Image<'a>, T), Error> {
        self.check()?;
        let (kernel, cmdline, ramdisks) = (self.kernel, self.cmdline.as_bytes(), self.ramdisks.clone());
        let measure = || measure(kernel, cmdline, &ramdisks, None);
        let layout = self.lay_out(None)?;
        let (registers, done) = std::thread::scope(|scope| {
            let measuring = std::thread::Builder::new().spawn_scoped(scope, measure);
            let done = meanwhile(&layout);
            // Without a second thread, or should it fail, this one does its work.
            (measuring.ok().and_then(|measuring| measuring.join().ok()).unwrap_or_else(measure), done)
        });
        Ok((Image { layout, registers }, done))
    }

    /// Lays out a signed image. `sign` gets the bytes to be signed and gives back r ‖ s, each as long as the curve's order.
    /// Only the certificate is measured (PCR8): signatures differ from run to run, the registers do not.
    pub fn build_signed<E: std::fmt::Display>(
        self,
        certificate: Certificate,
        sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
    ) -> Result<Image<'a>, Error> {
        self.check()?;
        let registers = measure(self.kernel, self.cmdline.as_bytes(), &self.ramdisks, Some(certificate.der()));
        let signature = Signature::make(certificate, &registers.pcr0, sign)?;
        Ok(Image { layout: self.lay_out(Some(signature.to_bytes()))?, registers })
    }

    fn check(&self) -> Result<(), Error> {
        let unwritable = |what, reason: &str| Err(Error::Unwritable { what, reason: reason.to_owned() });
        if self.kernel.is_empty() {
            return unwritable("the kernel", "it is empty");
        }
        let measured = [self.kernel, self.cmdline.as_bytes()].into_iter().chain(self.ramdisks.iter().copied());
        if begins_like_a_sandbox(measured) {
            return Err(Error::Sandbox);
        }
        if self.cmdline.len() > MAX_CMDLINE_BYTES {
            return unwritable("the command line", "it is longer than 2047 bytes, which is what a kernel keeps");
        }
        if self.cmdline.contains(['\0', '\n', '\r']) {
            return unwritable("the command line", "it has a NUL or a line break");
        }
        if self.ramdisks.is_empty() {
            return Err(Error::NoRamdisk);
        }
        // Kernel, command line, metadata, signature.
        if self.ramdisks.len() > MAX_SECTIONS - 4 {
            return unwritable("the ramdisks", "there are more than 28");
        }
        Ok(())
    }

    fn lay_out(self, signature: Option<Vec<u8>>) -> Result<Layout<'a>, Error> {
        let mut sections: Vec<(SectionKind, Cow<'a, [u8]>)> = vec![
            (SectionKind::Kernel, self.kernel.into()),
            (SectionKind::Cmdline, self.cmdline.as_bytes().into()),
            (SectionKind::Metadata, self.metadata.to_bytes()?.into()),
        ];
        sections.extend(self.ramdisks.into_iter().map(|ramdisk| (SectionKind::Ramdisk, ramdisk.into())));
        sections.extend(signature.map(|signature| (SectionKind::Signature, signature.into())));

        let mut header = Header {
            architecture: self.architecture,
            default_memory: self.default_memory,
            default_cpus: self.default_cpus,
            section_count: sections.len() as u16,
            offsets: [0; MAX_SECTIONS],
            sizes: [0; MAX_SECTIONS],
            crc32: 0,
        };
        let mut pieces = Vec::with_capacity(2 * sections.len());
        let mut end = HEADER_BYTES as u64;
        for (index, (kind, content)) in sections.into_iter().enumerate() {
            let size = content.len() as u64;
            (header.offsets[index], header.sizes[index]) = (end, size);
            end += SECTION_HEADER_BYTES as u64 + size;
            pieces.push(SectionHeader { kind, size }.to_bytes().to_vec().into());
            pieces.push(content);
        }
        header.crc32 = crc32(&header.to_bytes(), pieces.iter().map(|piece: &Cow<'_, [u8]>| &**piece));
        Ok(Layout { header: header.to_bytes(), pieces, length: end })
    }
}

/// A laid-out image with its registers.
#[derive(Debug, Clone)]
pub struct Image<'a> {
    layout: Layout<'a>,
    registers: Registers,
}

impl<'a> Image<'a> {
    /// The registers of an enclave that boots it.
    pub fn registers(&self) -> &Registers {
        &self.registers
    }

    /// The file.
    pub fn layout(&self) -> &Layout<'a> {
        &self.layout
    }

    /// Writes the file.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        self.layout.write_to(out)
    }

    /// The file as one piece.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.layout.to_bytes()
    }
}

/// The file of an image, ready to be written. It borrows its inputs, so that no second copy of them is made.
#[derive(Debug, Clone)]
pub struct Layout<'a> {
    header: [u8; HEADER_BYTES],
    pieces: Vec<Cow<'a, [u8]>>,
    length: u64,
}

impl Layout<'_> {
    /// Bytes of the file.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The file's bytes, piece by piece.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&self.header[..]).chain(self.pieces.iter().map(|piece| &**piece))
    }

    /// Writes the file.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        self.pieces().try_for_each(|piece| out.write_all(piece))
    }

    /// The file as one piece.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.pieces().fold(Vec::with_capacity(self.length as usize), |mut file, piece| {
            file.extend_from_slice(piece);
            file
        })
    }
}
