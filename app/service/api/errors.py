"""Every exception as an HTTP response: OpenAI's error body under /v1, our own under /liangli/v1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from app.errors import BadRequest, RouteMissing
from app.values import ErrorBody, Language
from app.words import UNKNOWN, describe, error_body, http_status

OPENAI_PREFIX = "/v1/"

# What client programs of the OpenAI API know; other errors are named by our own class name in snake case.
_OPENAI_CODES = {
    "ModelMissing": "model_not_found",
    "NoModelInstalled": "model_not_found",
    "ContextOverflow": "context_length_exceeded",
    "Unauthorized": "invalid_api_key",
    "EngineBusy": "rate_limit_exceeded",
    "BadRequest": None,
}
# Client libraries try again after 409 and 5xx, which would not help here.
_OPENAI_STATUSES = {"NoModelInstalled": 404}
_OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def error_response(error: Exception, scope: Scope) -> Response:
    """The response that tells a client about this error."""
    if isinstance(error, HTTPException) and error.status_code in (404, 405):
        error = RouteMissing(method=scope.get("method", ""), path=scope.get("path", ""))
    status, body = described(error, str(scope.get("path", "")), language_of(scope))
    headers = {"retry-after": "1"} if status in (429, 503) else {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


def described(error: Exception, path: str, language: Language) -> tuple[int, dict[str, Any]]:
    """HTTP status and body for the error in the dialect of the path."""
    body = _body(_as_ours(error))
    status = http_status(body.code)
    message = describe(body.code, body.fields, language)
    if f"{path}/".startswith(OPENAI_PREFIX):
        status = _OPENAI_STATUSES.get(body.code, status)
        return status, {"error": _openai_error(body, status, message)}
    return status, {"error": {"code": body.code, "fields": body.fields, "message": message}}


def openai_error_event(error: Exception, language: Language) -> dict[str, Any]:
    """The error as the last event of a stream that has begun already."""
    return described(error, OPENAI_PREFIX, language)[1]


def language_of(scope: Scope) -> Language:
    """The language the client prefers by its Accept-Language header: Chinese when that comes first, else English."""
    for name, value in scope.get("headers", ()):
        if name == b"accept-language":
            return "zh" if value.strip().lower().startswith(b"zh") else "en"
    return "en"


def _body(error: Exception) -> ErrorBody:
    body = error_body(error)
    # The message of an unexpected error may quote what the user wrote; it stays here.
    return ErrorBody(code=UNKNOWN, fields={"detail": type(error).__name__}) if body.code == UNKNOWN else body


def _as_ours(error: Exception) -> Exception:
    if isinstance(error, RequestValidationError):
        return _first_problem(error)
    if isinstance(error, HTTPException) and error.status_code == 400:
        return BadRequest(field="body", problem="not valid JSON")
    return error


def _first_problem(error: RequestValidationError) -> BadRequest:
    """The first wrong field in words of its type's rule; the value itself is not repeated."""
    problem: Mapping[str, Any] = error.errors()[0]
    place = ".".join(str(part) for part in problem.get("loc", ()) if part != "body")
    return BadRequest(field=place or "body", problem=str(problem.get("msg", "invalid")))


def _openai_error(body: ErrorBody, status: int, message: str) -> dict[str, Any]:
    kind = _OPENAI_TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    code = _OPENAI_CODES.get(body.code, _snake_case(body.code))
    # `liangli` is for our own faces, which say errors in the user's language.
    return {
        "message": message,
        "type": kind,
        "param": _parameter(body),
        "code": code,
        "liangli": msgspec.to_builtins(body),
    }


def _parameter(body: ErrorBody) -> str | None:
    if body.code in ("BadRequest", "InvalidSampling"):
        return str(body.fields.get("field")) or None
    return {"ModelMissing": "model", "NoModelInstalled": "model", "ContextOverflow": "messages"}.get(body.code)


def _snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
