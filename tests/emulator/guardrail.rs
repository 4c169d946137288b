//! The guardrail's own document, put on principals as an inline policy beside one that allows everything, and judged by
//! the emulator's IAM on real calls.
//!
//! Two things the emulator does not tell as AWS does, and what is done about them here: `aws:PrincipalArn` of a role's
//! session is the session's ARN, not the role's, so that for roles the patterns are rewritten to that; and it has no
//! `lambda:FunctionArn`, so that the function's conditions are shown to hold on a key that it has, a tag of the caller.
//! Updates of mappings are not authorised there at all.

use sandbox::{Account, Options, SIPHON, Sandbox, allow};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;

struct Scene {
    sandbox: Sandbox,
    queue: String,
}

impl Scene {
    async fn new() -> Self {
        let options = Options { account_id: "111122223333".into(), progress: Arc::new(|_| ()), ..Options::default() };
        let sandbox = Sandbox::start(options).await.unwrap();
        let root = sandbox.root();
        let runs = root.create_role("/service/", "functions", &allow(&["sqs:*"])).await.unwrap();
        let queue = root.create_queue("orders-in", None).await.unwrap();
        for name in ["orders-sink", "exfil"] {
            root.create_function(name, SIPHON, &runs, &[("QUEUE_URL", &queue.url)]).await.unwrap();
        }
        Self { queue: queue.arn, sandbox }
    }

    fn root(&self) -> &Account {
        self.sandbox.root()
    }

    /// A user who may do anything but for the guardrail.
    async fn user(&self, path: &str, name: &str, policy: &Value) -> Account {
        self.root().create_user(path, name, policy).await.unwrap()
    }

    async fn creates(&self, who: &Account, function: &str) -> Result<(), String> {
        who.create_mapping(&self.queue, function).await.map(drop).map_err(|error| format!("{error:?}"))
    }

    #[track_caller]
    fn denied(tried: Result<(), String>) {
        let said = tried.expect_err("the guardrail denies it");
        assert!(said.contains("AccessDenied"), "{said}");
    }
}

/// What the binary makes of an allowlist, as one inline policy with an allow-all.
fn guarded(allowlist: &str) -> Value {
    let place = TempDir::new().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let dir = place.path().join("policies");
    std::fs::create_dir(&dir).unwrap();
    for name in ["rules.cedar", "inventory.toml"] {
        std::fs::copy(shipped.join(name), dir.join(name)).unwrap();
    }
    std::fs::write(dir.join("allowlist.toml"), allowlist).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_sluicegate"))
        .args(["guardrail", "--responder", "arn:aws:iam::*:role/guard-responder", "--output", "out"])
        .current_dir(place.path())
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    let text = std::fs::read_to_string(place.path().join("out/sluicegate-guardrail-1.json")).unwrap();
    let mut policy: Value = serde_json::from_str(&text).unwrap();
    let everything = json!({"Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*"});
    policy["Statement"].as_array_mut().unwrap().push(everything);
    policy
}

fn entry(principal: &str, more: &str) -> String {
    let id = principal.replace(|char: char| !char.is_ascii_alphanumeric(), "-");
    format!(
        "[[allow]]\nid = \"{id}\"\nowner = \"o\"\nreason = \"r\"\nexpires = 2099-12-31\nprincipal = \"{principal}\"\n{more}\n"
    )
}

#[tokio::test]
async fn the_listed_create_and_nobody_else() {
    let scene = Scene::new().await;
    let policy = guarded(&entry("arn:aws:iam::111122223333:user/ci/*", "kinds = [\"IAMUser\"]"));
    let listed = scene.user("/ci/", "deployer", &policy).await;
    scene.creates(&listed, "orders-sink").await.unwrap();
    for (path, name) in [("/people/", "mallory"), ("/", "ci"), ("/ci/team/", "deeper")] {
        let other = scene.user(path, name, &policy).await;
        Scene::denied(scene.creates(&other, "orders-sink").await);
        assert!(other.lambda.list_functions().send().await.is_ok(), "nothing else is denied");
    }
    let made = scene.root().lambda.list_event_source_mappings().send().await.unwrap();
    assert_eq!(made.event_source_mappings().len(), 1);
}

#[tokio::test]
async fn roles_are_listed_and_the_responder_is_spared() {
    let scene = Scene::new().await;
    let policy = guarded(&entry("arn:aws:iam::111122223333:role/ci-deployer", ""));
    // The emulator's aws:PrincipalArn is the session's.
    let text = policy.to_string();
    let text = text
        .replace("arn:aws:iam::111122223333:role/ci-deployer", "arn:aws:sts::111122223333:assumed-role/ci-deployer/*");
    let text = text.replace("arn:aws:iam::*:role/guard-responder", "arn:aws:sts::*:assumed-role/guard-responder/*");
    let policy: Value = serde_json::from_str(&text).unwrap();
    for (name, may) in [("ci-deployer", true), ("guard-responder", true), ("intern", false), ("ci-deployer-2", false)] {
        let role = scene.root().create_role("/", name, &policy).await.unwrap();
        let session = scene.root().assume_role(&role, "run").await.unwrap();
        let tried = scene.creates(&session, "orders-sink").await;
        if may { tried.unwrap() } else { Scene::denied(tried) }
    }
}

#[tokio::test]
async fn regions_and_accounts_hold() {
    let scene = Scene::new().await;
    let here = entry("arn:aws:iam::111122223333:user/ci/here", "kinds = [\"IAMUser\"]\nregions = [\"eu-west-1\"]");
    let there = entry("arn:aws:iam::*:user/ci/there", "kinds = [\"IAMUser\"]\naccounts = [\"444455556666\"]");
    let shipped =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/inventory.toml")).unwrap();
    assert!(shipped.contains("444455556666"), "the account is in the shipped inventory");
    let policy = guarded(&(here + &there));
    let user = scene.user("/ci/", "here", &policy).await;
    scene.creates(&user.in_region("eu-west-1"), "orders-sink").await.unwrap();
    Scene::denied(scene.creates(&user.in_region("us-east-1"), "orders-sink").await);
    let elsewhere = scene.user("/ci/", "there", &policy).await;
    Scene::denied(scene.creates(&elsewhere, "orders-sink").await);
}

#[tokio::test]
async fn functions_hold_where_they_are_told_and_deny_nothing_where_they_are_not() {
    let scene = Scene::new().await;
    let policy = guarded(&entry(
        "arn:aws:iam::111122223333:user/ci/*",
        "kinds = [\"IAMUser\"]\nfunctions = [\"orders-*\", \"billing\"]",
    ));
    // The emulator does not tell the function: nobody who is listed is denied for that.
    let untold = scene.user("/ci/", "untold", &policy).await;
    scene.creates(&untold, "orders-sink").await.unwrap();
    // Told, in a key that the emulator has.
    let text = policy.to_string();
    assert!(text.contains("lambda:FunctionArn"));
    let told: Value = serde_json::from_str(&text.replace("lambda:FunctionArn", "aws:PrincipalTag/function")).unwrap();
    for (name, function, may) in [
        ("a", "orders-sink", true),
        ("b", "orders-sink:live", true),
        ("c", "billing", true),
        ("d", "billing:7", true),
        ("e", "billing-2", false),
        ("f", "exfil", false),
    ] {
        let user = scene.user("/ci/", name, &told).await;
        let arn = format!("arn:aws:lambda:eu-west-1:111122223333:function:{function}");
        let tag = aws_sdk_iam::types::Tag::builder().key("function").value(arn).build().unwrap();
        scene.root().iam.tag_user().user_name(name).tags(tag).send().await.unwrap();
        let tried = scene.creates(&user, "orders-sink").await;
        if may { tried.unwrap() } else { Scene::denied(tried) }
    }
}
