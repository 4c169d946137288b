//! What waits to be read: bounded in number and in bytes, filled by those who look for files, emptied by those who
//! read them.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A bounded queue.
pub(super) struct Queue<T> {
    inner: Mutex<Inner<T>>,
    changed: Condvar,
    most: usize,
    most_bytes: usize,
}

struct Inner<T> {
    waiting: VecDeque<(T, usize)>,
    bytes: usize,
    closed: bool,
}

impl<T> Queue<T> {
    /// Holds at most so many items, and items of so many bytes; one alone may be larger.
    pub(super) fn new(most: usize, most_bytes: usize) -> Self {
        let inner = Inner { waiting: VecDeque::new(), bytes: 0, closed: false };
        Self { inner: Mutex::new(inner), changed: Condvar::new(), most, most_bytes }
    }

    /// Waits for room. False: the queue is closed, and the item dropped.
    pub(super) fn push(&self, item: T, bytes: usize) -> bool {
        let mut inner = self.lock();
        while !inner.closed && !inner.waiting.is_empty() && self.is_full(&inner, bytes) {
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        if inner.closed {
            return false;
        }
        // Nobody waits for an item unless there was none.
        let wanted = inner.waiting.is_empty();
        inner.waiting.push_back((item, bytes));
        inner.bytes += bytes;
        if wanted {
            self.changed.notify_all();
        }
        true
    }

    /// The next item; waits for one. `None`: the queue is closed and empty.
    pub(super) fn pop(&self) -> Option<T> {
        let mut inner = self.lock();
        loop {
            if let Some((item, bytes)) = inner.waiting.pop_front() {
                inner.bytes -= bytes;
                // Who fills it is woken for more than one item at a time.
                if inner.waiting.len() <= self.most / 2 && inner.bytes <= self.most_bytes / 2 {
                    self.changed.notify_all();
                }
                return Some(item);
            }
            if inner.closed {
                return None;
            }
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Nothing more comes; what waits is still handed out.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn is_full(&self, inner: &Inner<T>, bytes: usize) -> bool {
        inner.waiting.len() >= self.most || inner.bytes + bytes > self.most_bytes
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_and_nothing_is_lost() {
        let queue = Queue::new(3, 10);
        let (mut taken, mut most) = (Vec::new(), 0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0..500_usize {
                    assert!(queue.push(n, n % 14));
                }
                queue.close();
            });
            while let Some(n) = queue.pop() {
                let inner = queue.inner.lock().unwrap();
                most = most.max(inner.waiting.len());
                assert!(inner.bytes <= 13);
                taken.push(n);
            }
        });
        assert_eq!(taken, (0..500).collect::<Vec<_>>());
        assert!(most <= 3);
    }

    #[test]
    fn a_closed_queue_takes_nothing_and_hands_out_what_waits() {
        let queue = Queue::new(3, 10);
        assert!(queue.push("a", 100));
        queue.close();
        assert!(!queue.push("b", 0));
        assert_eq!((queue.pop(), queue.pop()), (Some("a"), None));
    }
}
