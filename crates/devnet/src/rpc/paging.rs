//! Page sizes and page tokens.

use prost::bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tonic::Status;

use super::status::invalid;

const DEFAULT_PAGE: u32 = 50;
const MAX_PAGE: u32 = 1000;

/// How many entries a page may have.
pub(super) fn page_size(asked: Option<u32>) -> usize {
    asked.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE) as usize
}

/// A place in a list, together with the question that the list answers.
#[derive(Serialize, Deserialize)]
struct PageToken<Q, K> {
    question: Q,
    last: K,
}

/// The token of the page after `last`.
pub(super) fn next_token<Q: Serialize, K: Serialize>(question: Q, last: Option<K>) -> Result<Option<Bytes>, Status> {
    last.map(|last| {
        bcs::to_bytes(&PageToken { question, last })
            .map(Bytes::from)
            .map_err(|error| Status::internal(error.to_string()))
    })
    .transpose()
}

/// Where the page begins; a token is good for its own question only.
pub(super) fn parse_token<Q, K>(question: &Q, token: Option<&Bytes>) -> Result<Option<K>, Status>
where
    Q: DeserializeOwned + PartialEq,
    K: DeserializeOwned,
{
    let Some(token) = token else { return Ok(None) };
    let PageToken::<Q, K> { question: asked, last } =
        bcs::from_bytes(token).map_err(|_| invalid("page_token", "not a page token of this server"))?;
    if asked != *question {
        return Err(invalid("page_token", "the token belongs to another request"));
    }
    Ok(Some(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_place_and_serves_no_other_question() {
        let token = next_token("coins of alice", Some(7u64)).unwrap();
        let question = "coins of alice".to_owned();
        assert_eq!(parse_token::<_, u64>(&question, token.as_ref()).unwrap(), Some(7));
        assert!(parse_token::<_, u64>(&"coins of bob".to_owned(), token.as_ref()).is_err());
        assert!(parse_token::<_, u64>(&question, Some(&Bytes::from_static(b"junk"))).is_err());
        assert_eq!(parse_token::<_, u64>(&question, None).unwrap(), None);
    }

    #[test]
    fn page_sizes_stay_within_bounds() {
        assert_eq!([None, Some(0), Some(10), Some(5000)].map(page_size), [50, 1, 10, 1000]);
    }
}
