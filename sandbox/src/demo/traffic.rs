//! Records that flow all the time, and counts of what came out on either side.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sandbox::{Account, Queue};
use tokio::task::JoinSet;

/// One record into each queue every so often.
const EVERY: Duration = Duration::from_millis(150);

/// The flow; it ends with this.
#[derive(Debug)]
pub struct Traffic {
    sent: Arc<AtomicUsize>,
    worked: Arc<AtomicUsize>,
    stolen: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

/// Counts at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    /// Sent into the payments queue.
    pub sent: usize,
    /// Done by the shop's own worker.
    pub worked: usize,
    /// Got by the attacker.
    pub stolen: usize,
}

impl Traffic {
    pub fn start(account: Account, orders: &Queue, payments: &Queue, worked: &Queue, stolen: &Queue) -> Self {
        let mut tasks = JoinSet::new();
        let sent = Arc::new(AtomicUsize::new(0));
        tasks.spawn(send(account.clone(), orders.url.clone(), Arc::default()));
        tasks.spawn(send(account.clone(), payments.url.clone(), sent.clone()));
        let (done, got) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        tasks.spawn(count(account.clone(), worked.url.clone(), done.clone()));
        tasks.spawn(count(account, stolen.url.clone(), got.clone()));
        Self { sent, worked: done, stolen: got, _tasks: tasks }
    }

    pub fn counts(&self) -> Counts {
        let read = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        Counts { sent: read(&self.sent), worked: read(&self.worked), stolen: read(&self.stolen) }
    }

    /// The counts, for a line that changes.
    pub fn words(&self) -> String {
        let Counts { sent, worked, stolen } = self.counts();
        format!("payments sent {sent:>4}   siphoned {stolen:>4}   orders done {worked:>4}")
    }
}

async fn send(account: Account, url: String, sent: Arc<AtomicUsize>) {
    let mut tick = tokio::time::interval(EVERY);
    for number in 1.. {
        tick.tick().await;
        if account.send_message(&url, &format!("record {number}")).await.is_ok() {
            sent.fetch_add(1, Ordering::SeqCst);
        }
    }
}

async fn count(account: Account, url: String, seen: Arc<AtomicUsize>) {
    loop {
        match account.take_messages(&url, 1).await {
            Ok(messages) => {
                seen.fetch_add(messages.len(), Ordering::SeqCst);
            }
            Err(_) => tokio::time::sleep(EVERY).await,
        }
    }
}
