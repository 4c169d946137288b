//! `ready`: what observe mode and history say about switching `enforce` on.
