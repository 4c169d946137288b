//! What becomes of a mapping that is not as the journal knows it: its records are judged; where there are none it is
//! waited for them, and in the end people are asked.

use super::compare::{Compared, Suspect, Why};
use super::search::Wanted;
use super::{Memory, Sweep, SweepError, Swept};
use crate::case::baseline::{self, Standing, standing};
use crate::case::{CaseEvent, CaseId, Evidence, FoundMapping, SystemEvent};
use crate::cloudtrail::Verb;
use crate::containment::Observation;
use crate::detection::{Change, Finding, explained, missed, unattributed, untouched_since};
use crate::mapping::{Baseline, Snapshot};
use crate::ports::{JournalError, Known};
use crate::responder::Disposition;
use crate::responder::join::undone;
use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// How many mappings one event of the journal tells of.
const AT_ONCE: usize = 50;
/// CloudTrail's times are whole seconds.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// What handing in a finding gave.
enum Handed {
    /// It is in the journal now.
    Judged,
    /// It was before.
    Known(Known),
    /// It has to be handed in again.
    Later,
    /// It is no finding, or our own call.
    Nothing,
}

impl Sweep {
    /// Mappings that were there before sluicegate: what they are is what updates are compared with.
    pub(super) async fn keep_day_one(&self, mappings: Vec<FoundMapping>) -> Result<(), JournalError> {
        if mappings.is_empty() {
            return Ok(());
        }
        let count = mappings.len();
        for some in mappings.chunks(AT_ONCE) {
            let why = "they were there before sluicegate: `sluicegate scan` judges them".to_owned();
            let found = SystemEvent::Found { mappings: some.to_vec(), why, replaces: false };
            self.responder.ports.journal.record(&found).await?;
        }
        tracing::info!(
            count,
            "mappings that were there before sluicegate: updates are compared with what they are now; \
             `sluicegate scan` judges who made them"
        );
        Ok(())
    }

    /// Disables again what somebody enabled behind its case. `false`: it was put right meanwhile.
    pub(super) async fn contain_again(&self, suspect: &Suspect) -> Result<bool, SweepError> {
        let (journal, key) = (&self.responder.ports.journal, &suspect.key);
        loop {
            let Some(id) = journal.open_case_on(key).await? else { return Ok(false) };
            let case = self.responder.load(&id).await?;
            // Read after the case: what it did in between makes the append conflict.
            let read = self.patiently(|| self.responder.ports.lambda.mapping(key)).await?;
            let Some(read) = read else { return Ok(false) };
            let Some(event) = undone(&case, &Observation::Mapping { snapshot: Box::new(read) }) else {
                return Ok(false);
            };
            let text = "the sweep found it enabled again, and no event of that had come".to_owned();
            match journal.append(&id, case.seq, &[CaseEvent::Note { text }, event]).await {
                Ok(_) => {
                    tracing::error!(case = %id, mapping = %key, "enabled again behind its case: it is disabled again");
                    self.responder.nudge(&id);
                    return Ok(true);
                }
                Err(JournalError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Finds out who did it, and has it judged.
    pub(super) async fn attribute(
        &self,
        region: &str,
        watched: Timestamp,
        found: Compared,
        memory: &mut Memory,
        all: &mut Swept,
    ) -> Result<(), SweepError> {
        let Compared { unknown, mut changed, .. } = found;
        changed.extend(self.by_creation(region, unknown, all).await?);
        // Kept in memory meanwhile: what fails must not forget them.
        changed.extend(memory.undone.iter().filter(|one| one.key.region == *region).cloned());
        if changed.is_empty() {
            return Ok(());
        }
        let wanted: Vec<Wanted<'_>> = changed.iter().map(wanted).collect();
        let records = self.records(region, Verb::Update.event_names(), &wanted).await?;
        let mut failed = None;
        for suspect in changed {
            let (mut judged_before, mut judged, mut later) = (Vec::new(), false, false);
            for finding in records.of(&suspect.key.uuid).iter().filter(|finding| is_due(finding, &suspect)) {
                match self.hand_in(finding).await? {
                    Handed::Judged => {
                        judged = true;
                        all.judged += 1;
                    }
                    // What a case knows is in that case's reading already.
                    Handed::Known(Known::Settled) => judged_before.push(finding.clone()),
                    Handed::Known(Known::Case(_)) | Handed::Nothing => {}
                    Handed::Later => later = true,
                }
            }
            if suspect.why == Why::Undone {
                if judged || self.is_over(&suspect) {
                    memory.undone.retain(|one| one.key != suspect.key);
                }
            } else if !judged && (later || suspect.age < self.settings.give_up) {
                all.waiting += 1;
            } else if !judged {
                let whole = !records.cut;
                let concluded = self.conclude(&suspect, watched, &judged_before, whole, memory, all).await;
                if let Err(error) = concluded {
                    tracing::warn!(mapping = %suspect.key, %error, "the next sweep sees to it");
                    failed = Some(error);
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Judges the creations of mappings of which nothing is known. Gives those that it does not explain.
    async fn by_creation(
        &self,
        region: &str,
        unknown: Vec<Suspect>,
        all: &mut Swept,
    ) -> Result<Vec<Suspect>, SweepError> {
        let wanted: Vec<Wanted<'_>> = unknown.iter().map(wanted).collect();
        let records = self.records(region, Verb::Create.event_names(), &wanted).await?;
        let mut rest = Vec::new();
        for mut suspect in unknown {
            let due = |finding: &&Finding| is_due(finding, &suspect);
            let Some(creation) = records.of(&suspect.key.uuid).iter().find(due) else {
                rest.push(suspect);
                continue;
            };
            let made = baseline::accepted(creation, None, &suspect.read);
            let since = made.since;
            let differs = !missed(&suspect.read, &made).is_empty();
            match self.hand_in(creation).await? {
                Handed::Judged => all.judged += 1,
                Handed::Known(_) => {
                    let why = "its creation was judged when its event came; CloudTrail tells what it made".to_owned();
                    self.keep(&suspect, made, why, false).await?;
                }
                Handed::Later => {
                    all.waiting += 1;
                    continue;
                }
                Handed::Nothing => {
                    rest.push(suspect);
                    continue;
                }
            }
            if differs {
                // The updates that came since are judged by what the creation made.
                suspect.since = since;
                suspect.why = Why::Changed;
                rest.push(suspect);
            }
        }
        Ok(rest)
    }

    pub(super) async fn known(&self, finding: &Finding) -> Result<Option<Known>, JournalError> {
        self.responder.ports.journal.known(&finding.account, &finding.region, &finding.event.id).await
    }

    async fn hand_in(&self, finding: &Finding) -> Result<Handed, JournalError> {
        if let Some(known) = self.known(finding).await? {
            return Ok(Handed::Known(known));
        }
        if let Disposition::Again(why) = self.responder.take_finding(finding.clone()).await? {
            tracing::info!(event = %finding.event.id, why, "the next sweep judges it");
            return Ok(Handed::Later);
        }
        Ok(if self.known(finding).await?.is_some() { Handed::Judged } else { Handed::Nothing })
    }

    /// Its record did not come in time. It is looked at once more, and people are asked.
    async fn conclude(
        &self,
        suspect: &Suspect,
        watched: Timestamp,
        judged_before: &[Finding],
        whole: bool,
        memory: &mut Memory,
        all: &mut Swept,
    ) -> Result<(), SweepError> {
        let (journal, key) = (&self.responder.ports.journal, &suspect.key);
        let read = self.patiently(|| self.lambda.mapping(key)).await?;
        let as_it_was = |read: &Snapshot| read.last_modified == suspect.read.last_modified;
        // Who changes it while it is looked into gains time by that, but not for ever.
        let overdue = suspect.strange_for >= self.settings.give_up;
        let Some(read) = read.filter(|read| overdue || as_it_was(read)) else { return Ok(()) };
        let suspect = &Suspect { read: read.clone(), ..suspect.clone() };
        let Some(known) = journal.known_of(std::slice::from_ref(key)).await?.pop() else { return Ok(()) };
        let last = self.last_case(&known).await?;
        let changes = match standing(&read, known.baseline.as_ref(), last.as_ref()) {
            Standing::Same => {
                settle(suspect, memory);
                return Ok(());
            }
            Standing::Undone => return Ok(()),
            Standing::Strayed(_) => return self.show_as_it_is(known.case, read).await,
            Standing::Unknown => vec![Change::Create],
            Standing::Changed(known, changes) => {
                // Wiring is spelt in many ways; nothing else is.
                let spelt = changes == [Change::Rewire] && judged_before.is_empty();
                let misread = spelt && whole && untouched_since(&read, &known);
                if misread || explained(&changes, &read, &known, judged_before) {
                    let why = "what it is came of calls that were judged before".to_owned();
                    self.keep(suspect, baseline::found(&read, self.responder.ports.clock.now()), why, true).await?;
                    settle(suspect, memory);
                    return Ok(());
                }
                changes
            }
        };
        let id = self.stand_in(suspect, watched).await?;
        let finding = unattributed(&read, key, &changes, &id, self.responder.ports.clock.now());
        tracing::error!(
            alarm = true, mapping = %key, function = %read.function.arn, source = %read.source, ?changes,
            "a mapping that nobody saw an event for, and CloudTrail does not tell who did it: people are asked; \
             `sluicegate scan` shows what else there is"
        );
        if matches!(self.hand_in(&finding).await?, Handed::Judged) {
            all.unattributed += 1;
        }
        settle(suspect, memory);
        Ok(())
    }

    /// People must not decide about what it is no more.
    async fn show_as_it_is(&self, case: Option<CaseId>, read: Snapshot) -> Result<(), SweepError> {
        let Some(id) = case else { return Ok(()) };
        let case = self.responder.load(&id).await?;
        let text = "the sweep found it changed, and CloudTrail does not tell who did it".to_owned();
        let events =
            [CaseEvent::Evidence(Evidence::MappingRead { snapshot: Box::new(read) }), CaseEvent::Note { text }];
        match self.responder.ports.journal.append(&id, case.seq, &events).await {
            Ok(_) => {
                tracing::error!(case = %id, "the mapping was changed while people are asked about it");
                self.responder.nudge(&id);
                Ok(())
            }
            Err(JournalError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn keep(
        &self,
        suspect: &Suspect,
        baseline: Baseline,
        why: String,
        replaces: bool,
    ) -> Result<(), JournalError> {
        tracing::info!(mapping = %suspect.key, why, "updates are compared with what it is now");
        let mappings = vec![FoundMapping { mapping: suspect.key.clone(), baseline }];
        self.responder.ports.journal.record(&SystemEvent::Found { mappings, why, replaces }).await
    }

    /// What stands for the id of an event that is not there: the same for the same change, and not to be guessed, so that
    /// no forged event can take its place.
    async fn stand_in(&self, suspect: &Suspect, watched: Timestamp) -> Result<String, JournalError> {
        let (key, began) = (&suspect.key, self.responder.ports.journal.began().await?);
        let times = [Some(watched), began, suspect.read.last_modified].map(|time| format!("{time:?}"));
        let text = format!("{}\n{}\n{}\n{}", key.account, key.region, key.uuid, times.join("\n"));
        Ok(HEXLOWER.encode(&Sha256::digest(text.as_bytes())[..16]))
    }

    /// Who undid a containment is looked for until the record must have come.
    fn is_over(&self, suspect: &Suspect) -> bool {
        let now = self.responder.ports.clock.now();
        let changed = suspect.read.last_modified.unwrap_or(now);
        now.duration_since(changed).max(SignedDuration::ZERO).unsigned_abs() >= self.settings.give_up
    }
}

fn settle(suspect: &Suspect, memory: &mut Memory) {
    memory.settled.extend(suspect.read.last_modified.map(|changed| (suspect.key.clone(), changed)));
}

fn wanted(suspect: &Suspect) -> Wanted<'_> {
    Wanted { uuid: &suspect.key.uuid, since: suspect.since - SECOND, changed: suspect.read.last_modified }
}

/// What came before what is known is in it already.
fn is_due(finding: &Finding, suspect: &Suspect) -> bool {
    if suspect.after { finding.event.time > suspect.since } else { finding.event.time + SECOND > suspect.since }
}
