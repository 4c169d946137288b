//! Who is behind a vote: by AWS as STS names them, or by Slack as Slack has them now. In doubt it is nobody.

use super::Responder;
use super::decide::{Trouble, refused};
use crate::case::Via;
use crate::policy::{Person, PolicySet};
use crate::ports::{Chat, ChatError, ChatUser, Proof, SlackProof};

/// Somebody who votes.
#[derive(Debug, Clone)]
pub(super) struct Voter {
    /// The person: votes count people.
    pub(super) person: Person,
    /// The identity under which the vote came.
    pub(super) identity: String,
    /// What it came by.
    pub(super) via: Via,
}

impl Responder {
    /// Who casts a vote for `claim`.
    pub(super) async fn voter(&self, proof: &Proof, claim: &str) -> Result<Voter, Trouble> {
        match proof {
            Proof::Aws(proof) => {
                let identity = match self.ports.identity.verify(proof, claim).await {
                    Ok(identity) => identity,
                    Err(error) if error.is_final() => return Err(refused("unverified", &error.to_string())),
                    Err(error) => return Err(Trouble::Later(error.to_string())),
                };
                let policies = self.policies.current();
                let person = policies.person(&identity);
                let person = self.with_slack_groups(&policies, person).await;
                Ok(Voter { person, identity, via: Via::CommandLine })
            }
            Proof::Slack(proof) => self.slack_voter(proof).await,
        }
    }

    /// Teams that are Slack user groups count on the command line too, where Slack can be asked.
    async fn with_slack_groups(&self, policies: &PolicySet, person: Person) -> Person {
        let slack = policies.slack_of(&person).to_owned();
        let Some(chat) = self.ports.chat.as_ref().filter(|_| !slack.is_empty()) else {
            return person;
        };
        match groups_of(&**chat, policies, &slack).await {
            Ok(groups) => policies.with_groups(person, &groups),
            Err(error) => {
                tracing::warn!(%error, person = %person.id, "Slack's user groups cannot be asked: they count for nothing");
                person
            }
        }
    }

    /// Only ids count: names and e-mails of a payload can be chosen by their owners.
    pub(super) async fn slack_voter(&self, proof: &SlackProof) -> Result<Voter, Trouble> {
        let identity = format!("slack:{}:{}", proof.team_id, proof.user_id);
        let no = |why: &str| Err(refused(&identity, why));
        let Some(chat) = &self.ports.chat else {
            return no("Slack is not configured here");
        };
        let unsure = |error: ChatError| {
            refused(
                &identity,
                &format!(
                    "it cannot be checked now who you are ({error}): try again, or decide with `sluicegate decide`"
                ),
            )
        };
        let workspace = chat.workspace().await.map_err(unsure)?;
        if proof.team_id != workspace.team_id {
            return no("the click came from another workspace");
        }
        if workspace.app_id.is_empty() || proof.app_id != workspace.app_id {
            return no("the click is for another app");
        }
        let user = chat.user(&proof.user_id).await.map_err(unsure)?;
        if let Some(why) = unfit(&user, proof, &workspace.team_id) {
            return no(why);
        }
        let policies = self.policies.current();
        let groups = groups_of(&**chat, &policies, &user.id).await.map_err(unsure)?;
        let person = policies.slack_person(&user.id, &user.email, &groups);
        Ok(Voter { person, identity, via: Via::Slack })
    }
}

/// Why such a user decides nothing here.
fn unfit(user: &ChatUser, proof: &SlackProof, team_id: &str) -> Option<&'static str> {
    let elsewhere = |id: &str| !id.is_empty() && id != team_id;
    if user.id != proof.user_id {
        Some("Slack does not know you")
    } else if user.deleted {
        Some("your Slack account is deactivated")
    } else if user.bot {
        Some("bots decide nothing")
    } else if user.restricted {
        Some("guests decide nothing")
    } else if user.external || elsewhere(&user.team_id) || elsewhere(&proof.user_team_id) {
        Some("people of other workspaces decide nothing")
    } else {
        None
    }
}

async fn groups_of(chat: &dyn Chat, policies: &PolicySet, user_id: &str) -> Result<Vec<String>, ChatError> {
    let mut groups = Vec::new();
    for group in policies.slack_groups() {
        match chat.members(&group).await {
            Ok(members) if members.iter().any(|member| member == user_id) => groups.push(group),
            Ok(_) => {}
            // A group that does not exist has nobody in it.
            Err(ChatError::Refused { code, .. }) => {
                tracing::error!(
                    group,
                    code,
                    "a team of the inventory is made of a Slack user group that Slack refuses"
                );
            }
            Err(error) => return Err(error),
        }
    }
    Ok(groups)
}
