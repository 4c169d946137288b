"""A plain handler as one would write it: receive, parse, look in an allowlist, disable, read back, delete.

Prints the CPU seconds that the events took, once it has handled as many as it was told.
"""

import json
import sys
import threading
import time

import boto3

queue_url, wanted = sys.argv[1], int(sys.argv[2])
allowed = {f"arn:aws:iam::111122223333:role/ci/deployer-{n}" for n in range(2000)}
left = wanted
lock = threading.Lock()


def handle(sqs, awslambda, message):
    detail = json.loads(message["Body"])["detail"]
    actor = detail["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"]
    if detail["eventName"].startswith("CreateEventSourceMapping") and actor not in allowed:
        uuid = detail["responseElements"]["uUID"]
        awslambda.update_event_source_mapping(UUID=uuid, Enabled=False)
        while awslambda.get_event_source_mapping(UUID=uuid)["State"] != "Disabled":
            time.sleep(0.2)
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


def work(sqs, awslambda):
    global left
    while left > 0:
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
        for message in answer.get("Messages", []):
            handle(sqs, awslambda, message)
            with lock:
                left -= 1


config = boto3.session.Config(max_pool_connections=32)
session = boto3.session.Session()
clients = session.client("sqs", config=config), session.client("lambda", config=config)
threads = [threading.Thread(target=work, args=clients) for _ in range(16)]
begun = time.process_time()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(time.process_time() - begun)
