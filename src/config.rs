//! `sluicegate.toml` and the environment → typed values. Each key can also be given as `SLUICEGATE__SECTION__KEY`. An
//! unknown key, or a bad value, is an error that names it. Paths are relative to the file.

mod secret;
mod values;

pub use secret::{Secret, SecretError, SecretReader};
pub use values::SecretRef;

use crate::case::{Mode, Schedule};
use crate::restriction;
use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::Deserialize;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file that is read where none is named.
pub const DEFAULT_FILE: &str = "sluicegate.toml";
const ENV_PREFIX: &str = "SLUICEGATE__";

/// The whole configuration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Whether sluicegate acts.
    pub mode: Mode,
    /// Where the policies are.
    pub policy: PolicyConfig,
    /// Where events come in.
    pub intake: IntakeConfig,
    /// Where cases are kept.
    pub journal: JournalConfig,
    /// Roles in other accounts.
    pub accounts: Option<AccountsConfig>,
    /// Slack.
    pub slack: Option<SlackConfig>,
    /// How credentials are restricted.
    pub restriction: RestrictionConfig,
    /// When people are reminded.
    pub approval: Option<ApprovalConfig>,
    /// How mappings are contained.
    pub containment: ContainmentConfig,
    /// What is looked up for people to decide on.
    pub evidence: EvidenceConfig,
    /// The regions that `scan`, `learn` and the sweep look at; left out: the environment's.
    pub regions: Vec<String>,
    /// The sweep over existing mappings.
    pub sweep: SweepConfig,
    /// The local HTTP server.
    pub http: HttpConfig,
}

/// `[policy]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyConfig {
    /// The policy directory.
    pub dir: PathBuf,
}

/// `[intake]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IntakeConfig {
    /// The queue that the EventBridge rule feeds.
    pub queue_url: String,
    /// How many messages are worked on at once.
    #[serde(deserialize_with = "values::at_least_one")]
    pub in_flight: usize,
    /// How many receive calls wait side by side.
    #[serde(deserialize_with = "values::at_least_one")]
    pub receivers: usize,
}

/// `[journal]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JournalConfig {
    /// `sqlite:PATH`
    pub url: String,
}

/// `[accounts]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountsConfig {
    /// The role to assume in each account.
    pub role_name: String,
    /// The external id that its trust policy wants.
    pub external_id: Option<SecretRef>,
}

/// `[slack]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackConfig {
    /// The channel that cases are posted to.
    pub channel: String,
    /// Where they go when that one fails.
    pub fallback_channel: Option<String>,
    /// The app-level token.
    pub app_token: Option<SecretRef>,
    /// The bot's token.
    pub bot_token: Option<SecretRef>,
    /// For HTTP interactivity.
    pub signing_secret: Option<SecretRef>,
    /// The app's id, over HTTP.
    pub app_id: Option<String>,
    /// Slack's Web API.
    pub api_url: Option<String>,
    /// In `observe`: one message a day, at this time (UTC), instead of one a case.
    #[serde(default, deserialize_with = "values::optional_time")]
    pub digest_at: Option<jiff::civil::Time>,
}

impl SlackConfig {
    /// The bot's and the app's tokens; an error that says what to set where one is missing.
    pub fn tokens(&self) -> Result<(&SecretRef, &SecretRef), ConfigError> {
        let missing = |key: &str, what: &str| {
            ConfigError(format!("[slack] {key} is not set: {what}, as env:NAME, file:PATH or secretsmanager:ID"))
        };
        let bot = self.bot_token.as_ref().ok_or_else(|| missing("bot_token", "where the bot's token (xoxb-…) is"))?;
        let app =
            self.app_token.as_ref().ok_or_else(|| missing("app_token", "where the app-level token (xapp-…) is"))?;
        Ok((bot, app))
    }

    /// Where the Web API is.
    pub fn api_url(&self) -> &str {
        self.api_url.as_deref().unwrap_or(crate::slack::API_URL)
    }

    /// What can be known to be wrong without asking Slack, or for the secrets.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.tokens()?;
        crate::slack::Api::new(self.api_url()).map(drop).map_err(ConfigError)
    }
}

/// `[restriction]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestrictionConfig {
    /// `cap`, `session` or `quarantine`.
    #[serde(default)]
    pub mode: restriction::Mode,
    /// The deny-all managed policy that `cap` attaches.
    #[serde(default = "deny_all", deserialize_with = "values::policy_arn")]
    pub cap_policy: String,
    /// When people are reminded that a restriction is still on.
    #[serde(default = "three_days", deserialize_with = "values::duration")]
    pub ask_after: Duration,
}

/// `[approval]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalConfig {
    /// When people are reminded.
    #[serde(default, deserialize_with = "values::durations")]
    pub remind_after: Option<Vec<Duration>>,
    /// When a question lapses.
    #[serde(default, deserialize_with = "values::optional_duration")]
    pub expires_after: Option<Duration>,
}

/// `[containment]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContainmentConfig {
    /// How long to wait for a change to be read back before the call is repeated.
    #[serde(deserialize_with = "values::duration")]
    pub verify_timeout: Duration,
    /// Lambda calls in each account and region.
    pub max_calls_per_second: NonZeroU32,
}

/// `[evidence]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvidenceConfig {
    /// The folder that functions' code is kept in; left out: it is not kept.
    pub keep_code: Option<PathBuf>,
}

/// `[sweep]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SweepConfig {
    /// How often all mappings are looked at; `"0s"` or `"off"`: never. Below a minute, which is for trying it out, it
    /// also waits less long for events and records that are late.
    #[serde(deserialize_with = "values::duration_or_never")]
    pub every: Duration,
}

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Where to listen.
    #[serde(deserialize_with = "values::address")]
    pub listen: SocketAddr,
}

fn deny_all() -> String {
    restriction::DENY_ALL.to_owned()
}

fn three_days() -> Duration {
    Duration::from_hours(72)
}

impl Default for RestrictionConfig {
    fn default() -> Self {
        Self { mode: restriction::Mode::default(), cap_policy: deny_all(), ask_after: three_days() }
    }
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self { dir: "policies".into() }
    }
}

impl Default for IntakeConfig {
    fn default() -> Self {
        Self { queue_url: String::new(), in_flight: 64, receivers: 4 }
    }
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self { url: "sqlite:sluicegate.db".into() }
    }
}

impl Default for ContainmentConfig {
    fn default() -> Self {
        let ten = NonZeroU32::MIN.saturating_add(9);
        Self { verify_timeout: Duration::from_mins(2), max_calls_per_second: ten }
    }
}

impl Default for SweepConfig {
    fn default() -> Self {
        Self { every: Duration::from_mins(10) }
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8780)) }
    }
}

/// Why the configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

impl Config {
    /// Reads the configuration. A `file` that is named must exist; the default one need not.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        if file.is_some() && !path.is_file() {
            return Err(ConfigError(format!("{} does not exist, or is no file", path.display())));
        }
        let mut figment = Figment::new();
        if path.is_file() {
            is_toml(path)?;
            figment = figment.merge(Toml::file_exact(path));
        }
        figment = figment.merge(Env::prefixed(ENV_PREFIX).split("__"));
        let mut config: Self = figment.extract().map_err(|error| {
            let all: Vec<String> = error.into_iter().map(|error| told(&error, path)).collect();
            ConfigError(all.join("\n"))
        })?;
        let base = path.parent().map(Path::to_owned).unwrap_or_default();
        config.policy.dir = base.join(&config.policy.dir);
        config.evidence.keep_code = config.evidence.keep_code.map(|folder| base.join(folder));
        if let Some(journal) = config.journal.url.strip_prefix("sqlite:") {
            config.journal.url = format!("sqlite:{}", base.join(journal).display());
        }
        config.secrets().for_each(|secret| secret.relative_to(&base));
        Ok(config)
    }

    fn secrets(&mut self) -> impl Iterator<Item = &mut SecretRef> {
        let slack = self.slack.iter_mut().flat_map(|slack| {
            [&mut slack.bot_token, &mut slack.app_token, &mut slack.signing_secret].into_iter().flatten()
        });
        slack.chain(self.accounts.iter_mut().filter_map(|accounts| accounts.external_id.as_mut()))
    }

    /// The queue's URL; an error that says what to set where there is none.
    pub fn queue_url(&self) -> Result<&str, ConfigError> {
        match self.intake.queue_url.as_str() {
            "" => Err(ConfigError(
                "[intake] queue_url is not set: the URL of the queue that the EventBridge rule feeds".into(),
            )),
            url => Ok(url),
        }
    }

    /// The journal's file.
    pub fn journal_file(&self) -> Result<PathBuf, ConfigError> {
        match self.journal.url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(path.into()),
            _ => Err(ConfigError(format!("[journal] url = {:?}: expected sqlite:PATH", self.journal.url))),
        }
    }

    /// When people are reminded, and when a question lapses.
    pub fn schedule(&self) -> Schedule {
        let usual = Schedule::default();
        match &self.approval {
            None => usual,
            Some(approval) => Schedule {
                remind_after: approval.remind_after.clone().unwrap_or(usual.remind_after),
                expires_after: approval.expires_after.or(usual.expires_after),
            },
        }
    }

    /// What of the configuration `run` does not use yet, for people: all else does.
    pub fn unused_sections(&self) -> Vec<&'static str> {
        let sections = [("[accounts] is used by scan; run acts in its own account only", self.accounts.is_some())];
        sections.into_iter().filter(|(_, set)| *set).map(|(told, _)| told).collect()
    }
}

/// Whether the file is TOML. Its lines are not repeated in the error, for one may hold a secret.
fn is_toml(path: &Path) -> Result<(), ConfigError> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| ConfigError(format!("{shown} cannot be read: {error}")))?;
    text.parse::<toml::Table>().map(drop).map_err(|error| {
        let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        ConfigError(format!("{shown}:{line}:{column}: this is not TOML: {}", error.message()))
    })
}

/// A wrong key or value, by the name under which somebody set it.
fn told(error: &figment::Error, file: &Path) -> String {
    let key = error.path.join(".");
    let set = error.metadata.as_ref().is_none_or(|metadata| metadata.source.is_some());
    let place = if set {
        format!("{}: {key}", file.display())
    } else {
        format!("{ENV_PREFIX}{}", error.path.join("__").to_uppercase())
    };
    format!("{place}: {}", error.kind)
}
