//! Where an archive is.

use std::path::PathBuf;

/// A file or folder, or the objects of a bucket below a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file, or a folder with everything below it.
    Local(PathBuf),
    /// `s3://BUCKET/PREFIX`
    S3 {
        /// The bucket.
        bucket: String,
        /// The prefix; `""`: the whole bucket.
        prefix: String,
    },
}

impl std::str::FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix("s3://") else {
            return Ok(Self::Local(text.into()));
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(format!("{text} names no bucket: write s3://BUCKET/PREFIX"));
        }
        Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}
