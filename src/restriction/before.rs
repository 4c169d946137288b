//! What was there before a restriction, for a case that joins it: reading now would show the restriction itself.

use super::AccessKey;
use crate::containment::{Call, Observation, Prior};

/// The state before `undo` puts it back, by what is seen now; for a restriction that is not on yet, what is seen. `None`
/// where neither tells.
pub fn before(undo: Option<&Call>, seen: Observation) -> Option<Prior> {
    match (undo, seen) {
        (Some(Call::DeletePolicy { .. }), Observation::Policy { .. }) => Some(Prior::Policy { document: None }),
        (Some(Call::DetachPolicy { policy_arn, .. }), Observation::Attached { mut policies }) => {
            policies.retain(|policy| policy != policy_arn);
            Some(Prior::Attached { policies })
        }
        (Some(Call::SetAccessKeys { keys: were_active, .. }), Observation::AccessKeys { keys }) => {
            let was = |key: AccessKey| AccessKey { active: key.active || were_active.contains(&key.id), ..key };
            Some(Prior::AccessKeys { keys: keys.into_iter().map(was).collect() })
        }
        (Some(Call::Untag { tags: put, .. }), Observation::Tags { mut tags }) => {
            tags.retain(|(key, _)| !put.iter().any(|(name, ..)| name == key));
            tags.extend(put.iter().filter_map(|(key, _, was)| Some((key.clone(), was.clone()?))));
            Some(Prior::Tags { tags })
        }
        (None, Observation::Policy { document }) => Some(Prior::Policy { document }),
        (None, Observation::Attached { policies }) => Some(Prior::Attached { policies }),
        (None, Observation::AccessKeys { keys }) => Some(Prior::AccessKeys { keys }),
        (None, Observation::Tags { tags }) => Some(Prior::Tags { tags }),
        _ => None,
    }
}
