//! Request and response of a mapping call → a [`MappingCall`].

use super::json::{Fault, elements, flag, pick, present, text, text_or_empty, values};
use super::{Asked, MappingCall, Mentions, Verb, time};
use crate::mapping::{Arn, FunctionRef, SourceAccess, SourceRef, Wiring, partition_of};
use serde_json::value::RawValue;
use std::fmt::Display;

/// Where a call was made: what a function's bare name leaves out.
pub(super) struct Place<'a> {
    pub(super) region: &'a str,
    pub(super) account: &'a str,
}

impl Place<'_> {
    /// A mapping and its function are where the call was made; an ARN that says otherwise contradicts the record.
    fn contradicts(&self, what: &str, arn: &str) -> Option<String> {
        let there = Arn::parse(arn)?;
        let here = there.account == self.account && there.region == self.region;
        let Self { region, account } = self;
        (!here).then(|| format!("the call was made in account {account}, region {region}, but its {what} is {arn}"))
    }
}

/// The verb of an event name, whatever API date follows it.
pub(crate) fn verb_of(event_name: &str) -> Option<Verb> {
    if event_name.starts_with("CreateEventSourceMapping") {
        Some(Verb::Create)
    } else if event_name.starts_with("UpdateEventSourceMapping") {
        Some(Verb::Update)
    } else {
        None
    }
}

/// Reads a call that succeeded. What is missing or of a wrong type is left empty; an object that says the same thing
/// twice is an error.
pub(super) fn read(
    verb: Verb,
    request: Option<&RawValue>,
    response: Option<&RawValue>,
    place: &Place<'_>,
) -> Result<MappingCall, String> {
    let asked = Request::read(request).map_err(|fault| format!("requestParameters {fault}"))?;
    let answered = Answered::read(response).map_err(|fault| format!("responseElements {fault}"))?;
    let function = |raw: Option<&RawValue>| {
        let text = text(raw).filter(|text| !text.is_empty())?;
        let partition = partition_of(place.region);
        Some(FunctionRef::parse(&text, partition, place.region, place.account))
    };
    let asked_function = function(asked.function);
    let answered_function = function(answered.function);
    let asked_source = source(asked.source, asked.kafka);
    let answered_source = source(answered.source, answered.kafka);
    let asked_uuid = text_or_empty(asked.uuid);
    let answered_uuid = text_or_empty(answered.uuid);

    let mut disagrees = Vec::new();
    if let Some((asked, answered)) = asked_function.as_ref().zip(answered_function.as_ref())
        && !asked.same_target(answered)
    {
        disagrees.push(contradiction("function", asked, answered));
    }
    if let Some((asked, answered)) = asked_source.as_ref().zip(answered_source.as_ref())
        && asked != answered
    {
        disagrees.push(contradiction("source", asked, answered));
    }
    let named = disagrees.len();
    if ![asked_uuid.as_str(), &answered_uuid].contains(&"") && !asked_uuid.eq_ignore_ascii_case(&answered_uuid) {
        disagrees.push(contradiction("mapping", &asked_uuid, &answered_uuid));
    }
    let mapping_arn = text_or_empty(answered.mapping_arn);
    let arns = [("function", asked_function.as_ref()), ("function", answered_function.as_ref())];
    let arns = arns.into_iter().filter_map(|(what, function)| Some((what, function?.arn.as_str())));
    disagrees
        .extend(arns.chain([("mapping", mapping_arn.as_str())]).filter_map(|(what, arn)| place.contradicts(what, arn)));
    disagrees.dedup();
    // Which mapping it is, and where, cannot be one of two things.
    let other = (named > 0 && disagrees.len() == named).then(|| {
        let function = asked_function.as_ref().or(answered_function.as_ref());
        let source = asked_source.as_ref().or(answered_source.as_ref());
        Box::new(Asked { function: function.cloned().unwrap_or_default(), source: source.cloned().unwrap_or_default() })
    });
    let known = |function: &FunctionRef| function.is_known();
    Ok(MappingCall {
        verb,
        uuid: if answered_uuid.is_empty() { asked_uuid } else { answered_uuid },
        mapping_arn,
        function: (answered_function.filter(known).or(asked_function)).unwrap_or_default(),
        names_function: present(asked.function).is_some_and(|raw| raw.get() != "\"\""),
        source: answered_source.or(asked_source).unwrap_or_default(),
        enabled: asked.enabled(),
        wiring: asked.wiring,
        state: text_or_empty(answered.state),
        last_modified: time::any(answered.last_modified),
        mentions: asked.mentions,
        withheld: asked.withheld,
        disagrees: disagrees.join("; "),
        asked: other,
    })
}

fn contradiction(what: &str, asked: &dyn Display, answered: &dyn Display) -> String {
    format!("the request names {what} {asked}, the response {answered}")
}

#[derive(Default)]
struct Request<'a> {
    uuid: Option<&'a RawValue>,
    function: Option<&'a RawValue>,
    source: Option<&'a RawValue>,
    kafka: Option<&'a RawValue>,
    enabled: Option<&'a RawValue>,
    wiring: Wiring,
    mentions: Mentions,
    withheld: bool,
}

impl<'a> Request<'a> {
    fn read(request: Option<&'a RawValue>) -> Result<Self, Fault> {
        let names = [
            "uuid",
            "functionName",
            "eventSourceArn",
            "selfManagedEventSource",
            "enabled",
            "filterCriteria",
            "destinationConfig",
            "sourceAccessConfigurations",
        ];
        // `null`, the text "null", or something that is no request at all.
        let Some(request) = request.filter(|raw| raw.get().starts_with('{')) else {
            return Ok(Self { withheld: true, ..Self::default() });
        };
        let [uuid, function, source, kafka, enabled, filter, destination, access] = pick(request, &names)?;
        let mut mentions = Mentions::default();
        let filters = aspect(filter, filters, &mut mentions.filter, &mut mentions.unreadable)?;
        let ends = aspect(destination, ends, &mut mentions.destination, &mut mentions.unreadable)?;
        let access = aspect(access, accesses, &mut mentions.source_access, &mut mentions.unreadable)?;
        let (on_failure, on_success) = ends.unwrap_or_default();
        Ok(Self {
            uuid,
            function,
            source,
            kafka,
            enabled,
            wiring: Wiring::new(filters, on_failure, on_success, access),
            mentions,
            withheld: false,
        })
    }

    /// A value that is there and is no boolean counts as true: the call may have enabled the mapping.
    fn enabled(&self) -> Option<bool> {
        present(self.enabled).map(|raw| flag(Some(raw)).unwrap_or(true))
    }
}

/// What a reader of one aspect found.
enum Aspect<T> {
    Named(T),
    /// `{}` or `[]`
    LeftOut,
    Unreadable,
}

fn aspect<'a, T>(
    raw: Option<&'a RawValue>,
    read: impl FnOnce(&'a RawValue) -> Result<Aspect<T>, Fault>,
    mentioned: &mut bool,
    unreadable: &mut bool,
) -> Result<Option<T>, Fault> {
    let Some(raw) = present(raw) else { return Ok(None) };
    *mentioned = true;
    match read(raw) {
        Ok(Aspect::Named(value)) => return Ok(Some(value)),
        Ok(Aspect::LeftOut) => {}
        Ok(Aspect::Unreadable) | Err(Fault::NotAnObject | Fault::Broken) => *unreadable = true,
        Err(fault @ Fault::Twice(_)) => return Err(fault),
    }
    Ok(None)
}

/// `{"filters": [{"pattern": "…"}]}`
fn filters(raw: &RawValue) -> Result<Aspect<Vec<String>>, Fault> {
    let [list] = pick(raw, &["filters"])?;
    let Some(list) = present(list) else {
        return Ok(Aspect::LeftOut);
    };
    let mut patterns = Vec::new();
    for filter in elements(list).ok_or(Fault::Broken)? {
        let [pattern] = pick(filter, &["pattern"])?;
        match text(pattern) {
            Some(pattern) => patterns.push(pattern.into_owned()),
            None => return Ok(Aspect::Unreadable),
        }
    }
    Ok(Aspect::Named(patterns))
}

/// Where records go after failure and after success.
type Ends = (Option<String>, Option<String>);

/// `{"onFailure": {"destination": "…"}, "onSuccess": {…}}`
fn ends(raw: &RawValue) -> Result<Aspect<Ends>, Fault> {
    let [failure, success] = pick(raw, &["onFailure", "onSuccess"])?;
    let end = |raw: Option<&RawValue>| -> Result<Option<String>, Fault> {
        let Some(raw) = present(raw) else { return Ok(None) };
        let [destination] = pick(raw, &["destination"])?;
        match present(destination) {
            None => Ok(Some(String::new())),
            Some(raw) => text(Some(raw)).map(|text| Some(text.into_owned())).ok_or(Fault::Broken),
        }
    };
    Ok(match (end(failure)?, end(success)?) {
        (None, None) => Aspect::LeftOut,
        ends => Aspect::Named(ends),
    })
}

/// `[{"type": "…", "uRI": "…"}]`
fn accesses(raw: &RawValue) -> Result<Aspect<Vec<SourceAccess>>, Fault> {
    let mut list = Vec::new();
    for access in elements(raw).ok_or(Fault::Broken)? {
        let [kind, uri] = pick(access, &["type", "uri"])?;
        list.push(SourceAccess {
            kind: text(kind).ok_or(Fault::Broken)?.into_owned(),
            uri: text(uri).ok_or(Fault::Broken)?.into_owned(),
        });
    }
    Ok(if list.is_empty() { Aspect::LeftOut } else { Aspect::Named(list) })
}

#[derive(Default)]
struct Answered<'a> {
    uuid: Option<&'a RawValue>,
    mapping_arn: Option<&'a RawValue>,
    function: Option<&'a RawValue>,
    source: Option<&'a RawValue>,
    kafka: Option<&'a RawValue>,
    state: Option<&'a RawValue>,
    last_modified: Option<&'a RawValue>,
}

impl<'a> Answered<'a> {
    fn read(response: Option<&'a RawValue>) -> Result<Self, Fault> {
        let names = [
            "uuid",
            "eventSourceMappingArn",
            "functionArn",
            "eventSourceArn",
            "selfManagedEventSource",
            "state",
            "lastModified",
        ];
        let Some(response) = response.filter(|raw| raw.get().starts_with('{')) else {
            return Ok(Self::default());
        };
        let [uuid, mapping_arn, function, source, kafka, state, last_modified] = pick(response, &names)?;
        Ok(Self { uuid, mapping_arn, function, source, kafka, state, last_modified })
    }
}

/// The source by its ARN, else by the bootstrap servers, whatever key of `endpoints` they stand under.
fn source(arn: Option<&RawValue>, kafka: Option<&RawValue>) -> Option<SourceRef> {
    if let Some(arn) = text(arn).filter(|arn| !arn.is_empty()) {
        return Some(SourceRef::from_arn(&arn));
    }
    let [endpoints] = pick(kafka?, &["endpoints"]).ok()?;
    let mut servers = Vec::new();
    for value in values(endpoints?)? {
        let list = elements(value).unwrap_or_else(|| vec![value]);
        servers.extend(list.into_iter().filter_map(|server| text(Some(server))));
    }
    Some(SourceRef::from_bootstrap(servers)).filter(SourceRef::is_known)
}

#[cfg(test)]
mod tests;
