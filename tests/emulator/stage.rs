//! An account with a source, a function and an attacker, and the product beside it.

use sandbox::{Account, Options, Product, Queue, SIPHON, Sandbox, allow, eventually};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

pub const ACCOUNT: &str = "111122223333";

pub struct Stage {
    pub sandbox: Sandbox,
    pub product: Product,
    pub mallory: Account,
    pub security: Account,
    pub orders: Queue,
}

impl Stage {
    pub async fn new() -> Self {
        Self::with("").await
    }

    /// With more lines in the configuration.
    pub async fn with(more: &str) -> Self {
        let mut may: Vec<String> = sandbox::RESTRICTING.map(str::to_owned).to_vec();
        may.push("iam:SimulatePrincipalPolicy".into());
        let options = Options {
            account_id: ACCOUNT.into(),
            responder_may: may,
            progress: Arc::new(|_| ()),
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await.unwrap();
        let root = sandbox.root();
        let wires = allow(&["lambda:*", "iam:PassRole"]);
        let intern = root.create_role("/people/", "intern", &wires).await.unwrap();
        let mallory = root.assume_role(&intern, "mallory").await.unwrap();
        let team = root.create_role("/", "SecurityOps", &allow(&["sts:GetCallerIdentity"])).await.unwrap();
        let security = root.assume_role(&team, "bob").await.unwrap();
        let runs = root.create_role("/service/", "functions", &allow(&["sqs:*"])).await.unwrap();
        let orders = root.create_queue("orders-in", None).await.unwrap();
        let drop = root.create_queue("drop", None).await.unwrap();
        root.create_function("exfil", SIPHON, &runs, &[("QUEUE_URL", &drop.url)]).await.unwrap();
        let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        let binary = Path::new(env!("CARGO_BIN_EXE_sluicegate"));
        let product = Product::new(binary, &policies, sandbox.queue_url(), more).unwrap();
        Self { sandbox, product, mallory, security, orders }
    }

    pub async fn run(&self) -> sandbox::Running {
        self.product.run(self.sandbox.responder()).await.unwrap()
    }

    /// The pipeline that the shipped allowlist covers.
    pub async fn deployer(&self) -> Account {
        let root = self.sandbox.root();
        let role = root.create_role("/ci/", "orders-deployer", &allow(&["lambda:*"])).await.unwrap();
        let deployer = root.assume_role(&role, "pipeline-7").await.unwrap();
        self.sandbox.trail().used_by_service(&deployer.credentials.access_key_id, "cloudformation.amazonaws.com");
        deployer
    }

    pub async fn state(&self, uuid: &str) -> String {
        self.sandbox.root().mapping_state(uuid).await.unwrap().unwrap_or_else(|| "gone".into())
    }

    pub async fn becomes(&self, uuid: &str, state: &str) {
        let found = eventually(async || Some(self.state(uuid).await).filter(|now| now == state)).await;
        assert_eq!(found.as_deref(), Some(state), "mapping {uuid} is {}", self.state(uuid).await);
    }

    pub async fn cases(&self) -> Vec<Value> {
        self.product.cases(&self.security).await.unwrap()
    }

    /// The case of a mapping, once it is in this state.
    pub async fn case_in(&self, uuid: &str, state: &str) -> Value {
        let found = eventually(async || {
            self.cases().await.into_iter().find(|case| case["mapping_uuid"] == uuid && case["state"] == state)
        });
        found.await.unwrap_or_else(|| panic!("no case of {uuid} is {state}"))
    }

    /// One case, whole.
    pub async fn whole(&self, case: &Value) -> Value {
        let id = case["case_id"].as_str().unwrap();
        let said = self.product.command_line(&self.security, &["--format", "json", "case", id]).await.unwrap();
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
    }

    /// Updates of a mapping that reached the emulator.
    pub fn updates_of(&self, uuid: &str) -> usize {
        let calls = self.sandbox.calls_of("UpdateEventSourceMapping");
        calls.iter().filter(|call| call.forwarded && call.resource.as_deref() == Some(uuid)).count()
    }
}
