//! The third question: who somebody is, whether they caused it, and whether they may decide it.

use super::inventory::{Caller, Member, PersonEntry};
use super::names::{self, APPROVALS};
use super::{ApproveAction, Permission, Person, PolicySet};
use crate::detection::Finding;
use jiff::Timestamp;

impl PolicySet {
    /// Who is behind an ARN as STS `GetCallerIdentity` answers it: the person of `[people]` that it fits best (a
    /// session is a closer fit than a role), else the role itself, one person whatever its session is named.
    pub fn person(&self, aws_arn: &str) -> Person {
        let caller = Caller::parse(aws_arn);
        let fit = |person: &PersonEntry| {
            let caller = caller.as_ref()?;
            person.aws.iter().filter_map(|identity| identity.fits(caller)).max()
        };
        let people = self.inventory.people.iter();
        let linked = people.filter_map(|(name, person)| Some((fit(person)?, name, person)));
        // Of equal fits the first by name: always the same one.
        let linked = linked.reduce(|best, next| if next.0 > best.0 { next } else { best });
        let (id, email, slack) = match linked {
            Some((_, name, person)) => (name.clone(), person.email.clone(), person.slack.as_str()),
            None => (canonical(aws_arn), String::new(), ""),
        };
        let teams = self.teams_of(&id, slack, caller.as_ref());
        Person { id, email, teams }
    }

    /// Who is behind a Slack user id, who is in these user groups: the person of `[people]` that it is linked to, else
    /// the id itself. `email` is Slack's own, and counts where the inventory has none: it can only take a vote away.
    pub fn slack_person(&self, user_id: &str, email: &str, groups: &[String]) -> Person {
        let linked = self.inventory.people.iter().find(|(_, person)| !user_id.is_empty() && person.slack == user_id);
        let (id, known) = linked.map_or((user_id, ""), |(name, person)| (name.as_str(), person.email.as_str()));
        let email = if known.is_empty() { email } else { known };
        let person = Person { id: id.to_owned(), email: email.to_owned(), teams: self.teams_of(id, user_id, None) };
        self.with_groups(person, groups)
    }

    /// The Slack user id that a person is linked to; `""` where there is none.
    pub fn slack_of(&self, person: &Person) -> &str {
        self.inventory.people.get(&person.id).map_or("", |entry| &entry.slack)
    }

    /// The Slack user groups that teams are made of.
    pub fn slack_groups(&self) -> Vec<String> {
        let members = self.inventory.teams.values().flat_map(|team| &team.members);
        let mut groups: Vec<String> = members
            .filter_map(|member| match member {
                Member::Slack(id) if id.starts_with('S') => Some(id.clone()),
                _ => None,
            })
            .collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// The same person, with the teams that these Slack user groups put them in.
    pub fn with_groups(&self, mut person: Person, groups: &[String]) -> Person {
        for (team, found) in &self.inventory.teams {
            let belongs = |member: &Member| matches!(member, Member::Slack(id) if groups.contains(id));
            if found.members.iter().any(belongs) && !person.teams.contains(team) {
                person.teams.push(team.clone());
            }
        }
        person
    }

    /// Somebody by the name in `[people]`, or by ARN, who is in these Slack user groups.
    pub(super) fn person_in(&self, name: &str, groups: &[String]) -> Option<Person> {
        let person = match self.inventory.people.get(name) {
            Some(entry) => Person {
                id: name.to_owned(),
                email: entry.email.clone(),
                teams: self.teams_of(name, &entry.slack, None),
            },
            None if name.starts_with("arn:") => self.person(name),
            None => return None,
        };
        Some(self.with_groups(person, groups))
    }

    /// The teams of the inventory.
    pub fn teams(&self) -> Vec<String> {
        self.inventory.teams.keys().cloned().collect()
    }

    /// Somebody of this team and of no other, for asking what the team may do.
    pub fn anybody_of(&self, team: &str) -> Person {
        Person { id: format!("anybody of {team}"), email: String::new(), teams: vec![team.to_owned()] }
    }

    /// The names in `[people]`.
    pub(super) fn people_names(&self) -> impl Iterator<Item = &str> {
        self.inventory.people.keys().map(String::as_str)
    }

    fn teams_of(&self, id: &str, slack: &str, caller: Option<&Caller>) -> Vec<String> {
        let belongs = |member: &Member| match member {
            Member::Person(name) => name == id,
            Member::Slack(member) => !slack.is_empty() && member == slack,
            Member::Identity(identity) => caller.is_some_and(|caller| identity.fits(caller).is_some()),
        };
        let teams = self.inventory.teams.iter();
        teams.filter(|(_, team)| team.members.iter().any(belongs)).map(|(name, _)| name.clone()).collect()
    }

    /// Whether the person is, or is a session of, the actor. In doubt yes: it only ever takes a vote away.
    pub fn caused(&self, person: &Person, finding: &Finding) -> bool {
        let actor = &finding.actor;
        let same = |text: &str| !text.is_empty() && text.eq_ignore_ascii_case(&actor.session_name);
        if same(&person.email) {
            return true;
        }
        // The principal's ARN drops the session, the session's ARN drops the path; neither may be there.
        let callers: Vec<Caller> = [&actor.principal_arn, &actor.arn]
            .into_iter()
            .filter_map(|arn| Caller::parse(arn))
            .map(|caller| Caller { session: actor.session_name.clone(), ..caller })
            .collect();
        if let Some(own) = Caller::parse(&person.id) {
            return callers.iter().any(|caller| caller.is_principal_of(&own));
        }
        let Some(entry) = self.inventory.people.get(&person.id) else {
            return false;
        };
        entry.aws.iter().any(|identity| {
            callers.iter().any(|caller| identity.fits(caller).is_some()) || identity.session().is_some_and(same)
        })
    }

    /// Whether a vote by `who` counts for all of `actions`, and how many such votes it takes. No actions: no.
    pub fn may(
        &self,
        who: &Person,
        actions: &[ApproveAction],
        finding: &Finding,
        caused: bool,
        reversible: bool,
        now: Timestamp,
    ) -> Permission {
        let mut told = Permission {
            permitted: !actions.is_empty() && !who.id.is_empty(),
            approvals: 1,
            confirm_aws: false,
            policies: Vec::new(),
            reasons: Vec::new(),
            errors: Vec::new(),
        };
        let asking = self.asking(finding);
        let entities = match asking.approver_entities(who) {
            Ok(entities) => entities,
            Err(error) => {
                told.permitted = false;
                told.errors.push(error);
                return told;
            }
        };
        let context = asking.decision_context(now, caused, reversible);
        for action in actions {
            let word = names::word(&APPROVALS, action);
            let request =
                context.clone().and_then(|context| asking.approver_request(who, &format!("approve.{word}"), context));
            let answer = match request {
                Ok(request) => self.rules.ask(&request, &entities),
                Err(error) => {
                    told.permitted = false;
                    told.errors.push(error);
                    continue;
                }
            };
            told.permitted &= answer.permitted;
            for rule in &answer.rules {
                if let Some(info) = self.rules.info(rule).filter(|_| answer.permitted) {
                    told.approvals = told.approvals.max(info.approvals);
                    told.confirm_aws |= info.confirm_aws;
                }
                let verb = if answer.permitted { "permitted" } else { "not permitted" };
                told.reasons.push(format!("{word} is {verb} by {}", self.told(rule)));
            }
            if answer.rules.is_empty() && answer.errors.is_empty() {
                told.reasons.push(format!("no rule lets {} decide {word}", who.id));
            }
            told.policies.extend(answer.rules);
            told.errors.extend(answer.errors);
        }
        told.policies.sort_unstable();
        told.policies.dedup();
        told
    }
}

/// `arn:aws:iam::A:role/NAME` for any session of that role; anything else as it is.
fn canonical(aws_arn: &str) -> String {
    match aws_arn.splitn(6, ':').collect::<Vec<_>>().as_slice() {
        ["arn", partition, "sts", "", account, resource] => {
            let mut parts = resource.split('/');
            match (parts.next(), parts.next()) {
                (Some("assumed-role"), Some(role)) => format!("arn:{partition}:iam::{account}:role/{role}"),
                _ => aws_arn.to_owned(),
            }
        }
        _ => aws_arn.to_owned(),
    }
}

#[cfg(test)]
#[path = "people_tests.rs"]
mod tests;
