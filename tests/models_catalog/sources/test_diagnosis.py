from __future__ import annotations

import errno
import socket
import ssl

import httpx
import pytest

from app.words import describe_error
from models_catalog.errors import NoSourceWorked
from models_catalog.sources.diagnosis import problem_of, problems_of
from models_catalog.sources.faults import SourceCut, SourceFailed, SourceFault, SourceUnfit
from resources import wording


def caused(fault: SourceFault, *causes: BaseException) -> SourceFault:
    last: BaseException = fault
    for cause in causes:
        last.__cause__ = cause
        last = cause
    return fault


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (caused(SourceFailed("x"), httpx.ConnectError("x"), OSError("x"), socket.gaierror(-2, "x")), "dns"),
        (caused(SourceFailed("x"), httpx.ConnectError("x"), ConnectionRefusedError()), "refused"),
        (
            caused(SourceFailed("x"), httpx.ConnectError("x"), ExceptionGroup("x", [ConnectionRefusedError()])),
            "refused",
        ),
        (caused(SourceFailed("x"), httpx.ConnectError("x"), ssl.SSLCertVerificationError()), "tls"),
        (caused(SourceFailed("x"), httpx.ConnectError("x"), OSError(errno.ENETUNREACH, "x")), "unreachable"),
        (caused(SourceFailed("x"), httpx.ConnectTimeout("x")), "timeout"),
        (caused(SourceFailed("x"), httpx.ReadTimeout("x")), "silent"),
        (caused(SourceFailed("x"), httpx.ProxyError("x")), "proxy"),
        (SourceCut("x"), "cut"),
        (SourceFailed("x", kind="slow"), "slow"),
        (SourceFailed("x", status=429), "busy"),
        (SourceFailed("x", status=503, rest_seconds=7), "busy"),
        (SourceFailed("x", status=503), "status"),
        (SourceUnfit("x", status=401), "closed"),
        (SourceUnfit("x", status=418), "status"),
        (SourceFailed("x"), "other"),
    ],
)
def test_a_fault_is_told_as_what_it_was(fault: SourceFault, kind: str) -> None:
    problem = problem_of("Hub", fault)
    assert problem.kind == kind
    assert wording.entry(f"hubs.problem.{kind}")


def test_every_source_is_said_in_both_languages() -> None:
    faults = {
        "ModelScope": SourceFailed("HTTP 503", status=503),
        "Hugging Face": SourceFailed("busy", status=429, rest_seconds=90.0),
        "hf-mirror": caused(SourceFailed("cannot be reached"), httpx.ConnectError("x"), socket.gaierror(-2, "x")),
        "somewhere": SourceFailed("sunspots"),
    }
    error = NoSourceWorked(file="m.gguf", problems=problems_of(faults))
    assert describe_error(error, "zh").endswith(
        "（ModelScope：服务器出错，HTTP 503；Hugging Face：请求太多，请等 90 秒再试；"
        "hf-mirror：找不到这个网址，域名解析失败；somewhere：出错了（sunspots））"
    )
    assert describe_error(error, "en").endswith(
        "(ModelScope: server error, HTTP 503; Hugging Face: too many requests, try again in 90 s; "
        "hf-mirror: its name cannot be resolved; somewhere: failed (sunspots))"
    )
