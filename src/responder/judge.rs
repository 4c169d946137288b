//! What comes in, judged: no finding, ours, known, allowed, or a case.

use super::join::Earlier;
use super::retry::backoff;
use super::verify::{Found, Read};
use super::{Disposition, Responder};
use crate::case::{CaseEvent, CaseId, Mode, Opened, Outcome, Provenance, SystemEvent, baseline, response_steps};
use crate::cloudtrail::{self, Record, Verb};
use crate::containment::{Prior, StepKind};
use crate::detection::{Finding, Trigger, against, latent};
use crate::mapping::{Baseline, MappingKey, Snapshot};
use crate::policy::{Facts, Response, Verdict};
use crate::ports::{JournalError, Known, Opening};
use data_encoding::HEXLOWER;
use jiff::SignedDuration;
use sha2::{Digest, Sha256};
use tracing::{debug, info, warn};

/// How far back an actor's findings count together.
pub(super) const SPREE: SignedDuration = SignedDuration::from_mins(10);

/// A finding with all that is known of its mapping.
pub(super) struct Seen {
    pub(super) finding: Finding,
    pub(super) mapping: Option<MappingKey>,
    pub(super) read: Read,
    pub(super) baseline: Option<Baseline>,
    /// What is accepted came after it.
    pub(super) late: bool,
    pub(super) open_case: Option<CaseId>,
    /// An earlier mapping of the same function and source, which is to stay disabled.
    pub(super) earlier: Option<Earlier>,
}

impl Responder {
    /// Takes one message. What is not `Done` must come again, or be left to the queue's redrive.
    pub async fn receive(&self, message_id: &str, body: &[u8]) -> Disposition {
        if cloudtrail::is_blank(body) {
            return self.held(|| self.unreadable(message_id, body, "the message is empty")).await;
        }
        if cloudtrail::cannot_matter(body) {
            return Disposition::Done;
        }
        let mut found = Disposition::Done;
        for input in cloudtrail::read(body) {
            let disposition = match input {
                Ok(record) => self.held(|| self.handle(&record)).await,
                Err(damage) => {
                    let error = format!("{}: {}", damage.position, damage.error);
                    self.held(|| self.unreadable(message_id, body, &error)).await
                }
            };
            found = worse(found, disposition);
        }
        found
    }

    /// Holds what came in for as long as the journal cannot be used. Given back it would use up its deliveries, and
    /// end in the dead-letter queue; held, it keeps its place, so that nothing more is taken from the queue.
    async fn held<F>(&self, mut work: impl FnMut() -> F) -> Disposition
    where
        F: Future<Output = Result<Disposition, JournalError>>,
    {
        let mut waited = 0;
        loop {
            match work().await {
                Ok(disposition) => return disposition,
                Err(JournalError::Unavailable(why)) if !self.is_stopping() => {
                    tracing::error!(%why, "the journal cannot be used; a message is held until it can");
                    waited += 1;
                    self.pause(backoff(waited)).await;
                }
                Err(error) => return Disposition::Again(error.to_string()),
            }
        }
    }

    async fn unreadable(&self, message_id: &str, body: &[u8], error: &str) -> Result<Disposition, JournalError> {
        warn!(message_id, error, "a message cannot be read; it stays for the queue's redrive");
        let event = SystemEvent::Unreadable {
            message_id: message_id.to_owned(),
            error: error.to_owned(),
            sha256: HEXLOWER.encode(&Sha256::digest(body)),
            bytes: body.len() as u64,
        };
        self.ports.journal.record(&event).await?;
        Ok(Disposition::Unreadable)
    }

    async fn handle(&self, record: &Record) -> Result<Disposition, JournalError> {
        let finding = match latent(record) {
            Ok(finding) => finding,
            Err(ignored) => {
                debug!(event = %record.event_id, name = %record.event_name, because = %ignored.0, "no finding");
                return Ok(Disposition::Done);
            }
        };
        self.take_finding(finding).await
    }

    /// Takes a finding, however it came: what is known, or ours, changes nothing.
    pub(super) async fn take_finding(&self, finding: Finding) -> Result<Disposition, JournalError> {
        match self.ports.journal.known(&finding.account, &finding.region, &finding.event.id).await? {
            Some(Known::Case(case)) => {
                info!(case = %case, event = %finding.event.id, "seen before");
                self.nudge(&case);
                return Ok(Disposition::Done);
            }
            Some(Known::Settled) => return Ok(Disposition::Done),
            None => {}
        }
        if let Some(disposition) = self.ours(&finding).await? {
            return Ok(disposition);
        }
        let seen = match self.look(finding).await? {
            Ok(seen) => seen,
            Err(disposition) => return Ok(disposition),
        };
        self.judge(seen).await
    }

    /// Reads what there is to know about a finding's mapping; for an update, settles what it changed.
    async fn look(&self, finding: Finding) -> Result<Result<Seen, Disposition>, JournalError> {
        // Side by side: containment must not wait for the earlier one.
        let ((mapping, read), earlier) = tokio::join!(self.locate(&finding), self.earlier_of_pair(&finding));
        let earlier = earlier?;
        let (baseline, open_case) = match &mapping {
            Some(key) => tokio::try_join!(self.ports.journal.baseline(key), self.ports.journal.open_case_on(key))?,
            None => (None, None),
        };
        // Events come in any order: a change that came before an update which was accepted on an unknown mapping may be
        // in what was found then.
        let late = baseline.as_ref().is_some_and(|known| known.since > finding.event.time);
        let baseline = baseline.filter(|known| known.knows_before(finding.event.time));
        let baseline = match (&mapping, baseline) {
            (Some(key), Some(known)) if finding.call.verb == Verb::Update && known.enabled && open_case.is_none() => {
                Some(self.unless_held(key, known).await?)
            }
            (_, baseline) => baseline,
        };
        let fresh = match &read {
            Read::There(snapshot) => Some(&**snapshot),
            Read::Gone | Read::Unread(_) | Read::OutOfReach(_) => None,
        };
        let event = finding.event.id.clone();
        // While a case is open nothing counts as restated: to enable what is contained undoes the containment.
        let accepted = if open_case.is_some() { None } else { baseline.as_ref() };
        match against(finding, accepted, fresh) {
            Ok(finding) => Ok(Ok(Seen { finding, mapping, read, baseline, late, open_case, earlier })),
            Err(ignored) => {
                debug!(event, because = %ignored.0, "no finding");
                Ok(Err(Disposition::Done))
            }
        }
    }

    /// What is accepted of a mapping; not that it is enabled, where its last case came later and left it disabled.
    async fn unless_held(&self, key: &MappingKey, accepted: Baseline) -> Result<Baseline, JournalError> {
        let Some(last) = self.ports.journal.cases_on(key).await?.pop() else { return Ok(accepted) };
        let held = baseline::held_by(&self.load(&last).await?, Some(&accepted));
        Ok(Baseline { enabled: !held, ..accepted })
    }

    async fn locate(&self, finding: &Finding) -> (Option<MappingKey>, Read) {
        if finding.account != self.settings.account {
            let why = format!(
                "it is in account {}, and this process's credentials are of account {}",
                finding.account, self.settings.account
            );
            return (key_of(finding), Read::OutOfReach(why));
        }
        let key = match key_of(finding) {
            Some(key) => key,
            None => match self.find(finding).await {
                Ok(Found::One(key)) => key,
                Ok(Found::None(why) | Found::Several(why)) => return (None, Read::Unread(why)),
                Err(error) => return (None, Read::Unread(error.to_string())),
            },
        };
        let read = self.read_quickly(&key, finding).await;
        (Some(key), read)
    }

    async fn judge(&self, seen: Seen) -> Result<Disposition, JournalError> {
        let provenance = self.hold_against(&seen.finding, &seen.read);
        let verdict = self.verdict(&seen, &provenance).await?;
        if verdict.allowed {
            return self.allow(seen, verdict, &provenance).await;
        }
        if let Some(case) = &seen.open_case {
            return self.join(case, &seen, &verdict, &provenance).await;
        }
        if let Some(disposition) = self.recreated(&seen, &verdict, &provenance).await? {
            return Ok(disposition);
        }
        let (opened, more) = self.opening(&seen, &verdict, provenance);
        match self.ports.journal.open(&opened, &more).await? {
            Opening::Opened(case) => {
                warn!(
                    case = %case.id, subject = %case.subject(), detection = opened.finding.detection.name(),
                    actor = %opened.finding.actor.arn, response = ?verdict.response, "a case is open"
                );
                self.drive_from(*case);
            }
            Opening::Known(Known::Case(case)) => self.nudge(&case),
            Opening::Known(Known::Settled) => {}
            Opening::Busy(case) => return self.join(&case, &seen, &verdict, &opened.provenance).await,
        }
        Ok(Disposition::Done)
    }

    async fn verdict(&self, seen: &Seen, provenance: &Provenance) -> Result<Verdict, JournalError> {
        let now = self.ports.clock.now();
        let journal = &self.ports.journal;
        let (spree, wrong) = tokio::try_join!(
            journal.findings_by(&seen.finding.actor.principal_arn, now - SPREE),
            journal.wrong_of_last_ten(&seen.finding.account)
        )?;
        let confirmed = *provenance == Provenance::Confirmed;
        let facts = Facts {
            now,
            trigger: seen.finding.trigger,
            confirmed,
            findings_by_actor: spree + 1,
            wrong_of_last_ten: wrong,
            case_open: seen.open_case.is_some(),
            baseline_known: seen.baseline.is_some(),
        };
        Ok(self.policies.current().judge(&seen.finding, &facts))
    }

    /// Leaves it alone, but for a line in the journal. The configuration counts as accepted where the event is true.
    async fn allow(&self, seen: Seen, verdict: Verdict, provenance: &Provenance) -> Result<Disposition, JournalError> {
        let call = &seen.finding.call;
        let accepted = match (&seen.read, provenance) {
            (Read::There(read), Provenance::Verified | Provenance::Confirmed) if !seen.late => {
                Some(Box::new(baseline::accepted(&seen.finding, seen.baseline.as_ref(), read)))
            }
            // CloudTrail itself has it: that the mapping was changed since is for the updates to answer for.
            (Read::There(read), Provenance::Refuted { .. }) if !seen.late && from_the_trail(&seen.finding) => {
                (call.verb == Verb::Create || seen.baseline.is_some())
                    .then(|| Box::new(baseline::accepted(&seen.finding, seen.baseline.as_ref(), read)))
            }
            _ => None,
        };
        info!(
            event = %seen.finding.event.id, actor = %seen.finding.actor.principal_arn, policies = ?verdict.policies,
            mapping = seen.mapping.as_ref().map_or("?", |key| &key.uuid), "allowed"
        );
        let (finding, verdict) = (Box::new(seen.finding), Box::new(verdict));
        let event = SystemEvent::Allowed { finding, verdict, mapping: seen.mapping, baseline: accepted };
        self.ports.journal.record(&event).await?;
        Ok(Disposition::Done)
    }

    /// The events that open a case: where everything is known already, its first step with them, so that one write
    /// comes before the first call.
    fn opening(&self, seen: &Seen, verdict: &Verdict, provenance: Provenance) -> (Opened, Vec<CaseEvent>) {
        let snapshot = match &seen.read {
            Read::There(read) => Some(read.clone()),
            Read::Gone | Read::Unread(_) | Read::OutOfReach(_) => None,
        };
        let would_do = self.would_do(seen, verdict, snapshot.as_deref());
        let mut more = Vec::new();
        if seen.read == Read::Gone {
            let looked_at = format!("GetEventSourceMapping({})", seen.finding.call.uuid);
            more.push(CaseEvent::Evidence(crate::case::Evidence::MappingGone { looked_at }));
        }
        match (self.settings.mode, verdict.response, &provenance, &seen.mapping, &snapshot) {
            (Mode::Observe, ..) => more.push(CaseEvent::Closed { outcome: Outcome::Observed, baseline: None }),
            (Mode::Enforce, Response::Disable, Provenance::Verified | Provenance::Confirmed, Some(key), Some(read)) => {
                let prior = Some(Prior::Mapping { snapshot: read.clone(), tags: Vec::new() });
                let step = StepKind::DisableMapping;
                if let Some(call) = step.call(key, read) {
                    more.push(CaseEvent::StepPrepared { id: 1, step, undoes: None, call, prior });
                    more.push(self.started(1));
                }
            }
            (Mode::Enforce, ..) => {}
        }
        let opened = Opened {
            case_id: CaseId::of(&seen.finding),
            finding: seen.finding.clone(),
            verdict: verdict.clone(),
            mode: self.settings.mode,
            mapping: seen.mapping.clone(),
            provenance,
            snapshot,
            baseline: seen.baseline.clone().map(Box::new),
            would_do,
        };
        (opened, more)
    }

    fn would_do(&self, seen: &Seen, verdict: &Verdict, snapshot: Option<&Snapshot>) -> Vec<crate::containment::Call> {
        match (self.settings.mode, &seen.mapping, snapshot) {
            (Mode::Observe, Some(key), Some(read)) => {
                response_steps(verdict.response).iter().filter_map(|step| step.call(key, read)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The sweep found its record in CloudTrail.
fn from_the_trail(finding: &Finding) -> bool {
    finding.trigger == Trigger::Sweep && finding.has_record() && finding.call.disagrees.is_empty()
}

fn key_of(finding: &Finding) -> Option<MappingKey> {
    (!finding.call.uuid.is_empty()).then(|| MappingKey {
        account: finding.account.clone(),
        region: finding.region.clone(),
        // An update may spell it in capitals, and its answer may be missing.
        uuid: finding.call.uuid.to_ascii_lowercase(),
    })
}

fn worse(one: Disposition, other: Disposition) -> Disposition {
    match (one, other) {
        (again @ Disposition::Again(_), _) | (_, again @ Disposition::Again(_)) => again,
        (Disposition::Unreadable, _) | (_, Disposition::Unreadable) => Disposition::Unreadable,
        (Disposition::Done, Disposition::Done) => Disposition::Done,
    }
}
