//! A question as Cedar takes it: a dozen entities, typed and checked against the schema, built for each question.

use super::inventory::Inventory;
use super::names::{self, CHANGES, PRINCIPAL_KINDS, SOURCE_KINDS};
use super::rules::Vocabulary;
use super::{Facts, Person};
use crate::cloudtrail::Verb;
use crate::detection::{Change, Finding};
use cedar_policy::{Context, Entities, Entity, EntityUid, Request, RestrictedExpression as Value};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

/// Builds entities and requests from what is known of a finding.
pub(super) struct Asking<'a> {
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) inventory: &'a Inventory,
    pub(super) finding: &'a Finding,
}

impl Asking<'_> {
    /// The actor, the mapping and the accounts of both.
    pub(super) fn actor_entities(&self) -> Result<Entities, String> {
        let account = self.actor_account();
        let accounts = BTreeSet::from([account, self.finding.account.as_str()]);
        let mut entities = self.accounts(&accounts)?;
        entities.push(self.actor(account)?);
        entities.push(self.mapping()?);
        self.checked(entities)
    }

    /// The approver and the mapping.
    pub(super) fn approver_entities(&self, who: &Person) -> Result<Entities, String> {
        let mut entities = self.accounts(&BTreeSet::from([self.finding.account.as_str()]))?;
        let mut teams = HashSet::new();
        for team in &who.teams {
            let team = self.vocabulary.entity("Team", team)?;
            entities.push(Entity::with_uid(team.clone()));
            teams.insert(team);
        }
        let attributes = HashMap::from([("person".to_owned(), text(&who.id)), ("email".to_owned(), text(&who.email))]);
        entities.push(Entity::new(self.vocabulary.entity("Approver", &who.id)?, attributes, teams).map_err(told)?);
        entities.push(self.mapping()?);
        self.checked(entities)
    }

    /// What a question about the actor depends on besides actor and mapping.
    pub(super) fn event_context(&self, facts: &Facts, change: Change, allowlisted: bool) -> Result<Context, String> {
        let Finding { actor, event, .. } = self.finding;
        let address = actor.source_ip.parse::<IpAddr>().ok();
        let host = if address.is_some() { "" } else { actor.source_ip.as_str() };
        let mut pairs = vec![
            ("now", time(facts.now)),
            ("eventTime", time(event.time)),
            ("trigger", self.value("Trigger", names::trigger(facts.trigger))?),
            ("change", self.value("Change", names::word(&CHANGES, &change))?),
            ("allowlisted", Value::new_bool(allowlisted)),
            ("mfa", Value::new_bool(actor.mfa)),
            ("console", Value::new_bool(actor.console)),
            ("sourceHost", text(host)),
            ("userAgent", text(&actor.user_agent)),
            ("invokedBy", text(&actor.invoked_by)),
            ("confirmed", Value::new_bool(facts.confirmed)),
            ("findingsByActor", Value::new_long(facts.findings_by_actor.into())),
            ("wrongOfLastTen", Value::new_long(facts.wrong_of_last_ten.into())),
        ];
        pairs.extend(address.map(|address| ("sourceIp", Value::new_ip(address.to_string()))));
        // Every action on an actor takes the same context, so it is checked once for all of them.
        self.context(pairs, "create")
    }

    /// What a question about an approver depends on besides approver and mapping.
    pub(super) fn decision_context(&self, now: Timestamp, caused: bool, reversible: bool) -> Result<Context, String> {
        let pairs =
            vec![("now", time(now)), ("caused", Value::new_bool(caused)), ("reversible", Value::new_bool(reversible))];
        self.context(pairs, "approve.leave")
    }

    /// The question whether the actor, or something done about it, is permitted.
    pub(super) fn actor_request(&self, action: &str, context: Context) -> Result<Request, String> {
        self.request(self.vocabulary.entity("Actor", &self.finding.actor.principal_arn)?, action, context)
    }

    /// The question whether somebody may decide.
    pub(super) fn approver_request(&self, who: &Person, action: &str, context: Context) -> Result<Request, String> {
        self.request(self.vocabulary.entity("Approver", &who.id)?, action, context)
    }

    fn request(&self, principal: EntityUid, action: &str, context: Context) -> Result<Request, String> {
        let action = self.vocabulary.entity("Action", action)?;
        // Types are right by construction, and the context was checked when it was made.
        Request::new(principal, action, self.mapping_uid()?, context, None).map_err(told)
    }

    fn context(&self, pairs: Vec<(&'static str, Value)>, action: &str) -> Result<Context, String> {
        let pairs = pairs.into_iter().map(|(key, value)| (key.to_owned(), value));
        let context = Context::from_pairs(pairs).map_err(told)?;
        let action = self.vocabulary.entity("Action", action)?;
        context.validate(&self.vocabulary.schema, &action).map_err(told)?;
        Ok(context)
    }

    fn actor_account(&self) -> &str {
        let actor = &self.finding.actor;
        match actor.account.as_str() {
            "" => actor.principal_arn.split(':').nth(4).unwrap_or(""),
            account => account,
        }
    }

    fn actor(&self, account: &str) -> Result<Entity, String> {
        let actor = &self.finding.actor;
        let arn = actor.principal_arn.as_str();
        let (path, name) = path_and_name(arn);
        let attributes = [
            ("kind", self.value("PrincipalKind", names::word(&PRINCIPAL_KINDS, &actor.kind))?),
            ("arn", text(arn)),
            ("account", text(account)),
            ("path", text(path)),
            ("name", text(name)),
            ("sessionName", text(&actor.session_name)),
            ("protected", Value::new_bool(self.inventory.is_protected(arn))),
        ];
        let parents = self.account_parent(account)?;
        Entity::new(self.vocabulary.entity("Actor", arn)?, owned(attributes), parents.collect()).map_err(told)
    }

    fn mapping(&self) -> Result<Entity, String> {
        let Finding { account, region, call, .. } = self.finding;
        let function = record([
            ("arn", text(&call.function.arn)),
            ("name", text(&call.function.name)),
            ("qualifier", text(&call.function.qualifier)),
            ("account", text(&call.function.account)),
        ])?;
        let source = record([
            ("kind", self.value("SourceKind", names::word(&SOURCE_KINDS, &call.source.kind))?),
            ("arn", text(&call.source.arn)),
            ("name", text(&call.source.name)),
            ("account", text(&call.source.account)),
            ("origin", self.value("Origin", self.inventory.origin(&call.source, account))?),
        ])?;
        let answered = matches!(call.state.as_str(), "Enabled" | "Enabling");
        let enabled = call.enabled.unwrap_or(call.verb == Verb::Create || answered);
        let attributes = [
            ("account", text(account)),
            ("region", text(region)),
            ("function", function),
            ("source", source),
            ("enabled", Value::new_bool(enabled)),
        ];
        let mut parents: HashSet<EntityUid> = self.account_parent(account)?.collect();
        for group in self.inventory.function_groups_of(&call.function.name) {
            parents.insert(self.vocabulary.entity("FunctionGroup", group)?);
        }
        Entity::new(self.mapping_uid()?, owned(attributes), parents).map_err(told)
    }

    fn mapping_uid(&self) -> Result<EntityUid, String> {
        self.vocabulary.entity("Mapping", &self.finding.call.uuid)
    }

    fn account_parent(&self, account: &str) -> Result<impl Iterator<Item = EntityUid>, String> {
        let known = Some(account).filter(|account| !account.is_empty());
        Ok(known.map(|account| self.vocabulary.entity("Account", account)).transpose()?.into_iter())
    }

    fn accounts(&self, accounts: &BTreeSet<&str>) -> Result<Vec<Entity>, String> {
        let mut entities = Vec::new();
        for account in accounts.iter().filter(|account| !account.is_empty()) {
            let groups = self.inventory.groups_of(account);
            let groups = groups.map(|group| self.vocabulary.entity("AccountGroup", group));
            let uid = self.vocabulary.entity("Account", account)?;
            entities.push(Entity::new_no_attrs(uid, groups.collect::<Result<_, _>>()?));
        }
        Ok(entities)
    }

    fn checked(&self, entities: Vec<Entity>) -> Result<Entities, String> {
        Entities::from_entities(entities, Some(&self.vocabulary.schema)).map_err(told)
    }

    fn value(&self, kind: &str, id: &str) -> Result<Value, String> {
        Ok(Value::new_entity_uid(self.vocabulary.entity(kind, id)?))
    }
}

/// `("/ci/", "deployer")` of `…:role/ci/deployer`; `("/", "root")` of root.
pub(super) fn path_and_name(principal_arn: &str) -> (&str, &str) {
    let resource = principal_arn.splitn(6, ':').nth(5).unwrap_or("");
    let Some(slash) = resource.find('/') else {
        return ("/", resource);
    };
    let whole = resource.get(slash..).unwrap_or("/");
    whole.split_at(whole.rfind('/').map_or(0, |last| last + 1))
}

fn record<const N: usize>(fields: [(&'static str, Value); N]) -> Result<Value, String> {
    Value::new_record(fields.map(|(key, value)| (key.to_owned(), value))).map_err(told)
}

fn owned<const N: usize>(attributes: [(&'static str, Value); N]) -> HashMap<String, Value> {
    attributes.map(|(key, value)| (key.to_owned(), value)).into()
}

fn text(value: &str) -> Value {
    Value::new_string(value.to_owned())
}

/// Cedar takes whole milliseconds and `Z`.
fn time(at: Timestamp) -> Value {
    Value::new_datetime(format!("{at:.3}"))
}

fn told(error: impl std::fmt::Display) -> String {
    format!("the question could not be put: {error}")
}

#[cfg(test)]
mod tests {
    use super::path_and_name;

    #[test]
    fn an_arn_is_split_into_path_and_name() {
        assert_eq!(path_and_name("arn:aws:iam::1:role/ci/x/deployer"), ("/ci/x/", "deployer"));
        assert_eq!(path_and_name("arn:aws:iam::1:user/bob"), ("/", "bob"));
        assert_eq!(path_and_name("arn:aws:iam::1:root"), ("/", "root"));
        assert_eq!(path_and_name(""), ("/", ""));
    }
}
