"""Makes the checks one after another; one that fails, hangs or breaks does not keep the others from being made."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator

from app import words
from app.selftest.values import Check, Finding, Result
from app.values import Language

LOG = logging.getLogger(__name__)


def make_checks(checks: Iterable[Check], language: Language, *, limit_seconds: float) -> Iterator[Result]:
    """Each result as soon as it is known. A check for which no time is left of the whole is not made, and says so."""
    deadline = time.monotonic() + limit_seconds
    for check in checks:
        begun = time.monotonic()
        finding = _made(check, language, min(check.limit_seconds, deadline - begun))
        yield Result(name=check.name, finding=finding, seconds=time.monotonic() - begun)


def _made(check: Check, language: Language, limit_seconds: float) -> Finding:
    found: list[Finding] = []

    def look() -> None:
        try:
            found.append(check.look())
        except Exception as error:  # whatever it was: it is the finding
            LOG.debug("the check %s broke", check.name, exc_info=True)
            found.append(broken(error, language))

    if limit_seconds <= 0:
        return Finding(verdict="warning", seen=("no_time",))
    thread = threading.Thread(target=look, name=f"check {check.name}", daemon=True)
    thread.start()
    thread.join(limit_seconds)
    if found:
        return found[0]
    if limit_seconds < check.limit_seconds:  # not its own fault
        return Finding(verdict="warning", seen=("no_time",))
    return Finding(verdict="failed", seen=("too_slow",), facts={"limit_seconds": round(limit_seconds, 1)})


def broken(error: Exception, language: Language) -> Finding:
    """What went wrong, in the app's own words."""
    facts = {"error": type(error).__name__, "reason": words.describe_error(error, language)}
    return Finding(verdict="failed", seen=("broken",), facts=facts)
