//! Reading an archive on all cores: some look for files, some read them, and what they find comes together here.

use super::file::FileReader;
use super::findings::Collected;
use super::judge::Tally;
use super::queue::Queue;
use super::walk::{self, Met, Root};
use super::{Archive, ArchiveError, Damaged, Fetched, Options, Place, Remote, Totals, Watch};
use std::cell::Cell;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// Damaged places that are named.
const MOST_NAMED: usize = 1000;
/// Findings that are held in memory, in bytes.
const HELD_FINDINGS: usize = 16 << 20;
/// Files that wait, and the bytes of those that were fetched already.
const WAITING: usize = 256;
const WAITING_BYTES: usize = 16 << 20;
/// What all threads together hold of files, packed or unpacked; and what one holds at the least and at the most.
const HELD_TEXT: usize = 32 << 20;
const LEAST_HELD: usize = 1 << 20;
const MOST_HELD: usize = 8 << 20;

/// A file to be read.
enum Job {
    Path(PathBuf),
    Fetched(Fetched),
    Unreadable(PathBuf, io::Error),
}

/// Reads archives; those in S3 through `remote`. What cannot be read in them is told in the answer; only a place that
/// cannot be read at all is an error.
pub fn read(
    places: &[Place],
    options: &Options,
    remote: Option<&dyn Remote>,
    watch: &dyn Watch,
) -> Result<Archive, ArchiveError> {
    let paths = places.iter().filter_map(|place| match place {
        Place::Local(path) => Some(path.as_path()),
        Place::S3 { .. } => None,
    });
    let roots = walk::roots(paths)?;
    let reading = Reading::new(watch);
    let threads = options.threads.max(1);
    let most = (HELD_TEXT / threads).clamp(LEAST_HELD, MOST_HELD);
    thread::scope(|scope| {
        let readers: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| reading.files(&mut FileReader::new(most, options.thorough)))).collect();
        let fetching = places.iter().filter_map(|place| match place {
            Place::Local(_) => None,
            Place::S3 { bucket, prefix } => Some((bucket, prefix)),
        });
        let fetching: Vec<_> =
            fetching.map(|(bucket, prefix)| scope.spawn(|| reading.fetch(remote, bucket, prefix))).collect();
        reading.look(&roots);
        for fetch in fetching {
            // One that panicked takes the program down when the scope ends.
            drop(fetch.join());
        }
        reading.waiting.close();
        drop(readers);
    });
    reading.end()
}

/// What all threads share.
struct Reading<'w> {
    waiting: Queue<Job>,
    watch: &'w dyn Watch,
    found: Mutex<Found>,
}

struct Found {
    totals: Totals,
    /// With the number of each in its file.
    damaged: Vec<(u64, Damaged)>,
    findings: Collected,
    failed: Option<ArchiveError>,
}

/// Closes the queue if its thread panics.
struct Closes<'q>(&'q Queue<Job>);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.close();
        }
    }
}

/// What is being read.
struct Source {
    name: String,
    errors: u64,
}

impl<'w> Reading<'w> {
    fn new(watch: &'w dyn Watch) -> Self {
        let findings = Collected::new(HELD_FINDINGS);
        let found = Found { totals: Totals::default(), damaged: Vec::new(), findings, failed: None };
        Self { waiting: Queue::new(WAITING, WAITING_BYTES), watch, found: Mutex::new(found) }
    }

    /// Looks for files.
    fn look(&self, roots: &[Root]) {
        walk::walk(roots, &mut |met| match met {
            Met::File(path, bytes) => {
                self.watch.found(1, bytes);
                self.waiting.push(Job::Path(path), 0)
            }
            Met::Unreadable(path, error) => {
                self.watch.found(1, 0);
                self.waiting.push(Job::Unreadable(path, error), 0)
            }
        });
    }

    /// Fetches files.
    fn fetch(&self, remote: Option<&dyn Remote>, bucket: &str, prefix: &str) {
        let into = |fetched: Fetched| {
            let bytes = fetched.bytes.as_ref().map_or(0, Vec::len);
            self.waiting.push(Job::Fetched(fetched), bytes)
        };
        let fetched = match remote {
            Some(remote) => remote.fetch(bucket, prefix, &|files, bytes| self.watch.found(files, bytes), &into),
            None => Err(format!("s3://{bucket}/{prefix} cannot be read: there is no access to S3 here")),
        };
        if let Err(error) = fetched {
            self.fail(ArchiveError::Store(error));
        }
    }

    /// Reads files until there are no more.
    fn files(&self, reader: &mut FileReader) {
        // Were nobody left to read, those who look for files would wait for ever.
        let _closes = Closes(&self.waiting);
        while let Some(job) = self.waiting.pop() {
            match job {
                Job::Path(path) => self.path(reader, &path),
                Job::Fetched(Fetched { name, bytes: Ok(bytes) }) => {
                    let mut source = Source { name, errors: 0 };
                    reader.bytes(&bytes, &mut |tally, raw| self.take(&mut source, tally, raw));
                    self.packed(bytes.len() as u64);
                    self.file_ends();
                }
                Job::Fetched(Fetched { name, bytes: Err(error) }) => self.unreadable(name, error),
                Job::Unreadable(path, error) => self.unreadable(path.display().to_string(), error.to_string()),
            }
        }
    }

    fn path(&self, reader: &mut FileReader, path: &Path) {
        let mut source = Source { name: path.display().to_string(), errors: 0 };
        let count = Cell::new(0);
        let read = File::open(path).and_then(|file| {
            reader.read(Counted { inner: file, count: &count }, &mut |tally, raw| {
                self.packed(count.take());
                self.take(&mut source, tally, raw);
            })
        });
        self.packed(count.take());
        if let Err(error) = read {
            let mut tally = Tally::default();
            tally.damaged(error.to_string(), String::new());
            self.take(&mut source, tally, 0);
        }
        self.file_ends();
    }

    fn unreadable(&self, name: String, error: String) {
        let mut tally = Tally::default();
        tally.damaged(error, String::new());
        self.take(&mut Source { name, errors: 0 }, tally, 0);
        self.file_ends();
    }

    fn packed(&self, bytes: u64) {
        self.found().totals.bytes_compressed += bytes;
        self.watch.read(0, bytes, 0);
    }

    fn file_ends(&self) {
        self.found().totals.files += 1;
        self.watch.read(1, 0, 0);
    }

    /// Takes what was found in a file, or in a part of it.
    fn take(&self, source: &mut Source, tally: Tally, raw: u64) {
        self.watch.read(0, 0, raw);
        let mut found = self.found();
        found.totals.records += tally.records;
        found.totals.bytes_raw += raw;
        for (error, position) in tally.damage {
            found.damaged(source.errors, Damaged { error, source: source.name.clone(), position });
            source.errors += 1;
        }
        for finding in tally.findings {
            if let Err(error) = found.findings.add(finding) {
                drop(found);
                return self.fail(error);
            }
        }
    }

    /// Ends all: the answer would not be whole.
    fn fail(&self, error: ArchiveError) {
        self.found().failed.get_or_insert(error);
        self.waiting.close();
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(self) -> Result<Archive, ArchiveError> {
        let Found { mut totals, mut damaged, findings, failed } =
            self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = failed {
            return Err(error);
        }
        name_first(&mut damaged);
        let (count, findings) = findings.sorted()?;
        totals.findings = count;
        Ok(Archive { totals, damaged: damaged.into_iter().map(|(_, damaged)| damaged).collect(), findings })
    }
}

impl Found {
    fn damaged(&mut self, number: u64, damaged: Damaged) {
        self.totals.errors += 1;
        self.damaged.push((number, damaged));
        if self.damaged.len() > 2 * MOST_NAMED {
            name_first(&mut self.damaged);
        }
    }
}

/// Keeps those that are named: the first by file and place, whichever thread came first.
fn name_first(damaged: &mut Vec<(u64, Damaged)>) {
    damaged.sort_by(|(one_number, one), (other_number, other)| {
        (&one.source, one_number).cmp(&(&other.source, other_number))
    });
    damaged.truncate(MOST_NAMED);
}

/// Counts what is read.
struct Counted<'c> {
    inner: File,
    count: &'c Cell<u64>,
}

impl io::Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}
