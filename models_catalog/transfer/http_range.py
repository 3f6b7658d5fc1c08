"""Reading a range of bytes over HTTP from a server that may be slow, confused or lying.

Redirects are followed here, one by one: never from https to http, and the caller's headers (a token) stay with the
origin they were meant for. Whatever goes wrong is raised as one of the SourceFault classes, so callers know whether to
ask again.
"""

from __future__ import annotations

import contextlib
import email.utils
import re
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass

import httpx

from models_catalog.sources.faults import SourceChanged, SourceCut, SourceFailed, SourceUnfit
from models_catalog.transfer.direct_stream import DirectStream, read_directly
from models_catalog.transfer.patience import Patience

_STALE_CONNECTIONS = 2
_MAX_REDIRECTS = 8
# A shorter body is read in the ordinary way, after which its connection can be used again.
_DIRECT_FROM_BYTES = 1024 * 1024
_CONTENT_RANGE = re.compile(r"bytes\s+(\d+)-(\d+)/(\d+|\*)", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeRequest:
    """Bytes from `start` up to `end` (None: to the end of the file).

    total_bytes: the file's size where it is known; another size means another file. sha256: the same for its hash,
    which Hugging Face states before it redirects. etag: what the source called this file before. max_bytes: the most
    that is taken.
    """

    url: str
    start: int
    end: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    total_bytes: int | None = None
    sha256: str | None = None
    etag: str | None = None
    max_bytes: int | None = None


class RangeAnswer:
    """The answer to a RangeRequest.

    resumable: the server can begin in the middle. total_bytes: None if not said. tells_its_end: a body that breaks off
    is noticed although its length is not known.
    """

    def __init__(self, response: httpx.Response, request: RangeRequest, patience: Patience) -> None:
        """Raises SourceUnfit if this cannot be the file."""
        self._response = response
        self._request = request
        self._patience = patience
        self.resumable = response.status_code == 206
        self.tells_its_end = response.headers.get("Transfer-Encoding", "").strip().lower().endswith("chunked")
        self.etag = _strong_etag(response)
        self._position, self.total_bytes = (
            _content_range(response) if self.resumable else (0, _content_length(response))
        )
        _refuse_other_file(response, request, self._position, self.total_bytes, self.etag)
        length = _content_length(response)
        self._exact = length is not None and self.end is not None and self._position + length == self.end

    @property
    def end(self) -> int | None:
        """Where the bytes will end (not included), if it can be known."""
        ends = [end for end in (self._request.end, self.total_bytes) if end is not None]
        return min(ends) if ends else None

    async def chunks(self) -> AsyncGenerator[bytes | memoryview, None]:
        """The bytes asked for, none more; raises SourceCut if the connection ends before, SourceFailed if it is quiet.

        What is yielded is good until the next step.

        A server without ranges sends the file from its beginning; what lies before `start` is read and thrown away.
        """
        wanted = self._request.start
        # Only the time spent waiting for the server counts: a reader that takes its time is not the server's fault.
        waiting_since, window_seconds, window_bytes = time.monotonic(), 0.0, 0
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(translated_errors(began=True))
            body = await stack.enter_async_context(contextlib.aclosing(self._body()))
            async for chunk in body:
                window_bytes += len(chunk)
                window_seconds += time.monotonic() - waiting_since
                if window_seconds >= self._patience.stall_seconds:
                    if window_bytes < self._patience.stall_bytes:
                        raise SourceFailed("too slow", kind="slow")
                    window_seconds, window_bytes = 0.0, 0
                begin, self._position = self._position, self._position + len(chunk)
                useful = chunk[max(0, wanted - begin) : None if self.end is None else max(0, self.end - begin)]
                if useful:
                    wanted += len(useful)
                    self._refuse_too_much(wanted)
                    yield useful
                # An answer of exactly the bytes asked for is read to its end, so that its connection can be used again.
                if self.end is not None and wanted >= self.end and not self._exact:
                    return
                waiting_since = time.monotonic()
        if self.end is not None and wanted >= self.end:
            return
        if self.end is not None:
            raise SourceCut(f"connection closed at byte {wanted} of {self.end}")

    async def _body(self) -> AsyncGenerator[bytes | memoryview, None]:
        """The answer's body as it comes."""
        stream, left = self._response.extensions.get("network_stream"), _content_length(self._response) or 0
        direct = isinstance(stream, DirectStream) and left >= _DIRECT_FROM_BYTES
        async for chunk in self._response.aiter_raw():
            yield chunk
            left -= len(chunk)
            # With its first chunk httpx has handed out everything that came along with the headers.
            while direct and left > 0:
                assert isinstance(stream, DirectStream)
                if not (taken := (await stream.take(self._patience.stall_seconds))[:left]):
                    return
                left -= len(taken)
                yield taken
            if direct:
                return

    def _refuse_too_much(self, position: int) -> None:
        if self._request.max_bytes is not None and position > self._request.max_bytes:
            raise SourceUnfit("larger than it can be")


def open_client(patience: Patience, proxy: str = "system") -> httpx.AsyncClient:
    """A client that trusts both the system's certificates and the usual ones.

    proxy: "system" honours the user's environment and system settings, "none" goes straight, else the address of an
    HTTP or SOCKS5 proxy. Of a host's IPv6 and IPv4 addresses the one that answers first is taken (RFC 6555).
    """
    trust = httpx.create_ssl_context()
    trust.load_default_certs()
    client = httpx.AsyncClient(
        verify=trust,
        proxy=None if proxy in ("system", "none") else proxy,
        trust_env=proxy == "system",
        follow_redirects=False,
        headers={"User-Agent": "liangli", "Accept-Encoding": "identity"},
        timeout=httpx.Timeout(patience.stall_seconds, connect=patience.connect_seconds),
    )
    read_directly(client)
    return client


@contextlib.asynccontextmanager
async def open_range(
    client: httpx.AsyncClient, request: RangeRequest, patience: Patience
) -> AsyncIterator[RangeAnswer]:
    """Asks for the range; the answer is closed on leaving. A signed address that has expired is asked for once more."""
    async with contextlib.AsyncExitStack() as stack:
        response, hops = await _follow(client, request, stack)
        if response.status_code in (401, 403, 410) and hops:
            response, hops = await _follow(client, request, stack)
        _refuse_status(response)
        yield RangeAnswer(response, request, patience)


async def _follow(
    client: httpx.AsyncClient, request: RangeRequest, stack: contextlib.AsyncExitStack
) -> tuple[httpx.Response, int]:
    """The response behind all redirects, and how many there were."""
    url, own_headers = httpx.URL(request.url), dict(request.headers)
    until = "" if request.end is None else str(request.end - 1)
    for hops in range(_MAX_REDIRECTS + 1):
        headers = {**own_headers, "Range": f"bytes={request.start}-{until}"}
        with translated_errors(began=False):
            response = await _ask(client, url, headers, stack)
        _refuse_linked_hash(response, request)
        if not response.has_redirect_location:
            return response, hops
        target = _redirect_target(url, response)
        await response.aclose()
        if (target.scheme, target.host, target.port) != (url.scheme, url.host, url.port):
            own_headers = {}
        url = target
    raise SourceFailed("too many redirects", kind="redirect")


async def _ask(
    client: httpx.AsyncClient, url: httpx.URL, headers: dict[str, str], stack: contextlib.AsyncExitStack
) -> httpx.Response:
    """The response. A kept connection may be closed by its server just as it is used again: then another is taken."""
    for _ in range(_STALE_CONNECTIONS):
        try:
            return await stack.enter_async_context(client.stream("GET", url, headers=headers))
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            continue
    return await stack.enter_async_context(client.stream("GET", url, headers=headers))


def _redirect_target(url: httpx.URL, response: httpx.Response) -> httpx.URL:
    try:
        target = url.join(response.headers["Location"])
    except httpx.InvalidURL as error:
        raise SourceFailed("redirects to no address", kind="redirect") from error
    if target.scheme not in ("http", "https") or not target.host:
        raise SourceUnfit("redirects to something that is not HTTP", kind="redirect")
    if url.scheme == "https" and target.scheme == "http":
        raise SourceUnfit("redirects from https to http", kind="redirect")
    return target


def _refuse_status(response: httpx.Response) -> None:
    status = response.status_code
    if status in (200, 206):
        return
    if status in (429, 503):
        raise SourceFailed(f"busy (HTTP {status})", rest_seconds=_retry_after_seconds(response), status=status)
    if status in (408, 425) or status >= 500:
        raise SourceFailed(f"HTTP {status}", status=status)
    gated = response.headers.get("X-Error-Code") == "GatedRepo"
    page = str(response.request.url).partition("/resolve/")[0] if gated else ""
    raise SourceUnfit(f"HTTP {status}", kind="gated" if gated else "", status=status, page=page)


def _refuse_other_file(
    response: httpx.Response, request: RangeRequest, position: int, total_bytes: int | None, etag: str | None
) -> None:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise SourceUnfit("answers in a content encoding that was not asked for")
    if response.headers.get("Content-Type", "").lower().startswith("text/html"):
        raise SourceUnfit("answers with a web page", kind="web_page")
    if total_bytes is not None and request.total_bytes is not None and total_bytes != request.total_bytes:
        raise SourceUnfit(f"has a file of {total_bytes} bytes, not {request.total_bytes}", kind="other_file")
    if total_bytes is not None and request.max_bytes is not None and total_bytes > request.max_bytes:
        raise SourceUnfit("larger than it can be")
    if response.status_code == 206 and position != request.start:
        raise SourceUnfit(f"answers with byte {position} when asked for {request.start}")
    if request.etag is not None and etag is not None and etag != request.etag:
        raise SourceChanged("the file changed there during the download", kind="changed")


def _refuse_linked_hash(response: httpx.Response, request: RangeRequest) -> None:
    linked = response.headers.get("X-Linked-Etag", "").strip('"').lower()
    if request.sha256 is not None and _SHA256.fullmatch(linked) and linked != request.sha256:
        raise SourceUnfit("has another file under this name", kind="other_file")


def _content_range(response: httpx.Response) -> tuple[int, int | None]:
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if match is None:
        raise SourceUnfit("answers 206 without a Content-Range")
    return int(match[1]), None if match[3] == "*" else int(match[3])


def _content_length(response: httpx.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None


def _strong_etag(response: httpx.Response) -> str | None:
    etag: str = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else None


def _retry_after_seconds(response: httpx.Response) -> float:
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0


@contextlib.contextmanager
def translated_errors(*, began: bool) -> Iterator[None]:
    """Turns httpx's errors into faults. began: the answer had begun, so a break is a cut and not a closed door."""
    try:
        yield
    except httpx.ReadTimeout as error:
        raise SourceFailed("no byte came for too long" if began else "no answer") from error
    except httpx.TimeoutException as error:
        raise SourceFailed("cannot be reached in time") from error
    except httpx.ConnectError as error:
        raise SourceFailed(f"cannot be reached ({error})") from error
    except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
        detail = f"connection broke ({error})"
        raise (SourceCut(detail) if began else SourceFailed(detail)) from error
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
        raise SourceFailed(str(error) or type(error).__name__) from error
