//! `EventBridge`'s archives and replays: what a rule sent to a queue is sent to it once more.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html>

use super::clients::AwsSettings;
use super::errors::call_error;
use crate::ports::CallError;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::{ReplayDestination, ReplayState};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_types::DateTime;
use jiff::Timestamp;

/// `EventBridge` in the environment's region.
#[derive(Debug, Clone)]
pub struct Replays {
    events: Client,
    sqs: aws_sdk_sqs::Client,
}

/// An archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventArchive {
    /// Its name.
    pub name: String,
    /// The bus that it keeps the events of.
    pub bus_arn: String,
    /// How many events it says that it holds; it learns of new ones with a delay.
    pub events: i64,
}

/// A replay to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReplay {
    /// Its name: unique in the account and region for ninety days.
    pub name: String,
    /// The archive's ARN.
    pub archive_arn: String,
    /// The bus.
    pub bus_arn: String,
    /// The rules that get the events; no others do.
    pub rule_arns: Vec<String>,
    /// From when, inclusive.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
}

/// How far a replay is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// `STARTING`, `RUNNING`, `COMPLETED`, `CANCELLING`, `CANCELLED`, `FAILED`.
    pub state: String,
    /// Why it is so, where AWS tells; `""` where not.
    pub why: String,
    /// The time of the event that was replayed last.
    pub last: Option<Timestamp>,
}

impl Progress {
    /// Whether nothing more will come of it.
    pub fn is_over(&self) -> bool {
        matches!(
            ReplayState::from(self.state.as_str()),
            ReplayState::Completed | ReplayState::Cancelled | ReplayState::Failed
        )
    }

    /// Whether all was replayed.
    pub fn is_complete(&self) -> bool {
        ReplayState::from(self.state.as_str()) == ReplayState::Completed
    }
}

impl Replays {
    /// With the environment's credentials and region.
    pub fn new(aws: &AwsSettings) -> Self {
        Self { events: Client::new(&aws.sdk), sqs: aws.sqs() }
    }

    /// The ARN of a queue, by its URL.
    pub async fn queue_arn(&self, queue_url: &str) -> Result<String, CallError> {
        let get = self.sqs.get_queue_attributes().queue_url(queue_url).attribute_names(QueueAttributeName::QueueArn);
        let answer = get.send().await.map_err(call_error)?;
        let arn = answer.attributes().and_then(|all| all.get(&QueueAttributeName::QueueArn)).cloned();
        arn.ok_or_else(|| CallError::Nonsense { message: format!("the queue {queue_url} has no ARN") })
    }

    /// The names of the default bus's rules that send to a target.
    pub async fn rules_to(&self, target_arn: &str) -> Result<Vec<String>, CallError> {
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let list = self.events.list_rule_names_by_target().target_arn(target_arn).set_next_token(token);
            let page = list.send().await.map_err(call_error)?;
            found.extend(page.rule_names().iter().cloned());
            token = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// A rule's ARN.
    pub async fn rule_arn(&self, name: &str) -> Result<String, CallError> {
        let rule = self.events.describe_rule().name(name).send().await.map_err(call_error)?;
        rule.arn.ok_or_else(|| CallError::Nonsense { message: format!("the rule {name} has no ARN") })
    }

    /// The archives of the account in the region.
    pub async fn archives(&self) -> Result<Vec<EventArchive>, CallError> {
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let page = self.events.list_archives().set_next_token(token).send().await.map_err(call_error)?;
            found.extend(page.archives().iter().map(|archive| EventArchive {
                name: archive.archive_name().unwrap_or_default().to_owned(),
                bus_arn: archive.event_source_arn().unwrap_or_default().to_owned(),
                events: archive.event_count(),
            }));
            token = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// `StartReplay`. Repeating it under the same name is refused, so nothing is replayed twice by it.
    pub async fn start(&self, new: &NewReplay) -> Result<(), CallError> {
        let moment = |time: Timestamp| DateTime::from_secs(time.as_second());
        let destination = ReplayDestination::builder().arn(&new.bus_arn).set_filter_arns(Some(new.rule_arns.clone()));
        let destination = destination.build().map_err(|error| CallError::NotSent { message: error.to_string() })?;
        let start = self.events.start_replay().replay_name(&new.name).event_source_arn(&new.archive_arn);
        let start = start.event_start_time(moment(new.from)).event_end_time(moment(new.to)).destination(destination);
        start.send().await.map_err(call_error)?;
        Ok(())
    }

    /// How far a replay is.
    pub async fn progress(&self, name: &str) -> Result<Progress, CallError> {
        let replay = self.events.describe_replay().replay_name(name).send().await.map_err(call_error)?;
        Ok(Progress {
            state: replay.state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
            why: replay.state_reason().unwrap_or_default().to_owned(),
            last: replay.event_last_replayed_time().and_then(|time| Timestamp::from_second(time.secs()).ok()),
        })
    }
}
