//! Who drives which case: one driver a case at a time, who can be told that there is something new.

use super::Responder;
use crate::case::CaseId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// The cases that are being driven.
#[derive(Clone, Default)]
pub(super) struct Drivers(Arc<Mutex<HashMap<CaseId, Arc<Driver>>>>);

/// What others tell a driver.
#[derive(Default)]
pub(super) struct Driver {
    again: AtomicBool,
    wake: Notify,
}

impl Drivers {
    /// Takes the case; `None` where somebody drives it already, who is then told to look again.
    pub(super) fn take(&self, case: &CaseId) -> Option<Arc<Driver>> {
        let mut all = self.all();
        if let Some(driver) = all.get(case) {
            driver.again.store(true, Ordering::SeqCst);
            driver.wake.notify_one();
            return None;
        }
        let driver = Arc::new(Driver::default());
        all.insert(case.clone(), driver.clone());
        Some(driver)
    }

    /// Lets the case go, unless there is something new to look at.
    pub(super) fn release(&self, case: &CaseId, driver: &Driver) -> bool {
        let mut all = self.all();
        if driver.again.swap(false, Ordering::SeqCst) {
            return false;
        }
        all.remove(case);
        true
    }

    /// Lets the case go in any event.
    pub(super) fn forget(&self, case: &CaseId) {
        self.all().remove(case);
    }

    /// Whether somebody drives the case.
    pub(super) fn drives(&self, case: &CaseId) -> bool {
        self.all().contains_key(case)
    }

    /// How many cases are being driven.
    pub(super) fn count(&self) -> usize {
        self.all().len()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<CaseId, Arc<Driver>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Responder {
    /// Waits, but not longer than until there is something new, or it has to stop.
    pub(super) async fn nap(&self, driver: &Driver, wait: Duration) {
        tokio::select! {
            () = self.pause(wait) => {}
            () = driver.wake.notified() => {}
        }
    }
}
