"""Versions of the program and of what it stands on."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

import app
from app.selftest.values import Finding
from resources.own_program import is_frozen


def versions() -> Finding:
    """Told, not judged: what is too old fails by itself before it comes to this. Qt's stand with the window."""
    from inference.engine_version import engine_version

    facts: dict[str, Any] = {
        "app": app.VERSION,
        "installed": is_frozen(),
        "python": platform.python_version(),
        "engine": engine_version(),
        "system": system_name(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "glibc": glibc(),
    }
    return Finding(seen=("versions", *(("glibc",) if facts["glibc"] else ())), facts=facts)


def system_name() -> str:
    """ "Debian GNU/Linux 12 (bookworm)", "Windows 11 10.0.26100", "macOS 15.1"."""
    if sys.platform == "win32":
        return f"Windows {platform.release()} {platform.version()}"
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()


def glibc() -> str:
    """ "2.36"; "" where there is another C library."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").removeprefix("glibc ")
    except (AttributeError, ValueError, OSError):
        return ""
