//! The sandbox as a whole: the emulator, the proxy before it, the queue that the rule feeds, the responder's role.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::account::{Account, Credentials, Queue};
use crate::calls::{Call, Calls};
use crate::emulator::{Described, Emulator, Progress, progress_on_stderr};
use crate::error::SandboxError;
use crate::faults::{Faults, Transitions};
use crate::proxy::{self, Proxy};
use crate::trail::Trail;
use crate::upstream::Upstream;

/// How often a message of the responder's queue is handed out before it goes to the dead letters.
const MAX_RECEIVES: u32 = 5;

/// What the sandbox should be.
#[derive(Clone)]
pub struct Options {
    /// The emulated account.
    pub account_id: String,
    /// Its region.
    pub region: String,
    /// What the responder may do beside containing mappings: `iam:PutRolePolicy`, say.
    pub responder_may: Vec<String>,
    /// Where it tells what it is doing while it installs and starts.
    pub progress: Arc<Progress>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Options");
        shown.field("account_id", &self.account_id).field("region", &self.region);
        shown.field("responder_may", &self.responder_may).finish_non_exhaustive()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            account_id: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            responder_may: Vec::new(),
            progress: Arc::new(progress_on_stderr),
        }
    }
}

/// An emulated AWS account, up and running until this is dropped.
#[derive(Debug)]
pub struct Sandbox {
    options: Options,
    endpoint_url: String,
    proxy: Arc<Proxy>,
    queue: Queue,
    dead_letters: Queue,
    responder: Account,
    root: Account,
    // In this order: nothing is passed on to an emulator that is going away.
    _background: Background,
    emulator: Emulator,
}

impl Sandbox {
    /// Installs what is missing, starts everything, and waits until it can be used.
    pub async fn start(options: Options) -> Result<Self, SandboxError> {
        let background = Background::new()?;
        let upstream = Arc::new(Upstream::new(&options.region));
        let (proxy, port) = background.proxy(Arc::clone(&upstream)).await?;
        let emulator = start_emulator(&options, port).await?;
        upstream.found_at(emulator.port());

        let endpoint_url = format!("http://127.0.0.1:{port}");
        let root = Account::new(Credentials::root(), &endpoint_url, &options.region);
        let dead_letters = root.create_queue("sluicegate-events-dead-letters", None).await?;
        let queue = root.create_queue("sluicegate-events", Some((&dead_letters, MAX_RECEIVES))).await?;
        let role =
            root.create_role("/", "sluicegate-responder", &responder_policy(&queue, &options.responder_may)).await?;
        let responder = root.assume_role(&role, "sluicegate").await?;
        proxy.trail.deliver_to(&queue.url);
        proxy.calls.clear();
        Ok(Self {
            options,
            endpoint_url,
            proxy,
            queue,
            dead_letters,
            responder,
            root,
            _background: background,
            emulator,
        })
    }

    /// The endpoint of every service, for every client.
    pub fn endpoint_url(&self) -> &str {
        &self.endpoint_url
    }

    /// The account's id.
    pub fn account_id(&self) -> &str {
        &self.options.account_id
    }

    /// The account's region.
    pub fn region(&self) -> &str {
        &self.options.region
    }

    /// The URL of the queue that the rule feeds.
    pub fn queue_url(&self) -> &str {
        &self.queue.url
    }

    /// The queue that the rule feeds.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Where its messages go that nobody could handle.
    pub fn dead_letters(&self) -> &Queue {
        &self.dead_letters
    }

    /// The account as its root sees it.
    pub fn root(&self) -> &Account {
        &self.root
    }

    /// The account as the responder's session sees it: it may do what a responder needs, and nothing else.
    pub fn responder(&self) -> &Account {
        &self.responder
    }

    /// The account as another principal sees it, or the same one in another async runtime.
    pub fn account(&self, credentials: Credentials) -> Account {
        self.root.with(credentials)
    }

    /// The trail and its rule.
    pub fn trail(&self) -> &Trail {
        &self.proxy.trail
    }

    /// What is scripted to go wrong.
    pub fn faults(&self) -> &Faults {
        &self.proxy.faults
    }

    /// Has each mapping that is changed from now on read as `Creating`, `Disabling`, … for that long, during which
    /// changes to it are refused. The emulator itself changes at once.
    pub fn slow_transitions(&self, lasting: Duration) {
        self.proxy.transitions.last(lasting);
    }

    /// Every call that passed through since the start, in the order in which they ended.
    pub fn calls(&self) -> Vec<Call> {
        self.proxy.calls.all()
    }

    /// The calls of one operation.
    pub fn calls_of(&self, operation: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.operation == operation).collect()
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        self.proxy.calls.clear();
    }

    /// A Python with boto3, for attackers that are not Rust.
    pub fn python(&self) -> &Path {
        self.emulator.python()
    }

    /// The emulator's log.
    pub fn emulator_log(&self) -> &Path {
        self.emulator.log()
    }
}

async fn start_emulator(options: &Options, advertised_port: u16) -> Result<Emulator, SandboxError> {
    let options = options.clone();
    let starting = tokio::task::spawn_blocking(move || {
        let account = Described { id: &options.account_id, region: &options.region, advertised_port };
        Emulator::start(&account, &*options.progress)
    });
    starting.await.map_err(std::io::Error::other).map_err(SandboxError::io("starting the emulator"))?
}

/// What a responder needs to contain mappings, and to delete and restore them, and what it was given beside that.
fn responder_policy(queue: &Queue, more: &[String]) -> Value {
    let mut actions: Vec<&str> = vec![
        "lambda:GetEventSourceMapping",
        "lambda:ListEventSourceMappings",
        "lambda:UpdateEventSourceMapping",
        "lambda:DeleteEventSourceMapping",
        "lambda:CreateEventSourceMapping",
        "lambda:GetFunction",
        "lambda:GetFunctionConfiguration",
        "lambda:GetFunctionConcurrency",
        "lambda:PutFunctionConcurrency",
        "lambda:DeleteFunctionConcurrency",
        "lambda:ListTags",
        "cloudtrail:LookupEvents",
        "lambda:GetPolicy",
        "cloudwatch:GetMetricData",
        "tag:GetResources",
        "sqs:GetQueueUrl",
        "sqs:GetQueueAttributes",
        "sqs:ListQueueTags",
        "sts:GetCallerIdentity",
    ];
    actions.extend(more.iter().map(String::as_str));
    let messages = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"];
    json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Effect": "Allow", "Action": messages, "Resource": queue.arn },
            { "Effect": "Allow", "Action": actions, "Resource": "*" },
        ],
    })
}

/// The proxy's own runtime: it goes on while a test blocks its thread, and ends with the sandbox.
#[derive(Debug)]
struct Background(Option<Runtime>);

impl Background {
    fn new() -> Result<Self, SandboxError> {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("sandbox").enable_all().build();
        Ok(Self(Some(runtime.map_err(SandboxError::io("starting the proxy's threads"))?)))
    }

    /// Opens the proxy's port and serves it.
    async fn proxy(&self, upstream: Arc<Upstream>) -> Result<(Arc<Proxy>, u16), SandboxError> {
        let opening = async move {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            let port = listener.local_addr()?.port();
            let trail = Trail::start(Arc::clone(&upstream));
            let proxy = Arc::new(Proxy {
                upstream,
                trail,
                calls: Calls::default(),
                faults: Faults::default(),
                transitions: Transitions::default(),
            });
            tokio::spawn(proxy::serve(listener, Arc::clone(&proxy)));
            Ok((proxy, port))
        };
        let runtime = self.0.as_ref().map(|runtime| runtime.spawn(opening));
        let opened = match runtime {
            Some(task) => task.await.map_err(std::io::Error::other).and_then(|opened| opened),
            None => Err(std::io::Error::other("its threads have ended")),
        };
        opened.map_err(SandboxError::io("opening a port for the proxy"))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // A runtime may not be waited for inside another one.
            runtime.shutdown_background();
        }
    }
}
