//! Which accounts and regions are configured, and how they are entered.

use super::{Failure, Result};
use crate::aws::{AwsIdentity, AwsSettings, Clients, Roles};
use crate::clock::SystemClock;
use crate::config::{Config, SecretReader};
use crate::mapping::{Arn, is_account};
use crate::policy::PolicySet;
use crate::ports::Identity;
use crate::scan::Place;
use std::sync::Arc;

/// What somebody wants to look at, where that is not all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted<'a> {
    /// Accounts; none: all that are configured.
    pub(super) accounts: &'a [String],
    /// Regions; none: those that are configured.
    pub(super) regions: &'a [String],
}

/// The accounts and regions, and the clients for them.
#[derive(Debug)]
pub(super) struct Places {
    /// Clients that enter each account by its role, the own one excepted.
    pub(super) clients: Clients,
    /// Every account in every region, the own account first.
    pub(super) all: Vec<Place>,
    /// What is left out that people may expect, for people.
    pub(super) notes: Vec<String>,
}

/// The configured places: the own account, and with `[accounts]` those of the inventory, each in `regions`, or in the
/// environment's region. The sessions are named `session` in CloudTrail.
pub(super) async fn places(
    config: &Config,
    set: &PolicySet,
    wanted: Wanted<'_>,
    session: &str,
) -> Result<(AwsSettings, Places)> {
    let mut aws = AwsSettings::load().await;
    let regions = regions(config, wanted, &aws)?;
    if let (Err(_), Some(first)) = (aws.region(), regions.first()) {
        // STS wants one, and any will do.
        aws.sdk = aws.sdk.to_builder().region(aws_config::Region::new(first.clone())).build();
    }
    let arn = AwsIdentity::new(&aws, Arc::new(SystemClock)).own().await.map_err(|error| {
        Failure::Outside(format!("AWS does not say who these credentials are (sts:GetCallerIdentity): {error}"))
    })?;
    let own = Arn::parse(&arn).filter(|own| is_account(own.account));
    let own = own.ok_or_else(|| Failure::Outside(format!("AWS says that these credentials are {arn}: no account")))?;
    let (accounts, notes) = accounts(config, set, wanted, own.account)?;
    let clients = match &config.accounts {
        None => Clients::new(&aws),
        Some(by_role) => {
            let external_id = match &by_role.external_id {
                Some(place) => Some(SecretReader::new(aws.clone()).read("[accounts] external_id", place).await?),
                None => None,
            };
            let roles = Roles {
                own_account: own.account.to_owned(),
                partition: own.partition.to_owned(),
                role_name: by_role.role_name.clone(),
                external_id,
                session_name: session.to_owned(),
            };
            Clients::with_accounts(&aws, roles)
        }
    };
    let all = accounts
        .iter()
        .flat_map(|account| regions.iter().map(|region| Place { account: account.clone(), region: region.clone() }));
    let all = all.collect();
    Ok((aws, Places { clients, all, notes }))
}

fn regions(config: &Config, wanted: Wanted<'_>, aws: &AwsSettings) -> Result<Vec<String>> {
    let mut regions = match (wanted.regions, config.regions.as_slice()) {
        ([], []) => vec![aws.region().map_err(Failure::Usage)?],
        ([], configured) => configured.to_vec(),
        (wanted, _) => wanted.to_vec(),
    };
    // It becomes part of a host's name.
    let is_region = |text: &str| {
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        text.bytes().all(known) && text.contains('-') && !text.starts_with('-') && !text.ends_with('-')
    };
    if let Some(odd) = regions.iter().find(|region| !is_region(region)) {
        return Err(Failure::Usage(format!("{odd:?} is no region: write \"eu-west-1\"")));
    }
    let mut seen = std::collections::HashSet::new();
    regions.retain(|region| seen.insert(region.clone()));
    Ok(regions)
}

/// The accounts, the own one first, and what to say about those that are left out.
fn accounts(config: &Config, set: &PolicySet, wanted: Wanted<'_>, own: &str) -> Result<(Vec<String>, Vec<String>)> {
    let mut notes = Vec::new();
    let mut accounts = vec![own.to_owned()];
    let listed: Vec<&str> = set.accounts().filter(|account| *account != own).collect();
    if config.accounts.is_some() {
        if set.lists_account(own).is_none() {
            notes.push("the inventory lists no accounts, so only the own one is looked at".to_owned());
        }
        accounts.extend(listed.into_iter().map(str::to_owned));
    } else if !listed.is_empty() {
        let many = super::show::count(listed.len(), "account");
        let what = "[accounts] role_name is not set, so there is no role to enter them by";
        notes.push(format!("{many} of the inventory not looked at: {what} ({})", listed.join(", ")));
    }
    if wanted.accounts.is_empty() {
        return Ok((accounts, notes));
    }
    let mut chosen: Vec<String> = Vec::new();
    for account in wanted.accounts {
        if !is_account(account) {
            return Err(Failure::Usage(format!("{account:?} is no account: an account has twelve digits")));
        }
        if account != own && config.accounts.is_none() {
            let what = "[accounts] role_name is not set, so only that one can be looked at";
            return Err(Failure::Usage(format!("these credentials are of account {own}, not {account}; {what}")));
        }
        if !chosen.contains(account) {
            chosen.push(account.clone());
        }
    }
    Ok((chosen, Vec::new()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::config::AccountsConfig;
    use crate::policy::{PolicyFiles, SourceFile};

    const OWN: &str = "111122223333";

    fn set(inventory: &str) -> PolicySet {
        let files = PolicyFiles {
            allowlist: SourceFile::new("allowlist.toml", ""),
            rules: SourceFile::new("rules.cedar", include_str!("../../policies/rules.cedar")),
            inventory: SourceFile::new("inventory.toml", inventory),
            schema: None,
        };
        PolicySet::load(&files, jiff::civil::date(2026, 11, 24)).unwrap().set
    }

    fn shipped() -> PolicySet {
        set(include_str!("../../policies/inventory.toml"))
    }

    fn with_role() -> Config {
        let accounts = AccountsConfig { role_name: "r".to_owned(), external_id: None };
        Config { accounts: Some(accounts), ..Config::default() }
    }

    fn told(config: &Config, set: &PolicySet, wanted: &[&str]) -> std::result::Result<(Vec<String>, usize), String> {
        let wanted: Vec<String> = wanted.iter().map(|account| (*account).to_owned()).collect();
        let wanted = Wanted { accounts: &wanted, regions: &[] };
        match accounts(config, set, wanted, OWN) {
            Ok((accounts, notes)) => Ok((accounts, notes.len())),
            Err(Failure::Usage(why)) => Err(why),
            Err(other) => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn other_accounts_need_a_role_and_those_left_out_are_told() {
        let other = "444455556666".to_owned();
        assert_eq!(told(&Config::default(), &shipped(), &[]), Ok((vec![OWN.to_owned()], 1)));
        assert_eq!(told(&with_role(), &shipped(), &[]), Ok((vec![OWN.to_owned(), other.clone()], 0)));
        assert_eq!(told(&with_role(), &shipped(), &[&other]), Ok((vec![other.clone()], 0)));
        assert_eq!(told(&Config::default(), &shipped(), &[OWN, OWN]), Ok((vec![OWN.to_owned()], 0)));
        assert!(told(&Config::default(), &shipped(), &[&other]).unwrap_err().contains("[accounts] role_name"));
        assert!(told(&with_role(), &shipped(), &["1"]).unwrap_err().contains("twelve digits"));
    }

    #[test]
    fn regions_are_names_of_regions_once() {
        let none = AwsSettings { sdk: aws_config::SdkConfig::builder().build() };
        let of = |configured: &[&str], wanted: &[&str]| {
            let own = |all: &[&str]| all.iter().map(|region| (*region).to_owned()).collect::<Vec<_>>();
            let config = Config { regions: own(configured), ..Config::default() };
            let wanted = own(wanted);
            regions(&config, Wanted { accounts: &[], regions: &wanted }, &none).map_err(|error| format!("{error:?}"))
        };
        assert!(of(&[], &[]).unwrap_err().contains("AWS_REGION"));
        assert_eq!(of(&["eu-west-1", "eu-west-1"], &[]).unwrap(), ["eu-west-1"]);
        assert_eq!(of(&["eu-west-1"], &["us-east-1"]).unwrap(), ["us-east-1"]);
        for odd in ["", "EU-WEST-1", "evil.example/", "-", "eu-west-1.evil", "eu west-1"] {
            assert!(of(&[odd], &[]).is_err(), "{odd}");
        }
    }
}
