//! An archive as CloudTrail leaves one, made up from a seed: the same seed makes the same bytes.
//!
//! Records have the sizes, the keys in the order, and about the mix of callers and calls that an account's trail has.
//! Among them are calls on mappings, known beforehand, some of them in odd shapes, and a good many records that only
//! speak of such calls: in policies, in error messages, in denied and in unrelated calls.

use fastrand::Rng;
use std::fmt::Write as _;

/// What tells one finding from every other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Known {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) event_id: String,
}

/// One log file.
#[derive(Debug, Default)]
pub(crate) struct File {
    /// Its path in the archive, as CloudTrail names it.
    pub(crate) name: String,
    /// `{"Records":[…]}`
    pub(crate) raw: Vec<u8>,
    pub(crate) records: u64,
    /// The findings in it.
    pub(crate) known: Vec<Known>,
}

/// Makes one log file after the other.
pub(crate) struct Generator {
    rng: Rng,
    files: u32,
    /// One record in so many is a call on a mapping.
    pub(crate) one_mapping_in: u32,
    /// One record in so many only speaks of them.
    pub(crate) one_mention_in: u32,
}

const REGIONS: [&str; 4] = ["eu-west-1", "us-east-1", "eu-central-1", "ap-southeast-2"];
const ACCOUNTS: [&str; 3] = ["111122223333", "444455556666", "012345678901"];
const AGENTS: [&str; 5] = [
    "Boto3/1.34.84 md/Botocore#1.34.84 ua/2.0 os/linux#5.10.214-202.855.amzn2.x86_64 md/arch#x86_64 lang/python#3.11.9 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.34.84",
    "aws-sdk-java/2.25.31 Linux/5.10.213-201.855.amzn2.x86_64 OpenJDK_64-Bit_Server_VM/17.0.11+9-LTS Java/17.0.11 vendor/Amazon.com_Inc. io/sync http/Apache cfg/retry-mode/standard",
    "aws-cli/2.15.40 Python/3.11.8 Linux/6.5.0-1018-aws exe/x86_64.ubuntu.22 prompt/off command/sts.get-caller-identity",
    "APN/1.0 HashiCorp/1.0 Terraform/1.7.5 (+https://www.terraform.io) terraform-provider-aws/5.46.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.26.1 os/linux lang/go#1.21.8",
    "AWS Internal",
];
/// Service, call, and how often among a hundred.
const CALLS: [(&str, &str, u32); 14] = [
    ("sts", "AssumeRole", 24),
    ("kms", "Decrypt", 15),
    ("kms", "GenerateDataKey", 7),
    ("logs", "CreateLogStream", 8),
    ("ec2", "DescribeInstances", 9),
    ("ec2", "DescribeNetworkInterfaces", 5),
    ("s3", "GetBucketAcl", 7),
    ("ssm", "UpdateInstanceInformation", 6),
    ("dynamodb", "DescribeTable", 5),
    ("lambda", "GetFunction20150331v2", 4),
    ("lambda", "ListEventSourceMappings20150331", 2),
    ("cloudwatch", "PutMetricAlarm", 3),
    ("iam", "GetRolePolicy", 3),
    ("ec2", "RunInstances", 2),
];

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed), files: 0, one_mapping_in: 2000, one_mention_in: 60 }
    }

    /// The next log file, of about `size` bytes.
    pub(crate) fn file(&mut self, size: usize) -> File {
        self.files += 1;
        let (account, region) = (self.pick(&ACCOUNTS), self.pick(&REGIONS));
        let (day, hour) = (1 + self.files / 24 % 28, self.files % 24);
        let (number, unique) = (self.files, self.letters(10));
        let mut file = File {
            name: format!(
                "AWSLogs/{account}/CloudTrail/{region}/2024/05/{day:02}/{account}_CloudTrail_{region}_202405{day:02}T{hour:02}05Z_{number:06}{unique}.json.gz"
            ),
            raw: b"{\"Records\":[".to_vec(),
            ..File::default()
        };
        while file.raw.len() < size {
            if file.records > 0 {
                file.raw.push(b',');
            }
            let record = self.record(&mut file.known, account, region, &format!("2024-05-{day:02}T{hour:02}"));
            file.raw.extend_from_slice(record.as_bytes());
            file.records += 1;
        }
        file.raw.extend_from_slice(b"]}");
        file
    }

    /// One record; what must be found in it is added to `known`.
    pub(crate) fn record(&mut self, known: &mut Vec<Known>, account: &str, region: &str, hour: &str) -> String {
        let mut record = Parts::new(self, account, region, hour);
        if self.rng.u32(..self.one_mapping_in) == 0 {
            let odd = self.rng.u32(..8);
            record.mapping_call(self);
            known.push(Known { account: account.to_owned(), region: region.to_owned(), event_id: record.id.clone() });
            return record.odd(odd);
        }
        if self.rng.u32(..self.one_mention_in) == 0 {
            record.mention(self);
        }
        record.text()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.usize(..from.len())]
    }

    fn letters(&mut self, count: usize) -> String {
        (0..count).map(|_| self.pick(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") as char).collect()
    }

    fn hex(&mut self, count: usize) -> String {
        (0..count).map(|_| self.pick(b"0123456789abcdef") as char).collect()
    }

    fn uuid(&mut self) -> String {
        format!("{}-{}-4{}-a{}-{}", self.hex(8), self.hex(4), self.hex(3), self.hex(3), self.hex(12))
    }

    fn identity(&mut self, account: &str) -> String {
        match self.rng.u32(..20) {
            0..=3 => format!(
                r#"{{"type":"AWSService","invokedBy":"{}.amazonaws.com"}}"#,
                self.pick(&["ec2", "lambda", "cloudtrail", "ecs-tasks"])
            ),
            4 => {
                let (id, key, name) = (self.letters(16), self.letters(16), self.pick(&["alice", "bob", "backup"]));
                format!(
                    r#"{{"type":"IAMUser","principalId":"AIDA{id}","arn":"arn:aws:iam::{account}:user/{name}","accountId":"{account}","accessKeyId":"AKIA{key}","userName":"{name}"}}"#
                )
            }
            5 => format!(
                r#"{{"type":"Root","principalId":"{account}","arn":"arn:aws:iam::{account}:root","accountId":"{account}","accessKeyId":""}}"#
            ),
            _ => {
                let role = self.pick(&["web-instance", "deploy-payments", "ecs-task-orders", "reporting", "ci-runner"]);
                let (id, key, session) = (self.letters(16), self.letters(16), format!("i-{}", self.hex(17)));
                format!(
                    concat!(
                        r#"{{"type":"AssumedRole","principalId":"AROA{id}:{session}","arn":"arn:aws:sts::{account}:assumed-role/{role}/{session}","#,
                        r#""accountId":"{account}","accessKeyId":"ASIA{key}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROA{id}","#,
                        r#""arn":"arn:aws:iam::{account}:role/{role}","accountId":"{account}","userName":"{role}"}},"attributes":{{"creationDate":"2024-05-09T{hour:02}:45:25Z","#,
                        r#""mfaAuthenticated":"false"}}}}}}"#
                    ),
                    id = id,
                    session = session,
                    account = account,
                    role = role,
                    key = key,
                    hour = self.rng.u32(..24),
                )
            }
        }
    }
}

/// A record in the making.
struct Parts {
    account: String,
    region: String,
    time: String,
    identity: String,
    service: &'static str,
    name: String,
    agent: &'static str,
    ip: String,
    error: String,
    request: String,
    response: String,
    request_id: String,
    id: String,
    read_only: bool,
}

impl Parts {
    fn new(from: &mut Generator, account: &str, region: &str, hour: &str) -> Self {
        let mut choice = from.rng.u32(..100);
        let call = CALLS.iter().find(|(_, _, share)| {
            let taken = choice < *share;
            choice = choice.saturating_sub(*share);
            taken
        });
        let (service, name, _) = *call.unwrap_or(&CALLS[0]);
        let mut parts = Self {
            account: account.to_owned(),
            region: region.to_owned(),
            time: format!("{hour}:{:02}:{:02}Z", from.rng.u32(..60), from.rng.u32(..60)),
            identity: from.identity(account),
            service,
            name: name.to_owned(),
            agent: from.pick(&AGENTS),
            ip: format!("10.{}.{}.{}", from.rng.u32(..4), from.rng.u32(..256), from.rng.u32(1..255)),
            error: String::new(),
            request: "null".to_owned(),
            response: "null".to_owned(),
            request_id: from.uuid(),
            id: from.uuid(),
            read_only: !name.starts_with("Put") && !name.starts_with("Run"),
        };
        parts.ordinary(from);
        parts
    }

    /// What an ordinary call asks and is answered.
    fn ordinary(&mut self, from: &mut Generator) {
        let account = &self.account;
        (self.request, self.response) = match self.name.as_str() {
            "AssumeRole" => {
                let (key, token, id) = (from.letters(16), from.letters(200), from.letters(16));
                let session = from.hex(12);
                (
                    format!(
                        r#"{{"roleArn":"arn:aws:iam::{account}:role/reporting","roleSessionName":"{session}","durationSeconds":3600}}"#
                    ),
                    format!(
                        concat!(
                            r#"{{"credentials":{{"accessKeyId":"ASIA{}","sessionToken":"{}","expiration":"May 9, 2024, 10:05:41 PM"}},"#,
                            r#""assumedRoleUser":{{"assumedRoleId":"AROA{}:{}","arn":"arn:aws:sts::{}:assumed-role/reporting/{}"}}}}"#
                        ),
                        key, token, id, session, account, session
                    ),
                )
            }
            "Decrypt" | "GenerateDataKey" => (
                format!(
                    r#"{{"encryptionContext":{{"aws:lambda:FunctionArn":"arn:aws:lambda:{}:{account}:function:orders-{}"}},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}}"#,
                    self.region,
                    from.hex(4)
                ),
                "null".to_owned(),
            ),
            "DescribeInstances" => {
                let mut items = String::new();
                for n in 0..from.rng.u32(0..12) {
                    let comma = if n == 0 { "" } else { "," };
                    let _ = write!(items, r#"{comma}{{"instanceId":"i-{}"}}"#, from.hex(17));
                }
                (format!(r#"{{"instancesSet":{{"items":[{items}]}},"filterSet":{{}}}}"#), "null".to_owned())
            }
            "GetRolePolicy" => {
                (format!(r#"{{"roleName":"ci-runner","policyName":"inline-{}"}}"#, from.hex(8)), "null".to_owned())
            }
            "RunInstances" => (
                format!(
                    r#"{{"instancesSet":{{"items":[{{"imageId":"ami-{}","minCount":1,"maxCount":1}}]}},"userData":"<sensitiveDataRemoved>","instanceType":"m6i.large","blockDeviceMapping":{{}},"monitoring":{{"enabled":false}},"disableApiTermination":false}}"#,
                    from.hex(17)
                ),
                format!(
                    r#"{{"requestId":"{}","reservationId":"r-{}","ownerId":"{account}","groupSet":{{}},"instancesSet":{{"items":[{{"instanceId":"i-{}","instanceState":{{"code":0,"name":"pending"}},"privateDnsName":"ip-10-0-1-7.{}.compute.internal","tagSet":{{"items":[{{"key":"Name","value":"web \u003d {{live}}"}}]}}}}]}}}}"#,
                    from.uuid(),
                    from.hex(17),
                    from.hex(17),
                    self.region
                ),
            ),
            _ => (format!(r#"{{"name":"resource-{}","limit":50}}"#, from.hex(10)), "null".to_owned()),
        };
        if from.rng.u32(..25) == 0 {
            self.error = format!(
                r#""errorCode":"AccessDenied","errorMessage":"User: arn:aws:sts::{account}:assumed-role/reporting/x is not authorized to perform: {}:{} on resource: * because no identity-based policy allows the action","#,
                self.service, self.name
            );
            "null".clone_into(&mut self.response);
        }
    }

    /// Speaks of mapping calls and is none.
    fn mention(&mut self, from: &mut Generator) {
        let account = &self.account;
        match from.rng.u32(..4) {
            0 => {
                (self.service, self.name, self.read_only) = ("iam", "PutRolePolicy".to_owned(), false);
                self.request = format!(
                    r#"{{"roleName":"deploy","policyName":"p-{}","policyDocument":"{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{{\"Effect\": \"Allow\", \"Action\": [\"lambda:CreateEventSourceMapping\", \"lambda:UpdateEventSourceMapping\"], \"Resource\": \"*\"}}]\n}}"}}"#,
                    from.hex(8)
                );
            }
            1 => {
                (self.service, self.name, self.read_only) =
                    ("lambda", "CreateEventSourceMapping20150331".to_owned(), false);
                self.error = format!(
                    r#""errorCode":"AccessDenied","errorMessage":"User: arn:aws:iam::{account}:user/mallory is not authorized to perform: lambda:CreateEventSourceMapping on resource: *","#
                );
                (self.request, self.response) = ("null".to_owned(), "null".to_owned());
            }
            2 => {
                (self.service, self.name, self.read_only) =
                    ("lambda", "DeleteEventSourceMapping20150331".to_owned(), false);
                self.request = format!(r#"{{"uUID":"{}"}}"#, from.uuid());
            }
            _ => {
                (self.service, self.name) = ("cloudtrail", "LookupEvents".to_owned());
                r#"{"lookupAttributes":[{"attributeKey":"EventName","attributeValue":"CreateEventSourceMapping20150331"}],"maxResults":50}"#.clone_into(&mut self.request);
            }
        }
    }

    fn mapping_call(&mut self, from: &mut Generator) {
        let (account, region) = (&self.account, &self.region);
        let (uuid, queue, function) = (from.uuid(), from.hex(6), from.hex(6));
        let source = format!("arn:aws:sqs:{region}:{account}:orders-{queue}");
        let answer = format!(
            concat!(
                r#"{{"uUID":"{uuid}","batchSize":10,"maximumBatchingWindowInSeconds":0,"eventSourceArn":"{source}","#,
                r#""eventSourceMappingArn":"arn:aws:lambda:{region}:{account}:event-source-mapping:{uuid}","functionArn":"arn:aws:lambda:{region}:{account}:function:siphon-{function}","#,
                r#""lastModified":"May 9, 2024, 9:05:41 PM","state":"Creating","stateTransitionReason":"USER_INITIATED","functionResponseTypes":[]}}"#
            ),
            uuid = uuid,
            source = source,
            region = region,
            account = account,
            function = function,
        );
        (self.name, self.request) = if from.rng.u32(..4) == 0 {
            (
                "UpdateEventSourceMapping20150331".to_owned(),
                format!(r#"{{"uUID":"{uuid}","functionName":"siphon-{function}","enabled":true}}"#),
            )
        } else {
            (
                "CreateEventSourceMapping20150331".to_owned(),
                format!(
                    r#"{{"eventSourceArn":"{source}","functionName":"siphon-{function}","enabled":true,"batchSize":10,"filterCriteria":{{}}}}"#
                ),
            )
        };
        (self.service, self.read_only, self.response) = ("lambda", false, answer);
        self.error.clear();
    }

    fn text(&self) -> String {
        let Self { account, region, time, identity, service, name, agent, ip, error, request, response, .. } = self;
        let Self { request_id, id, read_only, .. } = self;
        format!(
            concat!(
                r#"{{"eventVersion":"1.09","userIdentity":{identity},"eventTime":"{time}","eventSource":"{service}.amazonaws.com","eventName":"{name}","#,
                r#""awsRegion":"{region}","sourceIPAddress":"{ip}","userAgent":"{agent}",{error}"requestParameters":{request},"responseElements":{response},"#,
                r#""requestID":"{request_id}","eventID":"{id}","readOnly":{read_only},"resources":[{{"accountId":"{account}","type":"AWS::IAM::Role","ARN":"arn:aws:iam::{account}:role/reporting"}}],"#,
                r#""eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{account}","eventCategory":"Management","#,
                r#""tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{service}.{region}.amazonaws.com"}}}}"#
            ),
            identity = identity,
            time = time,
            service = service,
            name = name,
            region = region,
            ip = ip,
            agent = agent,
            error = error,
            request = request,
            response = response,
            request_id = request_id,
            id = id,
            read_only = read_only,
            account = account,
        )
    }

    /// The same record, spelt as other writers might.
    fn odd(&self, which: u32) -> String {
        let text = self.text();
        match which {
            0 => text.replace("EventSourceMapping", "\\u0045ventSourceMappin\\u0067"),
            1 => text.replacen(
                "{\"eventVersion\":\"1.09\",",
                "{ \"note\" : \"}{ \\\"Records\\\":[\" ,\n\t\"eventVersion\" : \"1.09\" , ",
                1,
            ),
            2 => {
                // The name comes first, and who called last.
                let identity = format!("\"userIdentity\":{},", self.identity);
                let text = text.replace(&identity, "");
                format!("{},{}}}", &text[..text.len() - 1], identity.trim_end_matches(','))
            }
            3 => format!(
                r#"{{"version":"0","id":"{}","detail-type":"AWS API Call via CloudTrail","source":"aws.lambda","account":"{}","time":"{}","region":"{}","resources":[],"detail":{text}}}"#,
                self.request_id, self.account, self.time, self.region
            ),
            4 => format!(r#"{{"Records":[{text}]}}"#),
            _ => text,
        }
    }
}
