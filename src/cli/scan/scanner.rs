//! One account and region, looked at: what is there, who made it, whether it is allowed, what smells.

use super::trail::{Birthdays, History, patiently};
use crate::aws::{AwsEnrichment, AwsLambda, AwsTrail, Clients, Limits, Packages};
use crate::config::Config;
use crate::evidence::tagged_arn;
use crate::mapping::{MappingKey, Snapshot};
use crate::policy::PolicySet;
use crate::ports::{CallError, Lambda as _};
use crate::scan::{About, Filtering, Judgement, Missing, Place, Scanned, Tags, judge, says_sensitive, smells};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroU32;

/// CloudTrail answers two look-ups a second; half of that is left to a responder at work.
const LOOKUPS_PER_SECOND: NonZeroU32 = NonZeroU32::MIN;
/// Of tags, in each account and region.
const READS_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

/// So many ARNs the tagging API takes in one call.
const TAGS_AT_ONCE: usize = 100;

/// What looks at places, one after another or side by side.
pub(super) struct Scanner {
    clients: Clients,
    lambda: AwsLambda,
    trail: AwsTrail,
    enrichment: AwsEnrichment,
    set: PolicySet,
    now: Timestamp,
}

/// What is known of a place beside its mappings.
struct Known<'a> {
    place: &'a Place,
    history: &'a History,
    birthdays: &'a Birthdays,
    tags: &'a BTreeMap<String, Tags>,
}

/// What was seen of a place.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) scanned: Vec<Scanned>,
    pub(super) missing: Vec<Missing>,
}

impl Scanner {
    pub(super) fn new(config: &Config, set: PolicySet, clients: Clients) -> Self {
        // Beside a responder at work, and its sweep, that stays below what Lambda gives all callers together.
        let share = NonZeroU32::new(config.containment.max_calls_per_second.get() / 4).unwrap_or(NonZeroU32::MIN);
        Self {
            lambda: AwsLambda::new(clients.clone(), Limits::new(share)),
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
        let known = Known { place, history: &history, birthdays: &birthdays, tags: &tags };
        let all = mappings.into_iter().zip(judged);
        seen.scanned.extend(all.map(|(mapping, judgement)| self.put_together(&known, mapping, judgement)));
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
        let mut asked = BTreeSet::new();
        for mapping in mappings.iter().filter(|mapping| Filtering::of(mapping).may_be_open()) {
            let arn = tagged_arn(&mapping.source);
            if mapping.source.account == place.account {
                asked.insert(arn);
            } else if !arn.is_empty() {
                all.insert(arn, Tags::Unread("it is in another account, which keeps its tags".to_owned()));
            }
        }
        let asked: Vec<String> = asked.into_iter().collect();
        for arns in asked.chunks(TAGS_AT_ONCE) {
            all.extend(self.tags_of(place, arns).await);
        }
        for mapping in mappings.iter_mut().filter(|mapping| mapping.whole["FilterCriteria"].is_null()) {
            let tags = all.get(&tagged_arn(&mapping.source));
            if matches!(tags, Some(Tags::Read(tags)) if says_sensitive(tags).is_some()) {
                self.read_filter(place, mapping).await;
            }
        }
        all
    }

    async fn tags_of(&self, place: &Place, arns: &[String]) -> Vec<(String, Tags)> {
        let Place { account, region } = place;
        let one = |arn: &String, answer: Result<HashMap<String, _>, CallError>| {
            let tags = match answer {
                Ok(mut found) => Tags::Read(found.remove(arn).unwrap_or_default()),
                Err(error) => Tags::Unread(format!("its tags cannot be read (tag:GetResources): {error}")),
            };
            (arn.clone(), tags)
        };
        match patiently(|| self.enrichment.tags_of_many(account, region, arns)).await {
            // One name that the API does not take is no reason to know nothing of the others.
            Err(error) if error.is_final() && !error.is_denied() && arns.len() > 1 => {
                let mut all = Vec::new();
                for arn in arns {
                    let alone = std::slice::from_ref(arn);
                    all.push(one(arn, patiently(|| self.enrichment.tags_of_many(account, region, alone)).await));
                }
                all
            }
            answer => arns.iter().map(|arn| one(arn, answer.clone())).collect(),
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

    fn put_together(&self, known: &Known<'_>, mapping: Snapshot, judgement: Judgement) -> Scanned {
        let births_unread = known.birthdays.unread(&judgement);
        let Judgement { created, changed, verdict } = judgement;
        let about = About {
            place: known.place,
            mapping: &mapping,
            created: created.as_ref(),
            changed: changed.as_ref(),
            births: known.birthdays.births(),
            births_unread,
            tags: known.tags.get(&tagged_arn(&mapping.source)).unwrap_or(&Tags::NotAsked),
            set: &self.set,
        };
        let (smells, mut unknown) = smells(&about);
        unknown.extend(known.history.unknown_of(&mapping));
        let attribution = known.history.attribution(&mapping);
        Scanned { place: known.place.clone(), mapping, attribution, created, changed, verdict, smells, unknown }
    }
}

impl Seen {
    fn miss(&mut self, place: &Place, uuid: &str, error: String) {
        self.missing.push(Missing { place: place.clone(), uuid: uuid.to_owned(), error });
    }
}
