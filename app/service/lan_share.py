"""Sharing models on the local network: on while the settings say so, at whatever private addresses there are now."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.errors import DataFolderUnusable
from app.service.kept_settings import KeptSettings
from app.service.token import kept_secret
from app.values import LocalModel, ShareStatus
from models_catalog.library.files import parts

if TYPE_CHECKING:
    from models_catalog.lan.server import LanServer

log = logging.getLogger(__name__)

# Laptops change networks, and settings change.
_LOOK_SECONDS = 3.0
_IDLE_SECONDS = 15.0
# The library is a walk over the disk: not for every range that is asked for.
_REMEMBERED_SECONDS = 30.0


class ReadModels(Protocol):
    """The models on this computer; blocking."""

    def __call__(self) -> Sequence[LocalModel]: ...


class SharedFiles:
    """Files of the library by the hash that they are known to have; blocking, for any thread."""

    def __init__(self, models: ReadModels) -> None:
        self._models, self._lock = models, threading.Lock()
        self._files: Mapping[str, Path] = {}
        self._read_at = float("-inf")

    def __call__(self, sha256: str) -> Path | None:
        """The file, if this computer has it."""
        with self._lock:
            if time.monotonic() - self._read_at > _REMEMBERED_SECONDS:
                self._files, self._read_at = files_by_hash(self._models()), time.monotonic()
            return self._files.get(sha256)


def files_by_hash(models: Sequence[LocalModel]) -> dict[str, Path]:
    """The files of sound models whose hashes are all known."""
    found: dict[str, Path] = {}
    for model in models:
        if model.sha256 and not model.missing and model.problem is None:
            files = parts(Path(model.path))
            if len(files) == len(model.sha256):
                found.update(zip(model.sha256, files, strict=True))
    return found


class LanShare:
    """For the service's loop. `open` before anything else, `close` at the end. code_file: this computer's code."""

    def __init__(
        self,
        *,
        settings: KeptSettings,
        models: ReadModels,
        code_file: Path,
        own_addresses: Callable[[], Sequence[str]] | None = None,
        loopback: bool = False,
    ) -> None:
        """own_addresses: those of private networks. loopback: this computer itself counts as one, for tests."""
        self._settings, self._models, self._code_file = settings, models, code_file
        self._own_addresses, self._loopback = own_addresses, loopback
        self._server: LanServer | None = None
        self._key = b""
        self._following: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()

    async def open(self) -> None:
        """Shares as soon, and as long, as the settings say so."""
        self._following = asyncio.create_task(self._follow(), name="share on the local network")

    async def close(self) -> None:
        """Shares no longer."""
        if self._following is not None:
            self._following.cancel()
        if self._server is not None:
            await self._server.close()

    async def status(self) -> ShareStatus:
        """How it is now, after the settings were looked at. Raises DataFolderUnusable."""
        await self._look()
        return ShareStatus(
            sharing=self._settings.now.lan_share,
            addresses=self._server.addresses if self._server is not None else (),
            code=await asyncio.to_thread(self._read_code),
            peers=tuple(self._settings.now.lan_peers),
        )

    async def renew_code(self) -> ShareStatus:
        """Another code; from now on the former opens nothing. Raises DataFolderUnusable."""
        await asyncio.to_thread(self._code_file.unlink, missing_ok=True)
        code = await asyncio.to_thread(self._read_code)
        self._key = _key(code)
        return await self.status()

    async def add_peer(self, address: str, code: str) -> ShareStatus:
        """Ask another computer from now on, if it shares and accepts the code. Raises leaves of PeerRefused."""
        # Imported when it is needed: its HTTP client is memory that an idle service can do without.
        from models_catalog.lan.asking import check_peer

        full = await check_peer(address, code, loopback=self._loopback)
        await self._settings.change({"lan_peers": {**self._settings.now.lan_peers, full: code}})
        return await self.status()

    async def remove_peer(self, address: str) -> ShareStatus:
        """Ask it no more; nothing happens where it was not asked."""
        kept = {peer: code for peer, code in self._settings.now.lan_peers.items() if address not in (peer, _host(peer))}
        await self._settings.change({"lan_peers": kept})
        return await self.status()

    async def _follow(self) -> None:
        while True:
            try:
                await self._look()
            except DataFolderUnusable as error:
                log.warning("nothing is shared: %s cannot be used", error.path)
            await asyncio.sleep(_LOOK_SECONDS if self._settings.now.lan_share else _IDLE_SECONDS)

    async def _look(self) -> None:
        """The server is as the settings and the networks are."""
        async with self._changing:
            if not self._settings.now.lan_share:
                if self._server is not None:
                    await self._server.close()
                    self._server = None
                return
            from models_catalog.lan.places import own_addresses
            from models_catalog.lan.server import LanServer

            if self._server is None:
                self._key = _key(await asyncio.to_thread(self._read_code))
                self._server = LanServer(
                    files=SharedFiles(self._models), key=lambda: self._key, loopback=self._loopback
                )
            addresses = await asyncio.to_thread(self._own_addresses or own_addresses)
            await self._server.listen(addresses, self._settings.now.lan_port)

    def _read_code(self) -> str:
        from models_catalog.lan.codes import new_code

        return kept_secret(self._code_file, new_code)


def _key(code: str) -> bytes:
    from models_catalog.lan.codes import key_of, new_code

    # A code file that somebody spoiled opens nothing.
    return key_of(code) or key_of(new_code()) or b""


def _host(peer: str) -> str:
    return peer.partition(":")[0]
