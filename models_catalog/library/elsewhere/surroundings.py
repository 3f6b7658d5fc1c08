"""What decides where other programs keep their models."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """system: as `sys.platform` says it. Tests have their own."""

    environment: Mapping[str, str]
    home: Path
    system: str

    def named(self, variable: str) -> Path | None:
        """The folder that an environment variable names; a ~ in it is the home folder."""
        value = self.environment.get(variable, "").strip()
        if value == "~" or value.startswith(("~/", "~\\")):
            return self.home / value[2:]
        return Path(value) if value else None

    @property
    def user_data(self) -> Path:
        """Where programs keep the data of this user."""
        if self.system == "win32":
            return self.named("APPDATA") or self.home / "AppData" / "Roaming"
        if self.system == "darwin":
            return self.home / "Library" / "Application Support"
        return self.named("XDG_DATA_HOME") or self.home / ".local" / "share"

    @property
    def user_cache(self) -> Path:
        """Where programs made for Unix keep their caches, on every system."""
        return self.named("XDG_CACHE_HOME") or self.home / ".cache"


def this_computer() -> Surroundings:
    """Of this user, now."""
    return Surroundings(environment=os.environ, home=Path.home(), system=sys.platform)
