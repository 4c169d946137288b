//! Restricting without being told to, where policy permits it: only what CloudTrail itself confirms, never for a call that
//! a service made for somebody, never the protected.

use super::Responder;
use super::judge::SPREE;
use super::restrict::Fixed;
use crate::case::{Case, CaseEvent, CaseId, Evidence, Mode, PlannedStep, Provenance, State, Step};
use crate::containment::StepKind;
use crate::detection::Trigger;
use crate::policy::{Facts, Verdict};
use crate::ports::JournalError;
use crate::restriction::{Offer, PolicyGrant, Whose};
use std::time::Duration;

/// For how long CloudTrail is asked for the record.
const CONFIRM_WITHIN: Duration = Duration::from_mins(20);

/// How an automatic restriction stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ByItself {
    /// It is on, or there is none to be put on: policy does not permit it, or people must do it.
    Settled,
    /// A step is on its way, or the record is not confirmed yet: look again.
    NotYet,
}

impl Responder {
    /// Restricts the caller of a case without being told to, where policy permits it: one step at a time, which the case's
    /// driver carries out. May be repeated; the journal has why.
    pub async fn restrict_by_itself(&self, id: &CaseId) -> Result<ByItself, JournalError> {
        let mut case = self.load(id).await?;
        if self.settings.mode == Mode::Observe || !case.acts() || case.state == State::Closed {
            return Ok(ByItself::Settled);
        }
        // Policy is asked first, as though the record were confirmed: CloudTrail answers only two look-ups a second.
        let verdict = self.once_confirmed(&case).await?;
        if !verdict.restrict || verdict.allowed {
            return Ok(ByItself::Settled);
        }
        let young = self.age(case.opened_at).unsigned_abs() < CONFIRM_WITHIN;
        let later = if young { ByItself::NotYet } else { ByItself::Settled };
        if case.under_way().is_some() || !matches!(case.state, State::AwaitingDecision | State::Stuck) {
            return Ok(later);
        }
        if let (Provenance::Refuted { why }, Trigger::Sweep) = (&case.provenance, case.opened.finding.trigger) {
            // The sweep had the record from CloudTrail: it is not that which was missing.
            let why = why.clone();
            return self.not_by_itself(&mut case, &why).await;
        }
        if case.provenance != Provenance::Confirmed {
            match self.confirmed(&case.opened.finding.clone()).await {
                Ok(Ok(())) => {
                    let provenance = Provenance::Confirmed;
                    self.append(&mut case, &[CaseEvent::Evidence(Evidence::Provenance { provenance })]).await?;
                    self.nudge(id);
                    return Ok(later);
                }
                Ok(Err(_)) | Err(_) => return Ok(later),
            }
        }
        let protected = self.policies.current().is_protected(&case.opened.finding.actor.principal_arn);
        let grant = match PolicyGrant::of(&case, &verdict, protected) {
            Ok(grant) => grant,
            Err(why) => return self.not_by_itself(&mut case, &why).await,
        };
        let steps = match self.examine(&case, Whose::Caller, false).await? {
            Ok(Offer::Restrict { steps, .. }) => steps,
            Ok(Offer::ByHand { why, .. }) => return self.not_by_itself(&mut case, &why).await,
            Err(_) => return Ok(later),
        };
        let tried = |kind: StepKind, target: &str| {
            let same = |step: &Step| step.undoes.is_none() && step.kind == kind && step.call.target() == target;
            case.steps.iter().any(same)
        };
        let Some(open) = steps.into_iter().find(|offered| !tried(offered.step, &offered.call.target())) else {
            return Ok(ByItself::Settled);
        };
        let step = PlannedStep { step: open.step, undoes: None, call: open.call };
        let now = self.ports.clock.now();
        match self.fix(&mut case, &[Whose::Caller], &step, now, Some(grant.why())).await? {
            Fixed::Prepared => {
                self.nudge(id);
                Ok(ByItself::NotYet)
            }
            Fixed::Later(_) => Ok(later),
            Fixed::Void(why) => self.not_by_itself(&mut case, &why).await,
        }
    }

    /// What policy says now of the case's finding, its record being confirmed.
    async fn once_confirmed(&self, case: &Case) -> Result<Verdict, JournalError> {
        let finding = &case.opened.finding;
        let journal = &self.ports.journal;
        let since = finding.event.time - SPREE;
        let facts = Facts {
            now: self.ports.clock.now(),
            trigger: finding.trigger,
            confirmed: true,
            findings_by_actor: journal.findings_by(&finding.actor.principal_arn, since).await?.max(1),
            wrong_of_last_ten: journal.wrong_of_last_ten(&finding.account).await?,
            case_open: false,
            baseline_known: case.baseline.is_some(),
        };
        Ok(self.policies.current().judge(finding, &facts))
    }

    /// Says once why policy's permission was not used.
    async fn not_by_itself(&self, case: &mut Case, why: &str) -> Result<ByItself, JournalError> {
        let text = format!("not restricted by itself, though policy permits it: {why}");
        let history = self.ports.journal.history(&case.id).await?;
        let said = history.iter().any(|past| matches!(&past.event, CaseEvent::Note { text: past } if *past == text));
        if !said {
            self.append(case, &[CaseEvent::Note { text }]).await?;
        }
        Ok(ByItself::Settled)
    }
}
