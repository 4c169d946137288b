//! Tokens: never shown, and read again from their place when Slack does not take them any more.

use crate::config::{Secret, SecretError, SecretReader, SecretRef};
use reqwest::header::HeaderValue;
use std::sync::{Arc, PoisonError, RwLock};

/// Whose a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// `xoxb-…`: the Web API.
    Bot,
    /// `xapp-…`: opening connections, and nothing else.
    App,
}

impl TokenKind {
    /// The configuration's name of it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Bot => "[slack] bot_token",
            Self::App => "[slack] app_token",
        }
    }

    /// What is wrong with a token that is plainly the other one.
    fn mistaken(self, secret: &Secret) -> Option<String> {
        let (is, other) = match self {
            Self::Bot => ("xapp-", "an app-level token (xapp-…); the bot's begins with xoxb-"),
            Self::App => ("xoxb-", "a bot's token (xoxb-…); the app-level one begins with xapp-"),
        };
        secret.expose().starts_with(is).then(|| format!("{} holds {other}", self.key()))
    }
}

/// Which app the tokens are for. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct AppId(Arc<RwLock<String>>);

impl AppId {
    /// What the configuration says; `""` where it says nothing.
    pub fn new(id: &str) -> Self {
        Self(Arc::new(RwLock::new(id.to_owned())))
    }

    /// The id; `""` while nobody said.
    pub fn get(&self) -> String {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Slack itself said, over a connection that the app token opened.
    pub(super) fn set(&self, id: &str) {
        id.clone_into(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A token, as the header that carries it.
#[derive(Debug)]
pub struct Token {
    kind: TokenKind,
    place: Option<(SecretRef, Arc<SecretReader>)>,
    /// `None`: it could not be read yet.
    header: RwLock<Option<HeaderValue>>,
}

impl Token {
    /// A token that is known already.
    pub fn new(kind: TokenKind, secret: &Secret) -> Result<Self, SecretError> {
        Ok(Self { kind, place: None, header: RwLock::new(Some(header(kind, secret)?)) })
    }

    /// Reads the token from its place. One that cannot be asked now is asked again at each call: containment starts without.
    pub async fn read(kind: TokenKind, place: &SecretRef, reader: &Arc<SecretReader>) -> Result<Self, SecretError> {
        let header = match reader.read(kind.key(), place).await {
            Ok(secret) => Some(header(kind, &secret)?),
            Err(error @ SecretError::Unreachable(_)) => {
                tracing::error!(%error, "Slack waits for its token; all else goes on");
                None
            }
            Err(error) => return Err(error),
        };
        Ok(Self { kind, place: Some((place.clone(), reader.clone())), header: RwLock::new(header) })
    }

    /// The app that an app-level token says that it is for (`xapp-1-A…-…`).
    pub fn app_id(&self) -> Option<String> {
        let header = self.known()?;
        let mut parts = header.to_str().ok()?.strip_prefix("Bearer xapp-")?.split('-').skip(1);
        parts.next().filter(|id| id.starts_with('A')).map(str::to_owned)
    }

    /// Whose it is.
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// Reads it again: somebody may have put a new one there. The old one stays where that fails.
    pub async fn read_again(&self) {
        let Some((place, reader)) = &self.place else { return };
        let read = reader.read(self.kind.key(), place).await.and_then(|secret| header(self.kind, &secret));
        match read {
            Ok(new) => *self.header.write().unwrap_or_else(PoisonError::into_inner) = Some(new),
            Err(error) => tracing::warn!(%error, "the token stays as it is"),
        }
    }

    /// The header that carries it; it is read first where it could not be read so far.
    pub(super) async fn header(&self) -> Option<HeaderValue> {
        if self.known().is_none() {
            self.read_again().await;
        }
        self.known()
    }

    fn known(&self) -> Option<HeaderValue> {
        self.header.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn header(kind: TokenKind, secret: &Secret) -> Result<HeaderValue, SecretError> {
    if let Some(mistake) = kind.mistaken(secret) {
        return Err(SecretError::Missing(mistake));
    }
    let header = HeaderValue::try_from(format!("Bearer {}", secret.expose()));
    let mut header = header.map_err(|_| SecretError::Missing(format!("{} holds no token", kind.key())))?;
    // So that nothing that shows headers shows this one.
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_token_is_never_shown() {
        let token = Token::new(TokenKind::Bot, &Secret::new("xoxb-VERYSECRET")).unwrap();
        assert!(!format!("{token:?} {:?}", token.known()).contains("VERYSECRET"));
    }

    #[tokio::test]
    async fn one_whose_place_cannot_be_asked_is_waited_for_and_one_that_is_not_there_is_an_error() {
        let unreachable = aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new("eu-west-1"))
            .endpoint_url("http://127.0.0.1:1")
            .build();
        let reader = Arc::new(SecretReader::new(crate::aws::AwsSettings { sdk: unreachable }));
        let place = |text: &str| serde_json::from_value(text.into()).unwrap();
        let token = Token::read(TokenKind::Bot, &place("secretsmanager:slack"), &reader).await.unwrap();
        assert!(token.header().await.is_none());
        let missing = Token::read(TokenKind::Bot, &place("file:/nowhere/token"), &reader).await;
        assert!(matches!(missing, Err(SecretError::Missing(_))));
    }

    #[test]
    fn an_app_token_says_whose_it_is() {
        let of = |text: &str| Token::new(TokenKind::App, &Secret::new(text)).unwrap().app_id();
        assert_eq!(of("xapp-1-A0SLUICE-123-abc").as_deref(), Some("A0SLUICE"));
        assert_eq!(of("xapp-abc"), None);
    }

    #[test]
    fn the_two_are_told_apart() {
        for (kind, text) in [(TokenKind::Bot, "xapp-1-A-SECRET"), (TokenKind::App, "xoxb-1-SECRET")] {
            let error = Token::new(kind, &Secret::new(text)).unwrap_err().to_string();
            assert!(error.contains(kind.key()) && !error.contains("SECRET"), "{error}");
        }
    }
}
