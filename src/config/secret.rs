//! Reading what a [`SecretRef`] names.

use super::SecretRef;
use crate::aws::AwsSettings;
use crate::ports::CallError;
use std::fmt;
use tokio::sync::OnceCell;

/// A secret. It is shown to nobody who does not ask for it by name.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret that is known already.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a secret could not be read; for people, without anything of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The place is empty, or does not exist.
    #[error("{0}")]
    Missing(String),
    /// The place cannot be asked now.
    #[error("{0}")]
    Unreachable(String),
}

/// Reads secrets from where the configuration says that they are.
#[derive(Debug, Default)]
pub struct SecretReader {
    aws: OnceCell<AwsSettings>,
}

impl SecretReader {
    /// A reader that uses these AWS settings.
    pub fn new(aws: AwsSettings) -> Self {
        Self { aws: OnceCell::new_with(Some(aws)) }
    }

    /// Reads the secret that `key` of the configuration names.
    pub async fn read(&self, key: &str, place: &SecretRef) -> Result<Secret, SecretError> {
        let missing = |why: String| SecretError::Missing(format!("{key} = \"{place:?}\": {why}"));
        let text = match place.parts() {
            ("env", name) => std::env::var(name).map_err(|_| missing(format!("the environment has no {name}")))?,
            ("file", path) => std::fs::read_to_string(path)
                .map_err(|error| missing(format!("{path} cannot be read: {}", error.kind())))?,
            (_, id) => self.managed(id).await.map_err(|error| {
                let why = format!("{key} = \"{place:?}\": Secrets Manager does not give it: {error}");
                if error.is_final() { SecretError::Missing(why) } else { SecretError::Unreachable(why) }
            })?,
        };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(missing("what is there is empty, or more than one line".into()));
        }
        Ok(Secret::new(text))
    }

    async fn managed(&self, id: &str) -> Result<String, CallError> {
        let aws = self.aws.get_or_init(AwsSettings::load).await;
        let client = aws_sdk_secretsmanager::Client::new(&aws.sdk);
        let answer = client.get_secret_value().secret_id(id).send().await.map_err(crate::aws::call_error);
        let bytes = || CallError::Refused {
            code: "SecretBinary".into(),
            message: "it holds bytes, and no text".into(),
            request_id: None,
        };
        answer?.secret_string().map(str::to_owned).ok_or_else(bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    async fn read(place: &str) -> Result<Secret, SecretError> {
        let place: SecretRef = serde_json::from_value(place.into()).unwrap();
        SecretReader::default().read("[slack] bot_token", &place).await
    }

    #[tokio::test]
    async fn a_file_gives_its_one_line() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("token");
        for (text, expected) in [("xoxb-1", Some("xoxb-1")), ("xoxb-1\n", Some("xoxb-1")), ("a\r\n", Some("a"))] {
            std::fs::write(&path, text).unwrap();
            let secret = read(&format!("file:{}", path.display())).await.unwrap();
            assert_eq!(Some(secret.expose()), expected);
            assert_eq!(format!("{secret:?}"), "Secret(…)");
        }
        for text in ["", "\n", "one\ntwo\n"] {
            std::fs::write(&path, text).unwrap();
            let error = read(&format!("file:{}", path.display())).await.unwrap_err().to_string();
            assert!(error.contains("[slack] bot_token") && !error.contains("two"), "{error}");
        }
    }

    #[tokio::test]
    async fn what_is_not_there_is_named() {
        let error = read("env:SLUICEGATE_NO_SUCH_TOKEN").await.unwrap_err().to_string();
        assert!(error.contains("[slack] bot_token") && error.contains("SLUICEGATE_NO_SUCH_TOKEN"), "{error}");
        let error = read("file:/nowhere/token").await.unwrap_err().to_string();
        assert!(error.contains("/nowhere/token"), "{error}");
    }
}
