//! Records to start from. Each is allowed by the shipped policies, so that whatever a test changes is what makes the
//! difference.

use serde_json::{Value, json};

pub const ACCOUNT: &str = "111122223333";
pub const UUID: &str = "5f1c8f0e-3c52-4f5e-9a42-6d0e7a3c9b11";
pub const DEPLOYER: &str = "arn:aws:iam::111122223333:role/ci/orders-deployer";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:orders-in";
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function:orders-sink";

/// The orders pipeline, through CloudFormation: entry `orders-pipeline` covers it.
pub fn deployer() -> Value {
    json!({
        "type": "AssumedRole",
        "principalId": "AROAORDERSDEPLOYER001:AWSCloudFormation",
        "arn": "arn:aws:sts::111122223333:assumed-role/orders-deployer/AWSCloudFormation",
        "accountId": ACCOUNT,
        "accessKeyId": "ASIAORDERSDEPLOYER01",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAORDERSDEPLOYER001",
                "arn": DEPLOYER,
                "accountId": ACCOUNT,
                "userName": "orders-deployer"
            },
            "attributes": {"creationDate": "2026-02-03T10:00:00Z", "mfaAuthenticated": "false"}
        },
        "invokedBy": "cloudformation.amazonaws.com"
    })
}

/// A Terraform runner, by hand and from its own subnet: entry `terraform-runners` covers all it does.
pub fn runner() -> Value {
    json!({
        "type": "AssumedRole",
        "principalId": "AROATERRAFORMAPPLY001:runner-7",
        "arn": "arn:aws:sts::111122223333:assumed-role/apply/runner-7",
        "accountId": ACCOUNT,
        "accessKeyId": "ASIATERRAFORMAPPLY01",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROATERRAFORMAPPLY001",
                "arn": "arn:aws:iam::111122223333:role/terraform/apply",
                "accountId": ACCOUNT,
                "userName": "apply"
            },
            "attributes": {"creationDate": "2026-02-03T10:00:00Z", "mfaAuthenticated": "false"}
        }
    })
}

/// Somebody who may nothing.
pub fn stranger() -> Value {
    json!({
        "type": "IAMUser",
        "principalId": "AIDAMALLORY0000000001",
        "arn": "arn:aws:iam::111122223333:user/contractors/mallory",
        "accountId": ACCOUNT,
        "accessKeyId": "AKIAMALLORY000000001",
        "userName": "mallory"
    })
}

/// A mapping made.
pub fn create(identity: &Value) -> Value {
    json!({
        "eventVersion": "1.09",
        "userIdentity": identity,
        "eventTime": "2026-02-03T10:15:00Z",
        "eventSource": "lambda.amazonaws.com",
        "eventName": "CreateEventSourceMapping20150331",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "10.20.3.4",
        "userAgent": "aws-cli/2.15.0",
        "requestParameters": {
            "eventSourceArn": QUEUE,
            "functionName": "orders-sink",
            "enabled": true,
            "batchSize": 10,
            "filterCriteria": {},
            "kMSKeyArn": "",
            "scalingConfig": {},
            "sourceAccessConfigurations": []
        },
        "responseElements": answer("Creating"),
        "requestID": "b2f9d7a1-0000-4000-8000-00000000000a",
        "eventID": "0f3c2b1a-0000-4000-8000-000000000001",
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management"
    })
}

/// A mapping changed; what is asked for beside the UUID is the test's.
pub fn update(identity: &Value, request: &Value) -> Value {
    let mut record = create(identity);
    record["eventName"] = json!("UpdateEventSourceMapping20150331");
    record["responseElements"] = answer("Updating");
    record["requestParameters"] = request.clone();
    record["requestParameters"]["uUID"] = json!(UUID);
    record
}

fn answer(state: &str) -> Value {
    json!({
        "uUID": UUID,
        "batchSize": 10,
        "eventSourceArn": QUEUE,
        "eventSourceMappingArn": format!("arn:aws:lambda:eu-west-1:111122223333:event-source-mapping:{UUID}"),
        "functionArn": FUNCTION,
        "lastModified": "Feb 3, 2026, 10:15:00 AM",
        "state": state,
        "stateTransitionReason": "USER_INITIATED"
    })
}

/// As EventBridge delivers it.
pub fn envelope(record: &Value) -> Value {
    json!({
        "version": "0",
        "id": "9d7a4c1e-0000-4000-8000-0000000000ee",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.lambda",
        "account": ACCOUNT,
        "time": "2026-02-03T10:15:03Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": record
    })
}

/// The record with another id.
pub fn numbered(record: &Value, number: usize) -> Value {
    with(record, "/eventID", json!(format!("event-{number}")))
}

/// The value with another one at `pointer`, whose parents exist.
pub fn with(value: &Value, pointer: &str, new: Value) -> Value {
    let mut changed = value.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = changed.pointer_mut(parent).unwrap_or_else(|| panic!("no {pointer}"));
    parent.as_object_mut().unwrap().insert(key.to_owned(), new);
    changed
}

/// The value without what is at `pointer`.
pub fn without(value: &Value, pointer: &str) -> Value {
    let mut changed = value.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let removed = changed.pointer_mut(parent).and_then(|parent| parent.as_object_mut()?.remove(key));
    assert!(removed.is_some(), "no {pointer}");
    changed
}
