//! Archives of CloudTrail logs → the findings in them, in the order of time, each once.
//!
//! [`read`] takes files in every shape that [`crate::cloudtrail`] knows, from folders or from S3, on all cores and in
//! bounded memory however large the archive is. Most records are no mapping call; those are told apart by their bytes
//! and counted, never parsed, and no finding is lost by it: what is not as expected is parsed as a whole.
//!
//! `walk` finds the files, `queue` hands them to the threads of `reading`; `file` unpacks one, `split` tells its records
//! apart, `judge` parses those that may matter; `stream` does so where a file is too large to hold. `findings` sorts
//! them, in memory or in temporary files.

mod file;
mod findings;
mod gap;
mod judge;
mod place;
mod queue;
mod reading;
mod remote;
mod split;
mod stream;
mod walk;

pub use findings::Findings;
pub use place::Place;
pub use reading::read;
pub use remote::{Fetched, Remote};

use serde::Serialize;

/// How to read.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many threads read; one for each core is best.
    pub threads: usize,
    /// Parse every record, instead of telling most apart by their bytes. The findings are the same.
    pub thorough: bool,
}

impl Default for Options {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        Self { threads, thorough: false }
    }
}

/// What was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Files, damaged ones too.
    pub files: u64,
    /// Records.
    pub records: u64,
    /// Findings, each once however often the archive holds it.
    pub findings: u64,
    /// Places that could not be read.
    pub errors: u64,
    /// Bytes as they lie in the archive.
    pub bytes_compressed: u64,
    /// Bytes of JSON in them.
    pub bytes_raw: u64,
}

/// A place that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damaged {
    /// What is wrong, for people.
    pub error: String,
    /// The file.
    pub source: String,
    /// Where in it.
    pub position: String,
}

/// What looks on while an archive is read; called from several threads.
pub trait Watch: Sync {
    /// How much there is to read, as far as known by now: files and bytes, both growing while folders are listed.
    fn found(&self, files: u64, bytes: u64);
    /// So much more has been read: files, bytes in the archive, bytes of JSON.
    fn read(&self, files: u64, bytes_compressed: u64, bytes_raw: u64);
}

/// Nobody looks on.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn found(&self, _: u64, _: u64) {}
    fn read(&self, _: u64, _: u64, _: u64) {}
}

/// Why an archive cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A path that was named cannot be read.
    #[error("{path}: {error}")]
    Path {
        /// The path.
        path: String,
        /// Why.
        error: String,
    },
    /// The findings did not fit into memory and could not be laid aside in a temporary file.
    #[error("findings cannot be laid aside in a temporary file: {0}")]
    Aside(std::io::Error),
    /// S3 did not answer as it should.
    #[error("{0}")]
    Store(String),
}

/// An archive, read.
pub struct Archive {
    /// How much was in it.
    pub totals: Totals,
    /// What could not be read: the first thousand places; `totals.errors` counts all.
    pub damaged: Vec<Damaged>,
    /// The findings, oldest first; those of one time by account, region and event id. Each once.
    pub findings: Findings,
}

#[cfg(test)]
mod tests;
