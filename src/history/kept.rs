//! The few of many things that are shown one by one.

use std::collections::VecDeque;

/// The newest of what was put in, the important before the rest, up to a number and up to so many bytes.
#[derive(Debug, Clone)]
pub struct Kept<T> {
    important: VecDeque<(T, usize)>,
    rest: VecDeque<(T, usize)>,
    most: usize,
    most_bytes: usize,
    bytes: usize,
    seen: u64,
}

impl<T> Kept<T> {
    /// Keeping as many, of as many bytes together.
    pub fn new(most: usize, most_bytes: usize) -> Self {
        Self { important: VecDeque::new(), rest: VecDeque::new(), most, most_bytes, bytes: 0, seen: 0 }
    }

    /// Puts in a thing that is newer than all before; `make` is asked for it only where it stays.
    pub fn push(&mut self, important: bool, make: impl FnOnce() -> (T, usize)) {
        self.seen += 1;
        if self.most == 0 || (!important && self.important.len() >= self.most) {
            return;
        }
        let (thing, bytes) = make();
        self.bytes = self.bytes.saturating_add(bytes);
        let queue = if important { &mut self.important } else { &mut self.rest };
        queue.push_back((thing, bytes));
        while self.len() > self.most || self.bytes > self.most_bytes {
            let Some((_, bytes)) = self.rest.pop_front().or_else(|| self.important.pop_front()) else {
                return;
            };
            self.bytes -= bytes.min(self.bytes);
        }
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.important.len() + self.rest.len()
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many were put in and are not kept.
    pub fn left_out(&self) -> u64 {
        self.seen - self.len() as u64
    }

    /// The important ones, newest first, then the rest, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.important.iter().rev().chain(self.rest.iter().rev()).map(|(thing, _)| thing)
    }
}
