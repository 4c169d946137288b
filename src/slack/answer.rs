//! What Slack answers, and what it means for whoever asked.

use crate::ports::ChatError;
use serde_json::Value;
use std::time::Duration;

/// `Retry-After` is honoured, but a value beyond this is taken for a mistake.
const LONGEST_TOLD: Duration = Duration::from_mins(5);

/// What repeating a call means: what is to be said of one whose fate is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It changes nothing.
    None,
    /// It may have been done.
    Some,
}

impl Effect {
    /// The error for a call that was sent, and that nobody knows the fate of.
    pub(super) fn unknown(self, message: String) -> ChatError {
        match self {
            Self::None => ChatError::Later { retry_after: None, message },
            Self::Some => ChatError::Ambiguous { message },
        }
    }
}

/// The tokens are worth nothing, or not for this workspace.
const TOKEN: [&str; 13] = [
    "invalid_auth",
    "not_authed",
    "token_revoked",
    "token_expired",
    "account_inactive",
    "not_allowed_token_type",
    "org_login_required",
    "ekm_access_denied",
    "team_access_not_granted",
    "enterprise_is_restricted",
    "two_factor_setup_required",
    "access_denied",
    "accesslimited",
];

/// The channel does not take messages of the app.
const CHANNEL: [&str; 12] = [
    "is_archived",
    "archived",
    "channel_not_found",
    "not_in_channel",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "restricted_action_non_threadable_channel",
    "restricted_action_thread_locked",
    "method_not_supported_for_channel_type",
    "channel_type_not_supported",
    "messages_tab_disabled",
];

/// Not now, and nothing was done.
const LATER: [&str; 6] = [
    "ratelimited",
    "rate_limited",
    "message_limit_exceeded",
    "service_unavailable",
    "team_added_to_org",
    "request_timeout",
];

/// Slack's own trouble; some of it may have been done.
const TROUBLE: [&str; 3] = ["internal_error", "fatal_error", "internal_service_error"];

/// What an answer with this status and body says.
pub(super) fn read(
    effect: Effect,
    status: u16,
    retry_after: Option<Duration>,
    body: &[u8],
) -> Result<Value, ChatError> {
    let retry_after = retry_after.map(|told| told.min(LONGEST_TOLD));
    if status == 429 {
        return Err(ChatError::Later { retry_after, message: "Slack limits the rate".into() });
    }
    if status >= 500 {
        return Err(effect.unknown(format!("Slack answers HTTP {status}")));
    }
    let Ok(answer) = serde_json::from_slice::<Value>(body) else {
        // A proxy's page, say.
        return Err(effect.unknown(format!("HTTP {status}, and the answer is no JSON")));
    };
    if answer["ok"] == true {
        return Ok(answer);
    }
    let Some(code) = answer["error"].as_str().map(plain) else {
        return Err(effect.unknown(format!("HTTP {status}, and the answer is not Slack's")));
    };
    Err(refusal(effect, code, retry_after, &answer))
}

fn refusal(effect: Effect, code: String, retry_after: Option<Duration>, answer: &Value) -> ChatError {
    let is = |codes: &[&str]| codes.contains(&code.as_str());
    if is(&TOKEN) {
        return ChatError::Token { code };
    }
    if is(&CHANNEL) {
        return ChatError::Channel { code };
    }
    if is(&LATER) {
        return ChatError::Later { retry_after, message: code };
    }
    if is(&TROUBLE) {
        return effect.unknown(code);
    }
    let message = match answer["needed"].as_str() {
        Some(scope) => format!("the app lacks the scope {}: add it, and install the app again", plain(scope)),
        None => messages(answer),
    };
    ChatError::Refused { code, message }
}

/// What Slack says beside its code.
fn messages(answer: &Value) -> String {
    let told = answer.pointer("/response_metadata/messages").or_else(|| answer.get("errors"));
    let told: Vec<String> =
        told.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).take(3).map(plain).collect();
    if told.is_empty() { "no more is said".to_owned() } else { told.join("; ") }
}

/// Text from outside, for a line of a log.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use serde_json::json;

    fn refused(effect: Effect, body: &Value) -> ChatError {
        read(effect, 200, None, body.to_string().as_bytes()).unwrap_err()
    }

    #[test]
    fn each_code_has_its_kind() {
        let of = |code: &str| refused(Effect::Some, &json!({"ok": false, "error": code}));
        assert!(matches!(of("token_revoked"), ChatError::Token { .. }));
        assert!(matches!(of("is_archived"), ChatError::Channel { .. }));
        assert!(matches!(of("ratelimited"), ChatError::Later { .. }));
        assert!(matches!(of("fatal_error"), ChatError::Ambiguous { .. }));
        assert!(matches!(
            refused(Effect::None, &json!({"ok": false, "error": "fatal_error"})),
            ChatError::Later { .. }
        ));
        assert!(matches!(of("invalid_blocks"), ChatError::Refused { .. }));
        let scope =
            refused(Effect::Some, &json!({"ok": false, "error": "missing_scope", "needed": "channels:history"}));
        assert!(scope.to_string().contains("channels:history"), "{scope}");
    }

    #[test]
    fn what_is_no_answer_of_slack_proves_nothing() {
        for (status, body) in [(500, "oops"), (503, r#"{"ok":true}"#), (200, "<html>"), (200, "{}"), (403, "no")] {
            assert!(
                matches!(read(Effect::Some, status, None, body.as_bytes()), Err(ChatError::Ambiguous { .. })),
                "{body}"
            );
            assert!(
                matches!(read(Effect::None, status, None, body.as_bytes()), Err(ChatError::Later { .. })),
                "{body}"
            );
        }
        assert!(read(Effect::Some, 200, None, br#"{"ok":true}"#).is_ok());
    }

    #[test]
    fn what_slack_tells_about_waiting_is_bounded() {
        let told = |secs| match read(Effect::Some, 429, Some(Duration::from_secs(secs)), b"") {
            Err(ChatError::Later { retry_after, .. }) => retry_after,
            _ => None,
        };
        assert_eq!(told(7), Some(Duration::from_secs(7)));
        assert_eq!(told(1_000_000), Some(LONGEST_TOLD));
    }
}
