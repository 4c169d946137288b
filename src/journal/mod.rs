//! The case journal's adapters. `SQLite` is the embedded default; a shared journal joins it here.

mod sqlite;

pub use sqlite::{Audit, SqliteJournal, WorkerLock};
