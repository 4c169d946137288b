"""Slack's own client, doing what an app does. Says what it sees on standard output, one JSON a line."""

import json
import os
import queue

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.models.blocks import ActionsBlock, ButtonElement, InputBlock, PlainTextInputElement, SectionBlock
from slack_sdk.models.views import View
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse

CHANNEL = "C0SECURITY"
METADATA = {"event_type": "sluicegate_case", "event_payload": {"case_id": "sg-1", "seq": 1}}


def say(**seen):
    print(json.dumps(seen), flush=True)


def card(text):
    return [
        SectionBlock(text=f"*{text}*"),
        ActionsBlock(elements=[ButtonElement(text="Keep", action_id="keep", value="sg-1:abc", style="primary")]),
    ]


web = WebClient(token=os.environ["BOT_TOKEN"], base_url=os.environ["API_URL"] + "/")
who = web.auth_test()
posted = web.chat_postMessage(channel=CHANNEL, text="one", blocks=card("one"), metadata=METADATA)
web.chat_update(channel=CHANNEL, ts=posted["ts"], text="two", blocks=card("two"))
history = web.conversations_history(channel=CHANNEL, include_all_metadata=True)["messages"]
members = web.usergroups_users_list(usergroup="S0ONCALL")["users"]
user = web.users_info(user="U0ALICE")["user"]
link = web.chat_getPermalink(channel=CHANNEL, message_ts=posted["ts"])["permalink"]
say(
    team=who["team_id"],
    text=history[0]["text"],
    metadata=history[0]["metadata"],
    members=members,
    user=user["real_name"],
    link=link,
)

try:
    header = {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}
    web.chat_postMessage(channel=CHANNEL, text="too long", blocks=[header])
except SlackApiError as error:
    say(refused=error.response["error"], messages=error.response["response_metadata"]["messages"])

# The test has scripted that these are refused, once each: the first is told, the second is tried again by the client.
try:
    web.chat_postMessage(channel="C0FALLBACK", text="throttled")
except SlackApiError as error:
    say(status=error.response.status_code, error=error.response["error"], after=error.response.headers["Retry-After"])
patient = WebClient(token=os.environ["BOT_TOKEN"], base_url=os.environ["API_URL"] + "/")
patient.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=1))
say(retried=patient.chat_postMessage(channel="C0FALLBACK", text="throttled")["ok"])

requests = queue.Queue()
socket = SocketModeClient(app_token=os.environ["APP_TOKEN"], web_client=web, ping_interval=1)
socket.socket_mode_request_listeners.append(lambda _client, request: requests.put(request))
socket.connect()
say(ts=posted["ts"], connected=socket.is_connected())


def next_request(payload=None):
    request = requests.get(timeout=20)
    socket.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=payload))
    return request


click = next_request()
say(type=click.type, kind=click.payload["type"], action=click.payload["actions"][0], attempt=click.retry_attempt)
reason = InputBlock(label="Reason", block_id="reason", element=PlainTextInputElement(action_id="reason"))
view = View(
    type="modal", callback_id="sluicegate_decide", title="Decide", submit="Go", private_metadata="sg-1", blocks=[reason]
)
opened = web.views_open(trigger_id=click.payload["trigger_id"], view=view)
say(view=opened["view"]["id"])
next_request({"response_action": "errors", "errors": {"reason": "Say more."}})
submission = next_request()
say(values=submission.payload["view"]["state"]["values"], metadata=submission.payload["view"]["private_metadata"])
# It has been told to go, and comes back by itself.
next_request()
say(back=True)
socket.close()
