//! Each fault does what it says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::time::{Duration, Instant};

use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::error::ProvideErrorMetadata as _;
use sandbox::{Account, Credentials, DeliveryFaults, Effect, Fault, Moto, Options, Sandbox, allow, eventually};

/// A sandbox with one enabled mapping, and a client that tries once, for half a second.
async fn with_mapping() -> (Sandbox, String, aws_sdk_lambda::Client) {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let root = sandbox.root();
    let queue = root.create_queue("orders", None).await.unwrap();
    let role = root.create_role("/", "reader-role", &allow(&["sqs:*"])).await.unwrap();
    root.create_function("reader", "def handler(event, context):\n    pass\n", &role, &[]).await.unwrap();
    let uuid = root.create_mapping(&queue.arn, "reader").await.unwrap();
    let config = Credentials::root().sdk_config(sandbox.endpoint_url(), sandbox.region());
    let once = aws_sdk_lambda::config::Builder::from(&config)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_millis(500)).build());
    (sandbox, uuid, aws_sdk_lambda::Client::from_conf(once.build()))
}

async fn disable(client: &aws_sdk_lambda::Client, uuid: &str) -> Result<(), (Option<u16>, String)> {
    let answer = client.update_event_source_mapping().uuid(uuid).enabled(false).send().await;
    answer.map(|_| ()).map_err(|error| {
        let status = error.raw_response().map(|response| response.status().as_u16());
        (status, error.code().unwrap_or_default().to_owned())
    })
}

async fn state(account: &Account, uuid: &str) -> String {
    account.mapping_state(uuid).await.unwrap().unwrap_or_default()
}

#[tokio::test]
async fn scripted_answers_have_no_effect_and_the_genuine_shape() {
    let (sandbox, uuid, client) = with_mapping().await;
    let answers = [
        (Effect::Throttle { retry_after: 2 }, 429, "TooManyRequestsException"),
        (Effect::Conflict, 409, "ResourceConflictException"),
        (Effect::InUse, 400, "ResourceInUseException"),
        (Effect::ServerError, 500, "ServiceException"),
        (Effect::AccessDenied, 403, "AccessDeniedException"),
        (Effect::RoleBroken, 400, "InvalidParameterValueException"),
    ];
    for (effect, status, code) in answers {
        sandbox.faults().add(Fault::on("UpdateEventSourceMapping", effect).containing(&uuid).times(1));
        assert_eq!(disable(&client, &uuid).await, Err((Some(status), code.to_owned())));
        assert_eq!(state(sandbox.root(), &uuid).await, "Enabled");
    }
    sandbox.faults().add(Fault::on("*", Effect::Throttle { retry_after: 2 }).times(1));
    let error = client.update_event_source_mapping().uuid(&uuid).enabled(false).send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().headers().get("retry-after"), Some("2"));
    let error = error.into_service_error();
    assert!(error.is_too_many_requests_exception(), "{error:?}");

    sandbox
        .faults()
        .add(Fault::on("UpdateEventSourceMapping", Effect::Respond { status: 200, body: String::new() }).times(1));
    assert_eq!(disable(&client, &uuid).await, Ok(()));
    assert_eq!(state(sandbox.root(), &uuid).await, "Enabled", "the answer was a lie");
    assert_eq!(disable(&client, &uuid).await, Ok(()));
    assert_eq!(state(sandbox.root(), &uuid).await, "Disabled");
}

#[tokio::test]
async fn hanging_and_cutting_happen_before_or_after_the_effect() {
    let (sandbox, uuid, client) = with_mapping().await;
    let update = "UpdateEventSourceMapping";
    for (effect, expected) in [
        (Effect::HangBefore { ms: 5_000 }, "Enabled"),
        (Effect::CutBefore, "Enabled"),
        (Effect::HangAfter { ms: 5_000 }, "Disabled"),
        (Effect::CutAfter, "Disabled"),
    ] {
        sandbox.root().set_mapping_enabled(&uuid, true).await.unwrap();
        let fault = sandbox.faults().add(Fault::on(update, effect.clone()).times(1));
        let started = Instant::now();
        assert_eq!(disable(&client, &uuid).await, Err((None, String::new())), "{effect:?}");
        assert!(started.elapsed() < Duration::from_secs(2));
        assert_eq!(state(sandbox.root(), &uuid).await, expected, "{effect:?}");
        assert_eq!(sandbox.faults().hits(fault), 1);
    }
    // What had its effect is recorded, though its client was never told.
    let updates = |record: &&serde_json::Value| record["eventName"] == "UpdateEventSourceMapping20150331";
    assert_eq!(sandbox.trail().records().iter().filter(updates).count(), 4 + 2);
}

#[tokio::test]
async fn faults_choose_their_calls() {
    let (sandbox, uuid, client) = with_mapping().await;
    let faults = sandbox.faults();
    faults.add(Fault::on("UpdateEventSourceMapping", Effect::Conflict).not_by("test"));
    assert_eq!(disable(&client, &uuid).await, Ok(()));
    faults.clear();
    faults.add(Fault::on("UpdateEventSourceMapping", Effect::Conflict).by("test").after(1).times(1));
    assert!(disable(&client, &uuid).await.is_ok());
    assert!(disable(&client, &uuid).await.is_err());
    assert!(disable(&client, &uuid).await.is_ok());
    faults.add(Fault::on("*", Effect::Conflict).lasting(Duration::from_millis(200)));
    assert!(disable(&client, &uuid).await.is_err());
    tokio::time::sleep(Duration::from_millis(250)).await;
    faults.add(Fault::on("GetEventSourceMapping", Effect::Delay { ms: 25 }));
    let started = Instant::now();
    assert_eq!(state(sandbox.root(), &uuid).await, "Disabled");
    assert!(started.elapsed() >= Duration::from_millis(25));
}

#[tokio::test]
async fn slow_transitions_show_and_refuse_changes_meanwhile() {
    let (sandbox, uuid, client) = with_mapping().await;
    let root = sandbox.root();
    sandbox.slow_transitions(Duration::from_millis(700));
    assert_eq!(disable(&client, &uuid).await, Ok(()));
    assert_eq!(state(root, &uuid).await, "Disabling");
    let listed = root.lambda.list_event_source_mappings().send().await.unwrap();
    assert_eq!(listed.event_source_mappings()[0].state(), Some("Disabling"));
    assert_eq!(disable(&client, &uuid).await, Err((Some(400), "ResourceInUseException".to_owned())));
    let settled = eventually(async || (state(root, &uuid).await == "Disabled").then_some(())).await;
    assert_eq!(settled, Some(()));
    client.delete_event_source_mapping().uuid(&uuid).send().await.unwrap();
    assert_eq!(state(root, &uuid).await, "Deleting");
    let gone = eventually(async || root.mapping_state(&uuid).await.unwrap().is_none().then_some(())).await;
    assert_eq!(gone, Some(()));
}

#[tokio::test]
async fn deliveries_are_repeated_reordered_withheld_and_forged() {
    let (sandbox, uuid, client) = with_mapping().await;
    let (root, trail) = (sandbox.root(), sandbox.trail());
    let taken = async || {
        trail.delivered().await;
        root.take_messages(sandbox.queue_url(), 1).await.unwrap()
    };
    assert_eq!(taken().await.len(), 1, "the mapping's creation");
    trail.set_delivery_faults(DeliveryFaults { copies: 3, ..DeliveryFaults::default() });
    disable(&client, &uuid).await.unwrap();
    let copies = taken().await;
    assert_eq!(copies.len(), 3);
    assert!(copies.iter().all(|copy| *copy == copies[0]));

    trail.set_delivery_faults(DeliveryFaults { reorder: 2, ..DeliveryFaults::default() });
    root.set_mapping_enabled(&uuid, true).await.unwrap();
    disable(&client, &uuid).await.unwrap();
    let enabled = |body: &String| body.contains("\"enabled\":true");
    assert_eq!(taken().await.iter().map(enabled).collect::<Vec<_>>(), [false, true]);

    trail.set_delivery_faults(DeliveryFaults { withhold: true, ..DeliveryFaults::default() });
    disable(&client, &uuid).await.unwrap();
    assert!(taken().await.is_empty());
    trail.release().await;
    assert_eq!(taken().await.len(), 1);

    let known = trail.records().len();
    trail.inject("forged").await;
    assert_eq!(taken().await, ["forged"]);
    assert_eq!(trail.records().len(), known);
}

#[tokio::test]
async fn a_person_scripts_it_over_http() {
    let (sandbox, uuid, client) = with_mapping().await;
    let script = format!(
        "import json, sys, urllib.request as u\n\
         def call(method, path, body=None):\n\
         \x20   r = u.Request('{}/_sandbox/' + path, method=method, data=body and json.dumps(body).encode())\n\
         \x20   return json.load(u.urlopen(r))\n\
         print(call('POST', 'faults', {{'operation': 'UpdateEventSourceMapping', 'times': 1, 'effect': {{'kind': \
         'throttle', 'retry_after': 1}}}})['id'])\n\
         call('PUT', 'transitions', {{'ms': 60000}})\n\
         print(len(call('GET', 'calls')) > 0)\n",
        sandbox.endpoint_url()
    );
    let output = tokio::process::Command::new(sandbox.python()).args(["-c", &script]).output().await.unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\nTrue\n", "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(disable(&client, &uuid).await.unwrap_err().0, Some(429));
    assert_eq!(disable(&client, &uuid).await, Ok(()));
    assert_eq!(state(sandbox.root(), &uuid).await, "Disabling");
}

#[tokio::test]
async fn another_emulator_takes_updates_of_mappings_that_do_not_exist() {
    let moto = Moto::start().await.unwrap();
    let config = Credentials::root().sdk_config(&moto.endpoint_url(), "eu-west-1");
    let client = aws_sdk_lambda::Client::new(&config);
    let uuid = "00000000-0000-4000-8000-000000000000";
    let answer = client.update_event_source_mapping().uuid(uuid).enabled(false).send().await.unwrap();
    assert_eq!((answer.uuid(), answer.state()), (None, None));
    assert!(client.get_event_source_mapping().uuid(uuid).send().await.is_err());
}
