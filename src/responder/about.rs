//! What a card says that is not in its case: who may decide, and what a wrong containment would cost.

use super::Responder;
use crate::case::{Case, Decision};
use crate::evidence;
use crate::slack::card::{About, Cost, Deciders};

impl Responder {
    /// What a card needs to know that is not in the case.
    pub fn about(&self, case: &Case) -> About {
        let cost = evidence::cost_of(case);
        let cost = (!cost.words.is_empty()).then_some(Cost {
            words: cost.words,
            lost_from: cost.lost_from,
            half_at: cost.half_at,
        });
        About {
            cost,
            deciders: case.decisions().into_iter().filter_map(|decision| self.deciders(case, decision)).collect(),
        }
    }

    /// Whom a decision takes, by asking policy for somebody of each team.
    fn deciders(&self, case: &Case, decision: Decision) -> Option<Deciders> {
        let policies = self.policies.current();
        let now = self.ports.clock.now();
        let mut found = Deciders { decision, people: 1, who: Vec::new(), confirm: false };
        for team in policies.teams() {
            let member = policies.anybody_of(&team);
            let finding = &case.opened.finding;
            let may = policies.may(&member, decision.needs(), finding, false, decision.is_reversible(), now);
            if may.permitted {
                found.people = found.people.max(may.approvals);
                found.confirm |= may.confirm_aws;
                found.who.push(team);
            }
        }
        (!found.who.is_empty()).then_some(found)
    }
}
