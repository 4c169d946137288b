//! Whether a restriction is seen to hold, by what CloudTrail has of the restricted credentials since it was put on.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// AWS takes a while to enforce a change everywhere; calls that succeed later than this say that it does not hold.
const TAKES: SignedDuration = SignedDuration::from_secs(60);
/// So long without a call that was allowed is taken for a sign that it holds.
const QUIET: SignedDuration = SignedDuration::from_mins(5);
/// Calls that AWS allows to everybody, whatever is denied to them.
const ALWAYS_ALLOWED: [&str; 1] = ["GetCallerIdentity"];

/// What the records say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    /// Nothing yet.
    None,
    /// It holds; by what that is known.
    Holds(String),
    /// It does not; what was seen.
    HoldsNot(String),
}

/// Reads the signs in records, JSON as CloudTrail keeps them, of the restricted credentials.
pub fn signs(records: &[String], applied: Timestamp, now: Timestamp, region: &str) -> Sign {
    let (mut denied, mut allowed) = (None, None);
    for record in records.iter().filter_map(|text| serde_json::from_str::<Value>(text).ok()) {
        let text = |key: &str| record[key].as_str().unwrap_or_default();
        let Ok(time) = text("eventTime").parse::<Timestamp>() else { continue };
        // Records tell whole seconds.
        if time.as_second() < applied.as_second() || ALWAYS_ALLOWED.contains(&text("eventName")) {
            continue;
        }
        let service = text("eventSource").trim_end_matches(".amazonaws.com");
        let call = || format!("{service}:{} at {time}", text("eventName"));
        let code = text("errorCode");
        if code.contains("AccessDenied") || code.contains("UnauthorizedOperation") {
            denied.get_or_insert_with(call);
        } else if code.is_empty() && record["errorMessage"].is_null() && time.duration_since(applied) > TAKES {
            // The oldest of them, so that the same is not told anew with every call.
            allowed = Some(call());
        }
    }
    match (allowed, denied) {
        (Some(call), _) => Sign::HoldsNot(format!("{call} was allowed, more than a minute after it was put on")),
        (None, Some(call)) => Sign::Holds(format!("{call} was denied")),
        (None, None) if now.duration_since(applied) >= QUIET => Sign::Holds(format!(
            "no call by it was seen to be allowed in the five minutes since; looked at: LookupEvents in {region}, which \
             tells of calls some minutes later"
        )),
        (None, None) => Sign::None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_denied_and_what_was_allowed() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let record = |second: i64, name: &str, code: Option<&str>| {
            let mut record =
                json!({"eventTime": at(second).to_string(), "eventName": name, "eventSource": "lambda.amazonaws.com"});
            if let Some(code) = code {
                record["errorCode"] = code.into();
            }
            record.to_string()
        };
        let said = |records: &[String], now: i64| signs(records, at(0), at(now), "eu-west-1");
        assert_eq!(said(&[], 10), Sign::None);
        assert!(matches!(said(&[], 301), Sign::Holds(by) if by.contains("LookupEvents in eu-west-1")));
        let denied = record(3, "ListFunctions", Some("AccessDenied"));
        assert!(
            matches!(said(std::slice::from_ref(&denied), 10), Sign::Holds(by) if by.starts_with("lambda:ListFunctions at"))
        );
        assert_eq!(said(&[record(-3, "ListFunctions", Some("AccessDenied"))], 10), Sign::None);
        assert_eq!(said(&[record(30, "ListFunctions", None)], 40), Sign::None);
        assert!(matches!(said(&[denied, record(61, "ListFunctions", None)], 70), Sign::HoldsNot(_)));
        assert_eq!(said(&[record(90, "GetCallerIdentity", None)], 100), Sign::None);
        assert!(matches!(said(&[record(5, "RunInstances", Some("Client.UnauthorizedOperation"))], 9), Sign::Holds(_)));
    }
}
