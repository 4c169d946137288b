//! What is worth a word though it loads: entries that have run out, will, are nobody's, or are never needed.

use super::{Allowlist, Entry};
use crate::policy::files::Notes;
use crate::policy::glob::Glob;
use jiff::ToSpan as _;
use jiff::civil::Date;

/// Days ahead that an expiry is told.
const AHEAD: i32 = 14;

/// An entry is compared with so many others of its principal: shadows are a convenience, and not worth minutes.
const COMPARED: usize = 32;

pub(super) fn check(allowlist: &Allowlist, today: Date, notes: &mut Notes<'_>) {
    let soon = today.checked_add(AHEAD.days()).unwrap_or(Date::MAX);
    for (position, entry) in allowlist.entries().iter().enumerate() {
        let id = &entry.id;
        if !entry.is_live(today) {
            notes.warning(
                entry.expires_at,
                format!("entry `{id}` expired after {} and counts as absent", entry.expires),
                "renew it after a review, or remove it",
            );
        } else if entry.expires <= soon {
            notes.warning(
                entry.expires_at,
                format!("entry `{id}` expires after {}", entry.expires),
                "renew it after a review, or remove it",
            );
        }
        if entry.owner.trim().eq_ignore_ascii_case("todo") {
            notes.warning(entry.at, format!("entry `{id}` has no owner yet"), "name the team that answers for it");
        }
        if entry.is_live(today)
            && let Some(wider) = shadow(allowlist, position, today)
        {
            notes.warning(
                entry.at,
                format!("entry `{id}` adds nothing: entry `{}` covers all of it", wider.id),
                "remove one of them",
            );
        }
    }
}

fn shadow(allowlist: &Allowlist, position: usize, today: Date) -> Option<&Entry> {
    let entry = allowlist.entries().get(position)?;
    // The pattern's own text, looked up as if it were a principal, finds every pattern that could cover it.
    let candidates = allowlist.index.candidates(entry.principal.glob.text());
    candidates.into_iter().take(COMPARED).find_map(|other| {
        let wider = allowlist.entries().get(other)?;
        // Of two equal entries the later one is told.
        let counts = other != position && wider.is_live(today) && (other < position || !covers(entry, wider));
        (counts && covers(wider, entry)).then_some(wider)
    })
}

/// Whether `wide` covers whatever `narrow` does, for as long.
fn covers(wide: &Entry, narrow: &Entry) -> bool {
    let globs = |wide: Option<&Vec<Glob>>, narrow: Option<&Vec<Glob>>| all(wide, narrow, Glob::covers);
    wide.expires >= narrow.expires
        && wide.principal.glob.covers(&narrow.principal.glob)
        && narrow.actions.iter().all(|action| wide.actions.contains(action))
        && (!wide.mfa || narrow.mfa)
        && all(wide.kinds.as_ref(), narrow.kinds.as_ref(), |wide, narrow| wide == narrow)
        && globs(wide.sessions.as_ref(), narrow.sessions.as_ref())
        && all(wide.via.as_ref(), narrow.via.as_ref(), |wide, narrow| wide == narrow)
        && match (&wide.accounts, &narrow.accounts) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(wide), Some(narrow)) => narrow.is_subset(wide),
        }
        && all(wide.regions.as_ref(), narrow.regions.as_ref(), |wide, narrow| wide == narrow)
        && globs(wide.functions.as_ref(), narrow.functions.as_ref())
        && all(wide.sources.as_ref(), narrow.sources.as_ref(), super::entry::SourcePattern::covers)
        && all(wide.addresses.as_ref(), narrow.addresses.as_ref(), |wide, narrow| wide.contains(narrow))
        && globs(wide.user_agents.as_ref(), narrow.user_agents.as_ref())
}

fn all<T>(wide: Option<&Vec<T>>, narrow: Option<&Vec<T>>, covers: impl Fn(&T, &T) -> bool) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => narrow.iter().all(|narrow| wide.iter().any(|wide| covers(wide, narrow))),
    }
}
