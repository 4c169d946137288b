//! Values of the configuration that are more than a text or a number.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Where a secret is; never the secret itself.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretRef(String);

impl SecretRef {
    /// Where it is looked for (`env`, `file` or `secretsmanager`), and under which name.
    pub(super) fn parts(&self) -> (&str, &str) {
        self.0.split_once(':').unwrap_or(("env", &self.0))
    }

    /// Takes a file's path from the directory that the configuration is in.
    pub(super) fn relative_to(&mut self, base: &Path) {
        if let Some(path) = self.0.strip_prefix("file:") {
            self.0 = format!("file:{}", base.join(path).display());
        }
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The value itself is not repeated, whatever its type: it may be the secret.
        let wrong = || D::Error::custom("expected env:NAME, file:PATH or secretsmanager:ID, never the secret itself");
        let text = String::deserialize(deserializer).map_err(|_| wrong())?;
        let known = ["env:", "file:", "secretsmanager:"];
        let names = known.iter().any(|prefix| text.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()));
        if names { Ok(Self(text)) } else { Err(wrong()) }
    }
}

pub(super) fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = || D::Error::custom(format!("{text:?} is no address with a port: write \"127.0.0.1:8780\""));
    text.parse().map_err(|_| wrong())
}

/// The ARN of a managed policy.
pub(super) fn policy_arn<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    if matches!(parts.as_slice(), ["arn", _, "iam", "", owner, policy] if !owner.is_empty() && policy.starts_with("policy/"))
    {
        return Ok(text);
    }
    Err(D::Error::custom(format!("{text:?} is no managed policy's ARN: write \"arn:aws:iam::aws:policy/AWSDenyAll\"")))
}

pub(super) fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    std::num::NonZeroUsize::deserialize(deserializer).map(Into::into)
}

fn parse_duration<E: serde::de::Error>(text: &str) -> Result<Duration, E> {
    let parsed: Result<jiff::SignedDuration, _> = text.parse();
    let positive = parsed.ok().filter(jiff::SignedDuration::is_positive);
    positive
        .map(jiff::SignedDuration::unsigned_abs)
        .ok_or_else(|| E::custom(format!("{text:?} is no duration: write \"30s\", \"2m\" or \"72h\"")))
}

pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parse_duration(&String::deserialize(deserializer)?)
}

/// Zero: never.
pub(super) fn duration_or_never<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let zero = |duration: jiff::SignedDuration| duration.is_zero();
    if text == "off" || text.parse().is_ok_and(zero) {
        return Ok(Duration::ZERO);
    }
    parse_duration(&text).map_err(|error: D::Error| D::Error::custom(format!("{error}; \"off\" for never")))
}

pub(super) fn optional_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

pub(super) fn durations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Duration>>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| parse_duration(text)).collect::<Result<_, _>>().map(Some)
}

/// A time of day: `HH:MM`.
pub(super) fn optional_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<jiff::civil::Time>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = || D::Error::custom(format!("{text:?} is no time of day: write \"08:30\" (UTC)"));
    let (hour, minute) = text.split_once(':').filter(|_| text.len() == 5).ok_or_else(wrong)?;
    let part = |text: &str| text.parse::<i8>().map_err(|_| wrong());
    jiff::civil::Time::new(part(hour)?, part(minute)?, 0, 0).map(Some).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::value::{Error, StrDeserializer};

    #[test]
    fn never_is_off_or_nothing_and_no_other_word() {
        let read = |text| duration_or_never(StrDeserializer::<Error>::new(text));
        for text in ["off", "0s", "0m", "PT0S"] {
            assert_eq!(read(text), Ok(Duration::ZERO), "{text}");
        }
        assert_eq!(read("10m"), Ok(Duration::from_mins(10)));
        for text in ["", "Off", "never", "0", "-1s", "-0.5s", "10"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
