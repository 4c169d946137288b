//! Who did it, and why that is not allowed.

use super::text::Mrkdwn;
use super::what::{NAME, believed, principal};
use crate::case::Case;
use crate::cloudtrail::{Actor, PrincipalKind};

/// Everything the record tells about the caller.
pub(super) fn who(case: &Case) -> Vec<Mrkdwn> {
    let actor = &case.opened.finding.actor;
    let mut lines = vec![Mrkdwn::new("*Who*"), Mrkdwn::new("• ").then(&principal(actor)).then(&kind(actor))];
    if actor.principal_arn.is_empty() && !actor.unidentified.is_empty() {
        lines.push(Mrkdwn::new("• not identified: ").bare(&actor.unidentified, 200));
    }
    if !actor.account.is_empty() && actor.account != case.opened.finding.account {
        lines.push(Mrkdwn::new("• of *another account*, ").code(&actor.account, 20));
    }
    if !actor.session_name.is_empty() {
        let began = actor.issued_at.map(|at| Mrkdwn::new(", begun ").time(at)).unwrap_or_default();
        lines.push(Mrkdwn::new("• session ").code(&actor.session_name, NAME).then(&began));
    }
    if !actor.access_key_id.is_empty() {
        lines.push(Mrkdwn::new("• access key ").code(&actor.access_key_id, 40));
    }
    if !actor.source_ip.is_empty() {
        lines.push(Mrkdwn::new("• from ").code(&actor.source_ip, 60));
    }
    if !actor.user_agent.is_empty() {
        lines.push(Mrkdwn::new("• user agent, as the caller chose it: ").code(&actor.user_agent, NAME));
    }
    lines.push(Mrkdwn::new("• console: ").say(yes(actor.console)).say(" · MFA: ").say(yes(actor.mfa)));
    lines.extend(invoked(actor));
    lines
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

fn kind(actor: &Actor) -> Mrkdwn {
    match actor.kind {
        PrincipalKind::AwsService => Mrkdwn::new(" (an AWS service)"),
        PrincipalKind::AwsAccount => Mrkdwn::new(" (another account)"),
        PrincipalKind::FederatedUser | PrincipalKind::SamlUser | PrincipalKind::WebIdentityUser => {
            Mrkdwn::new(" (federated)")
        }
        PrincipalKind::IdentityCenterUser => Mrkdwn::new(" (Identity Center)"),
        PrincipalKind::Unknown | PrincipalKind::Directory => Mrkdwn::new(" (of a kind not known)"),
        PrincipalKind::AssumedRole | PrincipalKind::Role | PrincipalKind::IamUser | PrincipalKind::Root => {
            Mrkdwn::default()
        }
    }
}

fn invoked(actor: &Actor) -> Option<Mrkdwn> {
    (!actor.invoked_by.is_empty()).then(|| Mrkdwn::new("• the call was made for them by ").code(&actor.invoked_by, 60))
}

/// What made the mapping may make it again: said where it is a pipeline.
pub(super) fn pipeline(actor: &Actor) -> Option<Mrkdwn> {
    let agent = actor.user_agent.to_ascii_lowercase();
    let tool = if actor.invoked_by.contains("cloudformation") || agent.contains("cloudformation") {
        "CloudFormation"
    } else if agent.contains("hashicorp") || agent.contains("terraform") {
        "Terraform, by its user agent"
    } else {
        return None;
    };
    Some(
        Mrkdwn::new("Made through *")
            .say(tool)
            .say("*. Its state will differ from what is here now, and the pipeline may put the mapping back"),
    )
}

/// Why it is not allowed: reasons, policies, errors.
pub(super) fn why(case: &Case) -> Vec<Mrkdwn> {
    let verdict = &case.opened.verdict;
    let mut lines = vec![Mrkdwn::new("*Why it is not allowed*")];
    lines.extend(verdict.reasons.iter().take(5).map(|reason| Mrkdwn::new("• ").bare(reason, 250)));
    lines.extend(verdict.errors.iter().take(3).map(|error| Mrkdwn::new("• *error while judging*: ").bare(error, 250)));
    let ids: Vec<Mrkdwn> = verdict.policies.iter().take(8).map(|id| Mrkdwn::default().code(id, 60)).collect();
    if ids.is_empty() {
        lines.push(Mrkdwn::new("• no policy permits it"));
    } else {
        lines.push(Mrkdwn::new("• policies: ").then(&Mrkdwn::joined(&ids, ", ")));
    }
    lines.push(Mrkdwn::new("• ").then(&believed(case)));
    lines
}
