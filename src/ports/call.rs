//! What calls to AWS answer, and why they do not.

use std::time::Duration;

/// Why a call to AWS did not give an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// 429: repeat after a while.
    #[error("throttled: {message}")]
    Throttled {
        /// `Retry-After`, where AWS told it.
        retry_after: Option<Duration>,
        /// What AWS said.
        message: String,
        /// The request's id.
        request_id: Option<String>,
    },
    /// 409, or 400 `ResourceInUseException`: another change is under way; repeat.
    #[error("busy: {message}")]
    Busy {
        /// What AWS said.
        message: String,
        /// The request's id.
        request_id: Option<String>,
    },
    /// 5xx: repeat. The effect may have happened all the same.
    #[error("unavailable: {message}")]
    Unavailable {
        /// What AWS said.
        message: String,
        /// The request's id.
        request_id: Option<String>,
    },
    /// Timed out, or cut off, after sending: the effect may have happened. Observe before repeating.
    #[error("no answer: {message}")]
    Ambiguous {
        /// What the client saw.
        message: String,
    },
    /// It was not sent: no connection, no credentials. Repeat.
    #[error("not sent: {message}")]
    NotSent {
        /// What the client saw.
        message: String,
    },
    /// 404: there is no such thing.
    #[error("not found: {message}")]
    NotFound {
        /// What AWS said.
        message: String,
        /// The request's id.
        request_id: Option<String>,
    },
    /// Any other 4xx: repeating does not help.
    #[error("refused: {code}: {message}")]
    Refused {
        /// AWS's error code.
        code: String,
        /// What AWS said.
        message: String,
        /// The request's id.
        request_id: Option<String>,
    },
    /// An answer that cannot be what was asked for. Nothing may be concluded from it.
    #[error("answer makes no sense: {message}")]
    Nonsense {
        /// What is wrong with it.
        message: String,
    },
}

impl CallError {
    /// Whether the call may have had its effect all the same.
    pub fn is_ambiguous(&self) -> bool {
        matches!(self, Self::Ambiguous { .. } | Self::Unavailable { .. } | Self::Nonsense { .. })
    }

    /// Whether repeating can help.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::NotFound { .. })
    }

    /// Whether it was refused to these credentials, and not as such: somebody may put that right.
    pub fn is_denied(&self) -> bool {
        const DENIED: [&str; 6] = [
            "AccessDenied",
            "AccessDeniedException",
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
        ];
        matches!(self, Self::Refused { code, .. } if DENIED.contains(&code.as_str()))
    }

    /// The request's id, where AWS told it.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Throttled { request_id, .. }
            | Self::Busy { request_id, .. }
            | Self::Unavailable { request_id, .. }
            | Self::NotFound { request_id, .. }
            | Self::Refused { request_id, .. } => request_id.as_deref(),
            Self::Ambiguous { .. } | Self::NotSent { .. } | Self::Nonsense { .. } => None,
        }
    }
}

/// AWS took a call. That is no proof of its effect: read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// The request's id, `""` where AWS told none.
    pub request_id: String,
}
