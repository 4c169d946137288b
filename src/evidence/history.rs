//! Records of CloudTrail → what the same principal did lately, and whether it made or changed function and role.

use crate::case::{CallLine, Case, History};
use crate::cloudtrail::{self, Actor, Record};
use crate::mapping::{FunctionRef, partition_of};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;

/// How far back calls are told.
pub const SINCE: SignedDuration = SignedDuration::from_hours(24);
/// So many calls are told: a journal is no log.
const MOST: usize = 100;
/// Names in a record of a failed call are the caller's to choose.
const LONGEST: usize = 300;

/// Of CloudTrail's services, those whose calls are told.
const SERVICES: [&str; 3] = ["lambda", "iam", "sts"];

/// Calls that make or change a function, its code, or who may invoke it.
const ON_FUNCTION: [&str; 12] = [
    "CreateFunction",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
    "AddPermission",
    "RemovePermission",
    "CreateAlias",
    "UpdateAlias",
    "PublishVersion",
    "CreateFunctionUrlConfig",
    "UpdateFunctionUrlConfig",
    "PutFunctionEventInvokeConfig",
    "DeleteFunction",
];
/// Calls that make a role or change what it may do, or who may assume it.
const ON_ROLE: [&str; 9] = [
    "CreateRole",
    "PutRolePolicy",
    "AttachRolePolicy",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
    "DetachRolePolicy",
    "DeleteRolePolicy",
    "PutRolePermissionsBoundary",
    "DeleteRolePermissionsBoundary",
];
/// Where a request names what it is about, most telling first.
const NAMES: [&str; 12] = [
    "functionName",
    "roleName",
    "userName",
    "groupName",
    "roleArn",
    "policyArn",
    "policyName",
    "uUID",
    "eventSourceArn",
    "resource",
    "resourceArn",
    "name",
];

/// The region that records IAM's calls.
pub fn control_plane_of_iam(region: &str) -> &'static str {
    match partition_of(region) {
        "aws-us-gov" => "us-gov-west-1",
        "aws-cn" => "cn-north-1",
        "aws-iso" => "us-iso-east-1",
        "aws-iso-b" => "us-isob-east-1",
        "aws-eusc" => "eusc-de-east-1",
        _ => "us-east-1",
    }
}

/// Who made a call, compared with the case's actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The very session, user or key.
    Same,
    /// Another session of the same role.
    SamePrincipal,
    Another,
}

/// One record.
#[derive(Debug, Clone)]
struct Seen {
    line: CallLine,
    name: String,
    service: String,
    account: String,
    region: String,
    by: By,
    request: Value,
    response: Value,
    with_key: bool,
}

/// What a principal did, gathered from several searches.
#[derive(Debug)]
pub struct Lately<'c> {
    case: &'c Case,
    seen: BTreeMap<String, Seen>,
}

/// Reads records, as CloudTrail gives them.
pub fn read_calls<'c>(case: &'c Case, records: &[String]) -> Lately<'c> {
    let mut lately = Lately { case, seen: BTreeMap::new() };
    lately.add(records);
    lately
}

impl Lately<'_> {
    /// Adds the records of one more search; those that are known already are not doubled.
    pub fn add(&mut self, records: &[String]) {
        for text in records {
            let parsed = cloudtrail::read(text.as_bytes()).into_iter().flatten();
            let whole: Value = serde_json::from_str(text).unwrap_or_default();
            for record in parsed {
                if let Some(seen) = seen(&record, &whole, &self.case.opened.finding.actor) {
                    self.seen.insert(record.event_id.clone(), seen);
                }
            }
        }
    }

    /// Lambda, IAM and STS calls since a time, newest first.
    pub fn history(&self, since: Timestamp, more: bool, query: String, unread: Vec<String>) -> History {
        let own = self.newest_first(|seen| seen.by == By::Same && seen.line.at >= since);
        let mut began: Vec<String> =
            own.iter().filter_map(|seen| began(seen, &self.case.opened.finding.actor)).collect();
        began.sort_unstable();
        began.dedup();
        let more = more || own.len() > MOST;
        let calls = own.into_iter().take(MOST).map(|seen| seen.line.clone()).collect();
        History { since, calls, more, began_sessions: began, query, unread }
    }

    /// What the principal did to the function and its execution role, newest first; and whether it made the function.
    pub fn changes(&self, function: &FunctionRef, role_arn: &str) -> (Vec<CallLine>, bool) {
        let finding = &self.case.opened.finding;
        let about_function = |seen: &Seen| {
            let named = seen.request["functionName"].as_str().unwrap_or_default();
            let partition = partition_of(&seen.region);
            let named = FunctionRef::parse(named, partition, &seen.region, &seen.account);
            let here = seen.service == "lambda" && seen.account == finding.account && seen.region == finding.region;
            here && !function.name.is_empty() && named.name == function.name && named.account == function.account
        };
        let role = role_arn.rsplit('/').next().unwrap_or_default();
        let about_role = |seen: &Seen| {
            let named = seen.request["roleName"].as_str().unwrap_or_default();
            seen.service == "iam" && seen.account == finding.account && !role.is_empty() && named == role
        };
        let done = |seen: &Seen, names: &[&str]| seen.line.error.is_empty() && names.contains(&seen.name.as_str());
        let changed = self.newest_first(|seen| {
            seen.by != By::Another
                && (done(seen, &ON_FUNCTION) && about_function(seen) || done(seen, &ON_ROLE) && about_role(seen))
        });
        let made = self.newest_first(|seen| done(seen, &["CreateFunction"]) && about_function(seen));
        let made = made.first().is_some_and(|seen| seen.by != By::Another);
        (changed.into_iter().take(MOST).map(|seen| seen.line.clone()).collect(), made)
    }

    fn newest_first(&self, wanted: impl Fn(&Seen) -> bool) -> Vec<&Seen> {
        let mut found: Vec<&Seen> = self.seen.values().filter(|seen| wanted(seen)).collect();
        found.sort_by(|a, b| b.line.at.cmp(&a.line.at).then_with(|| a.line.event_id.cmp(&b.line.event_id)));
        found
    }
}

fn seen(record: &Record, whole: &Value, actor: &Actor) -> Option<Seen> {
    let service = record.event_source.strip_suffix(".amazonaws.com").filter(|service| SERVICES.contains(service))?;
    let name = without_version(&record.event_name).to_owned();
    let request = whole["requestParameters"].clone();
    let on = NAMES.iter().find_map(|key| request[*key].as_str()).unwrap_or_default();
    let by = by(&record.actor, actor);
    let other = if by == By::SamePrincipal { record.actor.session_name.as_str() } else { "" };
    let line = CallLine {
        at: record.event_time?,
        what: shortened(&format!("{service}:{name}")),
        on: shortened(on),
        error: shortened(if record.failed() && record.error_code.is_empty() { "failed" } else { &record.error_code }),
        event_id: shortened(&record.event_id),
        by: shortened(other),
    };
    Some(Seen {
        line,
        name,
        service: service.to_owned(),
        account: record.account.clone(),
        region: record.region.clone(),
        by,
        request,
        response: whole["responseElements"].clone(),
        with_key: !actor.access_key_id.is_empty() && record.actor.access_key_id == actor.access_key_id,
    })
}

fn by(who: &Actor, actor: &Actor) -> By {
    if !actor.access_key_id.is_empty() && who.access_key_id == actor.access_key_id {
        return By::Same;
    }
    if actor.principal_arn.is_empty() || who.principal_arn != actor.principal_arn {
        return By::Another;
    }
    if who.session_name == actor.session_name { By::Same } else { By::SamePrincipal }
}

/// The session that a call began, where it was made with the actor's own key, or its key is not known.
fn began(seen: &Seen, actor: &Actor) -> Option<String> {
    let own = seen.with_key || actor.access_key_id.is_empty();
    if seen.service != "sts" || !own || !seen.line.error.is_empty() {
        return None;
    }
    let text = |pointer: &str| seen.response.pointer(pointer).and_then(Value::as_str);
    let who = match seen.name.as_str() {
        "AssumeRole" | "AssumeRoleWithSAML" | "AssumeRoleWithWebIdentity" => {
            text("/assumedRoleUser/arn").or_else(|| seen.request["roleArn"].as_str())?
        }
        "GetFederationToken" => text("/federatedUser/arn")?,
        "GetSessionToken" => "another session of the same principal",
        _ => return None,
    };
    let key = text("/credentials/accessKeyId").map(|key| format!(" (key {key})")).unwrap_or_default();
    Some(shortened(&format!("{who}{key}")))
}

/// `UpdateFunctionCode20150331v2` → `UpdateFunctionCode`: Lambda's events carry their API's date.
fn without_version(name: &str) -> &str {
    let bare = name.rsplit_once('v').filter(|(_, n)| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()));
    let bare = bare.map_or(name, |(bare, _)| bare);
    let end = bare.trim_end_matches(|c: char| c.is_ascii_digit());
    if bare.len() - end.len() == 8 { end } else { name }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
#[path = "tests/history.rs"]
mod tests;
