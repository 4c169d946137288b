//! One account and region, looked at: what is there, who made it, whether it is allowed, what smells.

use super::gather::{Birthdays, History, patiently};
use crate::aws::{AwsEnrichment, AwsLambda, AwsTrail, Clients, Limits, Packages};
use crate::config::Config;
use crate::evidence::tagged_arn;
use crate::mapping::{MappingKey, Snapshot};
use crate::policy::PolicySet;
use crate::ports::{CallError, Enrichment as _, Lambda as _};
use crate::scan::{About, Births, Filtering, Judgement, Missing, Place, Scanned, Tags, judge, says_sensitive, smells};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

/// CloudTrail answers two look-ups a second; half of that is left to a responder at work.
const LOOKUPS_PER_SECOND: NonZeroU32 = NonZeroU32::MIN;
/// Of tags, in each account and region.
const READS_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

/// What looks.
pub(super) struct Eyes {
    clients: Clients,
    lambda: AwsLambda,
    trail: AwsTrail,
    enrichment: AwsEnrichment,
    set: PolicySet,
    now: Timestamp,
}

/// What was seen of a place.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) scanned: Vec<Scanned>,
    pub(super) missing: Vec<Missing>,
}

impl Eyes {
    pub(super) fn new(config: &Config, set: PolicySet, clients: Clients) -> Self {
        // A responder at work in the same account keeps half of its own limit.
        let half = NonZeroU32::new(config.containment.max_calls_per_second.get() / 2).unwrap_or(NonZeroU32::MIN);
        Self {
            lambda: AwsLambda::new(clients.clone(), Limits::new(half)),
            trail: AwsTrail::new(clients.clone(), Limits::new(LOOKUPS_PER_SECOND)),
            enrichment: AwsEnrichment::new(clients.clone(), Limits::new(READS_PER_SECOND), Packages::new(None)),
            clients,
            set,
            now: Timestamp::now(),
        }
    }

    /// When the scan began: what is judged is judged as of now.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) fn policy_digest(&self) -> &str {
        self.set.digest()
    }

    /// Looks at a place. What fails is told, and takes nothing else with it.
    pub(super) async fn look(&self, place: &Place) -> Seen {
        let mut seen = Seen::default();
        if let Err(error) = patiently(|| self.clients.enter(&place.account)).await {
            seen.miss(place, "", format!("the account cannot be entered (sts:AssumeRole of its role): {error}"));
            return seen;
        }
        let mut mappings = self.list(place, &mut seen).await;
        if mappings.is_empty() {
            return seen;
        }
        let history = History::read(&self.trail, place, &mappings, self.now).await;
        for missed in history.missed() {
            seen.miss(place, "", missed);
        }
        let judged: Vec<Judgement> = mappings.iter().map(|mapping| self.judge(mapping, &history)).collect();
        let birthdays = Birthdays::read(&self.trail, place, &judged).await;
        if let Some(why) = birthdays.failed() {
            seen.miss(place, "", format!("whether functions were made together with their mappings: {why}"));
        }
        let tags = self.tags(place, &mut mappings).await;
        let births = birthdays.births();
        for (mapping, judgement) in mappings.into_iter().zip(judged) {
            let tags = tags.get(&tagged_arn(&mapping.source)).unwrap_or(&Tags::NotAsked);
            let unread = birthdays.unread(&judgement);
            let scanned = self.put_together(place, mapping, judgement, births, unread, tags, &history);
            seen.scanned.push(scanned);
        }
        seen
    }

    /// All pages of the list. One that fails ends it, and what was read until then is kept.
    async fn list(&self, place: &Place, seen: &mut Seen) -> Vec<Snapshot> {
        let (mut mappings, mut uuids, mut after) = (Vec::new(), BTreeSet::new(), None);
        loop {
            let page = patiently(|| self.lambda.page(&place.account, &place.region, after.clone())).await;
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    let so_far = match mappings.len() {
                        0 => "its mappings cannot be listed (lambda:ListEventSourceMappings)".to_owned(),
                        read => format!("its mappings cannot be listed to the end ({read} were read)"),
                    };
                    seen.miss(place, "", format!("{so_far}: {error}"));
                    return mappings;
                }
            };
            for entry in page.entries {
                match entry {
                    // What is made or deleted meanwhile moves the pages: one may come twice.
                    Ok(mapping) if uuids.insert(mapping.uuid.clone()) => mappings.push(mapping),
                    Ok(_) => {}
                    Err((uuid, error)) => seen.miss(place, &uuid, format!("a mapping in the list is none: {error}")),
                }
            }
            after = page.next;
            if after.is_none() {
                return mappings;
            }
        }
    }

    fn judge(&self, mapping: &Snapshot, history: &History) -> Judgement {
        let trace = &history.trace;
        judge(&self.set, self.now, mapping, trace.creation(&mapping.uuid), &trace.changes(&mapping.uuid))
    }

    /// The tags of the sources that everything may be read from, by the ARN that carries them; a filter that a list does
    /// not tell is read where it matters.
    async fn tags(&self, place: &Place, mappings: &mut [Snapshot]) -> BTreeMap<String, Tags> {
        let mut all: BTreeMap<String, Tags> = BTreeMap::new();
        for mapping in mappings.iter_mut().filter(|mapping| Filtering::of(mapping).may_be_open()) {
            let arn = tagged_arn(&mapping.source);
            if arn.is_empty() {
                continue;
            }
            if !all.contains_key(&arn) {
                let tags = self.tags_of(place, mapping, &arn).await;
                all.insert(arn.clone(), tags);
            }
            let sensitive = matches!(all.get(&arn), Some(Tags::Read(tags)) if says_sensitive(tags).is_some());
            if sensitive && mapping.whole["FilterCriteria"].is_null() {
                self.read_filter(place, mapping).await;
            }
        }
        all
    }

    async fn tags_of(&self, place: &Place, mapping: &Snapshot, arn: &str) -> Tags {
        if mapping.source.account != place.account {
            return Tags::Unread("it is in another account, which keeps its tags".to_owned());
        }
        match patiently(|| self.enrichment.tags(&place.account, &place.region, arn)).await {
            Ok(tags) => Tags::Read(tags),
            Err(CallError::NotFound { message, .. }) => Tags::Unread(format!("there is no such source: {message}")),
            Err(error) => Tags::Unread(format!("its tags cannot be read (tag:GetResources): {error}")),
        }
    }

    /// An encrypted filter is told by `GetEventSourceMapping` alone, and only to who may decrypt it. Where it cannot be
    /// read it is not known, whatever the list said.
    async fn read_filter(&self, place: &Place, mapping: &mut Snapshot) {
        let uuid = mapping.uuid.clone();
        let key = MappingKey { account: place.account.clone(), region: place.region.clone(), uuid };
        match patiently(|| self.lambda.mapping(&key)).await {
            Ok(Some(read)) => mapping.wiring.filters = read.wiring.filters,
            Ok(None) | Err(_) => mapping.wiring.filters = None,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all that is known of a mapping comes together here")]
    fn put_together(
        &self,
        place: &Place,
        mapping: Snapshot,
        judgement: Judgement,
        births: &Births,
        births_unread: Option<&str>,
        tags: &Tags,
        history: &History,
    ) -> Scanned {
        let Judgement { created, changed, verdict } = judgement;
        let about = About {
            place,
            mapping: &mapping,
            created: created.as_ref(),
            changed: changed.as_ref(),
            births,
            births_unread,
            tags,
            set: &self.set,
        };
        let (smells, mut unknown) = smells(&about);
        unknown.extend(history.unknown_of(&mapping));
        let attribution = history.attribution(&mapping);
        Scanned { place: place.clone(), mapping, attribution, created, changed, verdict, smells, unknown }
    }
}

impl Seen {
    fn miss(&mut self, place: &Place, uuid: &str, error: String) {
        self.missing.push(Missing { place: place.clone(), uuid: uuid.to_owned(), error });
    }
}
