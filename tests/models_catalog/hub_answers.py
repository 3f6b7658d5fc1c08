"""How the local hub answers one request: its pages, its refusals, and bytes that may be cut, slow, shifted or wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.models_catalog import hub_pages

if TYPE_CHECKING:
    from tests.models_catalog.hub_server import Behaviour, HubServer, Stored

_BLOCK_BYTES = 1024 * 1024
_DRIP_BYTES = 8192
# Hugging Face says which refusal is meant in a header; it hides what is private and what is not there behind one.
_HIDDEN = {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Invalid username or password."}
_GATED = {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to this model is restricted."}


class HubHandler(BaseHTTPRequestHandler):
    """hub: set by the server in a subclass of its own."""

    protocol_version = "HTTP/1.1"
    hub: HubServer

    def do_GET(self) -> None:
        from tests.models_catalog.hub_server import Seen

        split = urlsplit(self.path)
        place = hub_pages.place_of(unquote(split.path))
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else None
        end = int(asked[2]) + 1 if asked and asked[2] else None
        behaviour = self.hub.behaviour(Seen(place.route, split.path, start, dict(self.headers), self.command))
        if behaviour.status is not None or behaviour.body is not None:
            self._plain(behaviour.status or 200, behaviour.body or b"", behaviour.headers)
        elif refusal := self._refusal(place):
            self._plain(*refusal)
        elif place.route.endswith(("-list", "-tree")):
            self._list(place)
        elif place.route == "simple":
            self._plain(200, *hub_pages.index_page(self.hub, place.name))
        elif place.route == "wheels":
            self._send_file(_stored(self.hub.wheels[place.name]), start, end, behaviour)
        elif place.route in self.hub.redirects:
            self._redirect(place, behaviour)
        elif place.route == "modelscope-cdn" and not self.hub.signature_holds(
            parse_qs(split.query).get("sig", [""])[0]
        ):
            self._plain(403, b"expired", {})
        elif (file := self.hub.find(place.repository, place.name)) is None:
            self._plain(404, b"", {})
        else:
            self._send_file(file, start, end, behaviour)

    do_HEAD = do_GET

    # ---- what is no file

    def _refusal(self, place: hub_pages.Place) -> tuple[int, bytes, Mapping[str, str]] | None:
        hub, (kind, _, what) = self.hub, place.route.partition("-")
        if kind not in ("modelscope", "huggingface", "mirror") or what == "cdn":
            return None
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        known = hub.in_repository(place.repository) or (hub.fallback is not None and not what)
        if not known or token not in hub.private.get(place.repository, {token}):
            return (404, b"", {}) if kind == "modelscope" else (401, b'{"error":"Repository not found"}', _HIDDEN)
        if what:
            return None
        if token not in hub.gated.get(place.repository, {token}):
            return (403 if token or kind == "modelscope" else 401, b"", {} if kind == "modelscope" else _GATED)
        if hub.find(place.repository, place.name) is None:
            return 404, b"", {"X-Error-Code": "EntryNotFound"}
        return None

    def _list(self, place: hub_pages.Place) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if place.route == "modelscope-list":
            self._plain(200, *hub_pages.modelscope_listing(self.hub, place.repository))
        elif place.route.endswith("-list"):
            self._plain(200, *hub_pages.model_info(self.hub, place.repository))
        else:
            here = f"{self.hub.base}{urlsplit(self.path).path}"
            self._plain(200, *hub_pages.tree(self.hub, place, here, query))

    def _redirect(self, place: hub_pages.Place, behaviour: Behaviour) -> None:
        file = self.hub.find(place.repository, place.name)
        assert file is not None
        target = self.hub.redirects[place.route]
        where = f"{self.hub.cdn}/{target}/{place.repository or 'any/any'}/{quote(place.name or 'file')}"
        linked = {} if place.route == "modelscope" else hub_pages.linked_headers(file)
        signature = f"?sig={self.hub.sign()}" if target == "modelscope-cdn" else ""
        self._plain(302, b"", {**linked, **behaviour.headers, "Location": f"{where}{signature}"})

    # ---- files

    def _send_file(self, file: Stored, start: int | None, end: int | None, behaviour: Behaviour) -> None:
        total = file.size_bytes
        if start is not None and start >= total:
            self._plain(416, b"", {"Content-Range": f"bytes */{total}"})
            return
        headers = {"Content-Type": "application/octet-stream", "ETag": behaviour.etag or f'"{file.sha256[:16]}"'}
        first, last, status = 0, total, 200
        if start is not None and not behaviour.ignore_range:
            first, status = start + behaviour.range_shift_bytes, 206
            last = max(first, min(total, total if end is None else end, first + (behaviour.most_bytes or total)))
            headers["Content-Range"] = f"bytes {first}-{last - 1}/{total}"
        self._begin(status, {**headers, "Content-Length": str(last - first), **behaviour.headers})
        if self.command == "HEAD":
            return
        self.close_connection = True
        self.hub.count_active(1)
        try:
            self._send(file, first, last, behaviour)
        finally:
            self.hub.count_active(-1)

    def _send(self, file: Stored, first: int, last: int, behaviour: Behaviour) -> None:
        stop = behaviour.cut_after_bytes if behaviour.cut_after_bytes is not None else behaviour.stall_after_bytes
        rate = behaviour.rate_bytes_per_second
        due = time.monotonic()
        until = last if stop is None else min(last, first + stop)
        for piece in _pieces(file, first, until, behaviour, _BLOCK_BYTES if rate is None else _DRIP_BYTES):
            self.wfile.write(piece)
            self.hub.count_sent(len(piece))
            if rate is not None:
                due += len(piece) / rate * (self.hub.active if behaviour.rate_is_shared else 1)
                self.hub.released.wait(max(0.0, due - time.monotonic()))
        if behaviour.stall_after_bytes is not None:
            self.wfile.flush()
            self.hub.stalled.set()
            self.hub.released.wait(30)

    # ---- HTTP

    def _plain(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self._begin(status, {**headers, "Content-Length": str(len(body))})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, ValueError):
            # The client hung up, as it may as soon as it knows enough.
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _stored(data: bytes) -> Stored:
    from tests.models_catalog.hub_server import Stored

    return Stored(data, len(data))


def _pieces(file: Stored, first: int, last: int, behaviour: Behaviour, most: int) -> Iterator[bytes]:
    for start in range(first, last, most):
        piece = file.read(start, min(last, start + most))
        if behaviour.spoiled and start < 4096:
            wrong = 4096 - start
            piece = bytes(byte ^ 0x55 for byte in piece[:wrong]) + piece[wrong:]
        for place in behaviour.flipped_bytes:
            if start <= place < start + len(piece):
                at = place - start
                piece = piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1 :]
        yield piece
