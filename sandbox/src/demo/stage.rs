//! The account before anything happens: a shop's sources and functions, its deploy role, an intern, a security team in
//! Slack, and sluicegate between them.

use std::fs;
use std::path::Path;

use super::screen::Screen;
use super::traffic::Traffic;
use super::{Failure, Result, expect};
use sandbox::{
    Account, Options, Product, Queue, RESTRICTING, Running, SIPHON, Sandbox, SlackDouble, SlackOptions, allow,
};

/// The shipped policies are written for this account.
const ACCOUNT: &str = "111122223333";
/// Where cards are posted.
pub const CHANNEL: &str = "C0SECURITY";
/// The intern's role.
pub const INTERN: &str = "intern";

/// Everything that the story needs.
#[derive(Debug)]
pub struct Stage {
    pub sandbox: Sandbox,
    pub slack: SlackDouble,
    pub product: Product,
    responder: Running,
    /// The pipeline that the shipped allowlist covers, by way of `CloudFormation`.
    pub deployer: Account,
    /// Whoever has the intern's credentials.
    pub mallory: Account,
    /// Somebody else of the account, who has done nothing.
    pub colleague: Account,
    /// Somebody who reads the journal.
    pub security: Account,
    pub orders: Queue,
    pub payments: Queue,
    pub table_stream: String,
    /// What the shop's own worker has done.
    pub worked: Queue,
    /// What the attacker has got.
    pub stolen: Queue,
    /// The policy that denies everything.
    pub deny_all: String,
}

impl Stage {
    pub async fn set(binary: &Path, screen: &Screen) -> Result<Self> {
        screen.scene("Starting an emulated AWS account, and a Slack beside it");
        let mut responder_may = RESTRICTING.map(str::to_owned).to_vec();
        responder_may.push("iam:SimulatePrincipalPolicy".into());
        let options = Options { account_id: ACCOUNT.into(), responder_may, ..Options::default() };
        let sandbox = Sandbox::start(options).await?;
        let slack = SlackDouble::start(SlackOptions::default())?;
        screen.line(&format!("account {ACCOUNT} in {} at {}", sandbox.region(), sandbox.endpoint_url()));
        let root = sandbox.root();
        let wires = allow(&["lambda:*", "iam:PassRole"]);
        let deployer = root.create_role("/ci/", "orders-deployer", &wires).await?;
        let deployer = root.assume_role(&deployer, "pipeline-1042").await?;
        sandbox.trail().used_by_service(&deployer.credentials.access_key_id, "cloudformation.amazonaws.com");
        let mallory = intern(root).await?;
        let analyst = root.create_role("/people/", "analyst", &allow(&["lambda:List*", "sqs:ListQueues"])).await?;
        let colleague = root.assume_role(&analyst, "carol").await?;
        let security = root.create_role("/", "SecurityOps", &allow(&["sts:GetCallerIdentity"])).await?;
        let security = root.assume_role(&security, "bob").await?;
        let orders = root.create_queue("orders-in", None).await?;
        let payments = root.create_queue("payments-in", None).await?;
        let table_stream = root.create_table("customers").await?;
        classify(root, &payments, &table_stream).await?;
        let worked = root.create_queue("orders-done", None).await?;
        let stolen = root.create_queue("mallory-drop", None).await?;
        let runs = root.create_role("/service/", "orders-worker", &allow(&["sqs:*"])).await?;
        root.create_function("orders-worker", SIPHON, &runs, &[("QUEUE_URL", &worked.url)]).await?;
        screen.line("queues orders-in and payments-in, table customers, function orders-worker");
        let deny_all = root.create_deny_all("SluicegateDenyAll").await?;
        screen.line(&format!("restrictions attach {deny_all}: the emulator does not enforce AWS's own AWSDenyAll"));
        let product = product(binary, &sandbox, &slack, &deny_all)?;
        let responder = product.run(sandbox.responder()).await?;
        screen.line("sluicegate runs, mode enforce, with the shipped policies, connected to Slack");
        let stage = Self {
            sandbox,
            slack,
            product,
            responder,
            deployer,
            mallory,
            colleague,
            security,
            orders,
            payments,
            table_stream,
            worked,
            stolen,
            deny_all,
        };
        screen.line(&screen.bold(&format!("Slack, as its people see it: {}", stage.page())));
        screen.open(&stage.page());
        Ok(stage)
    }

    /// The page on which people click, as Alice sees it first.
    pub fn page(&self) -> String {
        format!("{}?as=U0ALICE&channel={CHANNEL}", self.slack.page_url())
    }

    /// Records that flow into both queues from now on.
    pub fn traffic(&self) -> Traffic {
        Traffic::start(self.sandbox.root().clone(), &self.orders, &self.payments, &self.worked, &self.stolen)
    }

    /// Ends the responder as an operator does.
    pub async fn end(self, screen: &Screen) -> Result {
        screen.scene("sluicegate is asked to stop");
        let code = self.responder.terminate().await?;
        expect(code == 0, || format!("asked to stop, sluicegate ended with {code}"))?;
        screen.line("what was in hand is finished, and it is gone");
        Ok(())
    }
}

/// A role for interns who try things out, and the session that mallory has got hold of.
async fn intern(root: &Account) -> Result<Account> {
    let may = ["lambda:*", "sqs:ListQueues", "iam:CreateRole", "iam:PutRolePolicy", "iam:PassRole"];
    let role = root.create_role("/", INTERN, &allow(&may)).await?;
    Ok(root.assume_role(&role, "mallory").await?)
}

/// Says of both sources how sensitive they are.
async fn classify(root: &Account, payments: &Queue, stream: &str) -> Result {
    let tags = [("data-classification", "restricted"), ("team", "payments")];
    let refused = |error: String| Failure(format!("a source could not be tagged: {error}"));
    for (key, value) in tags {
        let tag = root.sqs.tag_queue().queue_url(&payments.url).tags(key, value);
        tag.send().await.map_err(|error| refused(format!("{error:?}")))?;
    }
    let table = stream.split("/stream/").next().unwrap_or_default();
    root.tag_table(table, &tags).await?;
    Ok(())
}

fn product(binary: &Path, sandbox: &Sandbox, slack: &SlackDouble, deny_all: &str) -> Result<Product> {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    let more = format!(
        "[restriction]\ncap_policy = \"{deny_all}\"\n[evidence]\nkeep_code = \"evidence\"\n[slack]\n\
         channel = \"{CHANNEL}\"\nfallback_channel = \"C0FALLBACK\"\napi_url = \"{}\"\n\
         app_token = \"file:slack-app-token\"\nbot_token = \"file:slack-bot-token\"",
        slack.api_url()
    );
    let product = Product::new(binary, &policies, sandbox.queue_url(), &more)?;
    for (file, token) in [("slack-app-token", slack.app_token()), ("slack-bot-token", slack.bot_token())] {
        let path = product.home().join(file);
        fs::write(&path, token).map_err(|error| Failure(format!("{} cannot be written: {error}", path.display())))?;
    }
    Ok(product)
}
