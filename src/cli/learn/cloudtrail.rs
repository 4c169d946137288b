//! The mapping calls of the last 90 days, from CloudTrail itself.

use crate::aws::{AwsTrail, Limits, TrailPage};
use crate::cli::Result;
use crate::cli::places::{Wanted, places};
use crate::cloudtrail::{self, Verb};
use crate::config::Config;
use crate::detection::{Finding, inspect};
use crate::policy::PolicySet;
use crate::ports::{CallError, SearchBy};
use crate::scan::Place;
use jiff::{Timestamp, ToSpan as _};
use std::collections::HashSet;
use std::num::NonZeroU32;
use std::time::Duration;

/// `LookupEvents` takes two calls a second in each account and region.
const LOOKUPS_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);
/// A page is asked for so often; the waits between grow to [`LONGEST`].
const TRIES: u32 = 8;
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(20);

/// What CloudTrail told.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Oldest first, each once.
    pub(super) findings: Vec<Finding>,
    /// Records that could not be read: error, and whose they are.
    pub(super) damaged: Vec<(String, String)>,
    /// What could not be had, for people.
    pub(super) missing: Vec<String>,
    /// Pages that were read.
    pub(super) pages: u32,
}

/// Asks for everything of so many days, in each configured account and region, to the last page.
pub(super) async fn read(config: &Config, set: &PolicySet, days: u8) -> Result<Told> {
    let (_, places) = places(config, set, Wanted::default(), "sluicegate-learn").await?;
    let clients = &places.clients;
    let trail = &AwsTrail::new(clients.clone(), Limits::new(LOOKUPS_PER_SECOND));
    let since = Timestamp::now().checked_sub((i64::from(days) * 24).hours()).unwrap_or(Timestamp::UNIX_EPOCH);
    // The limit is each place's own, so that they are read side by side.
    let reads = places.all.iter().map(|place| async move {
        match clients.enter(&place.account).await {
            Ok(()) => read_place(trail, place, since).await,
            Err(error) => {
                Told { missing: vec![format!("{} could not be entered: {error}", place.account)], ..Told::default() }
            }
        }
    });
    let mut told = Told::default();
    for one in futures_util::future::join_all(reads).await {
        told.findings.extend(one.findings);
        told.damaged.extend(one.damaged);
        told.missing.extend(one.missing);
        told.pages += one.pages;
    }
    let mut known = HashSet::new();
    told.findings
        .retain(|finding| known.insert((finding.account.clone(), finding.region.clone(), finding.event.id.clone())));
    told.findings.sort_by(|a, b| order(a).cmp(&order(b)));
    Ok(told)
}

fn order(finding: &Finding) -> (Timestamp, &str, &str, &str) {
    (finding.event.time, &finding.account, &finding.region, &finding.event.id)
}

async fn read_place(trail: &AwsTrail, place: &Place, since: Timestamp) -> Told {
    let Place { account, region } = place;
    let mut told = Told::default();
    for name in [Verb::Create, Verb::Update].into_iter().flat_map(Verb::event_names) {
        let mut token = None;
        loop {
            match page(trail, account, region, name, since, token.clone()).await {
                Ok(TrailPage { records, next }) => {
                    told.pages += 1;
                    for record in &records {
                        told.add(record, region);
                    }
                    token = next;
                }
                Err(error) => {
                    told.missing.push(format!(
                        "{name} in account {account}, {region} could not be read {}: {error}",
                        if token.is_some() { "to the end" } else { "at all" }
                    ));
                    break;
                }
            }
            if token.is_none() {
                break;
            }
        }
    }
    told
}

/// One page, asked for again where that can help: a look-up changes nothing.
async fn page(
    trail: &AwsTrail,
    account: &str,
    region: &str,
    name: &str,
    since: Timestamp,
    token: Option<String>,
) -> std::result::Result<TrailPage, CallError> {
    let span = (since, None);
    let mut wait = FIRST;
    for _ in 1..TRIES {
        match trail.page(account, region, SearchBy::EventName(name), span, token.clone()).await {
            Err(error) if !error.is_final() => {
                let told = match &error {
                    CallError::Throttled { retry_after: Some(told), .. } => (*told).min(LONGEST),
                    _ => Duration::ZERO,
                };
                tokio::time::sleep(told.max(wait.mul_f64(0.5 + fastrand::f64() / 2.0))).await;
                wait = (wait * 2).min(LONGEST);
            }
            answer => return answer,
        }
    }
    trail.page(account, region, SearchBy::EventName(name), span, token).await
}

impl Told {
    fn add(&mut self, record: &str, region: &str) {
        for read in cloudtrail::read(record.as_bytes()) {
            match read {
                Ok(record) => self.findings.extend(inspect(&record).ok()),
                Err(damage) => {
                    let whose: String = record.chars().take(200).collect();
                    self.damaged.push((damage.error, format!("CloudTrail in {region}: {whose}")));
                }
            }
        }
    }
}
