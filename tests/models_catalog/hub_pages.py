"""What the local hub's addresses mean, and the pages in which hubs and a package index list their files."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from tests.models_catalog.hub_server import HubServer, Stored

Page = tuple[bytes, dict[str, str]]
_JSON = {"Content-Type": "application/json"}
_REPOSITORY = r"(?P<repository>[^/]+/[^/]+)"
_HUB = r"/(?P<hub>huggingface|mirror)"
_PATHS = (
    (rf"/modelscope/api/v1/models/{_REPOSITORY}/repo/files", "modelscope-list"),
    (rf"/(?P<hub>modelscope)/models/{_REPOSITORY}/resolve/[^/]+/(?P<name>.+)", ""),
    (rf"{_HUB}/api/models/{_REPOSITORY}(/revision/[^/]+)?", "-list"),
    (rf"{_HUB}/api/models/{_REPOSITORY}/tree/[^/]+(/(?P<name>.+))?", "-tree"),
    (rf"{_HUB}/{_REPOSITORY}/resolve/[^/]+/(?P<name>.+)", ""),
    (rf"/(?P<hub>[a-z]+-cdn|cdn)/{_REPOSITORY}/(?P<name>.+)", ""),
    (r"/(?P<hub>plain|simple|wheels)/(?P<name>.+?)/?", ""),
    (r"/(?P<hub>[^/]+)/(?P<name>.*)", ""),
)


@dataclass(frozen=True)
class Place:
    """What an address means; repository and name are "" where there is none."""

    route: str
    repository: str
    name: str


def place_of(path: str) -> Place:
    """path: without percent signs."""
    for pattern, ending in _PATHS:
        if match := re.fullmatch(pattern, path):
            found = {"hub": "", "repository": "", "name": "", **match.groupdict(default="")}
            return Place(f"{found['hub']}{ending}", found["repository"], found["name"])
    return Place("nowhere", "", "")


def linked_headers(file: Stored) -> dict[str, str]:
    """What Hugging Face says of a large file before it redirects to it."""
    from tests.models_catalog.hub_server import COMMIT

    return {
        "X-Linked-Etag": f'"{file.sha256}"',
        "X-Linked-Size": str(file.size_bytes),
        "X-Repo-Commit": COMMIT,
        "ETag": f'"{file.sha256[:40]}"',
        "Accept-Ranges": "bytes",
    }


def model_info(hub: HubServer, repository: str) -> Page:
    """`GET /api/models/{repository}/revision/{revision}?blobs=true`."""
    from tests.models_catalog.hub_server import COMMIT

    siblings = [
        {
            "rfilename": name,
            "blobId": file.sha256[:40],
            "size": file.size_bytes,
            "lfs": {"sha256": file.sha256, "size": file.size_bytes, "pointerSize": 135},
        }
        for name, file in hub.in_repository(repository).items()
    ]
    page = {
        "_id": "621ffdc036468d709f17434d",
        "id": repository,
        "modelId": repository,
        "author": repository.partition("/")[0],
        "sha": COMMIT,
        "lastModified": "2025-05-09T07:53:32.000Z",
        "private": repository in hub.private,
        "gated": "manual" if repository in hub.gated else False,
        "disabled": False,
        "downloads": 1,
        "likes": 1,
        "tags": ["gguf"],
        "siblings": siblings,
    }
    return json.dumps(page).encode(), _JSON


def tree(hub: HubServer, place: Place, here: str, query: dict[str, str]) -> Page:
    """`GET /api/models/{repository}/tree/{revision}?recursive=…`, `page_entries` at a time with a Link to the next."""
    prefix = f"{place.name}/" if place.name else ""
    files = {name: file for name, file in hub.in_repository(place.repository).items() if name.startswith(prefix)}
    whole = query.get("recursive", "").lower() in ("true", "1")
    entries: list[dict[str, Any]] = []
    for name, file in sorted(files.items()):
        parents = name.removeprefix(prefix).split("/")[:-1]
        for depth in range(1, len(parents) + 1 if whole else min(2, len(parents) + 1)):
            folder = {"type": "directory", "oid": "0" * 40, "size": 0, "path": prefix + "/".join(parents[:depth])}
            if folder not in entries:
                entries.append(folder)
        if whole or not parents:
            lfs = {"oid": file.sha256, "size": file.size_bytes, "pointerSize": 135}
            entries.append({"type": "file", "oid": file.sha256[:40], "size": file.size_bytes, "path": name, "lfs": lfs})
    start = int(query.get("cursor", "0"))
    end = start + hub.page_entries
    headers = dict(_JSON)
    if end < len(entries):
        headers["Link"] = f'<{here}?{urlencode({**query, "cursor": end})}>; rel="next"'
    return json.dumps(entries[start:end]).encode(), headers


def modelscope_listing(hub: HubServer, repository: str) -> Page:
    """`GET /api/v1/models/{repository}/repo/files?Revision=…&Recursive=true`."""
    from tests.models_catalog.hub_server import COMMIT

    entries = [
        {"Path": name, "Size": file.size_bytes, "Sha256": file.sha256, "Type": "blob", "Revision": COMMIT}
        for name, file in hub.in_repository(repository).items()
    ]
    return json.dumps({"Code": 200, "Data": {"Files": entries}, "Success": True}).encode(), _JSON


def index_page(hub: HubServer, name: str) -> Page:
    """The wheels of one package: PEP 691 JSON or PEP 503 HTML, as `index_json` says."""
    files = {
        filename: hashlib.sha256(data).hexdigest()
        for filename, data in hub.wheels.items()
        if filename.startswith(name.replace("-", "_") + "-")
    }
    if not hub.index_json:
        anchors = "".join(f'<a href="/wheels/{f}#sha256={d}">{f}</a>' for f, d in files.items())
        return f"<!DOCTYPE html><html><body>{anchors}</body></html>".encode(), {"Content-Type": "text/html"}
    listed = [
        {"filename": filename, "url": f"../../wheels/{filename}", "hashes": {"sha256": digest}}
        for filename, digest in files.items()
    ]
    page = {"meta": {"api-version": "1.0"}, "name": name, "files": listed}
    return json.dumps(page).encode(), {"Content-Type": "application/vnd.pypi.simple.v1+json"}
