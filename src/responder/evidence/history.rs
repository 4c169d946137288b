//! What the same principal and key did lately, by CloudTrail; and whether they made the function and its role.

use super::round::{Missed, Round, within};
use super::watching::Answer;
use crate::case::{Case, Evidence, FunctionFacts};
use crate::cloudtrail::{Actor, PrincipalKind};
use crate::evidence::{Lately, Piece, SINCE, control_plane_of_iam, data_events, function_of, read_calls, shared};
use crate::ports::{JournalError, SearchBy};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tokio::time::Instant;

/// How long all searches together may take: CloudTrail answers a page a second, and verification comes first.
const ALL: Duration = Duration::from_secs(30);
/// Of what somebody did.
const PAGES: u32 = 4;
/// Of what was done to a function or role.
const PAGES_OF_RESOURCE: u32 = 2;
/// A function may have been made long before it is used; CloudTrail looks back 90 days.
const MADE_SINCE: SignedDuration = SignedDuration::from_hours(89 * 24);

/// One search.
struct Search<'a> {
    region: String,
    by: SearchBy<'a>,
    since: Timestamp,
    pages: u32,
    /// That there is more of it is worth telling.
    tells_more: bool,
}

impl Round<'_> {
    pub(super) async fn history(&self) -> Result<(), JournalError> {
        if !self.wants(Piece::History) {
            return self.refine(None).await;
        }
        let case = self.current().await;
        let now = self.responder.ports.clock.now();
        let role = case.function_facts().map(|facts| facts.role.clone()).unwrap_or_default();
        let name = user_name(&case.opened.finding.actor);
        let searches = searches(&case, &role, &name, now);
        let mut lately = read_calls(&case, &[]);
        let (mut more, mut unread) = (false, Vec::new());
        let turn = self.responder.gathering.searching.lock().await;
        let until = Instant::now() + ALL;
        for search in &searches {
            match self.search(&case, search, until).await {
                Ok(answer) => {
                    lately.add(&answer.0);
                    more |= answer.1 && search.tells_more;
                }
                Err(missed) => unread.push(format!("{}: {}", told(search), missed.why)),
            }
        }
        drop(turn);
        self.refine(Some((&lately, &role))).await?;
        if unread.len() == searches.len() {
            let why = format!(
                "CloudTrail cannot be asked: {}",
                unread.first().map_or("there is nothing to ask for", |why| why)
            );
            return self.missed(Piece::History, Missed { why, in_vain: searches.is_empty() }).await;
        }
        let incomplete = !unread.is_empty();
        let since = now.checked_sub(SINCE).unwrap_or(now);
        let history = lately.history(since, more, data_events(&case, &role, now), unread);
        let history = Evidence::History(Box::new(history));
        if incomplete {
            return self.learnt_in_part(Piece::History, history, false).await;
        }
        self.learnt(Piece::History, history).await
    }

    async fn search(&self, case: &Case, search: &Search<'_>, until: Instant) -> Result<Answer, Missed> {
        let finding = &case.opened.finding;
        let key = format!("{} {} {:?} {}", finding.account, search.region, search.by, search.tells_more);
        if let Some(known) = self.responder.gathering.answered(&key) {
            return Ok(known);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Missed { why: "there was no time left for it".to_owned(), in_vain: false });
        }
        let Search { region, by, since, pages, .. } = search;
        let found =
            within(left, self.responder.ports.trail.search(&finding.account, region, *by, *since, *pages)).await?;
        let answer = Answer::new(found);
        self.responder.gathering.keep_answer(key, answer.clone());
        Ok(answer)
    }

    /// What is known of the function, together with what the source and CloudTrail have added.
    async fn refine(&self, lately: Option<(&Lately<'_>, &str)>) -> Result<(), JournalError> {
        let case = self.current().await;
        let Some(known) = case.function_facts() else { return Ok(()) };
        let mut facts: FunctionFacts = known.clone();
        if let Some(source) = case.source_facts() {
            facts.shared_tags = shared(&facts.tags, &source.tags);
        }
        if let Some((lately, role)) = lately {
            let (changed, made) = lately.changes(function_of(&case), role);
            // What was seen once stays so, although a later search may fail.
            let new = |call: &_| !changed.contains(call);
            let earlier: Vec<_> = facts.changed_by_actor.iter().filter(|call| new(call)).cloned().collect();
            facts.changed_by_actor = changed.iter().cloned().chain(earlier).collect();
            facts.changed_by_actor.sort_by_key(|call| std::cmp::Reverse(call.at));
            facts.changed_by_actor.truncate(100);
            facts.made_by_actor |= made;
        }
        self.tell(Evidence::Function(Box::new(facts))).await
    }
}

/// What to search for, most telling first: who made function and role, then what else key and principal did. IAM's calls
/// are recorded in one region only.
fn searches<'a>(case: &'a Case, role_arn: &'a str, name: &'a str, now: Timestamp) -> Vec<Search<'a>> {
    let finding = &case.opened.finding;
    let (here, iam) = (finding.region.as_str(), control_plane_of_iam(&finding.region));
    let since = |span: SignedDuration| now.checked_sub(span).unwrap_or(now);
    let role = role_arn.rsplit('/').next().unwrap_or_default();
    let function = function_of(case).name.as_str();
    let resource = |region: &str, by, name: &str| {
        (!name.is_empty()).then(|| Search {
            region: region.to_owned(),
            by,
            since: since(MADE_SINCE),
            pages: PAGES_OF_RESOURCE,
            tells_more: false,
        })
    };
    let mut all: Vec<Search<'a>> = Vec::new();
    all.extend(resource(here, SearchBy::Resource(function), function));
    all.extend(resource(iam, SearchBy::Resource(role), role));
    let key = finding.actor.access_key_id.as_str();
    for (by, text) in [(SearchBy::AccessKey(key), key), (SearchBy::Username(name), name)] {
        let regions = if here == iam { vec![here] } else { vec![here, iam] };
        for region in regions.into_iter().filter(|_| !text.is_empty()) {
            all.push(Search { region: region.to_owned(), by, since: since(SINCE), pages: PAGES, tells_more: true });
        }
    }
    all
}

/// The name under which CloudTrail lists a caller: a session's, a user's, `root`.
fn user_name(actor: &Actor) -> String {
    match actor.kind {
        PrincipalKind::IamUser => actor.principal_arn.rsplit('/').next().unwrap_or_default().to_owned(),
        PrincipalKind::Root => "root".to_owned(),
        _ => actor.session_name.clone(),
    }
}

fn told(search: &Search<'_>) -> String {
    let by = match search.by {
        SearchBy::AccessKey(key) => format!("calls with key {key}"),
        SearchBy::Username(name) => format!("calls by {name}"),
        SearchBy::EventName(name) => format!("calls of {name}"),
        SearchBy::Resource(name) => format!("calls on {name}"),
    };
    format!("{by} in {}", search.region)
}
