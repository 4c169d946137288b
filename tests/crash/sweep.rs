//! What the sweep finds where an event got lost, was late, or never was.

mod accepted;
mod crashed;
mod hidden;
mod lost;
mod stage;
mod troubled;
mod undone;
