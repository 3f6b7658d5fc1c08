"""From a fault to what is told of it. Apart from its value, because whoever only passes that on needs no HTTP."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator, Mapping

import httpx

from models_catalog.sources.faults import SourceCut, SourceFailed, SourceFault, SourceUnfit
from models_catalog.sources.problems import SourceProblem

_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})
_KIND_OF_STATUS = {401: "closed", 403: "forbidden", 404: "missing", 410: "missing", 429: "busy"}


def problems_of(faults: Mapping[str, SourceFault]) -> tuple[SourceProblem, ...]:
    """By the name of each source."""
    return tuple(problem_of(name, fault) for name, fault in faults.items())


def problem_of(source: str, fault: SourceFault) -> SourceProblem:
    """What was wrong with the source; its kind is that of the fault, of its HTTP status, or of what caused it."""
    status = fault.status if isinstance(fault, SourceFailed | SourceUnfit) else 0
    wait_seconds = fault.rest_seconds if isinstance(fault, SourceFailed) else 0.0
    of_status = "busy" if wait_seconds and status else _KIND_OF_STATUS.get(status, "status" if status else "")
    return SourceProblem(
        source=source,
        kind=fault.kind or of_status or _kind_of_cause(fault),
        status=status,
        wait_seconds=wait_seconds,
        page=fault.page if isinstance(fault, SourceUnfit) else "",
        detail=fault.detail,
    )


def _kind_of_cause(fault: SourceFault) -> str:
    causes = tuple(_causes(fault))
    for kind, errors in (
        ("dns", socket.gaierror),
        ("tls", ssl.SSLError),
        ("refused", ConnectionRefusedError),
        ("proxy", httpx.ProxyError),
        ("timeout", httpx.ConnectTimeout),
    ):
        if any(isinstance(cause, errors) for cause in causes):
            return kind
    if any(isinstance(cause, OSError) and cause.errno in _UNREACHABLE for cause in causes):
        return "unreachable"
    if any(isinstance(cause, httpx.ConnectError) for cause in causes):
        return "unreachable"
    if any(isinstance(cause, httpx.TimeoutException) for cause in causes):
        return "silent"
    if isinstance(fault, SourceCut) or any(isinstance(cause, httpx.TransportError) for cause in causes):
        return "cut"
    return "other"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that lies behind it; several addresses of one host fail as a group."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
