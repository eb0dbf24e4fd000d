//! `daas image diff`.

use daas_diagnostics::Diagnostic;
use daas_measure::diff::Meaning;
use daas_measure::{Difference, Register, diff};
use serde_json::{Value, json};

use super::{ImageDiff, UNPACK_LIMIT, parse, read_file};
use crate::output::{Page, Paint, Report};

/// Two images that were compared.
pub(super) struct Compared(Difference);

pub(super) fn run(arguments: &ImageDiff) -> Result<Compared, Diagnostic> {
    let (before, after) = (read_file(&arguments.before)?, read_file(&arguments.after)?);
    let (before, after) = (parse(&arguments.before, &before)?, parse(&arguments.after, &after)?);
    Ok(Compared(diff(&before, &after, UNPACK_LIMIT)))
}

impl Report for Compared {
    fn json(&self) -> Value {
        let mut json = serde_json::to_value(&self.0).unwrap_or_default();
        if let Some(object) = json.as_object_mut() {
            object.insert("same_enclave".to_owned(), json!(self.holds()));
        }
        json
    }

    fn human(&self, page: &mut Page) {
        let (paint, english, korean) = match self.0.meaning {
            Meaning::Identical => (Paint::Good, "the files are the same", "두 파일이 같습니다"),
            Meaning::Unmeasured => (
                Paint::Good,
                "the same enclave: only bytes that no register measures differ",
                "같은 인클레이브입니다. 어떤 레지스터도 측정하지 않는 바이트만 다릅니다",
            ),
            Meaning::BoundaryMoved => (
                Paint::Bad,
                "equal registers, but sections end elsewhere: registers measure the joined bytes only",
                "레지스터는 같지만 섹션의 경계가 다릅니다. 레지스터는 이어 붙인 바이트만 측정합니다",
            ),
            Meaning::Measured => (Paint::Bad, "different enclaves", "서로 다른 인클레이브입니다"),
        };
        let text = page.pick(english, korean).to_owned();
        page.painted(paint, text);
        let changes = self.0.changes.iter().map(|change| {
            let measured: Vec<_> = change.measured_by.iter().map(|index| format!("PCR{index}")).collect();
            let kind = serde_json::to_value(change.kind).unwrap_or_default();
            vec![
                change.section.clone(),
                change.file.clone().unwrap_or_default(),
                kind.as_str().unwrap_or_default().to_owned(),
                measured.join(" "),
                change.detail.clone(),
            ]
        });
        if !self.0.changes.is_empty() {
            page.table(&["SECTION", "FILE", "CHANGE", "MEASURED BY", "DETAIL"], &changes.collect::<Vec<_>>());
        }
        for register in &self.0.pcrs {
            let value = |value: Option<Register>| value.map_or("none".to_owned(), |value| value.to_string());
            page.line(format!("PCR{}  {}", register.index, value(register.before)));
            page.line(format!("   →  {}", value(register.after)));
        }
    }

    /// Whether both are the same enclave.
    fn holds(&self) -> bool {
        matches!(self.0.meaning, Meaning::Identical | Meaning::Unmeasured)
    }
}
