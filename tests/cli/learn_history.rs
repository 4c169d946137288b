//! Ninety days of an organisation, drawn by a seed: pipelines, people, and whoever broke in.

use serde_json::{Value, json};

pub const A: &str = "111122223333";
pub const B: &str = "444455556666";
const SEED_DAY: &str = "2026-08-26T00:00:00Z";
pub const DAYS: u64 = 90;

/// Whose doing a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    Pipeline,
    Person,
    Attacker,
}

/// A record, and whose it is.
#[derive(Debug, Clone)]
pub struct Line {
    pub whose: Whose,
    /// Seconds since the first day.
    pub at: u64,
    pub record: Value,
}

/// A stream of numbers that a seed decides.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bf0_3635)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}

/// A call, before it is written as CloudTrail does.
#[derive(Debug, Clone)]
struct Call {
    principal: String,
    session: String,
    via: &'static str,
    address: String,
    agent: String,
    account: &'static str,
    region: &'static str,
    function: String,
    source: String,
    update: Option<Value>,
    console: bool,
    mfa: bool,
}

impl Call {
    fn by(account: &'static str, principal: &str) -> Self {
        Self {
            principal: format!("arn:aws:iam::{account}:{principal}"),
            session: String::new(),
            via: "",
            address: "198.51.100.10".into(),
            agent: "aws-cli/2.15.0 Python/3.11.6 Linux/5.10".into(),
            account,
            region: "eu-west-1",
            function: String::new(),
            source: String::new(),
            update: None,
            console: false,
            mfa: false,
        }
    }

    fn identity(&self) -> Value {
        let (account, arn) = (self.account, &self.principal);
        let name = arn.rsplit('/').next().unwrap();
        if arn.ends_with(":root") {
            return json!({"type": "Root", "principalId": account, "arn": arn, "accountId": account});
        }
        if arn.contains(":user/") {
            return json!({
                "type": "IAMUser", "principalId": format!("AIDA{}", name.to_uppercase()), "arn": arn,
                "accountId": account, "accessKeyId": "AKIAEXAMPLE000000001", "userName": name,
                "sessionContext": {"attributes": {"creationDate": "2026-08-26T00:00:00Z", "mfaAuthenticated": self.mfa.to_string()}}
            });
        }
        let id = format!("AROA{}", name.to_uppercase().replace(['-', '_'], ""));
        let mut identity = json!({
            "type": "AssumedRole",
            "principalId": format!("{id}:{}", self.session),
            "arn": format!("arn:aws:sts::{account}:assumed-role/{name}/{}", self.session),
            "accountId": account,
            "accessKeyId": "ASIAEXAMPLE000000001",
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "principalId": id, "arn": arn, "accountId": account, "userName": name},
                "attributes": {"creationDate": "2026-08-26T00:00:00Z", "mfaAuthenticated": self.mfa.to_string()}
            }
        });
        if !self.via.is_empty() {
            identity["invokedBy"] = json!(self.via);
        }
        identity
    }

    fn source_arn(&self) -> String {
        if self.source.starts_with("arn:") {
            return self.source.clone();
        }
        let (kind, name) = self.source.split_once(':').unwrap();
        let (region, account) = (self.region, self.account);
        match kind {
            "sqs" => format!("arn:aws:sqs:{region}:{account}:{name}"),
            "kinesis" => format!("arn:aws:kinesis:{region}:{account}:stream/{name}"),
            "dynamodb" => format!("arn:aws:dynamodb:{region}:{account}:table/{name}/stream/2026-01-01T00:00:00.000"),
            other => panic!("{other}"),
        }
    }

    fn record(&self, at: u64, number: u64) -> Value {
        let time =
            SEED_DAY.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_secs(at.try_into().unwrap());
        let (account, region) = (self.account, self.region);
        let uuid = format!("5f1c8f0e-3c52-4f5e-9a42-{number:012x}");
        let mut request = json!({"eventSourceArn": self.source_arn(), "functionName": self.function, "enabled": true});
        if let Some(update) = &self.update {
            request = update.clone();
            request["uUID"] = json!(uuid);
        }
        let verb = if self.update.is_some() { "Update" } else { "Create" };
        let mut record = json!({
            "eventVersion": "1.09",
            "userIdentity": self.identity(),
            "eventTime": time.to_string(),
            "eventSource": "lambda.amazonaws.com",
            "eventName": format!("{verb}EventSourceMapping20150331"),
            "awsRegion": region,
            "sourceIPAddress": if self.via.is_empty() { self.address.as_str() } else { self.via },
            "userAgent": if self.via.is_empty() { self.agent.as_str() } else { self.via },
            "requestParameters": request,
            "responseElements": {
                "uUID": uuid,
                "eventSourceArn": self.source_arn(),
                "eventSourceMappingArn": format!("arn:aws:lambda:{region}:{account}:event-source-mapping:{uuid}"),
                "functionArn": format!("arn:aws:lambda:{region}:{account}:function:{}", self.function),
                "state": "Creating"
            },
            "requestID": format!("b2f9d7a1-0000-4000-8000-{number:012x}"),
            "eventID": format!("0f3c2b1a-0000-4000-8000-{number:012x}"),
            "readOnly": false,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": account,
            "eventCategory": "Management"
        });
        if self.console {
            record["sessionCredentialFromConsole"] = json!("true");
        }
        record
    }
}

/// Draws a history, oldest first.
pub fn history(seed: u64) -> Vec<Line> {
    let mut dice = Dice::new(seed);
    let mut calls: Vec<(Whose, u64, Call)> = Vec::new();
    for day in 0..DAYS {
        pipelines(day, &mut dice, &mut calls);
        people(day, &mut dice, &mut calls);
    }
    // Each attack happens in the first half, in the second, or in both.
    for attack in [spree, on_the_runner, from_elsewhere, patient, foreign, unknown] {
        match dice.below(3) {
            0 => attack(dice.below(DAYS / 2 - 3), &mut dice, &mut calls),
            1 => attack(DAYS / 2 + dice.below(DAYS / 2 - 3), &mut dice, &mut calls),
            _ => {
                attack(dice.below(DAYS / 2 - 3), &mut dice, &mut calls);
                attack(DAYS / 2 + dice.below(DAYS / 2 - 3), &mut dice, &mut calls);
            }
        }
    }
    calls.sort_by_key(|(_, at, _)| *at);
    let line = |(number, (whose, at, call)): (usize, (Whose, u64, Call))| {
        let mut record = call.record(at, number as u64);
        if call.session == "lost" {
            record["userIdentity"].as_object_mut().unwrap().remove("sessionContext");
        }
        Line { whose, at, record }
    };
    calls.into_iter().enumerate().map(line).collect()
}

type Calls = Vec<(Whose, u64, Call)>;

fn time(day: u64, dice: &mut Dice) -> u64 {
    day * 86_400 + 7 * 3_600 + dice.below(10 * 3_600)
}

fn pipelines(day: u64, dice: &mut Dice, calls: &mut Calls) {
    let mut add = |dice: &mut Dice, call: Call| calls.push((Whose::Pipeline, time(day, dice), call));
    if dice.below(3) > 0 {
        let mut call = Call::by(A, "role/ci/orders-deployer");
        call.session = "GitHubActions".into();
        call.agent = format!("aws-sdk-js/3.{}.0 os/linux#6.5", 400 + day);
        call.address = format!("20.{}.{}.{}", 40 + dice.below(30), dice.below(200), 1 + dice.below(200));
        call.function = format!("orders-{}", dice.one(&["intake", "export", "refund", "audit"]));
        call.source = dice.one(&["sqs:orders-in", "sqs:orders-retry", "dynamodb:orders"]).into();
        add(dice, call);
    }
    if dice.below(3) == 0 {
        let mut call = Call::by(A, "role/cdk-hnb659fds-cfn-exec-role-111122223333-eu-west-1");
        call.session = "AWSCloudFormation".into();
        call.via = "cloudformation.amazonaws.com";
        call.function = format!("BillingStack-{}-{:08X}", dice.one(&["Invoice", "Dunning"]), dice.below(1 << 30));
        call.source = dice.one(&["sqs:BillingStack-Invoices", "sqs:BillingStack-Dunning", "kinesis:clicks"]).into();
        if dice.below(2) == 0 {
            call.update = Some(json!({"functionName": call.function.clone(), "enabled": true}));
        }
        add(dice, call);
    }
    for account in [A, B] {
        if dice.below(3) == 0 {
            let mut call = Call::by(account, "role/terraform/apply");
            call.session = format!("runner-{}", dice.below(60));
            call.address = format!("10.20.{}.{}", dice.below(8), 1 + dice.below(200));
            call.agent = format!("APN/1.0 HashiCorp/1.0 Terraform/1.{}.0 (+https://www.terraform.io)", 5 + day / 30);
            call.function = format!("platform-{}", dice.one(&["relay", "metrics", "mailer"]));
            call.source = dice.one(&["sqs:platform-events", "sqs:platform-dead", "kinesis:platform-metrics"]).into();
            if dice.below(3) == 0 {
                call.update = Some(json!({"enabled": true}));
            }
            add(dice, call);
        }
    }
    for team in ["mail", "search", "ads"] {
        if dice.below(5) == 0 {
            let mut call = Call::by(A, &format!("role/deploy/{team}-release"));
            call.session =
                format!("AWSCodeBuild-{:08x}-4e5f-6071-8293-{:012x}", dice.below(1 << 32), dice.below(1 << 48));
            call.agent = format!("Boto3/1.{}.0 md/Botocore#1.34", 30 + day / 20);
            call.address = format!("198.51.{}.{}", 100 + dice.below(2), 1 + dice.below(4));
            call.function = format!("web-{}", dice.one(&["render", "index", "thumbs"]));
            call.source = dice.one(&["sqs:web-pages", "sqs:web-images"]).into();
            add(dice, call);
        }
    }
    if dice.below(4) == 0 {
        let mut call = Call::by(A, "role/app/checkout-release");
        call.session = format!("checkout-build-{}", 1_000 + day);
        call.agent = "aws-cli/2.17.1 md/awscrt#0.20".into();
        call.address = format!("203.0.113.{}", 1 + dice.below(4));
        call.function = dice.one(&["checkout_cart", "checkout_pay"]).into();
        call.source = dice.one(&["sqs:checkout_events", "dynamodb:carts"]).into();
        add(dice, call);
    }
    if dice.below(5) == 0 {
        let mut call = Call::by(A, "user/ci/legacy-deployer");
        call.address = "192.0.2.17".into();
        call.agent = "Boto3/1.20.0 Python/3.8".into();
        call.function = "legacy-import".into();
        call.source = "sqs:legacy-files".into();
        add(dice, call);
    }
}

fn people(day: u64, dice: &mut Dice, calls: &mut Calls) {
    let mut add = |dice: &mut Dice, call: Call| calls.push((Whose::Person, time(day, dice), call));
    if dice.below(6) == 0 {
        let role = "role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Developer_0123456789abcdef";
        let mut call = Call::by(A, role);
        call.session = format!("{}@example.com", dice.one(&["alice", "bob", "carol"]));
        call.address = format!("81.2.69.{}", 1 + dice.below(200));
        call.function = "orders-intake".into();
        call.source = "sqs:orders-in".into();
        add(dice, call);
    }
    if dice.below(8) == 0 {
        let mut call = Call::by(A, "role/Developer");
        call.session = "dave".into();
        call.console = true;
        call.agent = "Mozilla/5.0 (X11; Linux x86_64)".into();
        call.function = "orders-debug".into();
        call.source = "sqs:orders-in".into();
        add(dice, call);
    }
    if dice.below(15) == 0 {
        let mut call = Call::by(A, "user/erin");
        call.mfa = true;
        call.function = "erin-test".into();
        call.source = "sqs:erin-test".into();
        add(dice, call);
    }
    if dice.below(25) == 0 {
        let mut call = Call::by(B, &format!("user/temp-{day}"));
        call.function = format!("try-{day}");
        call.source = "sqs:try".into();
        add(dice, call);
    }
    if dice.below(30) == 0 {
        let mut call = Call::by(B, "root");
        call.principal = format!("arn:aws:iam::{B}:root");
        call.function = "rescue".into();
        call.source = "sqs:rescue".into();
        add(dice, call);
    }
}

/// A new user wires everything it can reach to functions of its own, within minutes.
fn spree(day: u64, dice: &mut Dice, calls: &mut Calls) {
    let start = time(day, dice);
    for number in 0..8 {
        let mut call = Call::by(A, "user/backup-sync");
        call.address = "45.83.64.9".into();
        call.function = format!("sync-{number}");
        call.source = dice.one(&["sqs:orders-in", "dynamodb:orders", "sqs:checkout_events", "kinesis:clicks"]).into();
        calls.push((Whose::Attacker, start + number * 40, call));
    }
}

/// Terraform's own role and agent, under a session name that looks right, from elsewhere.
fn on_the_runner(day: u64, dice: &mut Dice, calls: &mut Calls) {
    for number in 0..=dice.below(3) {
        let mut call = Call::by(A, "role/terraform/apply");
        call.session = format!("runner-{}", dice.below(60));
        call.address = "185.220.101.4".into();
        call.agent = "APN/1.0 HashiCorp/1.0 Terraform/1.6.0 (+https://www.terraform.io)".into();
        call.function = dice.one(&["platform-relay", "platform-shadow"]).into();
        call.source = "sqs:platform-events".into();
        calls.push((Whose::Attacker, time(day + number, dice), call));
    }
}

/// The deployer's role and session name, from elsewhere and by another tool.
fn from_elsewhere(day: u64, dice: &mut Dice, calls: &mut Calls) {
    for number in 0..=dice.below(3) {
        let mut call = Call::by(A, "role/ci/orders-deployer");
        call.session = "GitHubActions".into();
        call.address = "91.219.236.12".into();
        call.function = dice.one(&["orders-sync-tmp", "exfil"]).into();
        call.source = "sqs:orders-in".into();
        calls.push((Whose::Attacker, time(day + number, dice), call));
    }
}

/// A contractor who takes one source after the other, a day each.
fn patient(day: u64, dice: &mut Dice, calls: &mut Calls) {
    for (number, source) in ["sqs:orders-in", "sqs:checkout_events", "dynamodb:orders"].into_iter().enumerate() {
        let mut call = Call::by(A, "user/contractors/mallory");
        call.address = "77.247.181.3".into();
        call.function = "log-shipper".into();
        call.source = source.into();
        calls.push((Whose::Attacker, time(day + number as u64, dice), call));
    }
}

/// The pipeline's role, made to read a queue of somebody else's account.
fn foreign(day: u64, dice: &mut Dice, calls: &mut Calls) {
    for number in 0..3 {
        let mut call = Call::by(A, "role/app/checkout-release");
        call.session = format!("checkout-build-{}", 1_000 + day);
        call.agent = "aws-cli/2.17.1 md/awscrt#0.20".into();
        call.address = "203.0.113.2".into();
        call.function = "checkout_cart".into();
        call.source = "arn:aws:sqs:eu-west-1:999988887777:checkout_events".into();
        calls.push((Whose::Attacker, time(day + number, dice), call));
    }
}

/// A session whose role CloudTrail does not tell.
fn unknown(day: u64, dice: &mut Dice, calls: &mut Calls) {
    for number in 0..3 {
        let mut call = Call::by(A, "role/ci/orders-deployer");
        call.session = "lost".into();
        call.function = "orders-intake".into();
        call.source = "sqs:orders-in".into();
        calls.push((Whose::Attacker, time(day + number, dice), call));
    }
}
