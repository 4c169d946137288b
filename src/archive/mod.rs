//! Archives of CloudTrail logs → the findings in them, in the order of time, each once.
//!
//! [`read`] takes files in every shape that [`crate::cloudtrail`] knows, from folders or from S3, on all cores and in
//! bounded memory however large the archive is. Most files hold no mapping call; those are told apart by their bytes
//! and never parsed, and no finding is lost by it.

mod place;
mod remote;

pub use place::Place;
pub use remote::{Fetched, Remote};

use crate::cloudtrail::{self, Record};
use crate::detection::{Finding, inspect};
use serde::Serialize;
use std::path::{Path, PathBuf};

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

/// Findings, oldest first.
pub struct Findings {
    inner: std::vec::IntoIter<Finding>,
}

impl Iterator for Findings {
    type Item = Result<Finding, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.inner.next().map(Ok)
    }
}

/// Reads archives; those in S3 through `remote`. What cannot be read in them is told in the answer; only a place that
/// cannot be read at all is an error.
pub fn read(
    places: &[Place],
    _options: &Options,
    remote: Option<&dyn Remote>,
    watch: &dyn Watch,
) -> Result<Archive, ArchiveError> {
    let reading = std::sync::Mutex::new((Totals::default(), Vec::new(), Vec::new()));
    let judge = |source: String, bytes: Result<Vec<u8>, String>| {
        let mut reading = reading.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (totals, damaged, findings) = &mut *reading;
        totals.files += 1;
        let bytes = bytes.unwrap_or_else(|error| {
            totals.errors += 1;
            damaged.push(Damaged { error, source: source.clone(), position: String::new() });
            Vec::new()
        });
        totals.bytes_compressed += bytes.len() as u64;
        cloudtrail::each(&bytes, |input| match input {
            Ok(record) => {
                totals.records += 1;
                findings.extend(found(&record));
            }
            Err(damage) => {
                totals.errors += 1;
                damaged.push(Damaged { error: damage.error, source: source.clone(), position: damage.position });
            }
        });
        watch.read(1, bytes.len() as u64, bytes.len() as u64);
    };
    for place in places {
        match place {
            Place::Local(path) => {
                let mut files = Vec::new();
                walk(path, &mut files)?;
                for path in files {
                    judge(path.display().to_string(), std::fs::read(&path).map_err(|error| error.to_string()));
                }
            }
            Place::S3 { bucket, prefix } => {
                let remote = remote.ok_or_else(|| ArchiveError::Store(format!("s3://{bucket} cannot be read here")))?;
                let into = |fetched: Fetched| {
                    judge(fetched.name, fetched.bytes);
                    true
                };
                remote
                    .fetch(bucket, prefix, &|files, bytes| watch.found(files, bytes), &into)
                    .map_err(ArchiveError::Store)?;
            }
        }
    }
    let (mut totals, damaged, mut findings) = reading.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    findings.dedup_by(|a, b| order(a) == order(b));
    totals.findings = findings.len() as u64;
    Ok(Archive { totals, damaged, findings: Findings { inner: findings.into_iter() } })
}

fn found(record: &Record) -> Option<Finding> {
    inspect(record).ok()
}

fn order(finding: &Finding) -> (jiff::Timestamp, &str, &str, &str) {
    (finding.event.time, &finding.account, &finding.region, &finding.event.id)
}

fn walk(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), ArchiveError> {
    let failed =
        |error: std::io::Error| ArchiveError::Path { path: path.display().to_string(), error: error.to_string() };
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
            .and_then(|all| all.map(|entry| entry.map(|entry| entry.path())).collect())
            .map_err(failed)?;
        entries.sort();
        return entries.iter().try_for_each(|entry| walk(entry, files));
    }
    std::fs::metadata(path).map_err(failed)?;
    files.push(path.to_owned());
    Ok(())
}
