//! `guardrail`: the service control policy that the allowlist amounts to, and what it cannot express.
