//! The account before anything happens: a shop's sources and functions, its deploy role, an intern, a security team.

use std::path::Path;

use super::Result;
use super::screen::Screen;
use super::traffic::Traffic;
use sandbox::{Account, Options, Product, Queue, Running, SIPHON, Sandbox, allow};

/// The shipped policies are written for this account.
const ACCOUNT: &str = "111122223333";

/// Everything that the story needs.
#[derive(Debug)]
pub struct Stage {
    pub sandbox: Sandbox,
    pub product: Product,
    _responder: Running,
    /// The pipeline that the shipped allowlist covers, by way of CloudFormation.
    pub deployer: Account,
    /// Whoever has the intern's credentials.
    pub mallory: Account,
    /// Somebody of the team `security`.
    pub security: Account,
    pub orders: Queue,
    pub payments: Queue,
    pub table_stream: String,
    /// What the shop's own worker has done.
    pub worked: Queue,
    /// What the attacker has got.
    pub stolen: Queue,
}

impl Stage {
    pub async fn set(binary: &Path, screen: Screen) -> Result<Self> {
        screen.scene("Starting an emulated AWS account");
        let options = Options { account_id: ACCOUNT.into(), ..Options::default() };
        let sandbox = Sandbox::start(options).await?;
        screen.line(&format!("account {ACCOUNT} in {} at {}", sandbox.region(), sandbox.endpoint_url()));
        let root = sandbox.root();
        let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
        let product = Product::new(binary, &policies, sandbox.queue_url(), "")?;
        let wires = allow(&["lambda:*", "iam:PassRole"]);
        let deployer = root.create_role("/ci/", "orders-deployer", &wires).await?;
        let deployer = root.assume_role(&deployer, "pipeline-1042").await?;
        sandbox.trail().used_by_service(&deployer.credentials.access_key_id, "cloudformation.amazonaws.com");
        let intern = root.create_role("/people/", "intern", &wires).await?;
        let mallory = root.assume_role(&intern, "mallory").await?;
        let security = root.create_role("/", "SecurityOps", &allow(&["sts:GetCallerIdentity"])).await?;
        let security = root.assume_role(&security, "bob").await?;
        let runs = root.create_role("/service/", "functions", &allow(&["sqs:*", "dynamodb:*"])).await?;
        let orders = root.create_queue("orders-in", None).await?;
        let payments = root.create_queue("payments-in", None).await?;
        let table_stream = root.create_table("customers").await?;
        let worked = root.create_queue("orders-done", None).await?;
        let stolen = root.create_queue("mallory-drop", None).await?;
        root.create_function("orders-worker", SIPHON, &runs, &[("QUEUE_URL", &worked.url)]).await?;
        root.create_function("telemetry", SIPHON, &runs, &[("QUEUE_URL", &stolen.url)]).await?;
        screen.line("queues orders-in and payments-in, table customers; functions orders-worker and telemetry");
        let responder = product.run(sandbox.responder()).await?;
        screen.line("sluicegate runs, mode enforce, with the shipped policies");
        Ok(Self {
            sandbox,
            product,
            _responder: responder,
            deployer,
            mallory,
            security,
            orders,
            payments,
            table_stream,
            worked,
            stolen,
        })
    }

    /// Records that flow into both queues from now on.
    pub fn traffic(&self) -> Traffic {
        Traffic::start(self.sandbox.root().clone(), &self.orders, &self.payments, &self.worked, &self.stolen)
    }
}
