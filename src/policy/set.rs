//! A policy set: loaded whole or not at all.

use super::allowlist::{self, Allowlist};
use super::files::Notes;
use super::inventory::{self, Inventory};
use super::rules::{Rules, SCHEMA, Vocabulary};
use super::{PolicyFiles, Problem, Severity, toml_doc};
use crate::detection::{Change, Finding};
use jiff::civil::Date;

/// The allowlist, the rules and the inventory, validated together. It answers the three questions.
#[derive(Debug)]
pub struct PolicySet {
    pub(super) allowlist: Allowlist,
    pub(super) rules: Rules,
    pub(super) inventory: Inventory,
    pub(super) vocabulary: &'static Vocabulary,
    pub(super) allowlist_name: String,
    pub(super) inventory_name: String,
    names: Vec<PolicyName>,
    digest: String,
}

/// An allowlist entry or a rule, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PolicyName {
    /// Its id.
    pub id: String,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// A set that may be used, and what is worth a word about it.
#[derive(Debug)]
pub struct Loaded {
    /// The set.
    pub set: PolicySet,
    /// Warnings, by file and line.
    pub warnings: Vec<Problem>,
}

impl PolicySet {
    /// Loads the set. Any error refuses it, and the answer then holds every problem found, warnings too, by file and
    /// line. `today` (UTC) decides which entries are told as expired or expiring, not which count: that is
    /// [`Facts::now`](super::Facts::now)'s.
    pub fn load(files: &PolicyFiles, today: Date) -> Result<Loaded, Vec<Problem>> {
        let vocabulary = Vocabulary::embedded().map_err(|problem| vec![problem])?;
        let mut inventory_notes = Notes::new(&files.inventory);
        let mut allowlist_notes = Notes::new(&files.allowlist);
        let mut rules_notes = Notes::new(&files.rules);
        let Some(inventory) = inventory::parse(&mut inventory_notes) else {
            // Without the names, entries and rules can be told to be broken, but not to be wrong.
            toml_doc::parse(&mut allowlist_notes);
            Rules::check_syntax(&mut rules_notes);
            return Err(sorted([allowlist_notes, inventory_notes, rules_notes]));
        };
        let allowlist = allowlist::parse(&mut allowlist_notes, &inventory, today);
        let rules = Rules::load(&mut rules_notes, vocabulary, &inventory);
        doubled_ids(&allowlist, &rules, &files.rules.name, &mut allowlist_notes);
        unused_groups(&inventory, &allowlist, &rules, &mut inventory_notes);
        let names = names(&allowlist, &allowlist_notes, &rules, &rules_notes);
        let mut problems = sorted([allowlist_notes, inventory_notes, rules_notes]);
        problems.extend(other_schema(files));
        if problems.iter().any(|problem| problem.severity == Severity::Error) {
            return Err(problems);
        }
        let digest = files.digest(SCHEMA);
        let set = Self {
            allowlist,
            rules,
            inventory,
            vocabulary,
            allowlist_name: files.allowlist.name.clone(),
            inventory_name: files.inventory.name.clone(),
            names,
            digest,
        };
        Ok(Loaded { set, warnings: problems })
    }

    /// SHA-256 (hex) over what was loaded; it is on every verdict.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Whether the inventory protects a role or user: it is never restricted without a person, and never by sluicegate.
    pub fn is_protected(&self, principal_arn: &str) -> bool {
        self.inventory.is_protected(principal_arn)
    }

    /// The allowlist's entries, in the order of the file; expired ones too.
    pub(crate) fn entries(&self) -> &[allowlist::Entry] {
        self.allowlist.entries()
    }

    /// Every entry and rule, in the order of the files.
    pub fn names(&self) -> &[PolicyName] {
        &self.names
    }

    /// The entries that cover this change of a finding, expired ones too, in the order of the file.
    pub(crate) fn covering(&self, finding: &Finding, change: Change) -> Vec<&allowlist::Entry> {
        self.allowlist.covering(finding, change, Date::MIN)
    }

    /// Whether an entry or a rule has this id.
    pub(crate) fn has_id(&self, id: &str) -> bool {
        self.rules.info(id).is_some() || self.entries().iter().any(|entry| entry.id == id)
    }

    /// Why a rule is there; `""` where there is none of this id.
    pub(crate) fn rule_reason(&self, id: &str) -> &str {
        self.rules.info(id).map_or("", |info| info.reason.as_str())
    }

    /// The accounts that the inventory lists; none where it lists none.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        self.inventory.account_ids()
    }

    /// Whether the inventory lists an account; `None` where it lists none.
    pub fn lists_account(&self, account: &str) -> Option<bool> {
        self.inventory.lists(account)
    }

    /// The groups that the inventory puts an account in.
    pub fn groups_of(&self, account: &str) -> impl Iterator<Item = &str> {
        self.inventory.groups_of(account)
    }

    /// The embedded vocabulary, as an editor wants it beside the rules.
    pub fn schema_text() -> &'static str {
        SCHEMA
    }

    /// How many allowlist entries and how many rules it holds.
    pub fn counts(&self) -> (usize, usize) {
        (self.allowlist.entries().len(), self.rules.ids().count())
    }
}

fn names(
    allowlist: &Allowlist,
    allowlist_notes: &Notes<'_>,
    rules: &Rules,
    rules_notes: &Notes<'_>,
) -> Vec<PolicyName> {
    let entries = allowlist.entries().iter().map(|entry| (entry.id.as_str(), entry.id_at, allowlist_notes));
    let mut of_rules: Vec<(&str, usize)> = rules.ids().collect();
    of_rules.sort_by_key(|(_, at)| *at);
    let all = entries.chain(of_rules.into_iter().map(|(id, at)| (id, at, rules_notes)));
    let named = |(id, at, notes): (&str, usize, &Notes<'_>)| PolicyName {
        id: id.to_owned(),
        file: notes.name().to_owned(),
        line: notes.place(at).0,
    };
    all.map(named).collect()
}

/// By file, line and column.
fn sorted(notes: [Notes<'_>; 3]) -> Vec<Problem> {
    let mut problems = notes.map(Notes::into_problems).concat();
    problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    problems.dedup();
    problems
}

/// Verdicts name entries and rules alike, so one id cannot be both.
fn doubled_ids(allowlist: &Allowlist, rules: &Rules, rules_name: &str, notes: &mut Notes<'_>) {
    for entry in allowlist.entries().iter().filter(|entry| rules.info(&entry.id).is_some()) {
        notes.error(
            entry.id_at,
            format!("the id `{}` is also a rule's in {rules_name}", entry.id),
            "an id names one entry or one rule",
        );
    }
}

fn unused_groups(inventory: &Inventory, allowlist: &Allowlist, rules: &Rules, notes: &mut Notes<'_>) {
    let named = |group: &str| {
        let in_entry = |entry: &allowlist::Entry| entry.account_groups.iter().any(|name| name == group);
        allowlist.entries().iter().any(in_entry)
    };
    let mut unused = Vec::new();
    for (group, at) in inventory.account_groups() {
        if !named(group) && !rules.names("AccountGroup", group) {
            unused.push((at, format!("the account group `{group}`")));
        }
    }
    for (name, group) in &inventory.functions {
        if !rules.names("FunctionGroup", name) {
            unused.push((group.at, format!("the function group `{name}`")));
        }
    }
    for (name, team) in &inventory.teams {
        if !rules.names("Team", name) {
            unused.push((team.at, format!("the team `{name}`")));
        }
    }
    for (at, what) in unused {
        notes.warning(at, format!("{what} is used by no entry and no rule"), "remove it, or use it");
    }
}

/// The file only helps editors, so another content is harmless, but an editor then helps wrongly.
fn other_schema(files: &PolicyFiles) -> Option<Problem> {
    let schema = files.schema.as_ref()?;
    let same = schema.text.lines().map(str::trim_end).eq(SCHEMA.lines().map(str::trim_end));
    (!same).then(|| Problem {
        severity: Severity::Warning,
        ..Problem::unreadable(
            &schema.name,
            "this is not the vocabulary of this version of sluicegate; the embedded one is what counts",
            "replace the file with the one that this version ships",
        )
    })
}
