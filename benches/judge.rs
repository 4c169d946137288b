//! How fast a record is judged. `cargo bench --bench judge` prints records a second as `item/s`.
//!
//! The first group is the target's row, a record that is no finding → ignored, on the way that `run` takes it; the two
//! groups beside it say what that is made of: the look that nothing undercuts, and the parsing that it spares.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use sluicegate::cloudtrail::{cannot_matter, read};
use sluicegate::detection::inspect;

const RECORD: &str = include_str!("../tests/fixtures/cloudtrail/other-call.json");

fn main() {
    divan::main();
}

/// The record as EventBridge delivers it: on one line, in an envelope.
fn event() -> Vec<u8> {
    let mut record: serde_json::Value = serde_json::from_str(RECORD).unwrap();
    record.as_object_mut().unwrap().remove("_note");
    let envelope = serde_json::json!({
        "version": "0",
        "id": "0c1d2e3f-aaaa-4bbb-8ccc-000000000001",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.lambda",
        "account": record["recipientAccountId"],
        "time": record["eventTime"],
        "region": record["awsRegion"],
        "resources": [],
        "detail": record,
    });
    envelope.to_string().into_bytes()
}

fn judge(bytes: &[u8]) -> usize {
    read(bytes).into_iter().flatten().filter(|record| inspect(record).is_ok()).count()
}

#[divan::bench(sample_count = 500, sample_size = 1_000)]
fn no_finding_as_run_takes_it(bencher: Bencher<'_, '_>) {
    let event = event();
    assert_eq!(judge(&event), 0);
    let judged = || {
        let bytes = black_box(&event[..]);
        if cannot_matter(bytes) { 0 } else { judge(bytes) }
    };
    bencher.counter(ItemsCount::new(1_usize)).counter(BytesCount::new(event.len())).bench(judged);
}

#[divan::bench(sample_count = 500, sample_size = 1_000)]
fn no_finding_one_scan_alone(bencher: Bencher<'_, '_>) {
    let event = event();
    let finder = memchr::memmem::Finder::new("EventSourceMapping");
    bencher
        .counter(ItemsCount::new(1_usize))
        .counter(BytesCount::new(event.len()))
        .bench(|| finder.find(black_box(&event)).is_none());
}

#[divan::bench(sample_count = 500, sample_size = 100)]
fn no_finding_parsed_whole(bencher: Bencher<'_, '_>) {
    let event = event();
    bencher.counter(ItemsCount::new(1_usize)).counter(BytesCount::new(event.len())).bench(|| judge(black_box(&event)));
}
