"""The typed client against canned answers of the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.catalogue_values import CatalogueQuery
from app.client.http import APPEND, CompletionChunk, ServiceClient, Usage
from app.errors import RemoteError, ServiceUnreachable, Unauthorized

MESSAGE = {
    "id": "m1",
    "chat_id": "c1",
    "parent_id": None,
    "role": "user",
    "text": "你好",
    "reasoning": "",
    "state": "complete",
    "model": "",
    "created_at": 1.0,
    "sibling_ids": ["m1"],
    "stats": None,
    "error": None,
}


def client_with(answer: Callable[[httpx.Request], httpx.Response]) -> ServiceClient:
    return ServiceClient("http://127.0.0.1:1/", "secret", "zh", transport=httpx.MockTransport(answer))


def test_sends_token_and_language_and_decodes_values() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(202, json={"user": MESSAGE, "assistant": MESSAGE | {"id": "m2", "role": "assistant"}})

    exchange = client_with(answer).send_message("c1", "你好", max_tokens=9)
    assert exchange.user.text == "你好"
    assert exchange.user.sibling_ids == ("m1",)
    assert exchange.assistant.id == "m2"
    assert seen[0].headers["authorization"] == "Bearer secret"
    assert seen[0].headers["accept-language"] == "zh"
    assert seen[0].url.path == "/liangli/v1/chats/c1/messages"
    assert json.loads(seen[0].content) == {"text": "你好", "max_tokens": 9}


@pytest.mark.parametrize(("parent", "sent"), [(APPEND, False), (None, True), ("m0", True)])
def test_parent_is_sent_only_when_given(parent: Any, sent: bool) -> None:
    bodies: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(202, json={"user": MESSAGE, "assistant": MESSAGE})

    client_with(answer).send_message("c1", "x", parent_id=parent)
    assert ("parent_id" in bodies[0]) is sent


def test_an_error_of_the_service_keeps_code_and_fields() -> None:
    body = {"error": {"code": "ChatMissing", "fields": {"chat_id": "c9"}, "message": "…"}}
    with pytest.raises(RemoteError) as caught:
        client_with(lambda _: httpx.Response(404, json=body)).chat("c9")
    assert (caught.value.code, caught.value.fields, caught.value.http_status) == ("ChatMissing", {"chat_id": "c9"}, 404)


def test_an_openai_error_is_read_as_our_own() -> None:
    ours = {"code": "ContextOverflow", "fields": {"prompt_tokens": 5000}}
    body = {
        "error": {"message": "…", "type": "invalid_request_error", "code": "context_length_exceeded", "liangli": ours}
    }
    with pytest.raises(RemoteError) as caught:
        client_with(lambda _: httpx.Response(400, json=body)).models()
    assert (caught.value.code, caught.value.fields) == ("ContextOverflow", {"prompt_tokens": 5000})


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"error": 3}', b'{"error": {"code": "X", "fields": 3}}'])
def test_an_unreadable_error_is_an_error_all_the_same(content: bytes) -> None:
    with pytest.raises(RemoteError):
        client_with(lambda _: httpx.Response(500, content=content)).chats()


def test_an_answer_of_another_shape_is_an_error() -> None:
    with pytest.raises(RemoteError):
        client_with(lambda _: httpx.Response(200, json={"some": "thing"})).status()


def test_wrong_token_and_no_service() -> None:
    with pytest.raises(Unauthorized):
        client_with(lambda _: httpx.Response(401, json={})).status()

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(ServiceUnreachable):
        client_with(refuse).status()
    with pytest.raises(ServiceUnreachable):
        next(client_with(refuse).events())


def test_events_are_decoded_and_resumed() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        stream = ": beat\n\n" + 'id: 4\ndata: {"number": 4, "kind": "models", "data": {}}\n\n'
        return httpx.Response(200, content=stream.encode())

    assert [(event.number, event.kind) for event in client_with(answer).events(after=3)] == [(4, "models")]
    assert seen[0].headers["last-event-id"] == "3"


def test_a_completion_is_streamed_with_its_end() -> None:
    parts = [
        {"choices": [{"delta": {"role": "assistant", "reasoning_content": "想"}, "finish_reason": None}]},
        {"choices": [{"delta": {"content": "好"}, "finish_reason": None}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
    ]
    stream = "".join(f"data: {json.dumps(part)}\n\n" for part in parts) + "data: [DONE]\n\n"
    bodies: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(200, content=stream.encode())

    chunks = list(client_with(answer).chat_completion("m", [{"role": "user", "content": "hi"}], seed=1))
    assert chunks == [
        CompletionChunk(reasoning="想"),
        CompletionChunk(text="好"),
        CompletionChunk(finish_reason="stop"),
        CompletionChunk(usage=Usage(prompt_tokens=3, completion_tokens=2)),
    ]
    assert bodies[0]["seed"] == 1 and bodies[0]["stream"] is True


def test_an_error_inside_a_completion_stream_is_raised() -> None:
    stream = 'data: {"error": {"code": "EngineDied", "fields": {"cause": "killed"}, "message": ""}}\n\n'
    with pytest.raises(RemoteError) as caught:
        list(client_with(lambda _: httpx.Response(200, content=stream.encode())).chat_completion("m", []))
    assert (caught.value.code, caught.value.fields) == ("EngineDied", {"cause": "killed"})


@pytest.mark.parametrize(
    ("ask", "method", "path", "body"),
    [
        (
            lambda client: client.catalogue(CatalogueQuery(text="千问", abilities=("code",))),
            "POST",
            "/catalogue/search",
            {
                "text": "千问",
                "abilities": ["code"],
                "min_parameters": None,
                "max_parameters": None,
                "licence": "",
                "commercial": False,
                "vendor": "",
                "states": [],
                "unconfirmed": False,
            },
        ),
        (lambda client: client.catalogue_model("a/b"), "GET", "/catalogue/models/a%2Fb", None),
        (lambda client: client.catalogue_fits(("a", "b")), "POST", "/catalogue/fits", {"models": ["a", "b"]}),
        (lambda client: client.catalogue_update(), "GET", "/catalogue/update", None),
        (lambda client: client.check_catalogue(), "POST", "/catalogue/update", None),
        (lambda client: client.template_report("m"), "GET", "/models/m/template", None),
        (lambda client: client.chat_profiles(), "GET", "/chat-profiles", None),
        (lambda client: client.message_prompt("c1", "m1"), "GET", "/chats/c1/messages/m1/prompt", None),
    ],
)
def test_each_question_has_its_route(ask: Callable[[ServiceClient], Any], method: str, path: str, body: Any) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=None)

    with pytest.raises(RemoteError):  # null is no answer to any of them
        ask(client_with(answer))
    assert seen[0].method == method
    assert seen[0].url.raw_path.decode() == f"/liangli/v1{path}"
    assert (json.loads(seen[0].content) if seen[0].content else None) == body
