//! The findings of an archive, in order and each once, in bounded memory.
//!
//! They are kept in memory up to a budget. Beyond it they are sorted and laid aside as a *run*, a temporary file of JSON
//! lines. In the end all runs are merged into one more file, so that how many there are is known before anyone asks for
//! the first.
//!
//! Their order is total: time, account, region, event id, and then everything else that a finding says. A trail of an
//! organisation or of all regions delivers a record more than once; the same finding then stands beside itself and is
//! dropped. Two findings that differ in anything but how they came in are both kept, even under one event id: which of
//! them is the genuine one is nothing to decide here.

use super::ArchiveError;
use crate::detection::{Finding, Trigger};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};

/// So many runs are merged at once; each is an open file with its buffer.
const MOST_RUNS: usize = 64;
const BUFFER: usize = 32 << 10;
/// What a finding takes in memory beyond its text, about.
const OVERHEAD: usize = size_of::<Finding>() + 512;

/// Findings as they come, in any order.
pub(super) struct Collected {
    held: Vec<Finding>,
    bytes: usize,
    budget: usize,
    runs: Vec<File>,
}

impl Collected {
    /// Holds about so many bytes of findings in memory.
    pub(super) fn new(budget: usize) -> Self {
        Self { held: Vec::new(), bytes: 0, budget, runs: Vec::new() }
    }

    /// Takes one.
    pub(super) fn add(&mut self, finding: Finding) -> Result<(), ArchiveError> {
        let mut size = Size(OVERHEAD);
        serde_json::to_writer(&mut size, &finding).map_err(|error| ArchiveError::Aside(error.into()))?;
        self.bytes += size.0;
        self.held.push(finding);
        if self.bytes > self.budget {
            self.lay_aside().map_err(ArchiveError::Aside)?;
        }
        Ok(())
    }

    fn lay_aside(&mut self) -> io::Result<()> {
        let mut held = std::mem::take(&mut self.held);
        self.bytes = 0;
        settle(&mut held);
        self.runs.push(write(held.into_iter().map(Ok))?.0);
        if self.runs.len() == MOST_RUNS {
            let merged = write(Merge::new(self.runs.drain(..).collect())?)?.0;
            self.runs.push(merged);
        }
        Ok(())
    }

    /// How many there are, and all of them in order.
    pub(super) fn sorted(mut self) -> Result<(u64, Findings), ArchiveError> {
        if self.runs.is_empty() {
            settle(&mut self.held);
            return Ok((self.held.len() as u64, Findings(Source::Held(self.held.into_iter()))));
        }
        self.merged().map_err(ArchiveError::Aside)
    }

    fn merged(mut self) -> io::Result<(u64, Findings)> {
        if !self.held.is_empty() {
            self.lay_aside()?;
        }
        let (file, count) = write(Merge::new(self.runs)?)?;
        Ok((count, Findings(Source::Aside(Run::new(file)?))))
    }
}

/// Findings, oldest first.
pub struct Findings(Source);

enum Source {
    Held(std::vec::IntoIter<Finding>),
    Aside(Run),
}

impl Iterator for Findings {
    type Item = Result<Finding, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Source::Held(held) => held.next().map(Ok),
            Source::Aside(run) => run.next().map(|finding| finding.map_err(ArchiveError::Aside)),
        }
    }
}

/// Sorts, and drops what stands beside itself.
fn settle(findings: &mut Vec<Finding>) {
    findings.sort_by(compare);
    findings.dedup_by(|next, first| is_same(first, next));
}

fn key(finding: &Finding) -> (jiff::Timestamp, &str, &str, &str) {
    (finding.event.time, &finding.account, &finding.region, &finding.event.id)
}

fn compare(one: &Finding, other: &Finding) -> Ordering {
    key(one).cmp(&key(other)).then_with(|| {
        if is_same(one, other) {
            return rank(one).cmp(&rank(other));
        }
        // Seldom: one event id for two things. The text is as good an order as any, as long as it is always the same.
        text(one).cmp(&text(other))
    })
}

/// Whether both say the same, however they came in.
fn is_same(one: &Finding, other: &Finding) -> bool {
    let Finding { detection, changes, trigger: _, event, account, region, actor, call } = one;
    (detection, changes, event, account, region, actor, call)
        == (&other.detection, &other.changes, &other.event, &other.account, &other.region, &other.actor, &other.call)
}

/// Of two that came in differently, the live event goes first, and stays.
fn rank(finding: &Finding) -> bool {
    finding.trigger != Trigger::Event
}

fn text(finding: &Finding) -> String {
    let alike = Finding { trigger: Trigger::Event, ..finding.clone() };
    // A finding always serialises; if it did not, equal texts would only leave the order open.
    serde_json::to_string(&alike).unwrap_or_default()
}

/// Counts what is written.
struct Size(usize);

impl Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a run of what is in order, and counts it.
fn write(findings: impl Iterator<Item = io::Result<Finding>>) -> io::Result<(File, u64)> {
    let mut writer = BufWriter::with_capacity(BUFFER, tempfile::tempfile()?);
    let mut count = 0;
    for finding in findings {
        serde_json::to_writer(&mut writer, &finding?)?;
        writer.write_all(b"\n")?;
        count += 1;
    }
    let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok((file, count))
}

/// A run that is read.
struct Run {
    reader: BufReader<File>,
    line: Vec<u8>,
}

impl Run {
    fn new(mut file: File) -> io::Result<Self> {
        file.rewind()?;
        Ok(Self { reader: BufReader::with_capacity(BUFFER, file), line: Vec::new() })
    }

    fn read(&mut self) -> io::Result<Option<Finding>> {
        self.line.clear();
        if self.reader.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        Ok(Some(serde_json::from_slice(&self.line)?))
    }
}

impl Iterator for Run {
    type Item = io::Result<Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// Several runs as one, in order and each finding once.
struct Merge {
    runs: Vec<Run>,
    heads: BinaryHeap<Reverse<Head>>,
    last: Option<Finding>,
}

/// The next finding of a run.
struct Head {
    finding: Finding,
    run: usize,
}

impl Merge {
    fn new(files: Vec<File>) -> io::Result<Self> {
        let mut merge = Self {
            runs: files.into_iter().map(Run::new).collect::<io::Result<_>>()?,
            heads: BinaryHeap::new(),
            last: None,
        };
        for run in 0..merge.runs.len() {
            merge.advance(run)?;
        }
        Ok(merge)
    }

    fn advance(&mut self, run: usize) -> io::Result<()> {
        if let Some(finding) = self.runs[run].read()? {
            self.heads.push(Reverse(Head { finding, run }));
        }
        Ok(())
    }

    fn read(&mut self) -> io::Result<Option<Finding>> {
        while let Some(Reverse(Head { finding, run })) = self.heads.pop() {
            self.advance(run)?;
            if !self.last.as_ref().is_some_and(|last| is_same(last, &finding)) {
                self.last = Some(finding.clone());
                return Ok(Some(finding));
            }
        }
        Ok(None)
    }
}

impl Iterator for Merge {
    type Item = io::Result<Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.finding, &other.finding).then(self.run.cmp(&other.run))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}

#[cfg(test)]
#[path = "findings_tests.rs"]
mod tests;
