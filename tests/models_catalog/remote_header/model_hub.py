"""A local server with repositories of model files, speaking like ModelScope and like Hugging Face, well or badly.

Files are headers followed by zeros up to their full length, which are made while they are sent. Two ports, so that the
hubs and the content network behind them are different origins. Every request is written down.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from models_catalog.sources.addresses import Addresses
from tests.models_catalog.hub_server import FLAWLESS, Behaviour, Seen

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_BLOCK = bytes(256 * 1024)


@dataclass(frozen=True)
class Stored:
    """A file: its beginning, and its length."""

    head: bytes
    size_bytes: int

    @property
    def sha256(self) -> str:
        """Not that of the content, which would take long to compute, but just as distinct."""
        return hashlib.sha256(self.head + str(self.size_bytes).encode()).hexdigest()


class ModelHub:
    """`files` by "owner/repository/path"; `script` says what goes wrong on a route.

    Routes: "modelscope-list", "modelscope", "huggingface-list", "huggingface", "mirror-list", "mirror", "plain", and
    "cdn", which the hubs redirect to.
    """

    def __init__(self) -> None:
        self.files: dict[str, Stored] = {}
        self.seen: list[Seen] = []
        self.sent_bytes = 0
        self.released = threading.Event()
        self.stalled = threading.Event()
        self.before_answer: Callable[[Seen], None] = lambda _: None
        self._scripts: dict[str, deque[Behaviour]] = defaultdict(deque)
        self._always: dict[str, Behaviour] = {}
        self._mutex = threading.Lock()
        self._servers = [self._listen() for _ in range(2)]

    def _listen(self) -> ThreadingHTTPServer:
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return server

    @property
    def base(self) -> str:
        """Where the hubs are."""
        return f"http://127.0.0.1:{self._servers[0].server_address[1]}"

    @property
    def cdn(self) -> str:
        """Where the hubs redirect to."""
        return f"http://127.0.0.1:{self._servers[1].server_address[1]}"

    @property
    def addresses(self) -> Addresses:
        """For PlanSource."""
        return Addresses(
            modelscope=f"{self.base}/modelscope",
            huggingface=f"{self.base}/huggingface",
            hf_mirror=f"{self.base}/mirror",
            huggingface_token="secret",
        )

    def plain(self, name: str) -> str:
        """A plain address of a file, without any hub."""
        return f"{self.base}/plain/{name}"

    def script(self, route: str, *behaviours: Behaviour, always: Behaviour | None = None) -> None:
        """The next requests to the route behave so, one after the other; `always`: all that follow."""
        self._scripts[route].extend(behaviours)
        if always is not None:
            self._always[route] = always

    def routes(self) -> list[str]:
        """Which routes were asked, in order."""
        return [seen.route for seen in self.seen]

    def behaviour(self, seen: Seen) -> Behaviour:
        """What to do with this request."""
        self.before_answer(seen)
        with self._mutex:
            self.seen.append(seen)
            script = self._scripts[seen.route]
            return script.popleft() if script else self._always.get(seen.route, FLAWLESS)

    def count_sent(self, count: int) -> None:
        """Adds to sent_bytes."""
        with self._mutex:
            self.sent_bytes += count

    def in_repository(self, repository: str) -> dict[str, Stored]:
        """The files of a repository by path."""
        prefix = f"{repository}/"
        return {name.removeprefix(prefix): file for name, file in self.files.items() if name.startswith(prefix)}

    def close(self) -> None:
        """Lets stalled requests go and stops."""
        self.released.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: ModelHub

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        route, repository, name = _route(unquote(split.path))
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else None
        end = int(asked[2]) + 1 if asked and asked[2] else None
        behaviour = self.hub.behaviour(Seen(route, split.path, start, dict(self.headers)))
        file = self.hub.files.get(f"{repository}/{name}" if repository else name)
        if behaviour.status is not None or behaviour.body is not None:
            self._plain(behaviour.status or 200, behaviour.body or b"", behaviour.headers)
        elif route.endswith("-list"):
            self._list(route, repository)
        elif file is None:
            self._plain(401 if route in ("huggingface", "mirror") else 404, b"", {})
        elif route in ("modelscope", "huggingface", "mirror"):
            linked = {} if route == "modelscope" else {"X-Linked-Etag": f'"{file.sha256}"', "X-Repo-Commit": COMMIT}
            self._plain(302, b"", {**linked, "Location": f"{self.hub.cdn}/cdn/{repository}/{name}"})
        else:
            self._send_file(file, start, end, behaviour)

    def _list(self, route: str, repository: str) -> None:
        files = self.hub.in_repository(repository)
        if not files:
            self._plain(404 if route == "modelscope-list" else 401, b'{"error":"Repository not found"}', {})
            return
        if route == "modelscope-list":
            entries = [
                {"Path": name, "Size": file.size_bytes, "Sha256": file.sha256, "Type": "blob", "Revision": COMMIT}
                for name, file in files.items()
            ]
            page: dict[str, Any] = {"Code": 200, "Data": {"Files": entries}, "Success": True}
        else:
            siblings = [
                {"rfilename": name, "size": file.size_bytes, "lfs": {"sha256": file.sha256, "size": file.size_bytes}}
                for name, file in files.items()
            ]
            page = {"id": repository, "sha": COMMIT, "siblings": siblings}
        self._plain(200, json.dumps(page).encode(), {"Content-Type": "application/json"})

    def _send_file(self, file: Stored, start: int | None, end: int | None, behaviour: Behaviour) -> None:
        total = file.size_bytes
        if start is not None and start >= total:
            self._plain(416, b"", {"Content-Range": f"bytes */{total}"})
            return
        if start is None or behaviour.ignore_range:
            first, last = 0, total
            self.send_response(200)
        else:
            first = start + behaviour.range_shift_bytes
            last = min(total if end is None else end, first + (behaviour.most_bytes or total))
            self.send_response(206)
            if "Content-Range" not in behaviour.headers:
                self.send_header("Content-Range", f"bytes {first}-{last - 1}/{total}")
        self.send_header("Content-Length", str(last - first))
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("ETag", behaviour.etag or f'"{file.sha256[:16]}"')
        for name, value in behaviour.headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self._send_body(file, first, last, behaviour)

    def _send_body(self, file: Stored, first: int, last: int, behaviour: Behaviour) -> None:
        self.close_connection = True
        stop = behaviour.cut_after_bytes if behaviour.cut_after_bytes is not None else behaviour.stall_after_bytes
        end = last if stop is None else min(last, first + stop)
        position = first
        while position < end:
            piece = file.head[position : min(end, position + len(_BLOCK))] or _BLOCK[: end - position]
            self.wfile.write(piece)
            self.hub.count_sent(len(piece))
            position += len(piece)
        if behaviour.stall_after_bytes is not None:
            self.wfile.flush()
            self.hub.stalled.set()
            self.hub.released.wait(30)

    def _plain(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, ValueError):
            # The client hung up, as it may as soon as it knows enough.
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


_PATHS = (
    (r"/modelscope/api/v1/models/([^/]+/[^/]+)/repo/files()", "modelscope-list"),
    (r"/modelscope/models/([^/]+/[^/]+)/resolve/[^/]+/(.+)", "modelscope"),
    (r"/huggingface/api/models/([^/]+/[^/]+)/revision/[^/]+()", "huggingface-list"),
    (r"/huggingface/([^/]+/[^/]+)/resolve/[^/]+/(.+)", "huggingface"),
    (r"/mirror/api/models/([^/]+/[^/]+)/revision/[^/]+()", "mirror-list"),
    (r"/mirror/([^/]+/[^/]+)/resolve/[^/]+/(.+)", "mirror"),
    (r"/cdn/([^/]+/[^/]+)/(.+)", "cdn"),
    (r"/plain/()(.+)", "plain"),
)


def _route(path: str) -> tuple[str, str, str]:
    for pattern, route in _PATHS:
        if match := re.fullmatch(pattern, path):
            return route, match[1], match[2]
    return "nowhere", "", ""
