"""Checks of what stands between the parts of the program, and between it and the network. Nothing goes out."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from app import paths
from app.errors import AppError
from app.selftest.values import Finding, Surroundings
from app.settings import Settings, load_settings

_LOOPBACK = "127.0.0.1"
_OWN_NAMES = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 it is compared with
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_CONNECT_SECONDS = 0.5


def port(surroundings: Surroundings) -> Finding:
    """Whether the service can listen where other programs look for it."""
    wanted = _settings(surroundings).port
    facts: dict[str, Any] = {"port": wanted, "owner": ""}
    if wanted == 0:
        return Finding(seen=("port_any",), facts=facts)
    problem = _problem_of_binding(wanted)
    if problem is None:
        return Finding(seen=("port_free",), facts=facts)
    if problem.errno != errno.EADDRINUSE and sys.platform != "win32":
        return Finding(verdict="warning", seen=("port_refused",), facts=facts | {"reason": problem.strerror})
    if _is_our_service(surroundings, wanted):
        return Finding(seen=("port_ours",), facts=facts | {"owner": "liangli"})
    facts["owner"] = _owner(wanted)
    return Finding(verdict="warning", seen=("port_taken" if facts["owner"] else "port_taken_by_unknown",), facts=facts)


def proxies(surroundings: Surroundings) -> Finding:
    """Which proxies are asked for. Addresses of other computers, names and passwords are not told."""
    found = _found(surroundings.environment)
    told = {name: _told(address) for name, address in found.items()}
    facts: dict[str, Any] = {"proxies": told, "shown": [f"{name}={one}" for name, one in told.items()]}
    if not found:
        return Finding(seen=("proxies_none",), facts=facts)
    if wrong := [name for name, one in told.items() if one == "?"]:
        return Finding(verdict="warning", seen=("proxies_wrong",), facts=facts | {"wrong": wrong})
    silent = sorted({told[name] for name, address in found.items() if not _answers(address)})
    if silent:
        return Finding(verdict="warning", seen=("proxies_silent",), facts=facts | {"silent": silent})
    return Finding(seen=("proxies",), facts=facts)


def _settings(surroundings: Surroundings) -> Settings:
    try:
        return load_settings(surroundings.data_folder / paths.settings_file().name)
    except AppError:
        return Settings()


def _problem_of_binding(wanted: int) -> OSError | None:
    with socket.socket() as trial:
        # As the service does it: connections of before that still linger are no hindrance.
        if sys.platform == "win32":
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((_LOOPBACK, wanted))
            # Without this a port on which another listens in the same way would seem to be free.
            trial.listen(1)
        except OSError as error:
            return error
    return None


def _is_our_service(surroundings: Surroundings, wanted: int) -> bool:
    from app.client.discover import find_service

    client = find_service(surroundings.data_folder, surroundings.language)
    if client is None:
        return False
    client.close()
    return urlsplit(client.base_url).port == wanted


def _owner(wanted: int) -> str:
    """The name of the program that listens there, "" if the system does not tell."""
    import psutil

    try:
        for one in psutil.net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == wanted and one.pid:
                return str(psutil.Process(one.pid).name())
    except (psutil.Error, OSError):
        pass
    return ""


def _found(environment: Mapping[str, str]) -> dict[str, str]:
    named = {name.lower(): value for name, value in environment.items() if name.lower() in _PROXIES and value}
    if sys.platform in ("win32", "darwin"):  # where the system has settings of its own
        for scheme, address in getproxies().items():
            named.setdefault(f"{scheme}_proxy", address)
    return {name: address for name, address in named.items() if name in _PROXIES}


def _told(address: str) -> str:
    """Scheme and port, and the computer if it is this one; "?" for what is no address of a proxy."""
    parts = _parts(address)
    if parts is None:
        return "?"
    scheme, host, number = parts
    return f"{scheme}://{host if host in _OWN_NAMES else '…'}:{number}"


def _parts(address: str) -> tuple[str, str, int] | None:
    try:
        split = urlsplit(address if "://" in address else f"http://{address}")
        scheme, host = split.scheme.lower(), (split.hostname or "").lower()
        number = split.port or {"http": 80, "https": 443}.get(scheme, 1080)
    except ValueError:
        return None
    return (scheme, host, number) if host and scheme in ("http", "https", "socks4", "socks5", "socks5h") else None


def _answers(address: str) -> bool:
    """False for a proxy of this computer that is not running. Others are not asked."""
    parts = _parts(address)
    if parts is None or parts[1] not in _OWN_NAMES:
        return True
    try:
        with socket.create_connection((parts[1], parts[2]), timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False
