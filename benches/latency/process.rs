//! What a process costs, as Linux tells it; and what a flush to the disk does.

use std::fs;
use std::io::Write;
use std::ops::Sub;
use std::path::Path;
use std::time::Instant;

/// Linux counts a process's time in hundredths of a second, whatever the machine.
const TICKS_PER_SECOND: f64 = 100.0;

/// The CPU time that a process has had, with the system's part.
pub(crate) struct Cost(f64);

impl Cost {
    pub(crate) fn of(id: u32) -> Self {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        // The name, in brackets, may hold anything; after it the fields are numbers, of which these are the 12th and 13th.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks = |field: usize| fields[field].parse::<f64>().unwrap();
        Self((ticks(11) + ticks(12)) / TICKS_PER_SECOND)
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.0
    }
}

impl Sub for Cost {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self(self.0 - before.0)
    }
}

/// The memory that it holds, in MB.
pub(crate) fn resident(id: u32) -> f64 {
    status(id, "VmRSS:")
}

/// The most that it held, in MB.
pub(crate) fn peak(id: u32) -> f64 {
    status(id, "VmHWM:")
}

fn status(id: u32, key: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    let kibibytes: f64 = line.split_whitespace().next().unwrap().parse().unwrap();
    kibibytes * 1024.0 / 1e6
}

/// The times, in milliseconds, that 4 KiB appended to a file there take to reach the disk.
pub(crate) fn flushes(dir: &Path) -> Vec<f64> {
    let mut file = fs::File::create(dir.join("flush")).unwrap();
    (0..200)
        .map(|_| {
            let begun = Instant::now();
            file.write_all(&[7; 4096]).unwrap();
            file.sync_data().unwrap();
            begun.elapsed().as_secs_f64() * 1000.0
        })
        .collect()
}
