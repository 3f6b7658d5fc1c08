"""A publisher of catalogues with a key of its own, and a server on this computer that serves well or badly."""

from __future__ import annotations

import gzip
import importlib.util
import json
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx

from models_catalog.signed.keys import PublicKey, read_public_key
from models_catalog.transfer.patience import Patience

_PROGRAM = Path(__file__).parents[3] / "packaging" / "sign_index.py"


@lru_cache(maxsize=1)
def sign_index() -> ModuleType:
    """The publishers' program; its folder is no package."""
    spec = importlib.util.spec_from_file_location("sign_index", _PROGRAM)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sign_index"] = module
    path = list(sys.path)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = path
    return module


@dataclass
class Publisher:
    """key: of sign_index. files: what is published, by name."""

    key: Any = field(default_factory=lambda: sign_index().new_key())
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def public(self) -> PublicKey:
        return read_public_key(self.key.public_line)

    def publish(self, *, serial: int = 1, date: str = "2999-01-01", families: tuple[str, ...] = ("yi",)) -> None:
        """A catalogue of some families of this tree."""
        self.files = dict(sign_index().catalogue_files(serial, date, {}, families))
        self.sign()

    def sign(self, comment: str = "timestamp:1") -> None:
        self.files["index.json.minisig"] = (
            sign_index().signature_of(self.files["index.json"], self.key, comment).encode()
        )

    def change_index(self, **values: Any) -> None:
        """The index with other values, signed."""
        self.files["index.json"] = json.dumps(self.index() | values).encode()
        self.sign()

    def change_file(self, name: str, /, **values: Any) -> None:
        """The index with other values for this file, signed."""
        self.change_index(files=[file | values if file["name"] == name else file for file in self.index()["files"]])

    def replace_file(self, name: str, body: bytes, /, **values: Any) -> None:
        """Another body for the file, and an index that agrees."""
        import hashlib

        self.files[name] = body
        self.change_file(name, sha256=hashlib.sha256(body).hexdigest(), size_bytes=len(body), **values)

    def index(self) -> dict[str, Any]:
        whole: dict[str, Any] = json.loads(self.files["index.json"])
        return whole


@dataclass
class UpdateServer:
    """files: by name. gzipped: answers are packed. odd: by name, an answer in place of the file's."""

    address: str
    asked: list[str]
    files: Mapping[str, bytes] = field(default_factory=dict)
    gzipped: bool = False
    odd: dict[str, Odd] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Odd:
    """endless: the body is sent again and again."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    endless: bool = False


def plain_client(patience: Patience | None = None) -> httpx.AsyncClient:
    """For http on this computer: without certificates, whose reading takes longer than any test here."""
    return httpx.AsyncClient(verify=False, trust_env=False, timeout=5.0)


@contextmanager
def serving() -> Iterator[UpdateServer]:
    """A server until the end of the block; `address` is that of its index.json."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            state.asked.append(name)
            if (odd := state.odd.get(name)) is not None:
                self._odd(odd)
            elif name in state.files:
                body = gzip.compress(state.files[name]) if state.gzipped else state.files[name]
                self._head(200, {"Content-Encoding": "gzip"} if state.gzipped else {}, len(body))
                self.wfile.write(body)
            else:
                self._head(404, {}, 0)

        def _odd(self, odd: Odd) -> None:
            self._head(odd.status, odd.headers, None if odd.endless else len(odd.body))
            try:
                self.wfile.write(odd.body)
                while odd.endless:
                    self.wfile.write(odd.body)
            except OSError:
                pass

        def _head(self, status: int, headers: Mapping[str, str], length: int | None) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if length is None:
                self.send_header("Connection", "close")
                self.close_connection = True
            else:
                self.send_header("Content-Length", str(length))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state = UpdateServer(address=f"http://127.0.0.1:{server.server_port}/index.json", asked=[])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
