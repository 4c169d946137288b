//! The SDK's configuration and its clients, one for each account and region.

use super::CALL_TIMEOUT;
use super::errors::call_error;
use crate::config::Secret;
use crate::ports::CallError;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::config::SharedCredentialsProvider;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Seconds; for a session that only proves that the role can be assumed.
const SHORTEST_SESSION: i32 = 900;

/// What the SDK found in its environment.
#[derive(Debug, Clone)]
pub struct AwsSettings {
    /// The whole configuration.
    pub sdk: SdkConfig,
}

impl AwsSettings {
    /// Loads the SDK's environment: credentials, region, `AWS_ENDPOINT_URL`. Retries are ours: each try is recorded, and
    /// what AWS tells about waiting is honoured.
    pub async fn load() -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(CALL_TIMEOUT)
            .build();
        let sdk = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .load()
            .await;
        Self { sdk }
    }

    /// The region of the environment; an error that says what to set where there is none.
    pub fn region(&self) -> Result<String, String> {
        let region = self.sdk.region().map(ToString::to_string);
        region.ok_or_else(|| "no AWS region: set AWS_REGION, or a region in the AWS profile".to_owned())
    }

    /// An SQS client that waits as long as long polling takes.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(Duration::from_secs(30))
            .build();
        let config = aws_sdk_sqs::config::Builder::from(&self.sdk).timeout_config(timeouts).build();
        aws_sdk_sqs::Client::from_conf(config)
    }
}

/// By account and region.
type Cache<C> = Arc<Mutex<HashMap<(String, String), C>>>;

/// Clients by account and region. Clones share them.
#[derive(Clone)]
pub struct Clients {
    sdk: SdkConfig,
    roles: Option<Arc<Entered>>,
    lambda: Cache<aws_sdk_lambda::Client>,
    trail: Cache<aws_sdk_cloudtrail::Client>,
    iam: Cache<aws_sdk_iam::Client>,
}

/// Nothing of it is shown: the settings of an assumed role hold its external id.
impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").field("roles", &self.roles.is_some()).finish_non_exhaustive()
    }
}

/// How other accounts are entered: by a role of the same name in each.
#[derive(Debug, Clone)]
pub struct Roles {
    /// The account of the environment's own credentials, which needs no role.
    pub own_account: String,
    /// The partition of all of them.
    pub partition: String,
    /// The role's name, with its path where it has one.
    pub role_name: String,
    /// What its trust policy wants.
    pub external_id: Option<Secret>,
    /// The name that the session has in CloudTrail.
    pub session_name: String,
}

/// The roles that were assumed so far.
struct Entered {
    roles: Roles,
    by_account: Mutex<HashMap<String, SdkConfig>>,
}

impl Roles {
    /// The role of an account.
    pub fn role_arn(&self, account: &str) -> String {
        format!("arn:{}:iam::{account}:role/{}", self.partition, self.role_name.trim_start_matches('/'))
    }
}

impl Clients {
    /// Clients with this configuration, whatever the account: who calls them acts in one account only.
    pub fn new(settings: &AwsSettings) -> Self {
        Self {
            sdk: settings.sdk.clone(),
            roles: None,
            lambda: Arc::default(),
            trail: Arc::default(),
            iam: Arc::default(),
        }
    }

    /// Clients for several accounts: the own one with the environment's credentials, every other one by its role, once
    /// it was [entered](Self::enter).
    pub fn with_accounts(settings: &AwsSettings, roles: Roles) -> Self {
        let entered = Entered { roles, by_account: Mutex::default() };
        Self { roles: Some(Arc::new(entered)), ..Self::new(settings) }
    }

    /// Makes sure that calls can be made in an account: `AssumeRole` of its role, where it has to be. From then on the
    /// session is renewed by itself. Repeating it is harmless.
    pub async fn enter(&self, account: &str) -> Result<(), CallError> {
        let Some(entered) = self.roles.as_ref().filter(|entered| entered.sdk(account, &self.sdk).is_none()) else {
            return Ok(());
        };
        let Roles { external_id, session_name, .. } = &entered.roles;
        let role_arn = entered.roles.role_arn(account);
        let external_id = external_id.as_ref().map(|secret| secret.expose().to_owned());
        // Asked for once by hand: what is wrong is told as it is, and not as missing credentials of another call.
        let sts = aws_sdk_sts::Client::new(&self.sdk);
        let assume = sts.assume_role().role_arn(&role_arn).role_session_name(session_name);
        let assume = assume.set_external_id(external_id.clone()).duration_seconds(SHORTEST_SESSION);
        assume.send().await.map_err(call_error)?;
        let mut provider = AssumeRoleProvider::builder(role_arn).session_name(session_name).configure(&self.sdk);
        if let Some(external_id) = external_id {
            provider = provider.external_id(external_id);
        }
        let provider = SharedCredentialsProvider::new(provider.build().await);
        let sdk = self.sdk.to_builder().credentials_provider(provider);
        let sdk = sdk.identity_cache(aws_config::identity::IdentityCache::lazy().build()).build();
        lock(&entered.by_account).insert(account.to_owned(), sdk);
        Ok(())
    }

    /// The configuration for an account and region. That of an account that was not entered has no credentials: no call
    /// is ever made under another account's.
    pub(super) fn config(&self, account: &str, region: &str) -> SdkConfig {
        let sdk = match &self.roles {
            None => self.sdk.clone(),
            Some(entered) => entered.sdk(account, &self.sdk).unwrap_or_else(|| {
                let mut none = self.sdk.to_builder();
                none.set_credentials_provider(None);
                none.build()
            }),
        };
        sdk.into_builder().region(Region::new(region.to_owned())).build()
    }

    pub(super) fn lambda(&self, account: &str, region: &str) -> aws_sdk_lambda::Client {
        self.cached(&self.lambda, account, region, aws_sdk_lambda::Client::new)
    }

    pub(super) fn iam(&self, account: &str, region: &str) -> aws_sdk_iam::Client {
        self.cached(&self.iam, account, region, aws_sdk_iam::Client::new)
    }

    pub(super) fn trail(&self, account: &str, region: &str) -> aws_sdk_cloudtrail::Client {
        self.cached(&self.trail, account, region, aws_sdk_cloudtrail::Client::new)
    }

    /// The client of an account and region, made once.
    pub(super) fn cached<C: Clone>(
        &self,
        all: &Mutex<HashMap<(String, String), C>>,
        account: &str,
        region: &str,
        make: impl FnOnce(&SdkConfig) -> C,
    ) -> C {
        let account = match &self.roles {
            // One set of credentials, whatever the account is called.
            None => "",
            Some(entered) if entered.sdk(account, &self.sdk).is_none() => return make(&self.config(account, region)),
            Some(_) => account,
        };
        let mut all = lock(all);
        let key = (account.to_owned(), region.to_owned());
        all.entry(key).or_insert_with(|| make(&self.config(account, region))).clone()
    }
}

impl Entered {
    /// The configuration of an account; `None`: it was not entered.
    fn sdk(&self, account: &str, own: &SdkConfig) -> Option<SdkConfig> {
        if account == self.roles.own_account {
            return Some(own.clone());
        }
        lock(&self.by_account).get(account).cloned()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients() -> Clients {
        let key = aws_sdk_sts::config::Credentials::new("AKIAOWN", "hidden", None, None, "a test");
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(SharedCredentialsProvider::new(key))
            .build();
        let roles = Roles {
            own_account: "111122223333".to_owned(),
            partition: "aws-cn".to_owned(),
            role_name: "/sluicegate/looks".to_owned(),
            external_id: Some(Secret::new("never shown")),
            session_name: "test".to_owned(),
        };
        Clients::with_accounts(&AwsSettings { sdk }, roles)
    }

    #[test]
    fn an_account_that_was_not_entered_is_never_asked_with_the_own_credentials() {
        let clients = clients();
        let has = |account: &str| clients.config(account, "cn-north-1").credentials_provider().is_some();
        assert!(has("111122223333") && !has("444455556666") && !has(""));
        // Nor is a client without credentials kept for later, when it was entered.
        let _ = (clients.lambda("444455556666", "cn-north-1"), clients.lambda("111122223333", "cn-north-1"));
        assert_eq!(
            lock(&clients.lambda).keys().map(|(account, _)| account.as_str()).collect::<Vec<_>>(),
            ["111122223333"]
        );
    }

    #[test]
    fn the_role_of_an_account_is_named_by_its_path() {
        let clients = clients();
        let arn = clients.roles.as_ref().map(|entered| entered.roles.role_arn("444455556666"));
        assert_eq!(arn.as_deref(), Some("arn:aws-cn:iam::444455556666:role/sluicegate/looks"));
    }

    #[test]
    fn what_is_shown_of_them_holds_no_secret() {
        let shown = format!("{:?} {:?}", clients(), clients().roles.as_ref().map(|entered| entered.roles.clone()));
        assert!(!shown.contains("never shown") && !shown.contains("hidden"), "{shown}");
    }
}
