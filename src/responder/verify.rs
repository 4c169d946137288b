//! Which mapping it is, what it is now, and whether the event behind a case is true.

use super::Responder;
use super::drivers::Driver;
use super::retry::{backoff, wait_after};
use crate::case::{Case, CaseEvent, Evidence, Provenance, State};
use crate::cloudtrail;
use crate::detection::{Finding, Trigger, latent, provenance, still_so};
use crate::mapping::{MappingKey, Snapshot};
use crate::ports::{CallError, JournalError};
use jiff::SignedDuration;
use std::time::Duration;

/// For how long a record is looked for in CloudTrail, which may take this long to have it.
const LOOK_FOR: SignedDuration = SignedDuration::from_mins(20);
/// How often; CloudTrail answers two look-ups a second for a whole account.
const LOOK_EVERY: Duration = Duration::from_secs(20);
/// A mapping that was made just now may not be found at once.
const SETTLES_IN: SignedDuration = SignedDuration::from_secs(60);
/// How often a read is tried while a message waits for it.
const QUICK_TRIES: u32 = 4;
/// For how long AWS may tell a waiting message to wait; where it is longer the case is opened without the reading.
const QUICK_WAIT: Duration = Duration::from_secs(30);
/// For how long a mapping is tried to be read before a person is told that it cannot be.
const ASK_AFTER: Duration = Duration::from_mins(1);

/// What reading a mapping gave.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Read {
    /// It is there.
    There(Box<Snapshot>),
    /// It is not.
    Gone,
    /// It cannot be told, for now.
    Unread(String),
    /// It can never be told with these credentials.
    OutOfReach(String),
}

/// What listing gave.
pub(super) enum Found {
    /// Exactly one mapping.
    One(MappingKey),
    /// None, and in words of what.
    None(String),
    /// Several, and in words of what: which it is cannot be told.
    Several(String),
}

impl Responder {
    /// Which mapping a finding is about, where its record does not say: found by listing.
    pub(super) async fn find(&self, finding: &Finding) -> Result<Found, CallError> {
        let call = &finding.call;
        let found =
            self.ports.lambda.find_mappings(&finding.account, &finding.region, &call.function, &call.source).await?;
        let key = |uuid: &str| MappingKey {
            account: finding.account.clone(),
            region: finding.region.clone(),
            uuid: uuid.to_owned(),
        };
        let what = format!("mapping of {} on {}", call.function.arn, call.source.name);
        Ok(match found.as_slice() {
            [one] => Found::One(key(&one.uuid)),
            [] => Found::None(format!("the event names no UUID, and there is no {what}")),
            several => Found::Several(format!("the event names no UUID, and there are {} of: {what}", several.len())),
        })
    }

    /// Reads a mapping, trying a few times while a message waits.
    pub(super) async fn read_quickly(&self, mapping: &MappingKey, finding: &Finding) -> Read {
        let young = self.ports.clock.now().duration_since(finding.event.time).abs() < SETTLES_IN;
        let mut attempt = 1;
        loop {
            match self.ports.lambda.mapping(mapping).await {
                Ok(Some(read)) => return Read::There(Box::new(read)),
                Ok(None) if young && attempt < QUICK_TRIES => self.pause(backoff(1)).await,
                Ok(None) => return Read::Gone,
                Err(error) => {
                    let wait = wait_after(&error, attempt);
                    let soon = attempt < QUICK_TRIES && wait <= QUICK_WAIT;
                    if !soon || error.is_final() || self.is_stopping() {
                        return Read::Unread(error.to_string());
                    }
                    self.pause(wait).await;
                }
            }
            attempt += 1;
        }
    }

    /// Reads the mapping of a case and records what it finds out, trying for a while; where that does not lead
    /// anywhere a person is asked. `None`: the case is another now, and should be looked at anew.
    pub(super) async fn read_again(&self, case: &mut Case, driver: &Driver) -> Result<Option<Read>, JournalError> {
        let Some(mapping) = case.mapping.clone() else {
            return Ok(None);
        };
        let began = tokio::time::Instant::now();
        for attempt in 1.. {
            if self.is_stopping() {
                return Ok(None);
            }
            let error = match self.ports.lambda.mapping(&mapping).await {
                Ok(Some(read)) => {
                    self.record_read(case, &read).await?;
                    return Ok(Some(Read::There(Box::new(read))));
                }
                Ok(None) => {
                    if !case.gone {
                        let looked_at = format!("GetEventSourceMapping({})", mapping.uuid);
                        self.append(case, &[CaseEvent::Evidence(Evidence::MappingGone { looked_at })]).await?;
                    }
                    return Ok(Some(Read::Gone));
                }
                Err(error) => error,
            };
            tracing::warn!(%mapping, %error, attempt, "the mapping cannot be read yet");
            if case.state == State::AwaitingDecision {
                // People are asked already, and may decide meanwhile.
                return Ok(Some(Read::Unread(error.to_string())));
            }
            let patience = if case.last_read.is_none() { ASK_AFTER } else { self.settings.give_up_after };
            if error.is_final() && attempt >= QUICK_TRIES || began.elapsed() > patience {
                self.ask(case, &format!("the mapping cannot be read: {error}")).await?;
                return Ok(None);
            }
            self.nap(driver, wait_after(&error, attempt)).await;
        }
        Ok(None)
    }

    /// Records the mapping as read, where that is new, and with it how far the event is now known to be true: a crash
    /// between the two would leave a mapping that is known and never held against its event.
    async fn record_read(&self, case: &mut Case, read: &Snapshot) -> Result<(), JournalError> {
        if !case.gone && case.latest().is_some_and(|known| known.whole == read.whole) {
            return Ok(());
        }
        let mut events = vec![CaseEvent::Evidence(Evidence::MappingRead { snapshot: Box::new(read.clone()) })];
        if matches!(case.provenance, Provenance::Pending { .. }) && (case.gone || case.last_read.is_none()) {
            let provenance = self.hold_against(&case.opened.finding, &Read::There(Box::new(read.clone())));
            events.push(CaseEvent::Evidence(Evidence::Provenance { provenance }));
        }
        self.append(case, &events).await
    }

    pub(super) async fn identify(&self, case: &mut Case, driver: &Driver) -> Result<(), JournalError> {
        let finding = case.opened.finding.clone();
        let evidence = match self.find(&finding).await {
            Ok(Found::One(mapping)) => Evidence::MappingFound { mapping },
            Ok(Found::None(looked_at)) => Evidence::MappingGone { looked_at },
            Ok(Found::Several(why)) => Evidence::Provenance { provenance: Provenance::Refuted { why } },
            Err(error) => {
                tracing::warn!(%error, "mappings cannot be listed yet");
                self.nap(driver, wait_after(&error, 4)).await;
                return Ok(());
            }
        };
        self.append(case, &[CaseEvent::Evidence(evidence)]).await
    }

    /// How far an event is known to be true, by the mapping as it was read.
    pub(super) fn hold_against(&self, finding: &Finding, read: &Read) -> Provenance {
        if finding.trigger == Trigger::Sweep {
            return of_the_trail(finding, read);
        }
        match read {
            Read::There(snapshot) => match provenance(finding, snapshot, self.ports.clock.now()) {
                Ok(()) => Provenance::Verified,
                Err(why) => Provenance::Pending { why: format!("not confirmed: {why}") },
            },
            Read::Gone => Provenance::Pending { why: "the mapping is gone".into() },
            Read::Unread(why) => Provenance::Pending { why: format!("the mapping cannot be read: {why}") },
            Read::OutOfReach(why) => Provenance::Refuted { why: format!("the mapping cannot be read: {why}") },
        }
    }

    /// Reads the mapping where it was not read, then looks for the record in CloudTrail, until it is found, or it is
    /// too late for it to come, or people have decided. People are asked meanwhile.
    pub(super) async fn verify(&self, case: &mut Case, driver: &Driver) -> Result<(), JournalError> {
        if case.last_read.is_none() || case.gone {
            match self.read_again(case, driver).await? {
                None | Some(Read::There(_)) => return Ok(()),
                // Asked first, where that is still to come; then looked for in CloudTrail, and read again.
                Some(_) if case.state != State::AwaitingDecision => return Ok(()),
                Some(_) => {}
            }
        }
        let finding = case.opened.finding.clone();
        let why = match self.confirmed(&finding).await {
            Ok(Ok(())) => {
                let provenance = Provenance::Confirmed;
                return self.append(case, &[CaseEvent::Evidence(Evidence::Provenance { provenance })]).await;
            }
            Ok(Err(why)) => why,
            Err(error) => format!("CloudTrail cannot be asked: {error}"),
        };
        let looked = self.ports.clock.now().duration_since(case.opened_at);
        if looked > LOOK_FOR {
            let provenance = Provenance::Refuted { why };
            return self.append(case, &[CaseEvent::Evidence(Evidence::Provenance { provenance })]).await;
        }
        tracing::info!(%why, "not confirmed yet");
        self.nap(driver, LOOK_EVERY).await;
        *case = self.load(&case.id).await?;
        Ok(())
    }

    /// Whether CloudTrail itself has the record, and it says the same.
    pub(super) async fn confirmed(&self, finding: &Finding) -> Result<Result<(), String>, CallError> {
        let found = self.ports.trail.lookup(&finding.account, &finding.region, &finding.event.id).await?;
        let Some(text) = found else {
            return Ok(Err(format!("CloudTrail does not have event {}", finding.event.id)));
        };
        let records = cloudtrail::read(text.as_bytes());
        let same = records.into_iter().flatten().any(|record| {
            latent(&record).is_ok_and(|genuine| {
                genuine.event.id == finding.event.id
                    && genuine.event.request_id == finding.event.request_id
                    && genuine.account == finding.account
                    && genuine.region == finding.region
                    && genuine.actor == finding.actor
                    && genuine.call == finding.call
            })
        });
        Ok(if same { Ok(()) } else { Err("CloudTrail has this event, but it says something else".into()) })
    }
}

/// How far a record is true that CloudTrail itself gave to the sweep. It lies some time back: contained without a person
/// is only what still is what it says.
fn of_the_trail(finding: &Finding, read: &Read) -> Provenance {
    if !finding.has_record() {
        return Provenance::Refuted { why: format!("found by the sweep, and {}", finding.actor.unidentified) };
    }
    match read {
        Read::There(snapshot) => match still_so(finding, snapshot) {
            Ok(()) => Provenance::Confirmed,
            Err(why) => Provenance::Refuted {
                why: format!("CloudTrail has the record, but the mapping is another by now: {why}"),
            },
        },
        Read::Gone => Provenance::Confirmed,
        Read::Unread(why) => Provenance::Pending { why: format!("the mapping cannot be read: {why}") },
        Read::OutOfReach(why) => Provenance::Refuted { why: format!("the mapping cannot be read: {why}") },
    }
}
