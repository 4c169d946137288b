//! What the sweep finds: a mapping that is another than was known of it, whose event nobody saw.

use super::inspect::name_of;
use super::{Change, Event, Finding, Trigger};
use crate::cloudtrail::{Actor, MappingCall, Mentions, Verb};
use crate::mapping::{Baseline, MappingKey, Snapshot, Wiring};
use jiff::Timestamp;

/// What the ids of findings begin with that rest on no record.
const NO_RECORD: &str = "sweep-";
/// A mapping's time of change may lie so much after the event that was accepted last, and yet be that event's.
const SLACK: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

/// In what a mapping goes beyond what is known of it, most telling first. That it was stopped is no change: nothing
/// flows then, and waking it is one.
pub fn missed(read: &Snapshot, known: &Baseline) -> Vec<Change> {
    let awake = read.is_active() && !known.enabled;
    let changes = [
        (Change::Repoint, !read.function.same_target(&known.function)),
        (Change::Rewire, read.wiring.differs(&known.wiring).any()),
        (Change::Enable, awake),
    ];
    changes.into_iter().filter(|(_, changed)| *changed).map(|(change, _)| change).collect()
}

/// Whether the mapping was last changed by what was accepted of it, so that it only reads differently.
pub fn untouched_since(read: &Snapshot, known: &Baseline) -> bool {
    read.last_modified.is_some_and(|changed| changed.duration_since(known.since) <= SLACK)
}

/// Whether records that were judged before, oldest first, tell where every one of these changes of what is `known` came
/// from: the last that names it names what is there.
pub fn explained(changes: &[Change], read: &Snapshot, known: &Baseline, judged: &[Finding]) -> bool {
    changes.iter().all(|change| match change {
        Change::Repoint => {
            last(judged, |call| call.names_function.then_some(call.function.same_target(&read.function)))
        }
        Change::Enable => last(judged, |call| call.enabled),
        Change::Rewire => rewired_by(&read.wiring, &known.wiring, judged),
        Change::Create => false,
    })
}

/// Each aspect by itself: who names one explains no other.
fn rewired_by(is: &Wiring, was: &Wiring, judged: &[Finding]) -> bool {
    let told = |named: fn(&Wiring) -> Wiring| {
        let (is, was) = (named(is), named(was));
        !is.differs(&was).any()
            || last(judged, |call| Some(named(&call.wiring)).filter(|call| !call.is_empty()).map(|call| call == is))
    };
    told(|all| Wiring { filters: all.filters.clone(), ..Wiring::default() })
        && told(|all| Wiring { on_failure: all.on_failure.clone(), ..Wiring::default() })
        && told(|all| Wiring { on_success: all.on_success.clone(), ..Wiring::default() })
        && told(|all| Wiring { source_access: all.source_access.clone(), ..Wiring::default() })
}

fn last(judged: &[Finding], told: impl Fn(&MappingCall) -> Option<bool>) -> bool {
    judged.iter().rev().find_map(|finding| told(&finding.call)) == Some(true)
}

/// A finding that rests on the mapping alone: nobody knows who did it, so that it is nobody's, and never allowed. `id`
/// stands for the event that is not there.
pub fn unattributed(read: &Snapshot, key: &MappingKey, changes: &[Change], id: &str, now: Timestamp) -> Finding {
    let verb = if changes.contains(&Change::Create) { Verb::Create } else { Verb::Update };
    let name = match verb {
        Verb::Create => "CreateEventSourceMapping",
        Verb::Update => "UpdateEventSourceMapping",
    };
    Finding {
        detection: name_of(changes),
        changes: changes.to_vec(),
        trigger: Trigger::Sweep,
        event: Event {
            id: format!("{NO_RECORD}{id}"),
            name: name.to_owned(),
            time: read.last_modified.unwrap_or(now),
            request_id: String::new(),
        },
        account: key.account.clone(),
        region: key.region.clone(),
        actor: Actor {
            unidentified: "no event of it came, and CloudTrail does not tell who did it".to_owned(),
            ..Actor::default()
        },
        call: MappingCall {
            verb,
            uuid: key.uuid.clone(),
            mapping_arn: read.arn.clone(),
            function: read.function.clone(),
            names_function: verb == Verb::Create || changes.contains(&Change::Repoint),
            source: read.source.clone(),
            enabled: Some(read.is_active()),
            wiring: read.wiring.clone(),
            state: read.state.clone(),
            last_modified: read.last_modified,
            mentions: Mentions::default(),
            withheld: false,
            disagrees: String::new(),
            asked: None,
        },
    }
}

impl Finding {
    /// Whether a record stands behind it. What the sweep found by the mapping alone has none.
    pub fn has_record(&self) -> bool {
        self.trigger != Trigger::Sweep || !self.event.id.starts_with(NO_RECORD)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::mapping::{FunctionRef, SourceRef};
    use proptest::prelude::*;
    use serde_json::json;

    const PLACE: (&str, &str) = ("eu-west-1", "111122223333");

    fn read(function: &str, state: &str, failure: &str) -> Snapshot {
        Snapshot {
            uuid: "u".into(),
            arn: String::new(),
            function: FunctionRef::parse(function, "aws", PLACE.0, PLACE.1),
            source: SourceRef::from_arn("arn:aws:sqs:eu-west-1:111122223333:orders"),
            state: state.into(),
            last_modified: Some(Timestamp::UNIX_EPOCH),
            wiring: Wiring::new(Some(vec![]), Some(failure.into()), None, None),
            whole: json!({}),
        }
    }

    fn known(function: &str, enabled: bool, failure: &str) -> Baseline {
        let read = read(function, "Enabled", failure);
        Baseline {
            function: read.function,
            source: read.source,
            enabled,
            wiring: read.wiring,
            since: Timestamp::UNIX_EPOCH,
            accepted_by: "test".into(),
            found_at: None,
        }
    }

    fn key() -> MappingKey {
        MappingKey { account: PLACE.1.into(), region: PLACE.0.into(), uuid: "u".into() }
    }

    #[test]
    fn each_aspect_that_goes_beyond_what_is_known_is_a_change_and_a_stop_is_none() {
        let all = [Change::Repoint, Change::Rewire, Change::Enable];
        assert_eq!(missed(&read("exfil", "Enabled", "arn:x"), &known("orders", false, "")), all);
        assert_eq!(missed(&read("orders", "Disabled", ""), &known("orders", true, "")), []);
        assert_eq!(missed(&read("orders:live", "Enabled", ""), &known("orders", true, "")), [Change::Repoint]);
        assert_eq!(missed(&read("orders", "Updating", ""), &known("orders", false, "")), [Change::Enable]);
        // An encrypted filter is left out of a list: that is no knowledge of it.
        let mut hidden = read("orders", "Enabled", "");
        hidden.wiring.filters = None;
        assert_eq!(missed(&hidden, &known("orders", true, "")), []);
    }

    #[test]
    fn what_was_judged_explains_only_what_it_names_and_as_it_is_now() {
        let now = read("exfil", "Enabled", "");
        let mut update = unattributed(&now, &key(), &[Change::Repoint], "x", Timestamp::UNIX_EPOCH);
        let before = known("orders", true, "");
        assert!(explained(&[Change::Repoint, Change::Enable], &now, &before, &[update.clone()]));
        assert!(!explained(&[Change::Repoint], &read("other", "Enabled", ""), &before, &[update.clone()]));
        assert!(!explained(&[Change::Repoint], &now, &before, &[]));
        assert!(!explained(&[Change::Create], &now, &before, &[update.clone()]));
        let earlier = update.clone();
        update.call.function = read("orders", "Enabled", "").function;
        assert!(!explained(&[Change::Repoint], &now, &before, &[earlier, update]), "the last that names it counts");
    }

    #[test]
    fn who_names_one_aspect_of_the_wiring_explains_no_other() {
        let before = known("orders", true, "");
        let mut now = read("orders", "Enabled", "arn:x");
        let mut update = unattributed(&now, &key(), &[Change::Rewire], "x", Timestamp::UNIX_EPOCH);
        update.call.wiring = Wiring { on_failure: Some("arn:x".into()), ..Wiring::default() };
        assert!(explained(&[Change::Rewire], &now, &before, &[update.clone()]));
        now.wiring.filters = Some(vec!["{}".into()]);
        assert!(!explained(&[Change::Rewire], &now, &before, &[update.clone()]));
        update.call.wiring.filters = Some(vec!["{}".into()]);
        assert!(explained(&[Change::Rewire], &now, &before, &[update]));
    }

    proptest! {
        #[test]
        fn what_rests_on_no_record_is_nobodys_and_keeps_its_changes(
            function in "[a-z]{1,9}(:[a-z]{1,5})?", state in "[A-Za-z]{0,9}", failure in ".{0,20}", created: bool,
        ) {
            let now = read(&function, &state, &failure);
            let changes = if created { vec![Change::Create] } else { missed(&now, &known("known", false, "before")) };
            let found = unattributed(&now, &key(), &changes, "x", Timestamp::UNIX_EPOCH);
            prop_assert!(found.actor.principal_arn.is_empty() && !found.actor.unidentified.is_empty());
            prop_assert!(!found.has_record());
            prop_assert_eq!(&found.changes, &changes);
            prop_assert_eq!(found.call.verb == Verb::Create, created);
        }
    }
}
