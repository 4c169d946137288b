//! `scan` looks at everything that exists, in every account that it can enter, tells who made it and what smells, and
//! never passes over what it could not look at.

use crate::stage::{ACCOUNT, Stage};
use aws_sdk_lambda::types::{DestinationConfig, EventSourcePosition, Filter, FilterCriteria, OnFailure};
use sandbox::{Account, Credentials, Effect, Fault, SIPHON, Said, allow};
use serde_json::{Value, json};

const OTHER: &str = "444455556666";
const READS: [&str; 6] = [
    "lambda:ListEventSourceMappings",
    "lambda:GetEventSourceMapping",
    "cloudtrail:LookupEvents",
    "tag:GetResources",
    "sts:GetCallerIdentity",
    "sts:AssumeRole",
];

/// A stage, and somebody who may look and change nothing.
struct Scene {
    stage: Stage,
    scanner: Account,
}

/// What a scan said: the mappings, what was missing, and the summary.
#[derive(Debug)]
struct Told {
    code: i32,
    mappings: Vec<Value>,
    errors: Vec<Value>,
    summary: Value,
    err: String,
}

impl Scene {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let role = stage.sandbox.root().create_role("/", "scanner", &allow(&READS)).await.unwrap();
        let scanner = stage.sandbox.root().assume_role(&role, "me").await.unwrap();
        Self { stage, scanner }
    }

    fn root(&self) -> &Account {
        self.stage.sandbox.root()
    }

    async fn run(&self, arguments: &[&str]) -> Said {
        self.stage.product.command_line(&self.scanner, arguments).await.unwrap()
    }

    async fn scan(&self, more: &[&str]) -> Told {
        let said = self.run(&[&["--format", "json", "scan"], more].concat()).await;
        let lines = said.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{said:?}")));
        let lines: Vec<Value> = lines.collect();
        let with = |key: &str| lines.iter().filter(|line| !line[key].is_null()).cloned().collect::<Vec<_>>();
        let summary = with("summary").pop().map(|line| line["summary"].clone()).unwrap_or_default();
        Told { code: said.code, mappings: with("state"), errors: with("error"), summary, err: said.err }
    }

    fn fault(&self, operation: &str, effect: Effect) -> Fault {
        Fault::on(operation, effect).by(&self.scanner.credentials.access_key_id)
    }

    /// The pipeline's own mapping.
    async fn deployed(&self, deployer: &Account) -> String {
        let runs = self.root().create_role("/service/", "consumers", &allow(&["sqs:*"])).await.unwrap();
        self.root().create_function("orders-consumer", SIPHON, &runs, &[]).await.unwrap();
        deployer.create_mapping(&self.stage.orders.arn, "orders-consumer").await.unwrap()
    }
}

impl Told {
    fn of(&self, uuid: &str) -> &Value {
        let found = self.mappings.iter().find(|mapping| mapping["uuid"] == uuid);
        found.unwrap_or_else(|| panic!("{uuid} is not in {self:#?}"))
    }
}

fn smells(mapping: &Value) -> Vec<&str> {
    mapping["smells"].as_array().unwrap().iter().map(|smell| smell["smell"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn who_made_each_mapping_decides_and_what_nobody_knows_is_told_so() {
    let scene = Scene::new().await;
    let old = scene.root().create_queue("old", None).await.unwrap();
    let old = scene.root().create_mapping(&old.arn, "exfil").await.unwrap();
    scene.stage.sandbox.trail().forget();
    let deployer = scene.stage.deployer().await;
    let good = scene.deployed(&deployer).await;
    let rogue = scene.stage.mallory.create_mapping(&scene.stage.orders.arn, "exfil").await.unwrap();
    let told = scene.scan(&[]).await;
    assert_eq!((told.code, told.errors.len(), told.mappings.len()), (0, 0, 3), "{told:#?}");
    // Most telling first.
    let order: Vec<&Value> = told.mappings.iter().map(|mapping| &mapping["uuid"]).collect();
    assert_eq!(order, [&json!(rogue), &json!(old), &json!(good)]);
    let of = |uuid: &str| (told.of(uuid)["verdict"]["allowed"].clone(), told.of(uuid)["attribution"].clone());
    assert_eq!(of(&good), (json!(true), json!("found")), "{told:#?}");
    assert_eq!(of(&rogue), (json!(false), json!("found")));
    assert_eq!(of(&old), (Value::Null, json!("not-found")));
    assert_eq!(told.of(&good)["verdict"]["policies"][0], "orders-pipeline");
    let by = &told.of(&rogue)["created_by"];
    assert_eq!(by["principal_arn"], "arn:aws:iam::111122223333:role/people/intern");
    assert_eq!(
        (&by["session_name"], &by["event_name"]),
        (&json!("mallory"), &json!("CreateEventSourceMapping20150331"))
    );
    assert_eq!((&told.summary["not_allowed"], &told.summary["unattributed"]), (&json!(1), &json!(1)));
    // The same for people, and for a pipeline.
    let said = scene.run(&["scan", "--fail-on", "not-allowed"]).await;
    assert_eq!(said.code, 1, "{said:?}");
    for text in ["NOT ALLOWED", &rogue, "role/people/intern", "unattributed", "not-found", "role/ci/orders-deployer"] {
        assert!(said.out.contains(text), "{text}: {}", said.out);
    }
    assert!(said.out.ends_with("3 mappings in 1 place: 1 not allowed, 1 unattributed, 1 allowed; 0 with smells\n"));
    // Other accounts of the inventory are not passed over in silence.
    assert!(said.out.contains(OTHER) && said.out.contains("[accounts] role_name is not set"), "{}", said.out);
    let changed = scene.stage.sandbox.calls().into_iter().filter(|call| {
        call.access_key_id.as_ref() == Some(&scene.scanner.credentials.access_key_id)
            && !["List", "Get", "Look"].iter().any(|reads| call.operation.starts_with(reads))
    });
    assert_eq!(changed.count(), 0, "it changes nothing");
}

#[tokio::test]
async fn a_mapping_that_was_repointed_is_judged_by_who_did() {
    let scene = Scene::new().await;
    let deployer = scene.stage.deployer().await;
    let uuid = scene.deployed(&deployer).await;
    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    let update = scene.stage.mallory.lambda.update_event_source_mapping().uuid(&uuid).function_name("exfil");
    update.send().await.unwrap();
    let told = scene.scan(&["--fail-on", "not-allowed"]).await;
    assert_eq!(told.code, 1, "{told:#?}");
    let mapping = told.of(&uuid);
    assert_eq!(mapping["created_by"]["principal_arn"], "arn:aws:iam::111122223333:role/ci/orders-deployer");
    assert_eq!(mapping["changed_by"]["session_name"], "mallory", "{mapping:#}");
    assert_eq!(mapping["changed_by"]["detection"], "mapping-repointed");
    assert_eq!(mapping["verdict"]["allowed"], false);
    // Without the record of it, it is no less repointed.
    scene.stage.sandbox.faults().add(scene.fault("LookupEvents", Effect::AccessDenied).containing("UpdateEvent"));
    let told = scene.scan(&[]).await;
    assert_eq!(told.code, 3, "{told:#?}");
    let mapping = told.of(&uuid);
    assert_eq!((&mapping["verdict"]["allowed"], &mapping["changed_by"]), (&json!(false), &Value::Null), "{mapping:#}");
    assert!(mapping["unknown"].to_string().contains("who changed it"), "{mapping:#}");
}

#[tokio::test]
async fn what_an_attack_looks_like_smells() {
    let scene = Scene::new().await;
    let root = scene.root();
    let users = root.create_table("users").await.unwrap();
    let table = users.split("/stream/").next().unwrap();
    root.tag_table(table, &[("DataClassification", "confidential")]).await.unwrap();
    let role = root.create_role("/people/", "builder", &allow(&["lambda:*", "iam:PassRole"])).await.unwrap();
    let eve = root.assume_role(&role, "eve").await.unwrap();
    let runs = root.create_role("/service/", "drains", &allow(&["dynamodb:*"])).await.unwrap();
    eve.create_function("drain", SIPHON, &runs, &[]).await.unwrap();
    let elsewhere = OnFailure::builder().destination("arn:aws:sqs:eu-west-1:999988887777:drop").build();
    let create = |function: &'static str| {
        eve.lambda
            .create_event_source_mapping()
            .event_source_arn(&users)
            .function_name(function)
            .enabled(false)
            .batch_size(1)
            .starting_position(EventSourcePosition::Latest)
    };
    let drains = create("drain").destination_config(DestinationConfig::builder().on_failure(elsewhere).build());
    let drains = drains.send().await.unwrap().uuid.unwrap();
    let pattern = Filter::builder().pattern(r#"{"eventName":["REMOVE"]}"#).build();
    let narrow = create("exfil").filter_criteria(FilterCriteria::builder().filters(pattern).build());
    let narrow = narrow.send().await.unwrap().uuid.unwrap();
    let told = scene.scan(&["--fail-on", "smells"]).await;
    assert_eq!((told.code, told.errors.len()), (1, 0), "{told:#?}");
    let expected = [
        "drains-one-by-one",
        "function-made-for-it",
        "destination-in-another-account",
        "reads-all-of-a-sensitive-source",
        "dormant-since-creation",
    ];
    assert_eq!(smells(told.of(&drains)), expected, "{told:#?}");
    assert_eq!(smells(told.of(&narrow)), ["dormant-since-creation"], "{told:#?}");
    // Who may not read tags or look up functions is told so, and gets the rest.
    scene.stage.sandbox.faults().add(scene.fault("GetResources", Effect::AccessDenied));
    scene.stage.sandbox.faults().add(scene.fault("LookupEvents", Effect::AccessDenied).containing("CreateFunction"));
    let told = scene.scan(&[]).await;
    assert_eq!(told.code, 3, "{told:#?}");
    assert_eq!(smells(told.of(&drains)), ["destination-in-another-account", "dormant-since-creation"]);
    let unknown = told.of(&drains)["unknown"].to_string();
    assert!(unknown.contains("tagged as sensitive") && unknown.contains("function was made"), "{unknown}");
}

/// A second account whose role wants an external id, with one mapping in it.
async fn second_account(scene: &Scene) -> String {
    let root = scene.stage.sandbox.account(Credentials::root_of(OTHER));
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
        "Condition": {"StringEquals": {"sts:ExternalId": "the-right-one"}},
    }]});
    root.create_role_trusting("/", "looks", &trust, &allow(&READS)).await.unwrap();
    let runs = root.create_role("/", "runs", &allow(&["sqs:*"])).await.unwrap();
    root.create_function("theirs", SIPHON, &runs, &[]).await.unwrap();
    let queue = root.create_queue("theirs", None).await.unwrap();
    root.create_mapping(&queue.arn, "theirs").await.unwrap()
}

#[tokio::test]
async fn other_accounts_are_entered_by_their_role_and_one_that_cannot_be_is_named() {
    let scene = Scene::new().await;
    let theirs = second_account(&scene).await;
    let ours = scene.stage.mallory.create_mapping(&scene.stage.orders.arn, "exfil").await.unwrap();
    let secret = scene.stage.product.home().join("external-id");
    let config = "[accounts]\nrole_name = \"looks\"\nexternal_id = \"file:external-id\"";
    scene.stage.product.configure("observe", scene.stage.sandbox.queue_url(), config).unwrap();
    std::fs::write(&secret, "the-right-one\n").unwrap();
    let told = scene.scan(&[]).await;
    assert_eq!((told.code, told.errors.len(), told.mappings.len()), (0, 0, 2), "{told:#?}");
    let account = |uuid: &str| told.of(uuid)["account"].clone();
    assert_eq!((account(&ours), account(&theirs)), (json!(ACCOUNT), json!(OTHER)));
    assert_eq!(told.of(&theirs)["created_by"]["kind"], "Root", "its own trail was asked");
    let only = scene.scan(&["--account", OTHER]).await;
    assert_eq!((only.code, only.mappings.len()), (0, 1), "{only:#?}");
    // The wrong one.
    std::fs::write(&secret, "the-wrong-one\n").unwrap();
    let told = scene.scan(&[]).await;
    assert_eq!((told.code, told.mappings.len()), (3, 1), "{told:#?}");
    assert_eq!(told.of(&ours)["verdict"]["allowed"], false);
    let [error] = told.errors.as_slice() else { panic!("{told:#?}") };
    assert_eq!((&error["account"], &error["region"]), (&json!(OTHER), &json!("eu-west-1")));
    assert!(error["error"].as_str().unwrap().contains("AccessDenied"), "{error}");
    assert!(told.err.contains(OTHER) && !format!("{told:?}").contains("the-wrong-one"), "{told:#?}");
    let said = scene.run(&["scan"]).await;
    assert!(said.code == 3 && said.out.contains("NOT LOOKED AT  account 444455556666"), "{said:?}");
    assert!(said.out.contains("in 2 places, 1 of them not completely"), "{}", said.out);
}

#[tokio::test]
async fn all_pages_are_read_and_throttling_is_waited_out() {
    let scene = Scene::new().await;
    for number in 0..105 {
        let queue = scene.root().create_queue(&format!("queue-{number}"), None).await.unwrap();
        let create = scene.root().lambda.create_event_source_mapping().event_source_arn(queue.arn);
        create.function_name("exfil").enabled(false).send().await.unwrap();
    }
    let throttled = Effect::Throttle { retry_after: 1 };
    let listing = scene.fault("ListEventSourceMappings", throttled.clone()).after(1).times(2);
    let listing = scene.stage.sandbox.faults().add(listing);
    let looking = scene.stage.sandbox.faults().add(scene.fault("LookupEvents", throttled).after(1).times(1));
    let told = scene.scan(&[]).await;
    assert_eq!((told.code, told.errors.len(), told.mappings.len()), (0, 0, 105), "{}", told.summary);
    assert!(told.mappings.iter().all(|mapping| mapping["attribution"] == "found"), "{}", told.summary);
    let faults = scene.stage.sandbox.faults();
    assert_eq!((faults.hits(listing), faults.hits(looking)), (2, 1));
    assert_eq!(told.summary["not_allowed"], 105, "root wires no mappings");
    // A page that fails for good loses no other.
    let denied = scene.fault("ListEventSourceMappings", Effect::AccessDenied).after(1);
    scene.stage.sandbox.faults().add(denied);
    let told = scene.scan(&[]).await;
    assert_eq!((told.code, told.errors.len(), told.mappings.len()), (3, 1, 100), "{:#?}", told.errors);
    assert!(told.errors[0]["error"].as_str().unwrap().contains("100 were read"), "{:#?}", told.errors);
}

#[tokio::test]
async fn what_cannot_be_read_is_never_taken_for_nothing() {
    let scene = Scene::new().await;
    let uuid = scene.stage.mallory.create_mapping(&scene.stage.orders.arn, "exfil").await.unwrap();
    let denied = scene.stage.sandbox.faults().add(scene.fault("LookupEvents", Effect::AccessDenied));
    let told = scene.scan(&[]).await;
    assert_eq!((told.code, told.mappings.len()), (3, 1), "{told:#?}");
    let attribution = told.of(&uuid)["attribution"].as_str().unwrap();
    assert!(attribution.starts_with("unavailable: ") && attribution.contains("AccessDenied"), "{attribution}");
    scene.stage.sandbox.faults().remove(denied);
    let arn = |name: &str| format!("arn:aws:lambda:eu-west-1:{ACCOUNT}:function:{name}");
    let odd = json!({ "UUID": "odd", "State": "Enabled" });
    let good =
        json!({ "UUID": "good", "State": "Enabled", "FunctionArn": arn("x"), "EventSourceArn": "\u{202e}\u{1b}[2J" });
    let body = json!({ "EventSourceMappings": [odd, 7, good] }).to_string();
    let list = scene.fault("ListEventSourceMappings", Effect::Respond { status: 200, body }).times(2);
    scene.stage.sandbox.faults().add(list);
    let told = scene.scan(&[]).await;
    assert_eq!((told.code, told.mappings.len(), told.errors.len()), (3, 1, 2), "{told:#?}");
    assert!(told.errors.iter().any(|error| error["uuid"] == "odd"), "{told:#?}");
    let said = scene.run(&["scan"]).await;
    assert!(said.out.contains("good") && !said.out.contains('\u{1b}') && !said.out.contains('\u{202e}'), "{said:?}");
    let nothing = Effect::Respond { status: 200, body: "{}".into() };
    scene.stage.sandbox.faults().add(scene.fault("ListEventSourceMappings", nothing).times(1));
    let told = scene.scan(&[]).await;
    assert_eq!((told.code, told.errors.len()), (3, 1), "{told:#?}");
    assert!(told.errors[0]["error"].as_str().unwrap().contains("has no EventSourceMappings"), "{told:#?}");
}

#[tokio::test]
async fn what_is_asked_wrongly_is_told_before_anything_is_looked_at() {
    let scene = Scene::new().await;
    for (arguments, told) in [
        (&["scan", "--account", OTHER][..], "[accounts] role_name is not set"),
        (&["scan", "--account", "12"][..], "twelve digits"),
        (&["scan", "--region", "Mars"][..], "is no region"),
        (&["scan", "--output", "no/such/folder/file"][..], "--output no/such/folder/file"),
        (&["scan", "--policies", "nowhere"][..], "nowhere"),
    ] {
        let said = scene.run(arguments).await;
        assert!(said.code == 2 && said.err.contains(told), "{said:?}");
    }
    let said = scene.run(&["--format", "json", "scan", "--output", "found.jsonl"]).await;
    assert_eq!((said.code, said.out.as_str()), (0, ""), "{said:?}");
    let written = std::fs::read_to_string(scene.stage.product.home().join("found.jsonl")).unwrap();
    assert!(written.ends_with('\n') && written.contains("\"summary\""), "{written}");
}
