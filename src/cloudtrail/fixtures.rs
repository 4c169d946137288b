//! The recorded and built records under `tests/fixtures/cloudtrail`, for tests of everything that reads records.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::{Record, read};
use serde_json::Value;

/// A fixture's bytes.
pub(crate) fn bytes(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/cloudtrail/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The one record of a fixture.
pub(crate) fn one(name: &str) -> Box<Record> {
    only(&bytes(name))
}

/// The one record in `bytes`.
pub(crate) fn only(bytes: &[u8]) -> Box<Record> {
    match <[_; 1]>::try_from(read(bytes)) {
        Ok([record]) => record.unwrap(),
        Err(inputs) => panic!("{} inputs", inputs.len()),
    }
}

/// The one record of a fixture, after a change to its JSON.
pub(crate) fn changed(name: &str, change: impl FnOnce(&mut Value)) -> Box<Record> {
    let mut value: Value = serde_json::from_slice(&bytes(name)).unwrap();
    change(&mut value);
    only(value.to_string().as_bytes())
}
