//! Why there is no image.

use std::path::PathBuf;

/// What is wrong with a definition or the files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not the TOML that a definition is.
    #[error("the image definition cannot be read: {0}")]
    Definition(#[from] toml::de::Error),
    /// Nothing could ever refer to it.
    #[error("the image definition gives the image no name")]
    Nameless,
    /// A name that a container runtime would complete in its own way, or not find.
    #[error("'{0}' is no complete image name; write registry/path:tag, for example docker.io/library/busybox:1.36")]
    Name(String),
    /// `modes` speaks of a path that the folder does not have.
    #[error("the image definition sets the mode of '{0}', which is not among the files")]
    ModeOfNothing(String),
    /// A socket, a device and the like.
    #[error("{} is neither a file, a folder nor a symbolic link", .0.display())]
    Kind(PathBuf),
    /// A name that is not text, which image tools show differently.
    #[error("{} has a name that is not UTF-8", .0.display())]
    NotText(PathBuf),
    /// The files could not be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The archive could not be written.
    #[error("the archive cannot be written")]
    Write(#[from] std::io::Error),
}
