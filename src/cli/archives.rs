//! What all commands that read archives have in common: where they lie, and what a failure means.

use super::{Failure, Result};
use crate::archive::{self, Archive, ArchiveError, Options, Place, Remote, Watch};
use crate::aws::S3Archives;

/// Reads archives, from S3 too. Blocking, for as long as that takes; it may be called from within a runtime.
pub(super) fn read(places: &[Place], options: &Options, watch: &dyn Watch) -> Result<Archive> {
    let reading = || -> Result<Archive> {
        let far = places.iter().any(|place| matches!(place, Place::S3 { .. }));
        let remote = far.then(S3Archives::new).transpose().map_err(Failure::Outside)?;
        let remote = remote.as_ref().map(|remote| remote as &dyn Remote);
        Ok(archive::read(places, options, remote, watch)?)
    };
    // The store has a runtime of its own, and a thread has room for one.
    std::thread::scope(|scope| scope.spawn(reading).join())
        .unwrap_or_else(|_| Err(Failure::Outside("a defect ended the reading. Please report it".into())))
}

impl From<ArchiveError> for Failure {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Path { .. } => Self::Usage(error.to_string()),
            ArchiveError::Aside(_) | ArchiveError::Store(_) => Self::Outside(error.to_string()),
        }
    }
}
