"""The settings as the service knows them: read at its start, written when a face changes them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from app.settings import Settings, as_values, load_settings, save_settings


class KeptSettings:
    """For the service's loop only. Raises SettingInvalid and DataFolderUnusable."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing = asyncio.Lock()
        self._followers: list[Callable[[], Awaitable[None]]] = []
        self.now: Settings = load_settings(path)

    def values(self) -> dict[str, Any]:
        """All settings as JSON values."""
        return as_values(self.now)

    def follow(self, changed: Callable[[], Awaitable[None]]) -> None:
        """Call this after each change, before whoever made the change is answered."""
        self._followers.append(changed)

    async def change(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Write some settings; returns all of them."""
        async with self._writing:
            self.now = await asyncio.to_thread(save_settings, self._path, changes)
            for changed in self._followers:
                await changed()
        return self.values()
