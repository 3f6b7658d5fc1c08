"""Which names a signed index may give to files: plain ones that mean the same on every system."""

from __future__ import annotations

import re

# No folders, no spaces, no upper case (two names could be one on Windows), no dot or dash in front.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*\.[a-z0-9]{1,8}")
_MAX_CHARACTERS = 80
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def is_plain_name(name: str) -> bool:
    """True for "qwen3.json"; False for whatever could leave a folder, name a device or collide with another name."""
    return len(name) <= _MAX_CHARACTERS and _NAME.fullmatch(name) is not None and _DEVICES.fullmatch(name) is None
