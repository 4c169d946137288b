//! What people do where sluicegate must not, or cannot, restrict: exact commands, with the real names in them.

use super::target::ByHand;
use super::{Principal, PrincipalType};
use crate::cloudtrail::Actor;
use crate::detection::Finding;
use jiff::SignedDuration;

/// Text from a record as it may stand in a command that people copy: anything a shell would act on is left out.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "._:/@=+,-".contains(*c)).take(200).collect()
}

fn hand(why: impl Into<String>, how: Vec<String>) -> ByHand {
    ByHand { why: why.into(), how, own: false }
}

/// A call with `invokedBy`: the identity in the record may be everybody's.
pub(super) fn through_a_service(finding: &Finding) -> ByHand {
    let service = plain(&finding.actor.invoked_by);
    let time = finding.event.time;
    let from = time.checked_sub(SignedDuration::from_mins(30)).unwrap_or(time);
    let mut how = vec![
        format!(
            "find who had {service} make the call: aws cloudtrail lookup-events --region {} --start-time {from} --end-time \
             {time} --lookup-attributes AttributeKey=EventSource,AttributeValue={service}",
            plain(&finding.region)
        ),
        "the userIdentity of the record that started it is the caller; restrict that one".to_owned(),
    ];
    if service == "cloudformation.amazonaws.com" {
        how.insert(
            1,
            "it is a CreateStack, UpdateStack, ExecuteChangeSet or CreateStackInstances shortly before".into(),
        );
    }
    hand(
        format!(
            "{service} made the call for somebody: denying {} may stop everybody who uses it",
            whom(&finding.actor)
        ),
        how,
    )
}

/// Root: IAM's policies do not bind it.
pub(super) fn root(actor: &Actor) -> ByHand {
    let account = plain(&actor.account);
    hand(
        format!("it was the root of account {account}, and no policy in the account binds root"),
        vec![
            format!("now, from the management account: a service control policy on {account} that denies everything to arn:aws:iam::{account}:root"),
            format!(
                "then its credentials, from there too: aws sts assume-root --target-principal {account} --task-policy-arn \
                 arn=arn:aws:iam::aws:policy/root-task/IAMDeleteRootUserCredentials, and with that session: aws iam \
                 list-access-keys, aws iam delete-access-key, aws iam delete-login-profile"
            ),
            "without a management account: sign in as root, delete its access keys, change password and MFA device, and check its e-mail address".into(),
        ],
    )
}

/// A service by itself.
pub(super) fn service(finding: &Finding) -> ByHand {
    hand(
        format!(
            "AWS itself made the call ({}): there are no credentials of this account behind it",
            whom(&finding.actor)
        ),
        vec![look_up(finding), "look for what made the service do it shortly before, and restrict its caller".into()],
    )
}

/// A caller whose account is not the mapping's, or not the responder's.
pub(super) fn other_account(finding: &Finding, account: &str) -> ByHand {
    hand(
        format!("the caller {} is of account {account}, in which sluicegate has no rights", whom(&finding.actor)),
        vec![
            format!(
                "tell the owner of account {account}: event {} at {}, access key {}",
                finding.event.id, finding.event.time, finding.actor.access_key_id
            ),
            format!(
                "until then, in account {}: take away what lets that account in, a role's trust policy or a resource policy",
                finding.account
            ),
        ],
    )
}

/// A principal of another account than the responder's.
pub(super) fn elsewhere(principal: &Principal) -> ByHand {
    hand(
        format!("{} is of account {}, in which sluicegate has no rights", principal.words(), principal.account),
        deny_all(principal),
    )
}

/// Who it was cannot be told for certain.
pub(super) fn unidentified(finding: &Finding) -> ByHand {
    let actor = &finding.actor;
    let because = if actor.unidentified.is_empty() {
        format!("kind {:?}, principal {:?}, id {:?}", actor.kind, actor.principal_arn, actor.principal_id)
    } else {
        actor.unidentified.clone()
    };
    let mut how = vec![look_up(finding)];
    if !actor.access_key_id.is_empty() {
        how.push(format!(
            "whose key it is: aws sts get-access-key-info --access-key-id {}",
            plain(&actor.access_key_id)
        ));
    }
    how.push("once you know the role or user: attach the managed policy AWSDenyAll to it".into());
    hand(format!("who made the call cannot be told for certain: {because}"), how)
}

/// A role of IAM Identity Center. Order of steps: first what stops sessions that exist, then what would begin new ones.
/// <https://docs.aws.amazon.com/singlesignon/latest/userguide/prereqs-revoking-user-permissions.html>
pub(super) fn identity_center_role(principal: &Principal) -> ByHand {
    let set = principal
        .name
        .strip_prefix("AWSReservedSSO_")
        .and_then(|rest| rest.rsplit_once('_'))
        .map_or("", |(set, _)| set);
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Sluicegate","Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"identitystore:userId":"USER_ID"}}}]}"#;
    hand(
        format!("{} belongs to IAM Identity Center, whose roles cannot be edited in account {}", principal.words(), principal.account),
        vec![
            "all of it in the management account, or the delegated administrator of Identity Center".into(),
            format!("1. stop the sessions that exist: find the person's USER_ID (aws identitystore list-users), and put this inline policy on the permission set {set:?} (aws sso-admin put-inline-policy-to-permission-set, then provision-permission-set), or in a service control policy: {deny}"),
            format!("2. remove the person from what gives them the permission set {set:?}: aws sso-admin delete-account-assignment --target-id {}, and group memberships", principal.account),
            "3. disable the person at the identity provider".into(),
            "4. end the portal's sessions: aws sso-admin or the console, Users, Active sessions; that alone does not end sessions of roles".into(),
        ],
    )
}

/// A person of Identity Center who acts without a role.
pub(super) fn identity_center_user(actor: &Actor) -> ByHand {
    hand(
        format!("{} is a person of IAM Identity Center, who is in no account", whom(actor)),
        vec![
            "in the management account: remove the person's assignments and group memberships".into(),
            "disable the person at the identity provider, and end the portal's sessions".into(),
        ],
    )
}

/// A service-linked role: IAM refuses to change one.
pub(super) fn service_linked(principal: &Principal) -> ByHand {
    let service = principal.path().split('/').nth(2).unwrap_or("its service");
    hand(
        format!("{} is linked to {service}, and IAM refuses to change such a role", principal.words()),
        vec![format!(
            "look at what {service} was told to do in account {}, and by whom; stop that there",
            principal.account
        )],
    )
}

/// Our own role: somebody acts with the responder's credentials, or tries to have it disarm itself.
pub(super) fn own(principal: &Principal) -> ByHand {
    let mut how = vec![
        "find out how the call came about: sluicegate itself never makes such a call without a case".to_owned(),
        "stop the responder, and change its credentials: the account is without it until then".to_owned(),
    ];
    how.extend(deny_all(principal));
    ByHand {
        why: format!(
            "{} is sluicegate's own: its credentials may be in other hands. It never restricts itself",
            principal.words()
        ),
        how,
        own: true,
    }
}

/// A principal that is never touched.
pub fn protected(principal: &Principal, because: &str) -> ByHand {
    hand(format!("{} is protected: {because}", principal.words()), deny_all(principal))
}

/// One of that name, but another.
pub fn another(principal: &Principal, now: &str) -> ByHand {
    hand(
        format!(
            "{} in account {} has the id {now}, but the call was made by {}: it was made anew under the same name, and is \
             another principal",
            principal.words(),
            principal.account,
            principal.id
        ),
        vec!["whoever made it anew is to be looked at: aws cloudtrail lookup-events --region us-east-1 --lookup-attributes \
              AttributeKey=ResourceName,AttributeValue=".to_owned() + &principal.name],
    )
}

/// None of that name.
pub fn gone(principal: &Principal) -> ByHand {
    hand(
        format!("{} is gone from account {}", principal.words(), principal.account),
        vec![
            "whoever deleted it, and what they made instead: aws cloudtrail lookup-events --region us-east-1 \
              --lookup-attributes AttributeKey=ResourceName,AttributeValue="
                .to_owned()
                + &principal.name,
        ],
    )
}

/// Something on the principal stands in the way.
pub fn blocked(principal: &Principal, why: String, first: &str) -> ByHand {
    let mut how = vec![first.to_owned()];
    how.extend(deny_all(principal));
    hand(why, how)
}

/// How a person denies everything to a principal.
fn deny_all(principal: &Principal) -> Vec<String> {
    let (partition, name) = (principal.partition(), &principal.name);
    match principal.kind {
        PrincipalType::Role => vec![format!(
            "if it must be stopped: aws iam attach-role-policy --role-name {name} --policy-arn arn:{partition}:iam::aws:policy/AWSDenyAll (in account {})",
            principal.account
        )],
        PrincipalType::User => vec![
            format!(
                "if it must be stopped: aws iam attach-user-policy --user-name {name} --policy-arn arn:{partition}:iam::aws:policy/AWSDenyAll (in account {})",
                principal.account
            ),
            format!(
                "then its keys: aws iam list-access-keys --user-name {name}; aws iam update-access-key --user-name {name} --status Inactive --access-key-id ID; and its console: aws iam delete-login-profile --user-name {name}"
            ),
        ],
    }
}

fn look_up(finding: &Finding) -> String {
    format!(
        "the record itself: aws cloudtrail lookup-events --region {} --lookup-attributes AttributeKey=EventId,AttributeValue={}",
        plain(&finding.region),
        plain(&finding.event.id)
    )
}

fn whom(actor: &Actor) -> &str {
    if !actor.principal_arn.is_empty() {
        &actor.principal_arn
    } else if actor.arn.is_empty() {
        "a caller without a name"
    } else {
        &actor.arn
    }
}
