//! The SDK's errors → what the caller has to know: may it be repeated, may it have happened?

use crate::ports::CallError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;
use std::time::Duration;

/// What an SDK error means.
pub(crate) fn call_error<E>(error: SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(failed) => by_answer(
            failed.raw().status().as_u16(),
            failed.raw().headers().get("retry-after"),
            failed.raw().headers().get("x-amzn-requestid"),
            failed.err().code().unwrap_or("?"),
            failed.err().message().unwrap_or("AWS gave no message"),
        ),
        SdkError::ConstructionFailure(_) => CallError::NotSent { message: chain(&error) },
        // A connection that broke may have carried the request first; only where none came about was nothing sent.
        SdkError::DispatchFailure(_) if never_connected(&chain(&error)) => {
            CallError::NotSent { message: chain(&error) }
        }
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => CallError::Ambiguous { message: chain(&error) },
        other => CallError::Ambiguous { message: chain(&other) },
    }
}

/// The error and its causes, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

fn never_connected(message: &str) -> bool {
    message.contains("Connection refused") || message.contains("dns error")
}

fn by_answer(status: u16, retry_after: Option<&str>, request_id: Option<&str>, code: &str, message: &str) -> CallError {
    let request_id = request_id.map(str::to_owned);
    let text = format!("{code}: {message}");
    match (status, code) {
        (429, _) | (_, "TooManyRequestsException" | "ThrottlingException" | "Throttling") => CallError::Throttled {
            retry_after: retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs),
            message: text,
            request_id,
        },
        // IAM's quotas answer 409, and repeating does not help.
        (_, "LimitExceeded" | "LimitExceededException") => {
            CallError::Refused { code: code.to_owned(), message: message.to_owned(), request_id }
        }
        (409, _) | (_, "ResourceInUseException" | "ResourceConflictException") => {
            CallError::Busy { message: text, request_id }
        }
        (404, _) | (_, "ResourceNotFoundException" | "NoSuchEntity") => {
            CallError::NotFound { message: text, request_id }
        }
        (500.., _) => CallError::Unavailable { message: text, request_id },
        // The request was turned away at the door; fresh credentials or a right clock let it in.
        (_, "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" | "RequestTimeTooSkewed") => {
            CallError::NotSent { message: text }
        }
        _ => CallError::Refused { code: code.to_owned(), message: message.to_owned(), request_id },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every error that the API model names for the calls we make, and what it must lead to.
    #[test]
    fn each_modelled_error_is_told_apart() {
        let answer = |status, code| by_answer(status, Some("7"), Some("id"), code, "m");
        assert!(matches!(
            answer(429, "TooManyRequestsException"),
            CallError::Throttled { retry_after: Some(wait), .. } if wait == Duration::from_secs(7)
        ));
        assert!(matches!(answer(409, "ResourceConflictException"), CallError::Busy { .. }));
        assert!(matches!(answer(400, "ResourceInUseException"), CallError::Busy { .. }));
        assert!(matches!(answer(404, "ResourceNotFoundException"), CallError::NotFound { .. }));
        assert!(matches!(answer(409, "LimitExceeded"), CallError::Refused { .. }));
        assert!(matches!(answer(404, "NoSuchEntity"), CallError::NotFound { .. }));
        assert!(matches!(answer(500, "ServiceException"), CallError::Unavailable { .. }));
        assert!(matches!(answer(503, "?"), CallError::Unavailable { .. }));
        assert!(matches!(answer(400, "InvalidParameterValueException"), CallError::Refused { .. }));
        assert!(matches!(answer(403, "AccessDeniedException"), CallError::Refused { .. }));
        assert!(matches!(answer(403, "ExpiredTokenException"), CallError::NotSent { .. }));
    }

    #[test]
    fn a_senseless_retry_after_is_none() {
        for text in [None, Some("soon"), Some("-1"), Some("")] {
            assert!(matches!(by_answer(429, text, None, "?", "m"), CallError::Throttled { retry_after: None, .. }));
        }
    }
}
