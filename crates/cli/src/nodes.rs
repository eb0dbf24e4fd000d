//! Finding a stake by what people call it.

use daas_chain::types::Stake;
use daas_diagnostics::{Diagnostic, codes};
use daas_seal_token::StakeStatus;

/// The fewest digits with which an id may be shortened.
const SHORTEST: usize = 4;
/// How many similar names an error shows.
const NEAREST: usize = 3;

/// The stake of a node: by its name, by the node id where only one fits, by the stake's id, whole or its first digits.
///
/// Of several stakes with one node id the one that is not over counts: after a slash the same machine stakes again.
pub(crate) fn find<'a>(wanted: &str, stakes: &'a [Stake], cluster: &str) -> Result<&'a Stake, Diagnostic> {
    if let Some(stake) = stakes.iter().find(|stake| stake.name == wanted || stake.id.to_string() == wanted) {
        return Ok(stake);
    }
    let by_id: Vec<_> = stakes.iter().filter(|stake| stake.node_id == wanted).collect();
    let live: Vec<_> = by_id.iter().copied().filter(|stake| is_live(stake)).collect();
    if let ([stake], _) | (_, [stake]) = (live.as_slice(), by_id.as_slice()) {
        return Ok(stake);
    }
    let shortened: Vec<_> = stakes.iter().filter(|stake| is_short_for(wanted, &stake.id.to_string())).collect();
    if let [stake] = shortened.as_slice() {
        return Ok(stake);
    }
    let candidates = if by_id.is_empty() { shortened } else { by_id };
    let nearest = if candidates.is_empty() {
        similar(wanted, stakes.iter().map(|stake| stake.name.as_str()))
    } else {
        candidates.iter().take(NEAREST).map(|stake| stake.name.as_str()).collect()
    };
    let nearest = (!nearest.is_empty()).then(|| nearest.join("\", \""));
    Err(Diagnostic::new(codes::UNKNOWN_NODE).with("name", wanted).with("cluster", cluster).with_opt("nearest", nearest))
}

/// Whether digits, with or without `0x`, are the beginning of an id.
pub(crate) fn is_short_for(digits: &str, id: &str) -> bool {
    let bare = |text: &str| text.strip_prefix("0x").unwrap_or(text).to_ascii_lowercase();
    let (digits, id) = (bare(digits), bare(id));
    digits.len() >= SHORTEST && id.starts_with(&digits)
}

fn is_live(stake: &Stake) -> bool {
    matches!(stake.status, StakeStatus::Active | StakeStatus::Unbonding)
}

/// The most similar names, best first.
fn similar<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    // The comparison costs the product of both lengths.
    let wanted: String = wanted.chars().take(64).collect();
    let mut rated: Vec<_> = names
        .map(|name| (strsim::jaro_winkler(&wanted, name), name))
        .filter(|(similarity, _)| *similarity >= 0.75)
        .collect();
    rated.sort_by(|a, b| b.0.total_cmp(&a.0));
    rated.into_iter().take(NEAREST).map(|(_, name)| name).collect()
}
