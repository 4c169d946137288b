"""Starts ministack for the sandbox.

Beside what `ministack` itself does, it:
- takes a free port and tells it (in the file SANDBOX_PORT_FILE), so that two emulators never race for one;
- ends with the process that started it: standard input is a pipe that closes when that process is gone, however it
  ended, and then the whole process group goes, the Lambda functions' processes too;
- says who an access key belongs to (/_sandbox/whoami/KEY), which the trail writes into its records;
- closes three holes: IAM is asked for every call on an event source mapping; mappings of sources that cannot be polled
  here (Kafka, MQ, DocumentDB) are kept, so that they can be listed and disabled; a function's own calls carry its
  role's id in `aws:userid`, as every other session's do.
"""

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import threading


def die_with_parent():
    sys.stdin.buffer.read()
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def role_of(account, arn):
    from ministack.services import iam

    name = arn.split("/")[1]
    role = iam._roles.get_scoped(account, None, name) or {}
    return {
        "type": "Role",
        "principalId": role.get("RoleId", ""),
        "arn": role.get("Arn", f"arn:aws:iam::{account}:role/{name}"),
        "accountId": account,
        "userName": name,
    }


def user_of(account, name):
    from ministack.services import iam

    user = iam._users.get_scoped(account, None, name) or {}
    return {
        "type": "IAMUser",
        "principalId": user.get("UserId", ""),
        "arn": user.get("Arn", f"arn:aws:iam::{account}:user/{name}"),
        "accountId": account,
        "userName": name,
    }


def root_of(account):
    return {"type": "Root", "principalId": account, "arn": f"arn:aws:iam::{account}:root", "accountId": account}


def session_identity(session):
    arn = session.get("Arn", "")
    account = session.get("AccountId") or (arn.split(":") + [""] * 5)[4]
    found = {"principalId": session.get("UserId", ""), "arn": arn, "accountId": account}
    found["issuedAt"] = session.get("IssuedAt")
    if ":assumed-role/" in arn:
        return {**found, "type": "AssumedRole", "sessionIssuer": role_of(account, arn)}
    if ":federated-user/" in arn:
        source = session.get("PrincipalName", "")
        issuer = user_of(account, source) if source else root_of(account)
        return {**found, "type": "FederatedUser", "sessionIssuer": issuer}
    if arn.endswith(":root"):
        return {**found, "type": "Root"}
    return {**found, **user_of(account, session.get("PrincipalName") or arn.rsplit("/", 1)[-1])}


def whoami(key):
    from ministack.core.iam_evaluator import find_iam_access_key_account, is_root_access_key
    from ministack.services import iam, sts

    if is_root_access_key(key):
        return root_of(key if key.isdigit() else os.environ["MINISTACK_ACCOUNT_ID"])
    if session := sts._sessions.get(key):
        return session_identity(session)
    if account := find_iam_access_key_account(key):
        record = iam._access_keys.get_scoped(account, None, key) or {}
        return user_of(account, record.get("UserName", ""))
    return None


def know_functions_by_their_role_id():
    from ministack.services import sts

    register = sts.register_session

    def registered(key, session):
        arn = session.get("Arn", "")
        if ":assumed-role/" in arn and not session.get("UserId", "").startswith("AROA"):
            role = role_of(arn.split(":")[4], arn)
            session["UserId"] = (role["principalId"] or role["userName"]) + ":" + arn.rsplit("/", 1)[-1]
        register(key, session)

    sts.register_session = registered


def ask_iam_for_every_mapping_call():
    from ministack.core import iam_actions

    asked = iam_actions._lambda_action
    one = {"GET": "GetEventSourceMapping", "PUT": "UpdateEventSourceMapping", "DELETE": "DeleteEventSourceMapping"}
    concurrency = {"GET": "GetFunctionConcurrency", "DELETE": "DeleteFunctionConcurrency"}

    def action(method, path):
        parts = [part for part in path.split("/") if part]
        if len(parts) == 3 and parts[1] == "event-source-mappings" and method in one:
            return one[method]
        if parts[-1:] == ["concurrency"] and method in concurrency:
            return concurrency[method]
        return asked(method, path)

    iam_actions._lambda_action = action


KEPT = (
    "Topics", "Queues", "SourceAccessConfigurations", "SelfManagedEventSource", "KMSKeyArn", "MetricsConfig",
    "LoggingConfig", "AmazonManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig", "ProvisionedPollerConfig", "TumblingWindowInSeconds",
    "StartingPositionTimestamp",
)  # fmt: skip
UNPOLLED = ("kafka", "mq", "rds")


def keep_mappings_of_unpolled_sources():
    from ministack.core.arn import parse_arn
    from ministack.services import lambda_svc

    validated, created, updated = lambda_svc._validate_event_source_arn, lambda_svc._create_esm, lambda_svc._update_esm
    shown = lambda_svc._esm_response
    self_managed = "arn:aws:kafka:self-managed:000000000000:cluster/none"

    def validate(arn):
        if len(arn.split(":")) > 5 and arn.split(":")[2] in UNPOLLED:
            return parse_arn(arn), None
        return validated(arn)

    def show(esm):
        out = shown(esm)
        if out.get("EventSourceArn") == self_managed:
            del out["EventSourceArn"]
        return out

    def keep(answer, data):
        if answer[0] >= 300:
            return answer
        esm = lambda_svc._esms[json.loads(answer[2])["UUID"]]
        esm.update({key: data[key] for key in KEPT if key in data})
        return lambda_svc.json_response(show(esm), answer[0])

    def create(data):
        if "SelfManagedEventSource" in data and not data.get("EventSourceArn"):
            data = {**data, "EventSourceArn": self_managed}
        return keep(created(data), data)

    def update(uuid, data):
        return keep(updated(uuid, data), data)

    lambda_svc._validate_event_source_arn, lambda_svc._esm_response = validate, show
    lambda_svc._create_esm, lambda_svc._update_esm = create, update


def with_sandbox_endpoints(app):
    prefix = "/_sandbox/whoami/"

    async def answer(send, status, value):
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(value).encode()})

    async def wrapped(scope, receive, send):
        path = scope.get("path", "") if scope["type"] == "http" else ""
        if path.startswith(prefix):
            found = whoami(path[len(prefix):])
            await answer(send, 200 if found else 404, found)
        else:
            await app(scope, receive, send)

    return wrapped


def main():
    threading.Thread(target=die_with_parent, daemon=True).start()
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", 0))

    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack import app as ministack

    know_functions_by_their_role_id()
    ask_iam_for_every_mapping_call()
    keep_mappings_of_unpolled_sources()
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.backlog = 1024
    config.loglevel = "WARNING"
    port = socket.socket(fileno=int(config.bind[0][5:]))
    number = port.getsockname()[1]
    port.detach()
    partial = os.environ["SANDBOX_PORT_FILE"] + ".partial"
    with open(partial, "w", encoding="ascii") as file:
        file.write(str(number))
    os.rename(partial, os.environ["SANDBOX_PORT_FILE"])
    asyncio.run(serve(with_sandbox_endpoints(ministack.app), config))


main()
