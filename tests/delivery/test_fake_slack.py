"""The fake Slack behaves as Slack does towards slack-sdk's own clients, or nothing tested against it would count."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.webhook import WebhookClient

from tests.delivery.fake_slack import Chaos, FakeSlack, Limited
from tests.delivery.slack.process import SlackProcess
from tests.delivery.slack.record import Posted
from tests.world import eventually

HELLO = {"channel": "#alerts", "text": "hello"}


def client_of(slack: FakeSlack | SlackProcess) -> WebClient:
    return WebClient(token=slack.token, base_url=slack.url, retry_handlers=[])


def say_hello(client: WebClient) -> None:
    client.api_call("chat.postMessage", json=dict(HELLO))


def posted(slack: FakeSlack) -> Posted:
    assert slack.answer("chat.postMessage", dict(HELLO))["ok"]
    return slack.messages[-1]


@contextmanager
def listening(slack: FakeSlack, hear: Callable[[BaseSocketModeClient, SocketModeRequest], None]) -> Iterator[None]:
    client = SocketModeClient(slack.app_token, web_client=client_of(slack), concurrency=1, ping_interval=0.2)
    client.socket_mode_request_listeners.append(hear)
    client.connect()
    yield
    client.close()


def acknowledge(client: BaseSocketModeClient, request: SocketModeRequest) -> None:
    client.send_socket_mode_response(SocketModeResponse(request.envelope_id))


def test_a_file_is_announced_uploaded_and_shared_in_a_thread(slack: FakeSlack) -> None:
    parent = posted(slack)
    client_of(slack).files_upload_v2(
        filename="chart.png", content=b"\x89PNG\x00", channel=parent.channel, thread_ts=parent.ts, title="accuracy"
    )
    [file] = slack.record.files
    assert (file.content, file.thread_ts, file.title) == (b"\x89PNG\x00", parent.ts, "accuracy")
    read = client_of(slack).conversations_replies(channel=parent.channel, ts=parent.ts)["messages"]
    assert [one.get("files", [{}])[0].get("name") for one in read] == [None, "chart.png"]


def test_a_file_that_never_arrived_cannot_be_shared(slack: FakeSlack) -> None:
    announced = slack.answer("files.getUploadURLExternal", {"filename": "chart.png", "length": "5"})
    body = {"files": [{"id": announced["file_id"]}], "channel_id": "C0ALERTS01"}
    assert slack.answer("files.completeUploadExternal", body) == {"ok": False, "error": "file_not_found"}


def test_a_click_comes_over_the_websocket_and_its_acknowledgement_is_timed(slack: FakeSlack) -> None:
    heard: list[dict[str, Any]] = []

    def hear(client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        heard.append(request.payload)
        acknowledge(client, request)

    with listening(slack, hear):
        click = slack.click(posted(slack), "acknowledge", "incident:1")
        eventually(lambda: click.acknowledged_at, within=5, what="the click is acknowledged")
    assert click.seconds is not None
    assert click.seconds < slack.sockets.patience == 3
    assert heard[0]["type"] == "block_actions"
    assert heard[0]["actions"][0]["value"] == "incident:1"
    assert len(click.sent_at) == 1


def test_an_envelope_nobody_acknowledges_comes_again_with_its_id(slack: FakeSlack) -> None:
    slack.sockets.patience = 0.2
    heard: list[SocketModeRequest] = []

    def hear(client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        heard.append(request)
        if len(heard) == 3:
            acknowledge(client, request)

    with listening(slack, hear):
        click = slack.click(posted(slack), "acknowledge", "incident:1")
        eventually(lambda: click.acknowledged_at, within=10, what="the third envelope is acknowledged")
    assert {request.envelope_id for request in heard} == {click.envelope_id}
    assert [request.retry_attempt for request in heard] == [None, 1, 2]


def test_a_refreshed_connection_is_opened_anew_and_clicks_go_on(slack: FakeSlack) -> None:
    with listening(slack, acknowledge):
        eventually(slack.sockets.connections, within=10, what="the client connects")
        before = slack.sockets.connections()
        slack.sockets.disconnect()
        eventually(lambda: slack.sockets.connections() not in ([], before), within=10, what="the client connects again")
        click = slack.click(posted(slack), "acknowledge", "incident:1")
        eventually(lambda: click.acknowledged_at, within=10, what="the click is acknowledged")
    assert slack.called("apps.connections.open") > 1, "each connection has an address of its own"


def test_a_response_url_takes_what_only_one_person_sees(slack: FakeSlack) -> None:
    click = slack.click(posted(slack), "acknowledge", "incident:1")
    WebhookClient(click.payload["response_url"]).send(text="Acknowledged.", response_type="ephemeral")
    assert slack.record.responses[0]["text"] == "Acknowledged."
    view = {"trigger_id": click.payload["trigger_id"], "view": {"type": "modal"}}
    assert slack.answer("views.open", view)["ok"]
    assert not slack.answer("views.open", {**view, "trigger_id": "made up"})["ok"]


@pytest.mark.parametrize(
    ("asked", "token"),
    [
        ("apps.connections.open", FakeSlack.token),  # Socket Mode wants the app's token
        ("chat.postMessage", FakeSlack.app_token),  # and posting the bot's
    ],
)
def test_each_method_wants_its_own_token(slack: FakeSlack, asked: str, token: str) -> None:
    with pytest.raises(SlackApiError, match="invalid_auth"):
        WebClient(token=token, base_url=slack.url).api_call(asked, json=HELLO)


def test_a_channel_that_is_full_answers_429_and_counts_it(slack: FakeSlack) -> None:
    moment = [100.0]
    with FakeSlack(clock=lambda: moment[0]) as paced:
        paced.faults.pace = 1.0
        client = client_of(paced)
        say_hello(client)
        moment[0] += 0.75
        with pytest.raises(SlackApiError) as refused:
            say_hello(client)
        moment[0] += 1
        say_hello(client)
        client.chat_postMessage(channel="#archive", text="Another channel has a pace of its own.")
    assert refused.value.response.headers["Retry-After"] == "1"
    assert paced.record.violations == ["#alerts: 0.750 s after the post before"]
    assert len(paced.messages) == 3


def test_a_post_before_retry_after_has_passed_is_counted(slack: FakeSlack) -> None:
    moment = [100.0]
    with FakeSlack(clock=lambda: moment[0]) as limiting:
        limiting.script("chat.postMessage", Limited(30))
        client = client_of(limiting)
        with pytest.raises(SlackApiError):
            say_hello(client)
        moment[0] += 20
        say_hello(client)
        moment[0] += 10
        say_hello(client)
    assert limiting.record.violations == ["#alerts: 10.000 s before Retry-After had passed"]
    assert limiting.record.faults == {"429": 1}


def test_it_runs_as_a_process_of_its_own() -> None:
    with SlackProcess() as slack:
        slack.script("chat.postMessage", "internal_error", Limited(7))
        client = client_of(slack)
        for error in ("internal_error", "ratelimited"):
            with pytest.raises(SlackApiError, match=error):
                say_hello(client)
        say_hello(client)
        slack.unleash(Chaos({"500": 1.0}))
        with pytest.raises(SlackApiError, match="non-JSON"):
            say_hello(client)
        slack.unleash(None)
        client.files_upload_v2(filename="chart.png", content=b"\x89PNG\x00", channel="C0ALERTS01")
        seen = slack.record()
    assert [parent.body["text"] for parent in seen.parents()] == ["hello"]
    assert seen.faults == {"internal_error": 1, "429": 1, "500": 1}
    assert seen.files[0].content == b"\x89PNG\x00"


def test_many_may_post_at_once(slack: FakeSlack) -> None:
    threads = [threading.Thread(target=lambda: say_hello(client_of(slack))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({message.ts for message in slack.messages}) == 20
