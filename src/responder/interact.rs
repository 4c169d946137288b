//! What people do in Slack: made durable here, decided on elsewhere.

use super::Responder;
use crate::case::plans_for;
use crate::ports::{Ack, Chat, ChatError, Interaction, Interactions, JournalError, ModalWanted, Rating};
use crate::slack::card;
use async_trait::async_trait;
use serde_json::Value;
use std::time::Duration;

/// Of the three seconds that Slack waits for an acknowledgement.
const RATED_WITHIN: Duration = Duration::from_secs(2);

#[async_trait]
impl Interactions for Responder {
    async fn take(&self, interaction: Interaction) -> Result<Ack, JournalError> {
        match interaction {
            Interaction::Vote(ballot) => {
                self.ports.journal.cast(&ballot).await?;
                self.votes.notify_one();
            }
            Interaction::Modal(wanted) => {
                let responder = self.clone();
                tokio::spawn(async move { responder.show_modal(&wanted).await });
            }
            Interaction::Rating(Rating { case_id, right, proof, .. }) => {
                // Not acknowledged, it is clicked again.
                let late = |_| JournalError::Unavailable("Slack does not say in time who it is".into());
                tokio::time::timeout(RATED_WITHIN, self.rate(&case_id, right, &proof)).await.map_err(late)??;
            }
        }
        Ok(Ack::default())
    }
}

impl Responder {
    /// Waits until somebody voted in Slack, or for this long.
    pub async fn vote_cast(&self, longest: Duration) {
        // Its running out is the other of the two.
        let _ = tokio::time::timeout(longest, self.votes.notified()).await;
    }

    /// Opens the modal for whoever may decide; the others are told why not.
    async fn show_modal(&self, wanted: &ModalWanted) {
        let Some(chat) = &self.ports.chat else { return };
        match self.may_be_asked(&wanted.case_id, wanted.decision, &wanted.plan, &wanted.proof).await {
            Ok(Some(case)) => {
                let plans = plans_for(&case, wanted.decision);
                let Some(view) = card::modal(&case, &plans, &self.about(&case)) else { return };
                if let Err(error) = open_modal(&**chat, wanted, &view).await {
                    tracing::warn!(case = %wanted.case_id, %error, "the modal could not be opened");
                }
            }
            Ok(None) => {}
            Err(error) => tracing::error!(case = %wanted.case_id, %error, "the journal failed; no modal is opened"),
        }
    }
}

/// Opens the modal that somebody wanted; where that comes too late they are told to click again.
pub async fn open_modal(chat: &dyn Chat, wanted: &ModalWanted, view: &Value) -> Result<(), ChatError> {
    let opened = chat.open_modal(&wanted.trigger_id, view).await;
    let Err(error) = &opened else { return Ok(()) };
    let late = matches!(error, ChatError::Refused { code, .. } if code == "expired_trigger_id");
    let text = if late {
        "That took too long to open: please click again."
    } else {
        "Slack did not open the window: please click again, or decide on the command line with `sluicegate decide`."
    };
    let proof = &wanted.proof;
    if let Err(error) = chat.whisper(&proof.channel, &proof.user_id, &proof.response_url, text).await {
        tracing::warn!(case = %wanted.case_id, %error, "somebody could not be told");
    }
    opened
}
