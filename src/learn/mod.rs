//! `learn`: from history, allowlist entries for a person to review.
