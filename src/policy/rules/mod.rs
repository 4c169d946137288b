//! `rules.cedar`: guards, responses and approvers, strictly validated against the embedded vocabulary.

mod annotations;
mod lint;
mod literals;
mod scan;
mod vocabulary;

pub(super) use vocabulary::{SCHEMA, Vocabulary};

use super::files::Notes;
use super::inventory::Inventory;
use cedar_policy::ffi::DetailedError;
use cedar_policy::{
    ActionConstraint, Authorizer, Decision, Effect, Entities, EntityUid, Policy, PolicyId, PolicySet, Request,
    ValidationMode, Validator,
};
use scan::Statement;
use std::collections::{BTreeMap, BTreeSet};

/// What a rule says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RuleInfo {
    pub(super) reason: String,
    pub(super) approvals: u32,
    pub(super) confirm_aws: bool,
    /// Where it stands in the file.
    pub(super) at: usize,
}

/// What the rules answer to one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) permitted: bool,
    /// The rules that decided: permits where permitted, else forbids; none where nothing was permitted at all.
    pub(super) rules: Vec<String>,
    /// Anything here means not permitted.
    pub(super) errors: Vec<String>,
}

impl Answer {
    /// The answer where the question could not even be put.
    pub(super) fn error(error: String) -> Self {
        Self { errors: vec![error], ..Self::default() }
    }
}

/// The rules that can have a say in one action. A rule whose scope leaves the action out never applies and never errs,
/// so leaving it out of the question changes no answer and saves most of its cost.
#[derive(Debug)]
struct Slice {
    all: PolicySet,
    permits: PolicySet,
}

/// The validated rules.
#[derive(Debug)]
pub(super) struct Rules {
    by_action: BTreeMap<String, Slice>,
    info: BTreeMap<String, RuleInfo>,
    authorizer: Authorizer,
    /// What the rules name: entity type, id.
    named: BTreeSet<(String, String)>,
}

/// A statement that parsed.
struct Parsed {
    statement: Statement,
    policy: Policy,
}

impl Rules {
    /// Loads the rules as far as they are right; what is wrong is noted.
    pub(super) fn load(notes: &mut Notes<'_>, vocabulary: &Vocabulary, inventory: &Inventory) -> Self {
        let parsed = parse_all(notes);
        let info = annotations::read(&parsed, notes);
        let named = parsed
            .iter()
            .flat_map(|rule| rule.policy.entity_literals())
            .map(|uid| (uid.type_name().to_string(), uid.id().unescaped().to_owned()))
            .collect();
        validate(&parsed, vocabulary, notes);
        for rule in &parsed {
            lint::check(rule, vocabulary, notes);
            literals::check(rule, vocabulary, inventory, notes);
        }
        let policies: Vec<Policy> = parsed.into_iter().map(|rule| renamed(rule.policy)).collect();
        if set(policies.iter().cloned()).num_of_policies() != policies.len() && !notes.refuse() {
            // A forbid that got lost would be a permission.
            notes.error(0, "not every rule could be taken", "give each rule an @id of its own");
        }
        Self { by_action: slices(&policies, vocabulary), info, authorizer: Authorizer::new(), named }
    }

    /// Notes only what is no Cedar.
    pub(super) fn check_syntax(notes: &mut Notes<'_>) {
        parse_all(notes);
    }

    pub(super) fn info(&self, id: &str) -> Option<&RuleInfo> {
        self.info.get(id)
    }

    /// Every rule's id and where it stands.
    pub(super) fn ids(&self) -> impl Iterator<Item = (&str, usize)> {
        self.info.iter().map(|(id, info)| (id.as_str(), info.at))
    }

    /// Whether a rule names this entity.
    pub(super) fn names(&self, kind: &str, id: &str) -> bool {
        self.named.contains(&(kind.to_owned(), id.to_owned()))
    }

    /// Asks the rules. Cedar skips a rule that errs and lets the others decide: here an error is never a yes.
    pub(super) fn ask(&self, request: &Request, entities: &Entities) -> Answer {
        self.ask_of(|slice| &slice.all, request, entities)
    }

    /// Whether it would be permitted if nothing were forbidden.
    pub(super) fn would_permit(&self, request: &Request, entities: &Entities) -> bool {
        self.ask_of(|slice| &slice.permits, request, entities).permitted
    }

    fn ask_of(&self, part: impl Fn(&Slice) -> &PolicySet, request: &Request, entities: &Entities) -> Answer {
        let action = request.action().map(|action| action.id().unescaped());
        let Some(slice) = action.and_then(|action| self.by_action.get(action)) else {
            return Answer::error(format!("there is no action `{}`", action.unwrap_or("")));
        };
        let response = self.authorizer.is_authorized(request, part(slice), entities);
        let diagnostics = response.diagnostics();
        let errors: Vec<String> = diagnostics.errors().map(ToString::to_string).collect();
        let mut rules: Vec<String> = diagnostics.reason().map(ToString::to_string).collect();
        rules.sort_unstable();
        Answer { permitted: response.decision() == Decision::Allow && errors.is_empty(), rules, errors }
    }
}

fn slices(policies: &[Policy], vocabulary: &Vocabulary) -> BTreeMap<String, Slice> {
    let concerns = |policy: &Policy, action: &EntityUid| match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(named) => named == *action,
        ActionConstraint::In(named) => named.iter().any(|group| vocabulary.is_within(action, group)),
    };
    let actions = vocabulary.schema.actions();
    let slice = |action: &EntityUid| {
        let own = || policies.iter().filter(|policy| concerns(policy, action));
        Slice {
            all: set(own().cloned()),
            permits: set(own().filter(|policy| policy.effect() == Effect::Permit).cloned()),
        }
    };
    actions.map(|action| (action.id().unescaped().to_owned(), slice(action))).collect()
}

fn parse_all(notes: &mut Notes<'_>) -> Vec<Parsed> {
    let statements = scan::statements(notes.text());
    if statements.is_empty() {
        notes.error(0, "the file holds no rule, so nobody could be allowed", "start from the shipped rules.cedar");
    }
    let numbered = statements.into_iter().enumerate();
    numbered.filter_map(|(number, statement)| parse(statement, number, notes)).collect()
}

fn parse(statement: Statement, number: usize, notes: &mut Notes<'_>) -> Option<Parsed> {
    let id = PolicyId::new(format!("statement {number}"));
    match Policy::parse(Some(id), &statement.text) {
        Ok(policy) => Some(Parsed { statement, policy }),
        Err(errors) => {
            for error in errors.iter() {
                note(&DetailedError::from(error), &statement, "this is not Cedar", notes);
            }
            None
        }
    }
}

/// The policy under its own id, by which answers name it.
fn renamed(policy: Policy) -> Policy {
    let id = policy.annotation("id").map(PolicyId::new);
    match id {
        Some(id) => policy.new_id(id),
        None => policy,
    }
}

/// A set of those policies whose ids are unique; who calls looks whether all are in it.
fn set(policies: impl IntoIterator<Item = Policy>) -> PolicySet {
    let mut set = PolicySet::new();
    let mut taken = BTreeSet::new();
    for policy in policies {
        if taken.insert(policy.id().clone()) {
            let _ = set.add(policy);
        }
    }
    set
}

fn validate(parsed: &[Parsed], vocabulary: &Vocabulary, notes: &mut Notes<'_>) {
    let places: BTreeMap<&PolicyId, &Statement> =
        parsed.iter().map(|rule| (rule.policy.id(), &rule.statement)).collect();
    let policies = set(parsed.iter().map(|rule| rule.policy.clone()));
    let result = Validator::new(vocabulary.schema.clone()).validate(&policies, ValidationMode::Strict);
    let errors = result.validation_errors().map(|error| (error.policy_id(), DetailedError::from(error)));
    let warnings = result.validation_warnings().map(|warning| (warning.policy_id(), DetailedError::from(warning)));
    let mut told = BTreeSet::new();
    for (id, error) in errors.chain(warnings) {
        // A rule for several actions is told once, not once for each of them.
        let start = error.source_locations.first().map(|label| label.loc.start);
        let gist = error.message.split(" in context for Action::").next().unwrap_or("").to_owned();
        if let Some(statement) = places.get(id).filter(|_| told.insert((id.clone(), start, gist))) {
            note(&error, statement, "not valid here", notes);
        }
    }
}

fn note(error: &DetailedError, statement: &Statement, what: &str, notes: &mut Notes<'_>) {
    let at = error.source_locations.first().map_or(0, |label| label.loc.start);
    // The position says which policy it is.
    let named = error.message.strip_prefix("for policy `").and_then(|rest| rest.split_once('`'));
    let message = named.map_or(error.message.as_str(), |(_, rest)| rest.trim_start_matches([',', ':', ' ']));
    notes.error(statement.at + at, format!("{what}: {message}"), error.help.clone().unwrap_or_default());
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
