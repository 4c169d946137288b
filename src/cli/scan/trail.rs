//! What CloudTrail tells of a place, page by page: a page that fails loses no other, and what is not read is told.

use crate::aws::AwsTrail;
use crate::cloudtrail::Verb;
use crate::detection::Change;
use crate::mapping::Snapshot;
use crate::ports::{CallError, SearchBy};
use crate::responder::retry::wait_after;
use crate::scan::{Attribution, Births, Judgement, LOOKS_BACK, Place, Trace, changed_after, windows};
use jiff::Timestamp;

const FUNCTIONS: &str = "CreateFunction20150331";

/// Pages of 50, of creations: at a page a second, three minutes.
const PAGES_OF_CREATIONS: u32 = 180;
/// Of updates, which pipelines make at every deployment.
const PAGES_OF_UPDATES: u32 = 60;
/// Of functions made around the time of a mapping.
const PAGES_OF_FUNCTIONS: u32 = 60;

/// So often a call is made that was throttled; the waits add up to a minute, or to what AWS told.
const TRIES_WHEN_THROTTLED: u32 = 12;
/// So often one that failed otherwise.
const TRIES: u32 = 4;

/// Makes a call that changes nothing until it is answered, or for good.
pub(super) async fn patiently<T, F>(call: impl Fn() -> F) -> Result<T, CallError>
where
    F: Future<Output = Result<T, CallError>>,
{
    let mut attempt = 0;
    loop {
        attempt += 1;
        let error = match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let tries = match &error {
            CallError::Throttled { .. } => TRIES_WHEN_THROTTLED,
            CallError::Busy { .. }
            | CallError::Unavailable { .. }
            | CallError::Ambiguous { .. }
            | CallError::NotSent { .. } => TRIES,
            CallError::NotFound { .. } | CallError::Refused { .. } | CallError::Nonsense { .. } => 1,
        };
        if attempt >= tries {
            return Err(error);
        }
        tokio::time::sleep(wait_after(&error, attempt)).await;
    }
}

/// A walk through the pages of one event name, and how many it may still read.
struct Walk<'a> {
    trail: &'a AwsTrail,
    place: &'a Place,
    left: u32,
}

/// How a walk ended.
enum End {
    /// There is no more, or no more is wanted.
    Complete,
    /// There is more than is read.
    CutShort,
    Failed(CallError),
}

impl Walk<'_> {
    /// Gives each page to `take`, newest first, for as long as it wants more.
    async fn through(
        &mut self,
        name: &str,
        between: (Timestamp, Option<Timestamp>),
        mut take: impl FnMut(&[String]) -> bool,
    ) -> End {
        let Place { account, region } = self.place;
        let mut after = None;
        loop {
            if self.left == 0 {
                return End::CutShort;
            }
            self.left -= 1;
            let by = SearchBy::EventName(name);
            let page = match patiently(|| self.trail.page(account, region, by, between, after.clone())).await {
                Ok(page) => page,
                Err(error) => return End::Failed(error),
            };
            after = page.next;
            if !take(&page.records) || after.is_none() {
                return End::Complete;
            }
        }
    }
}

fn unanswered(error: &CallError) -> String {
    format!("CloudTrail cannot be searched (cloudtrail:LookupEvents): {error}")
}

/// Who made and changed the mappings of a place.
pub(super) struct History {
    pub(super) trace: Trace,
    now: Timestamp,
    /// Why not all creations were read.
    creations: Option<String>,
    /// That CloudTrail does not answer.
    silent: bool,
    /// The same of updates.
    updates: Option<String>,
    updates_since: Option<Timestamp>,
}

impl History {
    /// Reads what CloudTrail has, until nothing more is wanted of it.
    pub(super) async fn read(trail: &AwsTrail, place: &Place, mappings: &[Snapshot], now: Timestamp) -> Self {
        let trace = Trace::new(place.clone());
        let mut history = Self { trace, now, creations: None, silent: false, updates: None, updates_since: None };
        history.read_creations(trail, place, mappings).await;
        history.read_updates(trail, place, mappings).await;
        history
    }

    async fn read_creations(&mut self, trail: &AwsTrail, place: &Place, mappings: &[Snapshot]) {
        let since = self.now.checked_sub(LOOKS_BACK).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut walk = Walk { trail, place, left: PAGES_OF_CREATIONS };
        for name in Verb::Create.event_names() {
            if !self.trace.lacks_any(mappings, self.now) {
                return;
            }
            let (trace, now) = (&mut self.trace, self.now);
            let end = walk.through(name, (since, None), |records| {
                trace.take(records);
                trace.lacks_any(mappings, now)
            });
            match end.await {
                End::Complete => {}
                End::CutShort => {
                    let most = PAGES_OF_CREATIONS * 50;
                    let until = self.trace.oldest().map(|time| format!(", back to {time:.0}")).unwrap_or_default();
                    let why = format!("CloudTrail has more than {most} creations; so many were read{until}");
                    self.creations = Some(why);
                    return;
                }
                End::Failed(error) => {
                    self.creations = Some(unanswered(&error));
                    self.silent = true;
                    return;
                }
            }
        }
    }

    async fn read_updates(&mut self, trail: &AwsTrail, place: &Place, mappings: &[Snapshot]) {
        let Some(since) = self.trace.changes_wanted_since(mappings, self.now) else { return };
        self.updates_since = Some(since);
        if self.silent {
            // It would fail in the same way.
            self.updates.clone_from(&self.creations);
            return;
        }
        let mut walk = Walk { trail, place, left: PAGES_OF_UPDATES };
        let trace = &mut self.trace;
        // The name without a date is older than any record that is kept.
        let [updates, _] = Verb::Update.event_names();
        let end = walk.through(updates, (since, None), |records| {
            trace.take(records);
            true
        });
        self.updates = match end.await {
            End::Complete => None,
            End::CutShort => {
                let most = PAGES_OF_UPDATES * 50;
                Some(format!("CloudTrail has more than {most} updates since {since:.0}; only the latest were read"))
            }
            End::Failed(error) => Some(unanswered(&error)),
        };
    }

    /// What is missing of it.
    pub(super) fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        missed.extend(self.creations.as_ref().map(|why| format!("who made some of its mappings: {why}")));
        missed.extend(self.updates.as_ref().map(|why| format!("who changed its mappings: {why}")));
        if self.trace.unreadable() > 0 {
            let many = self.trace.unreadable();
            missed.push(format!("{many} of CloudTrail's records about its mappings cannot be read"));
        }
        missed
    }

    pub(super) fn attribution(&self, mapping: &Snapshot) -> Attribution {
        self.trace.attribution(mapping, self.now, self.creations.as_deref())
    }

    /// What is not known of the changes of a mapping.
    pub(super) fn unknown_of(&self, mapping: &Snapshot) -> Option<String> {
        let why = self.updates.as_ref()?;
        let made = self.trace.creation(&mapping.uuid).map(|creation| creation.event.time).or(self.updates_since)?;
        changed_after(mapping, made).then(|| format!("who changed it: {why}"))
    }
}

/// The functions that were made around the time when their mappings were made or repointed.
pub(super) struct Birthdays {
    births: Births,
    /// The windows that were not read, or not to the end.
    unread: Vec<(Timestamp, Timestamp)>,
    why: String,
    failed: bool,
}

impl Birthdays {
    /// Reads around each creation and each repointing, those that are not allowed first.
    pub(super) async fn read(trail: &AwsTrail, place: &Place, judged: &[Judgement]) -> Self {
        let mut births = Births::new(place.clone());
        let mut times: Vec<(bool, Timestamp)> = judged.iter().flat_map(times).collect();
        times.sort_by_key(|(allowed, time)| (*allowed, std::cmp::Reverse(*time)));
        let times: Vec<Timestamp> = times.into_iter().map(|(_, time)| time).collect();
        let mut walk = Walk { trail, place, left: PAGES_OF_FUNCTIONS };
        let (mut unread, mut why, mut failed) = (Vec::new(), String::new(), false);
        for (from, until) in windows(&times) {
            if failed {
                unread.push((from, until));
                continue;
            }
            let end = walk.through(FUNCTIONS, (from, Some(until)), |records| {
                births.take(records);
                true
            });
            match end.await {
                End::Complete => {}
                End::CutShort => {
                    why = String::from("too many mappings were made or repointed to look it up for all");
                    unread.push((from, until));
                }
                End::Failed(error) => {
                    why = unanswered(&error);
                    failed = true;
                    unread.push((from, until));
                }
            }
        }
        Self { births, unread, why, failed }
    }

    pub(super) fn births(&self) -> &Births {
        &self.births
    }

    /// Why CloudTrail did not answer, where it did not.
    pub(super) fn failed(&self) -> Option<&str> {
        self.failed.then_some(&self.why)
    }

    /// Why it is not known of this mapping.
    pub(super) fn unread(&self, judgement: &Judgement) -> Option<&str> {
        let missed = |time: Timestamp| self.unread.iter().any(|(from, until)| (*from..=*until).contains(&time));
        times(judgement).any(|(_, time)| missed(time)).then_some(&self.why)
    }
}

/// When a mapping was made and repointed, and whether either was allowed.
fn times(judgement: &Judgement) -> impl Iterator<Item = (bool, Timestamp)> {
    let repointed = judgement.changed.iter().filter(|deed| deed.finding.changes.contains(&Change::Repoint));
    judgement.created.iter().chain(repointed).map(|deed| (deed.verdict.allowed, deed.finding.event.time))
}
