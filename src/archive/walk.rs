//! Folders → the files in them, each once, told while the walk goes on.
//!
//! Links are followed, and lead nowhere twice: neither round in a circle nor into what is read anyway. Names that begin
//! with a dot are passed over, and so are CloudTrail's digests, which lie beside its logs and hold no records; all else
//! is read, whatever it is called.

use super::ArchiveError;
use std::collections::BTreeSet;
use std::fs::{self, DirEntry, FileType};
use std::io;
use std::path::{Path, PathBuf};

/// Where CloudTrail puts its digests.
const DIGESTS: &str = "CloudTrail-Digest";

/// What a walk comes upon.
pub(super) enum Met {
    /// A file, and its size in bytes.
    File(PathBuf, u64),
    /// A place that cannot be read, and why.
    Unreadable(PathBuf, io::Error),
}

/// Where a walk begins: a path as it was named, and as the system knows it.
pub(super) struct Root {
    named: PathBuf,
    real: PathBuf,
}

/// The places to walk: each must exist. One that lies in another is walked with it.
pub(super) fn roots<'p>(paths: impl Iterator<Item = &'p Path>) -> Result<Vec<Root>, ArchiveError> {
    let mut roots = Vec::new();
    for path in paths {
        let failed =
            |error: io::Error| ArchiveError::Path { path: path.display().to_string(), error: error.to_string() };
        let real = path.canonicalize().map_err(failed)?;
        if real.is_dir() {
            fs::read_dir(&real).map_err(failed)?;
        }
        roots.push(Root { named: path.to_owned(), real });
    }
    let all: Vec<PathBuf> = roots.iter().map(|root| root.real.clone()).collect();
    let mut number = 0;
    roots.retain(|root| {
        number += 1;
        let earlier = &all[..number - 1];
        !earlier.contains(&root.real) && !all.iter().any(|other| root.real != *other && root.real.starts_with(other))
    });
    Ok(roots)
}

/// Walks all of them. `met` says whether to go on.
pub(super) fn walk(roots: &[Root], met: &mut dyn FnMut(Met) -> bool) {
    let followed = roots.iter().map(|root| root.real.clone()).collect();
    let mut walk = Walk { followed, met };
    for root in roots {
        let begun = match fs::metadata(&root.real) {
            Ok(about) if about.is_dir() => walk.folder(&root.named, &root.real),
            Ok(about) => (walk.met)(Met::File(root.named.clone(), about.len())),
            Err(error) => (walk.met)(Met::Unreadable(root.named.clone(), error)),
        };
        if !begun {
            return;
        }
    }
}

struct Walk<'m> {
    /// Where walks begin, those behind links too.
    followed: BTreeSet<PathBuf>,
    met: &'m mut dyn FnMut(Met) -> bool,
}

impl Walk<'_> {
    fn folder(&mut self, named: &Path, real: &Path) -> bool {
        // A stack of its own: folders may lie deeper in each other than a thread's stack reaches.
        let mut waiting = vec![(named.to_owned(), real.to_owned())];
        while let Some((named, real)) = waiting.pop() {
            let entries = fs::read_dir(&real).and_then(Iterator::collect::<io::Result<Vec<DirEntry>>>);
            let mut entries = match entries {
                Ok(entries) => entries,
                Err(error) => {
                    if (self.met)(Met::Unreadable(named, error)) {
                        continue;
                    }
                    return false;
                }
            };
            entries.sort_by_key(DirEntry::file_name);
            let before = waiting.len();
            for entry in entries {
                let name = entry.file_name();
                if name.as_encoded_bytes().starts_with(b".") || name == DIGESTS {
                    continue;
                }
                let (named, real) = (named.join(&name), real.join(&name));
                let went_on = match entry.file_type() {
                    Ok(kind) => self.entry(kind, named, real, &mut waiting),
                    Err(error) => (self.met)(Met::Unreadable(named, error)),
                };
                if !went_on {
                    return false;
                }
            }
            waiting[before..].reverse();
        }
        true
    }

    fn entry(&mut self, kind: FileType, named: PathBuf, real: PathBuf, waiting: &mut Vec<(PathBuf, PathBuf)>) -> bool {
        if kind.is_symlink() {
            return match real.canonicalize().and_then(|target| Ok((fs::metadata(&target)?, target))) {
                Ok((_, target)) if self.followed.iter().any(|root| target.starts_with(root)) => true,
                Ok((about, target)) if about.is_dir() => {
                    self.followed.insert(target.clone());
                    waiting.push((named, target));
                    true
                }
                Ok((about, target)) if about.is_file() => {
                    self.followed.insert(target);
                    (self.met)(Met::File(named, about.len()))
                }
                Ok(_) => true,
                Err(error) => (self.met)(Met::Unreadable(named, error)),
            };
        }
        if kind.is_dir() {
            // Where a walk of its own begins, this one ends.
            if !self.followed.contains(&real) {
                waiting.push((named, real));
            }
            return true;
        }
        if !kind.is_file() || self.followed.contains(&real) {
            return true;
        }
        match fs::metadata(&real) {
            Ok(about) => (self.met)(Met::File(named, about.len())),
            Err(error) => (self.met)(Met::Unreadable(named, error)),
        }
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
