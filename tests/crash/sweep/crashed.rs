//! A crash after any append: the next worker and its sweep come to the same end.

use super::stage::Scene;
use crate::common::{REGION, snapshot, uuid};
use crate::fake::{Fake, Worker, shipped_policies};
use crate::prefixes::cut;
use sluicegate::case::{Mode, State, StepStatus};
use sluicegate::ports::Journal;
use sluicegate::responder::{Sweep, SweepMemory, SweepSettings};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn after_any_prefix_a_lost_event_ends_in_one_case_and_one_call() {
    let mut scene = Scene::new(Mode::Enforce).await;
    let record = scene.makes("lost", 1);
    scene.told(&record);
    scene.sweep().await;
    let rows = scene.rows().await;
    scene.worker.journal.checkpoint().await.unwrap();
    assert!(rows >= 6, "{rows}");
    for keep in 2..=rows {
        for done_before in [false, true] {
            let at = format!("after {keep} of {rows} rows, effect {done_before}");
            let path = scene.dir.path().join(format!("cut-{keep}-{done_before}.db"));
            cut(&scene.dir.path().join("j.db"), &path, keep);
            let fake = Fake::default();
            let mut made = snapshot(1, if done_before { "Disabled" } else { "Enabled" });
            made.last_modified = scene.fake.0.lock().unwrap().mappings[&uuid(1)].last_modified;
            fake.0.lock().unwrap().mappings.insert(uuid(1), made);
            fake.0.lock().unwrap().records.insert("lost".into(), record.to_string());
            let worker = Worker::start(&fake, &path, shipped_policies(), Mode::Enforce);
            worker.journal.rebuild().await.unwrap();
            worker.responder.resume().await.unwrap();
            let mut settings = SweepSettings::new(Duration::from_mins(10), &[], REGION);
            settings.grace = Duration::ZERO;
            let sweep = Sweep::new(worker.responder.clone(), Arc::new(fake.clone()), settings);
            let mut memory = SweepMemory::default();
            for _ in 0..2 {
                sweep.once(&mut memory).await;
                worker.settle().await;
            }
            let cases = worker.journal.cases().await.unwrap();
            assert_eq!(cases.len(), 1, "{at}");
            // Where the journal says that it is disabled and it is not, somebody enabled it: that is put right, too.
            let tampered = !done_before && keep >= rows - 1;
            let steps: Vec<StepStatus> = cases[0].steps.iter().map(|step| step.status).collect();
            let wanted: &[StepStatus] =
                if tampered { &[StepStatus::Undone, StepStatus::Succeeded] } else { &[StepStatus::Succeeded] };
            assert_eq!((cases[0].state, steps.as_slice()), (State::AwaitingDecision, wanted), "{at}");
            assert_eq!(fake.state(1), "Disabled", "{at}");
            assert!(fake.updates() <= 1, "{at}");
            assert!(worker.journal.audit().await.unwrap().damage.is_empty(), "{at}");
        }
    }
}
