use daas_seal_token::{NameError, ParseError};

/// What the other side of the join protocol said that is not part of it. Never quotes a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not `K10<64 hex digits>::node:<Seal token>`.
    #[error("a join token is K10, the hash of the cluster's CA, ::node: and a Seal token")]
    JoinToken,
    /// Not `Basic` and base64 of `node:<Seal token>`.
    #[error("a joining node shows its Seal token as the password of the user node, and nothing else")]
    Credential,
    /// The Seal token inside is malformed.
    #[error(transparent)]
    SealToken(#[from] ParseError),
    /// `/cacerts` is not one to eight PEM certificates.
    #[error("the cluster's CA is not a list of PEM certificates")]
    CaCertificates,
    /// A path that is not served.
    #[error("the join gateway does not serve this path")]
    Path,
    /// The path is served, but not with this method.
    #[error("the join gateway does not take this method on this path")]
    Method,
    /// The header may stand in a request once.
    #[error("the header {0} stands in the request more than once")]
    RepeatedHeader(&'static str),
    /// The path needs the header.
    #[error("the header {0} is missing")]
    MissingHeader(&'static str),
    /// The header has a value that nobody sends.
    #[error("the header {0} is malformed")]
    MalformedHeader(&'static str),
    /// No node has this name.
    #[error("the node's name is none: {0}")]
    NodeName(#[from] NameError),
    /// Another password than the one the name was first used with.
    #[error("the node's password is not the one its name was first used with")]
    WrongPassword,
    /// No more names can be remembered.
    #[error("the book of node passwords is full")]
    PasswordBookFull,
    /// A certificate was asked for without a request for one.
    #[error("a certificate is given for a certificate request only: the gateway hands out no private keys")]
    NoRequest,
    /// The request is not the DER of PKCS #10, or too long.
    #[error("the certificate request is no DER of PKCS #10, version 1")]
    Request,
    /// Names and extensions are not the requester's to choose.
    #[error("the certificate request asks for {0}: a request brings a key and nothing else")]
    RequestWish(&'static str),
    /// Neither P-256 nor P-384.
    #[error("the certificate request's key is neither P-256 nor P-384")]
    RequestKey,
    /// The request is not signed by its own key.
    #[error("the certificate request is not signed by the key it brings")]
    RequestSignature,
    /// A certificate that the gateway did not make for a node.
    #[error("the certificate names no node of this cluster")]
    Subject,
    /// A certificate could not be encoded.
    #[error("the certificate cannot be encoded")]
    Encoding,
    /// A tunnel message is cut short or has a number that no encoder writes.
    #[error("the tunnel message is malformed")]
    Frame,
    /// A tunnel message of a type that is not known.
    #[error("the tunnel message has the unknown type {0}")]
    FrameType(i64),
    /// A tunnel message longer than any that is sent.
    #[error("the tunnel message is {0} bytes long, more than is ever sent")]
    FrameLength(usize),
    /// The agent's configuration document is malformed.
    #[error("the agent's configuration is malformed: {0}")]
    Config(String),
}
