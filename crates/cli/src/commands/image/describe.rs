//! `daas image describe`.

use daas_diagnostics::Diagnostic;
use daas_measure::Description;
use serde_json::Value;

use super::{ImageFile, invalid, parse, read_file};
use crate::moment;
use crate::output::{Page, Paint, Report};

/// An image that was read.
pub(super) struct Described(Description);

pub(super) fn run(arguments: &ImageFile) -> Result<Described, Diagnostic> {
    let file = read_file(&arguments.image)?;
    let eif = parse(&arguments.image, &file)?;
    Description::of(&eif).map(Described).map_err(|error| invalid(&arguments.image, &error))
}

impl Report for Described {
    fn json(&self) -> Value {
        serde_json::to_value(&self.0).unwrap_or_default()
    }

    fn human(&self, page: &mut Page) {
        let image = &self.0;
        page.fields([
            ("version", image.version.to_string()),
            ("architecture", word(&image.architecture)),
            ("bytes", image.length.to_string()),
            ("asks for", format!("{} bytes of memory, {} processors", image.default_memory, image.default_cpus)),
            ("CRC-32", image.crc32.clone()),
            ("command line", image.cmdline.clone()),
        ]);
        let sections = image.sections.iter().map(|section| {
            let measured: Vec<_> = section.measured_by.iter().map(|index| format!("PCR{index}")).collect();
            let measured = if measured.is_empty() { "-".to_owned() } else { measured.join(" ") };
            vec![section.kind.to_string(), section.offset.to_string(), section.length.to_string(), measured]
        });
        page.table(&["SECTION", "OFFSET", "BYTES", "MEASURED BY"], &sections.collect::<Vec<_>>());
        let registers: Vec<_> =
            image.pcrs.iter().map(|(index, value)| (format!("PCR{index}"), value.to_string())).collect();
        page.fields(registers.iter().map(|(name, value)| (name.as_str(), value.clone())));
        if let Some(signature) = &image.signature {
            let paint = if signature.valid { Paint::Good } else { Paint::Bad };
            let verdict = match &signature.refusal {
                None => page.pick("signed by the certificate's key", "인증서의 키로 서명됨").to_owned(),
                Some(refusal) => refusal.clone(),
            };
            page.painted(paint, verdict);
            page.fields([
                ("signer", signature.subject.clone()),
                ("algorithm", signature.algorithm.unwrap_or("unknown").to_owned()),
                ("valid from", moment::show(signature.not_before.saturating_mul(1000))),
                ("valid until", moment::show(signature.not_after.saturating_mul(1000))),
            ]);
        }
        if let Some(metadata) = &image.metadata {
            let note = page
                .pick("metadata (not measured: anybody can write it)", "메타데이터 (측정되지 않음: 누구나 쓸 수 있음)");
            let note = note.to_owned();
            page.painted(Paint::Faint, note);
            page.line(metadata.to_string());
        }
    }
}

/// A value's name in JSON.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
