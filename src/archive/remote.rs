//! Archives that lie elsewhere and are fetched object by object, as from S3.

/// One object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its whole name, as people know it: `s3://BUCKET/KEY`.
    pub name: String,
    /// Its bytes, or why they could not be had: that is damage in one place, and the others are still read.
    pub bytes: Result<Vec<u8>, String>,
}

/// Where objects are fetched from.
pub trait Remote: Send + Sync {
    /// Fetches every object of `bucket` below `prefix`, blocking until all are handed over.
    ///
    /// `found` is told how many objects and bytes more the listing shows, while it goes on. `into` takes one object
    /// after the other, from any thread and in any order; it blocks while the readers have enough to do, so that what
    /// waits stays bounded, and answers `false` once nothing more is wanted. The error, for people, says why the
    /// listing itself failed; an object that fails is handed over as such.
    fn fetch(
        &self,
        bucket: &str,
        prefix: &str,
        found: &(dyn Fn(u64, u64) + Sync),
        into: &(dyn Fn(Fetched) -> bool + Sync),
    ) -> Result<(), String>;
}
