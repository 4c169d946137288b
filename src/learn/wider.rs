//! What an entry allows beyond what was seen, in plain words: nothing is widened in silence.

use super::draft::Draft;
use super::seen;
use crate::detection::{Change, Finding};
use crate::policy::Glob;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// So many examples are named.
const EXAMPLES: usize = 3;

/// Everything that the entry allows beyond these findings.
pub(super) fn told(draft: &Draft, all: &[&Finding]) -> Vec<String> {
    let mut wider = Vec::new();
    if draft.principal.contains('*') {
        let seen = all.iter().map(|finding| finding.actor.principal_arn.clone()).collect();
        wider.push(format!("principals {} (seen: {})", draft.principal, examples(&seen)));
    }
    let role_sessions = all.iter().any(|finding| !finding.actor.session_name.is_empty());
    if draft.sessions.is_empty() && role_sessions {
        let seen = all.iter().map(|finding| finding.actor.session_name.clone()).collect();
        wider.push(format!("any session (the names follow no pattern: {})", examples(&seen)));
    }
    let session = |finding: &Finding| finding.actor.session_name.clone();
    wider.extend(patterned("sessions", &draft.sessions, all, session));
    let function = |finding: &Finding| finding.call.function.name.clone();
    wider.extend(patterned("functions", &draft.functions, all, function));
    wider.extend(patterned("sources", &draft.sources, all, seen::source));
    wider.extend(networks(draft, all));
    wider.extend(patterned("user agents", &draft.user_agents, all, |finding| finding.actor.user_agent.clone()));
    wider.extend(anywhere(draft, all));
    wider.extend(combinations(draft, all));
    if draft.via.is_empty() && draft.addresses.is_empty() {
        wider.push("calls that a service makes for it, since no key asks for direct ones".to_owned());
    }
    wider
}

/// Patterns with what they stood for.
fn patterned(what: &str, patterns: &[String], all: &[&Finding], name: impl Fn(&Finding) -> String) -> Vec<String> {
    let names: BTreeSet<String> = all.iter().map(|finding| name(finding)).collect();
    let told = |pattern: &&String| {
        let glob = Glob::name(pattern);
        let seen: BTreeSet<String> = names.iter().filter(|name| glob.matches(name)).cloned().collect();
        format!("{what} {pattern} (seen: {})", examples(&seen))
    };
    patterns.iter().filter(|pattern| pattern.contains('*')).map(|pattern| told(&pattern)).collect()
}

/// Whole networks with what was seen of them; a single address is no wider than it was.
fn networks(draft: &Draft, all: &[&Finding]) -> Vec<String> {
    let addresses: BTreeSet<IpAddr> = all.iter().filter_map(|finding| finding.actor.source_ip.parse().ok()).collect();
    let nets = draft.addresses.iter().filter_map(|net| net.parse::<IpNet>().ok());
    let whole = nets.filter(|net| net.prefix_len() < net.max_prefix_len());
    let told = |net: IpNet| {
        let seen = addresses.iter().filter(|address| net.contains(*address)).map(ToString::to_string).collect();
        format!("addresses {net} (seen: {})", examples(&seen))
    };
    whole.map(told).collect()
}

/// Direct calls from wherever, by whatever: where no key says from where, or by what. A service calls as itself.
fn anywhere(draft: &Draft, all: &[&Finding]) -> Vec<String> {
    let any = |what: &str, key: &[String], seen: &dyn Fn(&Finding) -> String| {
        let seen: BTreeSet<String> = all.iter().map(|finding| seen(finding)).collect();
        (key.is_empty() && draft.via.is_empty()).then(|| format!("{what} (seen: {})", examples(&seen)))
    };
    let address = any("calls from any address", &draft.addresses, &|finding| finding.actor.source_ip.clone());
    let agent = any("calls by any agent", &draft.user_agents, &|finding| finding.actor.user_agent.clone());
    address.into_iter().chain(agent).collect()
}

/// Keys are matched each by itself, so an entry allows every combination of what it lists.
fn combinations(draft: &Draft, all: &[&Finding]) -> Option<String> {
    let index = |patterns: &[String], name: &str| {
        patterns.iter().position(|pattern| Glob::name(pattern).matches(name)).unwrap_or(usize::MAX)
    };
    let accounts: BTreeSet<&str> = all.iter().map(|finding| finding.account.as_str()).collect();
    let changes: BTreeSet<Change> = all.iter().flat_map(|finding| &finding.changes).copied().collect();
    let mut seen = BTreeSet::new();
    for finding in all {
        let function = index(&draft.functions, &finding.call.function.name);
        let source = index(&draft.sources, &seen::source(finding));
        for change in &finding.changes {
            seen.insert((function, source, finding.region.as_str(), finding.account.as_str(), *change));
        }
    }
    let listed = [draft.functions.len(), draft.sources.len(), draft.regions.len(), accounts.len(), changes.len()];
    let possible: usize = listed.iter().product();
    (seen.len() < possible).then(|| {
        format!(
            "any combination of these functions, sources, regions, accounts and actions ({} of {possible} were seen)",
            seen.len()
        )
    })
}

/// `a, b, c and 3 more`
pub(super) fn examples(all: &BTreeSet<String>) -> String {
    let named: Vec<&str> =
        all.iter().take(EXAMPLES).map(|name| if name.is_empty() { "nothing" } else { name }).collect();
    match all.len().saturating_sub(EXAMPLES) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
