//! The proof: proposed entries are loaded beside the present ones and judge the history they were learnt from.

use super::draft::Draft;
use super::write;
use crate::detection::{Change, Finding};
use crate::history::{Timeline, is_allowed_at};
use crate::policy::{PolicyFiles, PolicySet, Problem};
use jiff::civil::Date;
use jiff::tz::Offset;
use std::collections::{BTreeSet, HashSet};

/// A history and the policies that it is judged by.
pub(super) struct Trial<'f> {
    pub(super) findings: &'f [Finding],
    pub(super) present: &'f PolicyFiles,
    pub(super) today: Date,
}

/// What the set with the proposed entries says of one finding.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) allowed: bool,
    /// The proposed entries that allow it.
    pub(super) by: Vec<String>,
    /// Why not, where it is not allowed.
    pub(super) why: String,
}

impl Trial<'_> {
    /// Which findings the present set allows, and will still: an entry that has expired by now no longer does.
    pub(super) fn allowed_already(&self, set: &PolicySet) -> Vec<bool> {
        let today = Offset::UTC.to_timestamp(self.today.at(0, 0, 0, 0)).unwrap_or_default();
        let mut timeline = Timeline::new(set);
        let lives = |finding: &Finding| is_allowed_at(set, finding, today.max(finding.event.time));
        self.findings.iter().map(|finding| timeline.judge(finding).allowed && lives(finding)).collect()
    }

    /// Of the findings at these positions, those that the rules forbid whatever the allowlist says, each with the rule.
    pub(super) fn forbidden(&self, of: &[usize]) -> Result<Vec<(usize, String)>, Vec<Problem>> {
        let principals: BTreeSet<&str> = of.iter().map(|at| self.findings[*at].actor.principal_arn.as_str()).collect();
        let all = principals.iter().enumerate().map(|(number, principal)| Draft {
            id: format!("learn.trial.{number}"),
            owner: "nobody".to_owned(),
            reason: "asks what the rules forbid whatever the allowlist says".to_owned(),
            expires: Date::MAX,
            principal: (*principal).to_owned(),
            kinds: Vec::new(),
            sessions: Vec::new(),
            via: Vec::new(),
            accounts: Vec::new(),
            regions: Vec::new(),
            functions: Vec::new(),
            sources: Vec::new(),
            addresses: Vec::new(),
            user_agents: Vec::new(),
            actions: vec![Change::Create, Change::Enable, Change::Repoint, Change::Rewire],
        });
        let text: String = all.map(|draft| write::entry(&draft)).collect();
        let set = self.load(text)?.0;
        let mut timeline = Timeline::new(&set);
        let mut forbidden = Vec::new();
        for &at in of {
            let verdict = timeline.judge(&self.findings[at]);
            if !verdict.allowed {
                forbidden.push((at, verdict.reasons.into_iter().next().unwrap_or_default()));
            }
        }
        Ok(forbidden)
    }

    /// Judges the whole history by the present entries and the proposed ones; beside it the ids of proposed entries
    /// that add nothing to others.
    pub(super) fn judge(&self, drafts: &[Draft]) -> Result<(Vec<Outcome>, HashSet<String>), Vec<Problem>> {
        let proposed: String = drafts.iter().map(write::entry).collect();
        let beside = format!("{}\n{proposed}", self.present.allowlist.text);
        // An allowlist written as `allow = […]` takes no `[[allow]]` after it: then the proposal stands by itself.
        let (set, warnings) = self.load(beside).or_else(|_| self.load(proposed))?;
        let idle = drafts.iter().map(|draft| &draft.id);
        let idle =
            idle.filter(|id| warnings.iter().any(|told| told.starts_with(&format!("entry `{id}` adds nothing"))));
        let idle = idle.cloned().collect();
        let ours: HashSet<&str> = drafts.iter().map(|draft| draft.id.as_str()).collect();
        let mut timeline = Timeline::new(&set);
        let outcome = |finding: &Finding| {
            let verdict = timeline.judge(finding);
            let by = verdict.policies.into_iter().filter(|id| verdict.allowed && ours.contains(id.as_str()));
            let why = verdict.reasons.into_iter().next().unwrap_or_default();
            Outcome { allowed: verdict.allowed, by: by.collect(), why }
        };
        Ok((self.findings.iter().map(outcome).collect(), idle))
    }

    fn load(&self, allowlist: String) -> Result<(PolicySet, Vec<String>), Vec<Problem>> {
        let mut files = self.present.clone();
        files.allowlist.text = allowlist;
        let loaded = PolicySet::load(&files, self.today)?;
        Ok((loaded.set, loaded.warnings.into_iter().map(|problem| problem.message).collect()))
    }
}
