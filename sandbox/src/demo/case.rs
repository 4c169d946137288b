//! A case, as the journal tells it.

use super::stage::Stage;
use super::{Failure, Result};
use sandbox::eventually;
use serde_json::Value;

/// What `sluicegate case ID --format json` says.
#[derive(Debug, Clone)]
pub struct Case(Value);

impl Case {
    /// The case of a mapping, once it awaits a decision.
    pub async fn awaiting(stage: &Stage, uuid: &str) -> Result<Self> {
        let found = eventually(async || {
            let cases = stage.product.cases(&stage.security).await.ok()?;
            cases.into_iter().find(|case| case["mapping_uuid"] == uuid && case["state"] == "awaiting_decision")
        });
        let found = found.await.ok_or_else(|| Failure(format!("no case of mapping {uuid} awaits a decision")))?;
        Self::read(stage, found["case_id"].as_str().unwrap_or_default()).await
    }

    pub async fn read(stage: &Stage, id: &str) -> Result<Self> {
        let said = stage.product.command_line(&stage.security, &["--format", "json", "case", id]).await?;
        let whole = serde_json::from_str(&said.out);
        whole.map(Self).map_err(|error| Failure(format!("case {id} cannot be read: {error}: {}", said.err)))
    }

    /// As it is now.
    pub async fn again(&self, stage: &Stage) -> Result<Self> {
        Self::read(stage, self.id()).await
    }

    pub fn id(&self) -> &str {
        text(&self.0["case_id"])
    }

    /// The queue or the table that the mapping reads.
    pub fn source(&self) -> &str {
        let resource = text(&self.0["source_arn"]).splitn(6, ':').nth(5).unwrap_or_default();
        resource.trim_start_matches("table/").split('/').next().unwrap_or_default()
    }

    pub fn state(&self) -> &str {
        text(&self.0["state"])
    }

    pub fn is_closed(&self) -> bool {
        self.state() == "closed"
    }

    /// How it ended; `""` while it is open.
    pub fn outcome(&self) -> &str {
        text(&self.0["outcome"])
    }

    pub fn events(&self) -> &[Value] {
        self.0["events"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The events of one type.
    pub fn events_of<'c>(&'c self, kind: &'c str) -> impl DoubleEndedIterator<Item = &'c Value> {
        self.events().iter().filter(move |event| event["type"] == kind)
    }

    /// What is known of something (`function`, `source`, `code_kept`, `history`), as last found out.
    pub fn evidence(&self, about: &str) -> Option<&Value> {
        self.events_of("evidence").rev().find(|event| event["about"] == about)
    }

    /// What can be done about these credentials (`caller`, `execution`), as last found out.
    pub fn offer(&self, whose: &str) -> Option<&Value> {
        let of = |event: &&Value| event["about"] == "credentials" && event["whose"] == whose;
        self.events_of("evidence").rev().find(of).map(|event| &event["offer"])
    }

    /// Whether a step was done, and not taken back.
    pub fn holds(&self, step: &str) -> bool {
        self.held(step) > 0
    }

    /// How many steps of a kind were done, and not taken back.
    pub fn held(&self, step: &str) -> usize {
        let steps = self.0["steps"].as_array().map_or(&[] as &[Value], Vec::as_slice);
        steps.iter().filter(|one| one["step"] == step && one["status"] == "succeeded").count()
    }

    /// The votes for a decision since people were asked last: who, and for which plan.
    pub fn votes_for(&self, decision: &str) -> Vec<(&str, &str)> {
        let since = self.events().iter().rposition(|event| event["type"] == "approved").map_or(0, |at| at + 1);
        let votes = self.events()[since..].iter();
        let votes = votes.filter(|event| event["type"] == "voted" && event["decision"] == decision);
        votes.map(|vote| (text(&vote["person"]), text(&vote["plan"]))).collect()
    }

    /// Why it was not allowed.
    pub fn reasons(&self) -> Vec<&str> {
        let reasons = self.0["events"][0]["verdict"]["reasons"].as_array();
        reasons.map(|all| all.iter().map(text).collect()).unwrap_or_default()
    }
}

/// A string, or `""`.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
