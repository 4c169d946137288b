//! Detections: a record → a [`Finding`], or why it is none.

mod finding;

pub use finding::{Change, Detection, Event, Finding, Ignored, Trigger};
