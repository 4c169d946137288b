//! A progress bar on standard error, where a person looks at it.

use crate::archive::Watch;
use indicatif::{DecimalBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Files, speed and time left, while an archive is read.
pub(super) struct Progress {
    bar: ProgressBar,
    found: AtomicU64,
    files: AtomicU64,
    raw: AtomicU64,
}

/// How many findings are judged, where standard error is a terminal and it is `wanted`.
pub(super) fn judging(findings: u64, wanted: bool) -> ProgressBar {
    let template = "{spinner} {human_pos} of {human_len} findings judged  {wide_bar}  {eta} left";
    bar(findings, template, wanted)
}

fn bar(length: u64, template: &str, wanted: bool) -> ProgressBar {
    if !wanted || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

impl Progress {
    /// Shown where standard error is a terminal and it is `wanted`.
    pub(super) fn new(wanted: bool) -> Self {
        let template = "{spinner} {msg}  {wide_bar}  {decimal_bytes} of {decimal_total_bytes}, {eta} left";
        let bar = bar(0, template, wanted);
        Self { bar, found: AtomicU64::new(0), files: AtomicU64::new(0), raw: AtomicU64::new(0) }
    }

    /// Takes it away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self) {
        if self.bar.is_hidden() {
            return;
        }
        let raw = self.raw.load(Ordering::Relaxed);
        let speed = u128::from(raw) * 1000 / self.bar.elapsed().as_millis().max(1);
        let speed = DecimalBytes(u64::try_from(speed).unwrap_or(u64::MAX));
        let (files, found) = (self.files.load(Ordering::Relaxed), self.found.load(Ordering::Relaxed));
        self.bar.set_message(format!("{files} of {found} files, {speed} of logs a second"));
    }
}

impl Watch for Progress {
    fn found(&self, files: u64, bytes: u64) {
        self.found.store(files, Ordering::Relaxed);
        self.bar.set_length(bytes);
        self.show();
    }

    fn read(&self, files: u64, bytes_compressed: u64, bytes_raw: u64) {
        self.files.fetch_add(files, Ordering::Relaxed);
        self.raw.fetch_add(bytes_raw, Ordering::Relaxed);
        self.bar.inc(bytes_compressed);
        self.show();
    }
}
