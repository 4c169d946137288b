//! The second question: what does sluicegate do by itself where something is not allowed.

use super::judge::never_allowed;
use super::request::Asking;
use super::{Facts, PolicySet, Response};
use crate::cloudtrail::Verb;
use cedar_policy::{Context, Entities};

/// The responses that are asked for, weakest first.
const RESPONSES: [(&str, Response); 4] = [
    ("notify", Response::Notify),
    ("ask", Response::Ask),
    ("disable", Response::Disable),
    ("freeze", Response::Freeze),
];

/// The answer to the second.
#[derive(Debug)]
pub(super) struct Reaction {
    pub(super) response: Response,
    pub(super) restrict: bool,
    pub(super) policies: Vec<String>,
    pub(super) reasons: Vec<String>,
    pub(super) errors: Vec<String>,
}

impl Default for Reaction {
    fn default() -> Self {
        Self { response: Response::Ask, restrict: false, policies: Vec::new(), reasons: Vec::new(), errors: Vec::new() }
    }
}

impl PolicySet {
    /// The strongest response that is permitted, as far as no forbid caps it.
    pub(super) fn reaction(
        &self,
        asking: &Asking<'_>,
        entities: &Entities,
        facts: &Facts,
        context: &Context,
    ) -> Reaction {
        let finding = asking.finding;
        let mut told = Reaction::default();
        let protected = self.inventory.is_protected(&finding.actor.principal_arn);
        let blind = finding.call.verb == Verb::Update && !facts.baseline_known;
        let mut best: Option<(Response, Vec<String>)> = None;
        let mut caps: Vec<String> = Vec::new();
        for (position, (action, response)) in RESPONSES.into_iter().enumerate() {
            let request = match asking.actor_request(action, context.clone()) {
                Ok(request) => request,
                Err(error) => {
                    told.errors.push(error);
                    break;
                }
            };
            let answer = self.rules.ask(&request, entities);
            told.errors.extend(answer.errors);
            if response == Response::Freeze && protected {
                if answer.permitted {
                    caps.push("the principal is protected: nothing is frozen without a person".to_owned());
                }
            } else if answer.permitted && blind && response > Response::Ask {
                caps.push("what the mapping was before is not known, so a person decides on the update".to_owned());
                break;
            } else if answer.permitted {
                best = Some((response, answer.rules));
            } else if !answer.rules.is_empty() {
                let stronger = RESPONSES.iter().skip(position).map(|(action, _)| *action);
                if self.any_permitted(asking, entities, context, stronger) {
                    caps.extend(answer.rules.iter().map(|rule| format!("not more, by {}", self.told(rule))));
                    told.policies.extend(answer.rules);
                }
                break;
            }
        }
        match best {
            Some((response, rules)) => {
                told.response = response;
                told.reasons.extend(rules.iter().map(|rule| format!("{}, by {}", doing(response), self.told(rule))));
                told.policies.splice(0..0, rules);
            }
            None => told.reasons.push("a person is asked: no rule permits anything else".to_owned()),
        }
        told.reasons.extend(caps);
        self.restriction(asking, entities, facts, context, protected || blind, &mut told);
        told
    }

    fn any_permitted<'r>(
        &self,
        asking: &Asking<'_>,
        entities: &Entities,
        context: &Context,
        actions: impl Iterator<Item = &'r str>,
    ) -> bool {
        actions
            .filter_map(|action| asking.actor_request(action, context.clone()).ok())
            .any(|request| self.rules.would_permit(&request, entities))
    }

    fn restriction(
        &self,
        asking: &Asking<'_>,
        entities: &Entities,
        facts: &Facts,
        context: &Context,
        never: bool,
        told: &mut Reaction,
    ) {
        let actor = &asking.finding.actor;
        let answer = match asking.actor_request("restrict", context.clone()) {
            Ok(request) => self.rules.ask(&request, entities),
            Err(error) => {
                told.errors.push(error);
                return;
            }
        };
        told.errors.extend(answer.errors);
        if !answer.permitted {
            return;
        }
        let against = if !facts.confirmed {
            "the record was not found in CloudTrail itself"
        } else if !actor.invoked_by.is_empty() {
            "a service made the call for it"
        } else if never_allowed(asking.finding).is_some() {
            "who did what is not known for certain"
        } else if never {
            "the principal is protected, or the mapping's past is not known"
        } else {
            told.restrict = true;
            told.reasons.extend(answer.rules.iter().map(|rule| format!("restricted, by {}", self.told(rule))));
            told.policies.extend(answer.rules);
            return;
        };
        told.reasons.push(format!("nobody is restricted without a person: {against}"));
    }
}

fn doing(response: Response) -> &'static str {
    match response {
        Response::Leave => "left",
        Response::Notify => "people are told",
        Response::Ask => "a person is asked",
        Response::Disable => "disabled",
        Response::Freeze => "the function is frozen and the mapping disabled",
    }
}
