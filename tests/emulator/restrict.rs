//! Restricting credentials, with IAM enforced: the attacker's next call is denied, what should be spared is, others are
//! untouched, and lifting brings back exactly what was there.

use crate::stage::{ACCOUNT, Stage};
use sandbox::{Account, allow, eventually};
use serde_json::{Value, json};

const CAP: &str = "arn:aws:iam::111122223333:policy/SluicegateDenyAll";
const WIRES: [&str; 3] = ["lambda:*", "iam:PassRole", "sts:*"];

/// A stage whose responder restricts in this form, and a second person beside the first.
struct Scene {
    stage: Stage,
    _running: sandbox::Running,
    alice: Account,
}

impl Scene {
    async fn new(mode: &str) -> Self {
        Self::with(mode, "").await
    }

    async fn with(mode: &str, more: &str) -> Self {
        let config = format!("[restriction]\nmode = \"{mode}\"\ncap_policy = \"{CAP}\"\n{more}");
        let stage = Stage::with(&config).await;
        let root = stage.sandbox.root();
        assert_eq!(root.create_deny_all("SluicegateDenyAll").await.unwrap(), CAP);
        let sso = "AWSReservedSSO_SecOps_0123456789abcdef";
        let asks = allow(&["sts:GetCallerIdentity"]);
        let role = root.create_role("/aws-reserved/sso.amazonaws.com/", sso, &asks).await.unwrap();
        let alice = root.assume_role(&role, "alice@example.com").await.unwrap();
        let running = stage.run().await;
        Self { stage, _running: running, alice }
    }

    fn root(&self) -> &Account {
        self.stage.sandbox.root()
    }

    /// A role that people of the account can assume, and nobody else.
    async fn role(&self, path: &str, name: &str) -> String {
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]});
        self.root().create_role_trusting(path, name, &trust, &allow(&WIRES)).await.unwrap()
    }

    /// The case of a mapping that `attacker` makes, once it is contained and the credentials were looked at.
    async fn attacked(&self, attacker: &Account) -> (String, String, Value) {
        let uuid = attacker.create_mapping(&self.stage.orders.arn, "exfil").await.unwrap();
        self.looked_at(&uuid).await
    }

    async fn looked_at(&self, uuid: &str) -> (String, String, Value) {
        self.stage.becomes(uuid, "Disabled").await;
        let case = self.stage.case_in(uuid, "awaiting_decision").await;
        let id = case["case_id"].as_str().unwrap().to_owned();
        let offer = eventually(async || self.offer(&case).await).await;
        let Some(offer) = offer else { panic!("no offer: {}", self.stage.whole(&case).await) };
        (uuid.to_owned(), id, offer)
    }

    async fn offer(&self, case: &Value) -> Option<Value> {
        let events = self.stage.whole(case).await["events"].as_array().cloned().unwrap_or_default();
        let credentials = |event: &&Value| event["about"] == "credentials" && event["whose"] == "caller";
        events.iter().rev().find(credentials).map(|event| event["offer"].clone())
    }

    /// Two people decide.
    async fn decide(&self, id: &str, decision: &str) {
        for who in [&self.stage.security, &self.alice] {
            let decide = ["decide", id, decision, "--reason", "test", "--yes"];
            let said = self.stage.product.command_line(who, &decide).await.unwrap();
            assert_eq!(said.code, 0, "{decision}: {said:?}");
        }
    }

    async fn restricted(&self, id: &str) -> Value {
        self.decide(id, "delete_restrict").await;
        self.case(id).await
    }

    async fn case(&self, id: &str) -> Value {
        self.stage.whole(&json!({"case_id": id})).await
    }

    /// All that IAM has of a role.
    async fn role_now(&self, name: &str) -> Value {
        let iam = &self.root().iam;
        let mut policies = Vec::new();
        for policy in iam.list_role_policies().role_name(name).send().await.unwrap().policy_names() {
            let read = iam.get_role_policy().role_name(name).policy_name(policy).send().await.unwrap();
            policies.push(json!([policy, read.policy_document()]));
        }
        let attached = iam.list_attached_role_policies().role_name(name).send().await.unwrap();
        let attached: Vec<_> = attached.attached_policies().iter().map(|policy| policy.policy_arn()).collect();
        let tags = iam.list_role_tags().role_name(name).send().await.unwrap();
        let tags: Vec<_> = tags.tags().iter().map(|tag| json!([tag.key(), tag.value()])).collect();
        json!({"policies": policies, "attached": attached, "tags": tags})
    }

    /// All that IAM has of a user.
    async fn user_now(&self, name: &str) -> Value {
        let iam = &self.root().iam;
        let mut policies = Vec::new();
        for policy in iam.list_user_policies().user_name(name).send().await.unwrap().policy_names() {
            let read = iam.get_user_policy().user_name(name).policy_name(policy).send().await.unwrap();
            policies.push(json!([policy, read.policy_document()]));
        }
        let attached = iam.list_attached_user_policies().user_name(name).send().await.unwrap();
        let attached: Vec<_> = attached.attached_policies().iter().map(|policy| policy.policy_arn()).collect();
        let keys = iam.list_access_keys().user_name(name).send().await.unwrap();
        let keys: Vec<_> = keys
            .access_key_metadata()
            .iter()
            .map(|key| json!([key.access_key_id(), key.status().map(aws_sdk_iam::types::StatusType::as_str)]))
            .collect();
        let tags = iam.list_user_tags().user_name(name).send().await.unwrap();
        let tags: Vec<_> = tags.tags().iter().map(|tag| json!([tag.key(), tag.value()])).collect();
        json!({"policies": policies, "attached": attached, "keys": keys, "tags": tags})
    }
}

/// Whether a principal can still do something.
async fn can(who: &Account) -> bool {
    who.lambda.list_functions().send().await.is_ok()
}

fn steps(case: &Value) -> Vec<(&str, &str)> {
    let steps = case["steps"].as_array().unwrap().iter();
    steps.map(|step| (step["step"].as_str().unwrap(), step["status"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_cap_stops_the_whole_role_and_nobody_else() {
    let scene = Scene::new("cap").await;
    let dev = scene.role("/people/", "dev").await;
    let attacker = scene.root().assume_role(&dev, "mallory").await.unwrap();
    let colleague = scene.root().assume_role(&dev, "carol").await.unwrap();
    let (before, other) = (scene.role_now("dev").await, scene.role_now("intern").await);
    let (_, id, offer) = scene.attacked(&attacker).await;
    assert!(offer["reach"].as_str().unwrap().starts_with("the whole role dev: everyone who uses it"), "{offer}");
    assert!(can(&attacker).await);
    let case = scene.restricted(&id).await;
    assert_eq!(
        steps(&case),
        [("disable_mapping", "succeeded"), ("delete_mapping", "succeeded"), ("cap_principal", "succeeded")],
        "{case}"
    );
    assert!(!can(&attacker).await && !can(&colleague).await);
    assert!(can(&scene.stage.mallory).await);
    assert!(!can(&scene.root().assume_role(&dev, "later").await.unwrap()).await);
    scene.decide(&id, "lift").await;
    assert!(can(&attacker).await && can(&colleague).await);
    assert_eq!((scene.role_now("dev").await, scene.role_now("intern").await), (before, other));
}

#[tokio::test]
async fn one_session_is_revoked_and_the_others_of_the_role_are_spared() {
    let scene = Scene::new("session").await;
    let dev = scene.role("/people/", "dev").await;
    let attacker = scene.root().assume_role(&dev, "mallory").await.unwrap();
    let colleague = scene.root().assume_role(&dev, "carol").await.unwrap();
    let before = scene.role_now("dev").await;
    let (_, id, offer) = scene.attacked(&attacker).await;
    assert!(offer["reach"].as_str().unwrap().contains("named mallory issued before the decision"), "{offer}");
    scene.restricted(&id).await;
    assert!(!can(&attacker).await, "{}", scene.role_now("dev").await);
    assert!(can(&colleague).await && can(&scene.stage.mallory).await);
    // One that is issued after the cut-off, which is the whole second after the vote.
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    let later = scene.root().assume_role(&dev, "mallory").await.unwrap();
    assert!(can(&later).await);
    assert!(!can(&attacker).await);
    scene.decide(&id, "lift").await;
    assert!(can(&attacker).await);
    assert_eq!(scene.role_now("dev").await, before);
}

#[tokio::test]
async fn a_name_that_stays_is_denied_for_good() {
    let scene = Scene::new("session").await;
    let machine = scene.role("/machines/", "web").await;
    let (own, other) = ("i-0123456789abcdef0", "i-0fedcba9876543210");
    let attacker = scene.root().assume_role(&machine, own).await.unwrap();
    let spared = scene.root().assume_role(&machine, other).await.unwrap();
    let before = scene.role_now("web").await;
    let (_, id, offer) = scene.attacked(&attacker).await;
    assert!(offer["reach"].as_str().unwrap().contains("now and later"), "{offer}");
    scene.restricted(&id).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    let renewed = scene.root().assume_role(&machine, own).await.unwrap();
    assert!(!can(&attacker).await && !can(&renewed).await && can(&spared).await);
    scene.decide(&id, "lift").await;
    assert!(can(&renewed).await);
    assert_eq!(scene.role_now("web").await, before);
}

/// A function that wires a mapping itself: its session is named after it, in every environment.
const WIRING: &str = r#"
import boto3

def handler(event, context):
    client = boto3.client("lambda")
    if event.get("look"):
        return len(client.list_functions()["Functions"])
    return client.create_event_source_mapping(EventSourceArn=event["source"], FunctionName="exfil")["UUID"]
"#;

#[tokio::test]
async fn a_function_is_denied_and_another_with_the_same_role_is_not() {
    let scene = Scene::new("session").await;
    let runs = scene.root().create_role("/service/", "wiring", &allow(&WIRES)).await.unwrap();
    for name in ["wirer", "neighbour"] {
        scene.root().create_function(name, WIRING, &runs, &[]).await.unwrap();
    }
    let before = scene.role_now("wiring").await;
    let invoke = async |name: &str, event: Value| {
        let payload = aws_payload(&event);
        let said = scene.root().lambda.invoke().function_name(name).payload(payload).send().await.unwrap();
        let text = String::from_utf8(said.payload().unwrap().as_ref().to_vec()).unwrap();
        (said.function_error().is_none(), text)
    };
    let (done, uuid) = invoke("wirer", json!({"source": scene.stage.orders.arn})).await;
    assert!(done, "{uuid}");
    let (_, id, offer) = scene.looked_at(uuid.trim_matches('"')).await;
    assert!(offer["reach"].as_str().unwrap().contains("named wirer, now and later"), "{offer}");
    scene.restricted(&id).await;
    let (done, said) = invoke("wirer", json!({"look": true})).await;
    assert!(!done && said.contains("AccessDenied"), "{said}");
    assert!(invoke("neighbour", json!({"look": true})).await.0);
    scene.decide(&id, "lift").await;
    assert!(invoke("wirer", json!({"look": true})).await.0);
    assert_eq!(scene.role_now("wiring").await, before);
}

fn aws_payload(event: &Value) -> aws_sdk_lambda::primitives::Blob {
    aws_sdk_lambda::primitives::Blob::new(event.to_string())
}

#[tokio::test]
async fn a_user_is_denied_with_every_session_of_it_and_its_keys_go() {
    for by in ["key", "session", "federated"] {
        let scene = Scene::new("session").await;
        let user = scene.root().create_user("/people/", "eve", &allow(&WIRES)).await.unwrap();
        let other = scene.root().create_user("/people/", "adam", &allow(&WIRES)).await.unwrap();
        let session = user.session().await.unwrap();
        let federated = user.federated("partner", &allow(&WIRES)).await.unwrap();
        let before = scene.user_now("eve").await;
        let attacker = match by {
            "key" => &user,
            "session" => &session,
            _ => &federated,
        };
        let (_, id, offer) = scene.attacked(attacker).await;
        assert!(offer["reach"].as_str().unwrap().starts_with("the whole user eve"), "{by}: {offer}");
        let case = scene.restricted(&id).await;
        assert_eq!(
            steps(&case)[2..],
            [("deny_principal", "succeeded"), ("deactivate_keys", "succeeded")],
            "{by}: {case}"
        );
        let now = scene.user_now("eve").await;
        assert_eq!(now["keys"][0][1], "Inactive", "{by}: {now}");
        for denied in [&user, &session, &federated] {
            assert!(!can(denied).await, "{by}");
        }
        assert!(can(&other).await, "{by}");
        scene.decide(&id, "lift").await;
        assert_eq!(scene.user_now("eve").await, before, "{by}");
        assert!(can(&user).await && can(&session).await && can(&federated).await, "{by}");
    }
}

#[tokio::test]
async fn a_quarantine_is_a_tag_with_the_case() {
    let scene = Scene::new("quarantine").await;
    let dev = scene.role("/people/", "dev").await;
    let tag = aws_tag("team", "orders");
    scene.root().iam.tag_role().role_name("dev").tags(tag).send().await.unwrap();
    let attacker = scene.root().assume_role(&dev, "mallory").await.unwrap();
    let before = scene.role_now("dev").await;
    let (_, id, offer) = scene.attacked(&attacker).await;
    assert_eq!(offer["strength"]["is"], "unknown", "{offer}");
    assert!(offer["strength"]["why"].as_str().unwrap().contains("cannot be seen from this account"));
    scene.restricted(&id).await;
    let tags = scene.role_now("dev").await["tags"].as_array().unwrap().clone();
    for expected in
        [json!(["team", "orders"]), json!(["sluicegate-quarantine", "true"]), json!(["sluicegate-case", id])]
    {
        assert!(tags.contains(&expected), "{tags:?}");
    }
    scene.decide(&id, "lift").await;
    assert_eq!(scene.role_now("dev").await, before);
}

fn aws_tag(key: &str, value: &str) -> aws_sdk_iam::types::Tag {
    aws_sdk_iam::types::Tag::builder().key(key).value(value).build().unwrap()
}

#[tokio::test]
async fn what_is_not_touched_is_handed_to_people() {
    let scene = Scene::new("session").await;
    let root = scene.root().clone();
    let sso = scene.role("/aws-reserved/sso.amazonaws.com/eu-west-1/", "AWSReservedSSO_Dev_0123456789abcdef").await;
    let sso = root.assume_role(&sso, "dave@example.com").await.unwrap();
    let kept = scene.role("/break-glass/", "emergency").await;
    let kept = root.assume_role(&kept, "eve").await.unwrap();
    let linked = scene.role("/people/", "pipeline").await;
    let through = root.assume_role(&linked, "stack").await.unwrap();
    scene.stage.sandbox.trail().used_by_service(&through.credentials.access_key_id, "cloudformation.amazonaws.com");
    let responder = scene.role_now("sluicegate-responder").await;
    for (who, why, how) in [
        (&sso, "belongs to IAM Identity Center", "permission set"),
        (&kept, "is protected", "attach-role-policy --role-name emergency"),
        (&through, "cloudformation.amazonaws.com made the call for somebody", "CreateStack"),
        (&root, "it was the root of account 111122223333", "assume-root"),
        (scene.stage.sandbox.responder(), "is sluicegate's own", "stop the responder"),
    ] {
        let queue = root.create_queue(&format!("q-{}", fresh()), None).await.unwrap();
        let uuid = who.create_mapping(&queue.arn, "exfil").await.unwrap();
        let (_, id, offer) = scene.looked_at(&uuid).await;
        assert_eq!(offer["can"], "by_hand", "{offer}");
        assert!(offer["why"].as_str().unwrap().contains(why), "{offer}");
        assert!(offer["how"].to_string().contains(how), "{offer}");
        let decide = ["decide", &id, "delete_restrict", "--reason", "test", "--yes"];
        let said = scene.stage.product.command_line(&scene.stage.security, &decide).await.unwrap();
        assert_eq!(said.code, 1, "{said:?}");
    }
    assert_eq!(scene.role_now("sluicegate-responder").await, responder);
    let changed = scene.stage.sandbox.calls().into_iter().filter(|call| {
        let changes = ["PutRolePolicy", "AttachRolePolicy", "TagRole", "PutUserPolicy", "UpdateAccessKey"];
        let ours = call.access_key_id.as_ref() == Some(&scene.stage.sandbox.responder().credentials.access_key_id);
        ours && changes.contains(&call.operation.as_str())
    });
    assert_eq!(changed.count(), 0);
}

fn fresh() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()
}

#[tokio::test]
async fn who_takes_the_denial_off_is_noticed_and_denied_again() {
    let scene = Scene::new("cap").await;
    let dev = scene.role("/", "dev").await;
    let more = allow(&["iam:DetachRolePolicy"]).to_string();
    let put = scene.root().iam.put_role_policy().role_name("dev").policy_name("more").policy_document(more);
    put.send().await.unwrap();
    let attacker = scene.root().assume_role(&dev, "mallory").await.unwrap();
    let (_, id, offer) = scene.attacked(&attacker).await;
    assert_eq!(offer["strength"]["is"], "weak", "{offer}");
    assert!(offer["strength"]["could"].to_string().contains("iam:DetachRolePolicy"), "{offer}");
    scene.restricted(&id).await;
    // Denied everything it cannot; somebody who helps it can.
    scene.root().iam.detach_role_policy().role_name("dev").policy_arn(CAP).send().await.unwrap();
    assert!(can(&attacker).await);
    let again = eventually(async || (!can(&attacker).await).then_some(())).await;
    assert!(again.is_some(), "{}", scene.case(&id).await);
    let told = eventually(async || {
        let case = scene.case(&id).await;
        let events = case["events"].as_array().unwrap().clone();
        let effects: Vec<String> = events
            .iter()
            .filter(|event| event["about"] == "restricted")
            .map(|event| event["effect"]["is"].as_str().unwrap().to_owned())
            .collect();
        (effects.contains(&"tampered".to_owned()) && effects.contains(&"reapplied".to_owned())).then_some(effects)
    });
    let effects = told.await.unwrap();
    assert_eq!(effects[0], "applied");
    // Applied is told apart from effective: the trail has a call of it that was denied.
    let _ = attacker.create_mapping(&scene.stage.orders.arn, "exfil").await;
    let effective = eventually(async || {
        let case = scene.case(&id).await.to_string();
        case.contains(r#""is":"effective""#).then_some(case)
    });
    assert!(effective.await.is_some(), "{}", scene.case(&id).await);
    scene.decide(&id, "lift").await;
    assert!(can(&attacker).await);
    tokio::time::sleep(std::time::Duration::from_secs(7)).await;
    assert!(can(&attacker).await, "what was lifted is not put on again");
}

#[tokio::test]
async fn an_altered_policy_is_not_taken_off_and_two_cases_hold_one() {
    let scene = Scene::new("session").await;
    let dev = scene.role("/people/", "dev").await;
    let attacker = scene.root().assume_role(&dev, "mallory").await.unwrap();
    let second_queue = scene.root().create_queue("second", None).await.unwrap();
    let before = scene.role_now("dev").await;
    let (_, first, _) = scene.attacked(&attacker).await;
    let uuid = attacker.create_mapping(&second_queue.arn, "exfil").await.unwrap();
    let (_, second, _) = scene.looked_at(&uuid).await;
    scene.restricted(&first).await;
    scene.restricted(&second).await;
    let puts = scene.stage.sandbox.calls_of("PutRolePolicy");
    let ours = &scene.stage.sandbox.responder().credentials.access_key_id;
    assert_eq!(puts.iter().filter(|call| call.access_key_id.as_ref() == Some(ours)).count(), 1);
    scene.decide(&first, "lift").await;
    assert!(!can(&attacker).await, "the second case holds it");
    // Somebody changes it: it is put right by the watch within seconds, so it is changed again and again.
    let name = format!("Sluicegate-{first}");
    let alter = async || {
        let document = allow(&["lambda:*"]).to_string();
        let put = scene.root().iam.put_role_policy().role_name("dev").policy_name(&name).policy_document(document);
        put.send().await.unwrap();
    };
    alter().await;
    let back = eventually(async || (!can(&attacker).await).then_some(())).await;
    assert!(back.is_some());
    scene.decide(&second, "lift").await;
    assert!(can(&attacker).await);
    assert_eq!(scene.role_now("dev").await, before);
    assert_eq!(ACCOUNT, "111122223333");
}
