"""How a request reaches the service and its answer comes back, as a typed value or as an error."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx
import msgspec

from app.client.sse import parse_events
from app.errors import RemoteError, ServiceUnreachable, Unauthorized
from app.values import Language

T = TypeVar("T")

ADMIN: Final = "/liangli/v1"
# A loopback service accepts at once or not at all; answers may wait for the disk, and loading a model for minutes.
CONNECT_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 60.0
LOAD_SECONDS: Final = 1_800.0


class Requests:
    """The connection that all topics of the client share; may be used from several threads.

    Every method of every topic raises ServiceUnreachable when nothing answers, Unauthorized for a wrong token, and
    RemoteError with the service's own error code and fields for everything that it refuses.
    """

    def __init__(
        self, base_url: str, token: str, language: Language = "en", *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.token = token
        # trust_env: a proxy of the environment must not get the requests to this very computer.
        self._http = httpx.Client(
            base_url=self.base_url,
            headers={"Authorization": f"Bearer {token}", "Accept-Language": language},
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,
            # Plain HTTP to loopback: a list of certificate authorities would be read (45 ms) and never used.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connections; the client is of no use afterwards."""
        self._http.close()

    def _ask(self, method: str, route: str, answer: type[T], **options: Any) -> T:
        try:
            return msgspec.json.decode(self._send(method, route, **options).content, type=answer)
        except msgspec.MsgspecError as error:
            raise RemoteError(
                code="UnexpectedError", fields={"detail": f"{route}: {error}"}, http_status=200
            ) from error

    def _send(
        self, method: str, route: str, *, json: Any = None, timeout_seconds: float | None = None
    ) -> httpx.Response:
        timeout = httpx.Timeout(timeout_seconds or ANSWER_SECONDS, connect=CONNECT_SECONDS)
        try:
            response = self._http.request(method, ADMIN + route, json=json, timeout=timeout)
        except httpx.TransportError as error:
            raise ServiceUnreachable(address=self.base_url) from error
        _raise_for(response)
        return response

    def _open(self, request: httpx.Request) -> httpx.Response:
        try:
            response = self._http.send(request, stream=True)
            if not response.is_success:
                response.read()
        except httpx.TransportError as error:
            raise ServiceUnreachable(address=self.base_url) from error
        _raise_for(response)
        return response

    def _read(self, response: httpx.Response) -> Iterator[str]:
        """The data of each server-sent event of the answer."""
        try:
            for event in parse_events(response.iter_lines()):
                yield event.data
        except httpx.TransportError as error:
            raise ServiceUnreachable(address=self.base_url) from error
        finally:
            response.close()


def given(**fields: Any) -> dict[str, Any]:
    """The fields of a body that say something."""
    return {name: value for name, value in fields.items() if value is not None}


def _raise_for(response: httpx.Response) -> None:
    if response.is_success:
        return
    if response.status_code == 401:
        raise Unauthorized()
    raise remote_error(response.content, response.status_code)


def remote_error(content: bytes, http_status: int) -> RemoteError:
    """The error in a body: ours names code and fields; one from elsewhere keeps its beginning as the detail."""
    try:
        error = msgspec.json.decode(content)["error"]
        # The OpenAI routes speak OpenAI's error codes and carry ours beside them.
        error = error.get("liangli") or error
        code, fields = str(error["code"]), dict(error.get("fields") or {"detail": error.get("message", "")})
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError):
        code, fields = "UnexpectedError", {"detail": f"HTTP {http_status} {content[:300].decode(errors='replace')}"}
    return RemoteError(code=code, fields=fields, http_status=http_status)
