//! As much of AWS as the responder needs, answering in memory: SQS, STS, and Lambda's mappings after a delay. It notes
//! when what was asked and answered.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;

const EVENT: &str = include_str!("../../tests/fixtures/cloudtrail/envelope-create.json");

/// The stub. Clones share it.
#[derive(Clone)]
pub(crate) struct Stub {
    pub(crate) endpoint: String,
    shared: Arc<Shared>,
}

struct Shared {
    delay: Duration,
    world: Mutex<World>,
    queued: watch::Sender<()>,
    moved: watch::Sender<()>,
    requests: AtomicU64,
}

#[derive(Default)]
struct World {
    queue: VecDeque<String>,
    bodies: HashMap<String, String>,
    mappings: HashMap<String, Mapping>,
}

/// A mapping, and what was asked about it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mapping {
    disabled: bool,
    modified: f64,
    /// When the message of its creation was handed out.
    pub(crate) handed: Option<Instant>,
    /// When the first read that shows it disabled was answered.
    pub(crate) contained: Option<Instant>,
    /// When each call to Lambda came, and was answered.
    pub(crate) calls: Vec<(Instant, Instant)>,
    /// How many of them were updates.
    pub(crate) updates: usize,
    /// Whether the message was deleted.
    pub(crate) deleted: bool,
}

impl Stub {
    /// Starts it; Lambda answers after `delay`.
    pub(crate) async fn start(delay: Duration) -> Self {
        let shared = Arc::new(Shared {
            delay,
            world: Mutex::default(),
            queued: watch::Sender::default(),
            moved: watch::Sender::default(),
            requests: AtomicU64::new(0),
        });
        let app = Router::new()
            .route("/2015-03-31/event-source-mappings/{uuid}", get(read).put(update))
            .fallback_service(post(sqs_or_sts).with_state(shared.clone()))
            .with_state(shared.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { endpoint, shared }
    }

    pub(crate) fn queue_url(&self) -> String {
        format!("{}/111122223333/events", self.endpoint)
    }

    /// Makes the mapping with this number, enabled; gives its UUID.
    pub(crate) fn make(&self, n: usize) -> String {
        let uuid = format!("a1b2c3d4-5678-4abc-9def-{n:012x}");
        #[allow(clippy::cast_precision_loss, reason = "milliseconds of today are exact")]
        let modified = Timestamp::now().as_millisecond() as f64 / 1000.0;
        self.shared.world().mappings.insert(uuid.clone(), Mapping { modified, ..Mapping::default() });
        uuid
    }

    /// Puts CloudTrail's records of these mappings' creation on the queue, all at once.
    pub(crate) fn announce(&self, uuids: &[String]) {
        let mut world = self.shared.world();
        for uuid in uuids {
            world.bodies.insert(uuid.clone(), event(uuid));
            world.queue.push_back(uuid.clone());
        }
        drop(world);
        self.shared.queued.send_replace(());
    }

    /// What was asked about a mapping so far.
    pub(crate) fn mapping(&self, uuid: &str) -> Mapping {
        self.shared.world().mappings[uuid].clone()
    }

    /// Waits until all of these are contained and their messages deleted.
    pub(crate) async fn until_settled(&self, uuids: &[String]) {
        let mut moved = self.shared.moved.subscribe();
        let settled = |uuid: &String| {
            let mapping = self.mapping(uuid);
            mapping.contained.is_some() && mapping.deleted
        };
        for uuid in uuids {
            while !settled(uuid) {
                moved.changed().await.unwrap();
            }
        }
    }
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn answer(&self, status: StatusCode, kind: &'static str, body: String) -> Response {
        let id = format!("00000000-0000-4000-8000-{:012x}", self.requests.fetch_add(1, Ordering::Relaxed));
        (status, [(header::CONTENT_TYPE.as_str(), kind), ("x-amzn-requestid", &id)], body).into_response()
    }

    /// Answers with the mapping as `change` leaves it.
    async fn describe(&self, status: StatusCode, uuid: &str, change: impl FnOnce(&mut Mapping)) -> Response {
        let came = Instant::now();
        tokio::time::sleep(self.delay).await;
        let mut world = self.world();
        let Some(mapping) = world.mappings.get_mut(uuid) else {
            return self.answer(StatusCode::NOT_FOUND, "application/json", r#"{"Message":"no such mapping"}"#.into());
        };
        change(mapping);
        let account = "eu-west-1:111122223333";
        let body = json!({
            "UUID": uuid,
            "BatchSize": 10,
            "MaximumBatchingWindowInSeconds": 0,
            "EventSourceArn": format!("arn:aws:sqs:{account}:orders-queue"),
            "EventSourceMappingArn": format!("arn:aws:lambda:{account}:event-source-mapping:{uuid}"),
            "FunctionArn": format!("arn:aws:lambda:{account}:function:orders"),
            "FunctionResponseTypes": [],
            "LastModified": mapping.modified,
            "State": if mapping.disabled { "Disabled" } else { "Enabled" },
            "StateTransitionReason": "USER_INITIATED",
        });
        let response = self.answer(status, "application/json", body.to_string());
        let answered = Instant::now();
        mapping.calls.push((came, answered));
        if mapping.disabled && status == StatusCode::OK {
            mapping.contained.get_or_insert(answered);
        }
        drop(world);
        self.moved.send_replace(());
        response
    }

    async fn receive(&self, request: &Value) -> Response {
        let most = usize::try_from(request["MaxNumberOfMessages"].as_u64().unwrap_or(1)).unwrap();
        let wait = Duration::from_secs(request["WaitTimeSeconds"].as_u64().unwrap_or(0));
        let mut queued = self.queued.subscribe();
        let until = tokio::time::Instant::now() + wait;
        loop {
            queued.mark_unchanged();
            let messages = self.take(most);
            if !messages.is_empty() || tokio::time::timeout_at(until, queued.changed()).await.is_err() {
                return self.json(&json!({ "Messages": messages }));
            }
        }
    }

    fn take(&self, most: usize) -> Vec<Value> {
        let mut world = self.world();
        let mut messages = Vec::new();
        while messages.len() < most
            && let Some(uuid) = world.queue.pop_front()
        {
            let body = world.bodies.remove(&uuid);
            messages.push(json!({"MessageId": uuid, "ReceiptHandle": uuid, "Body": body}));
            world.mappings.get_mut(&uuid).unwrap().handed = Some(Instant::now());
        }
        messages
    }

    fn delete(&self, request: &Value) {
        let receipt = request["ReceiptHandle"].as_str().unwrap();
        self.world().mappings.get_mut(receipt).unwrap().deleted = true;
        self.moved.send_replace(());
    }

    fn json(&self, body: &Value) -> Response {
        self.answer(StatusCode::OK, "application/x-amz-json-1.0", body.to_string())
    }
}

async fn read(State(shared): State<Arc<Shared>>, Path(uuid): Path<String>) -> Response {
    shared.describe(StatusCode::OK, &uuid, |_| {}).await
}

async fn update(State(shared): State<Arc<Shared>>, Path(uuid): Path<String>, body: Bytes) -> Response {
    let change: Value = serde_json::from_slice(&body).unwrap();
    let change = |mapping: &mut Mapping| {
        mapping.disabled = change["Enabled"] == false;
        mapping.updates += 1;
    };
    shared.describe(StatusCode::ACCEPTED, &uuid, change).await
}

async fn sqs_or_sts(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    match target {
        "AmazonSQS.ReceiveMessage" => shared.receive(&request).await,
        "AmazonSQS.DeleteMessage" => {
            shared.delete(&request);
            shared.json(&json!({}))
        }
        "AmazonSQS.ChangeMessageVisibility" => shared.json(&json!({})),
        "AmazonSQS.GetQueueAttributes" => shared.json(&json!({"Attributes": {"ApproximateNumberOfMessages": "0"}})),
        _ if body.starts_with(b"Action=GetCallerIdentity") => {
            let xml = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                       <GetCallerIdentityResult><UserId>AROAEXAMPLE:worker</UserId><Account>111122223333</Account>\
                       <Arn>arn:aws:sts::111122223333:assumed-role/sluicegate-responder/worker</Arn>\
                       </GetCallerIdentityResult></GetCallerIdentityResponse>";
            shared.answer(StatusCode::OK, "text/xml", xml.to_owned())
        }
        _ => shared.answer(StatusCode::NOT_IMPLEMENTED, "application/json", json!({"Message": target}).to_string()),
    }
}

/// CloudTrail's record of a mapping's creation, made just now, as EventBridge delivers it.
fn event(uuid: &str) -> String {
    let mut event: Value = serde_json::from_str(EVENT).unwrap();
    let now = Timestamp::now();
    let time = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    event.as_object_mut().unwrap().remove("_note");
    event["time"] = time.clone().into();
    let detail = &mut event["detail"];
    detail["eventTime"] = time.into();
    detail["eventID"] = uuid.replacen("a1b2", "e1e2", 1).into();
    detail["requestID"] = uuid.replacen("a1b2", "f1f2", 1).into();
    let answer = &mut detail["responseElements"];
    answer["uUID"] = uuid.into();
    answer["eventSourceMappingArn"] =
        format!("arn:aws:lambda:eu-west-1:111122223333:event-source-mapping:{uuid}").into();
    answer["lastModified"] = now.strftime("%b %-d, %Y, %-I:%M:%S %p").to_string().into();
    event.to_string()
}
