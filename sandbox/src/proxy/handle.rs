//! What happens to one call.

use bytes::Bytes;
use hyper::http::request::Parts;
use jiff::Timestamp;
use serde_json::Value;

use super::control::PREFIX;
use super::{Cut, Proxy};
use crate::calls::Call;
use crate::faults::Outcome;
use crate::trail::{Circumstances, event_name};
use crate::wire::{Operation, Reply, header};

impl Proxy {
    /// Answers a request.
    pub(super) async fn handle(&self, parts: Parts, body: Bytes) -> Result<Reply, Cut> {
        if parts.uri.path().starts_with(PREFIX) {
            return Ok(self.control(&parts, &body).await);
        }
        let operation = Operation::of(&parts, &body);
        let mut call = Call::of(&operation);
        let answer = self.answer(&operation, &parts, body, &mut call).await;
        call.status = answer.as_ref().ok().map(|reply| reply.status);
        self.calls.add(call);
        answer
    }

    /// Lets the scripted faults have their way, and the emulator the rest.
    async fn answer(&self, operation: &Operation, parts: &Parts, body: Bytes, call: &mut Call) -> Result<Reply, Cut> {
        // Before the call, since it may be the key's own deletion.
        let who = if event_name(operation).is_some() { self.caller(operation).await } else { None };
        let mut silence = None;
        let refused = match self.fault(operation, parts, &body).await {
            Some(Outcome::DropBefore(time)) => {
                tokio::time::sleep(time).await;
                return Err(Cut);
            }
            Some(Outcome::Answer(reply)) => Some(reply),
            Some(Outcome::DropAfter(time)) => {
                silence = Some(time);
                self.transitions.refuse(operation)
            }
            None => self.transitions.refuse(operation),
        };
        let mut reply = if let Some(reply) = refused {
            reply
        } else {
            call.forwarded = true;
            self.pass_on(operation, parts, body).await?
        };
        self.settle(operation, parts, &mut reply, who.as_ref());
        if let Some(time) = silence {
            tokio::time::sleep(time).await;
            return Err(Cut);
        }
        Ok(reply)
    }

    /// What is scripted for this call, its delay waited for.
    async fn fault(&self, operation: &Operation, parts: &Parts, body: &Bytes) -> Option<Outcome> {
        if !self.faults.any() {
            return None;
        }
        let text = format!("{} {}", parts.uri, String::from_utf8_lossy(body));
        let picked = self.faults.pick(operation, &text);
        if !picked.delay.is_zero() {
            tokio::time::sleep(picked.delay).await;
        }
        picked.effect.and_then(|effect| effect.outcome(operation))
    }

    /// Has the emulator carry the call out, and makes its answer AWS's.
    async fn pass_on(&self, operation: &Operation, parts: &Parts, body: Bytes) -> Result<Reply, Cut> {
        let mut reply = self.upstream.forward(parts, body).await.map_err(|error| {
            tracing::error!(%error, operation = operation.name, "a call was lost");
            Cut
        })?;
        if operation.service == "cloudtrail" && operation.name == "LookupEvents" && reply.is_success() {
            self.look_up(operation, &mut reply).await;
        }
        self.transitions.shape(operation, &mut reply);
        Ok(reply)
    }

    /// Gives the answer its request id, and records it.
    fn settle(&self, operation: &Operation, parts: &Parts, reply: &mut Reply, who: Option<&Value>) {
        let request_id = reply.settle_request_id();
        let Some(who) = who else { return };
        let service = operation.access_key_id.as_deref().and_then(|key| self.trail.identities.service(key));
        let seen = Circumstances {
            who,
            invoked_by: service.as_deref(),
            user_agent: header(parts, "user-agent").unwrap_or_default(),
            request_id: &request_id,
            at: Timestamp::now(),
        };
        self.trail.write(operation, reply, &seen);
    }

    async fn caller(&self, operation: &Operation) -> Option<Value> {
        self.trail.identities.of(operation.access_key_id.as_deref()?, &self.upstream).await
    }

    /// The emulator has allowed the call and knows no events; the trail does.
    async fn look_up(&self, operation: &Operation, reply: &mut Reply) {
        let who = self.caller(operation).await.unwrap_or_default();
        let account = who.get("accountId").and_then(Value::as_str).unwrap_or_default();
        let request = Value::Object(operation.params.clone());
        reply.set_json(&self.trail.look_up(account, &operation.region, &request));
    }
}
