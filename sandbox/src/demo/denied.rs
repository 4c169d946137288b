//! What a principal can still do, tried out.

use super::stage::Stage;
use super::{Failure, Result};
use sandbox::Account;

/// What AWS answered to a call: nothing, or its error.
#[derive(Debug)]
pub struct Attempt {
    /// The call, as it is typed.
    pub call: &'static str,
    /// The error; none where the call went through.
    pub error: Option<String>,
}

impl Attempt {
    pub fn is_denied(&self) -> bool {
        self.error.as_deref().is_some_and(|error| error.starts_with("AccessDenied"))
    }

    pub fn words(&self) -> String {
        format!("aws {:<58} {}", self.call, self.error.as_deref().unwrap_or("ok"))
    }
}

/// The attacker goes on: the same mapping again, another look around.
pub async fn attacker(stage: &Stage) -> [Attempt; 3] {
    let (mallory, source) = (&stage.mallory, &stage.payments.arn);
    let again = mallory.lambda.create_event_source_mapping().event_source_arn(source).function_name("telemetry");
    let again = again.send().await.map_err(sandbox::aws_error);
    let queues = mallory.sqs.list_queues().send().await.map_err(sandbox::aws_error);
    [
        Attempt { call: "lambda create-event-source-mapping (the same again)", error: again.err() },
        Attempt { call: "sqs list-queues", error: queues.err() },
        look("lambda list-functions", mallory).await,
    ]
}

/// Somebody who is to be spared lists the functions.
pub async fn look(call: &'static str, who: &Account) -> Attempt {
    let listed = who.lambda.list_functions().send().await.map_err(sandbox::aws_error);
    Attempt { call, error: listed.err() }
}

/// How many of the attacker's calls AWS has denied, by the proxy's log.
pub fn denied_so_far(stage: &Stage) -> usize {
    let key = &stage.mallory.credentials.access_key_id;
    let calls = stage.sandbox.calls();
    let denied = calls.iter().filter(|call| call.access_key_id.as_ref() == Some(key) && call.status == Some(403));
    denied.count()
}

/// The error where a call that should go through did not.
pub fn went_through(who: &str, attempt: &Attempt) -> Result {
    match &attempt.error {
        None => Ok(()),
        Some(error) => Err(Failure(format!("{who} should be spared, and got {error} for {}", attempt.call))),
    }
}
