"""Tries the hostile files in earnest: `python -m tests.models_catalog.gguf.hostile_run [--count N] [--seed N]`.

Each file goes through `liangli check`, engine child and all, one after the other. Prints who stopped how many, the
longest time and the largest memory, and every run that broke the promise: exit code 0 to 99, one line, no traceback,
within a minute. Exit code 1 if one did. Takes half a second a file; the default test run only screens them.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from app.main import main as liangli
from app.words import exit_code
from tests.models_catalog.gguf.hostile import Case, cases

LONGEST_SECONDS = 60.0
_SCREEN_EXITS = range(30, 48)
_ENGINE_EXITS = ("ModelLoadFailed", "ModelLoadTimeout", "EngineDiedLoading", "EngineDied", "TemplateFailed")


def try_case(case: Case, path: Path) -> tuple[str, float, str]:
    """What became of one file: who stopped it, seconds, and what was printed."""
    path.write_bytes(case.content)
    output = io.StringIO()
    started = time.monotonic()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            code = liangli(["check", str(path)])
        except BaseException as error:
            return f"BROKEN: {type(error).__name__} escaped", time.monotonic() - started, output.getvalue()
    seconds = time.monotonic() - started
    text = output.getvalue().strip()
    if not 0 <= code <= 99 or code in (1, 2):
        return f"BROKEN: exit code {code}", seconds, text
    if not text or "\n" in text or "Traceback" in text:
        return "BROKEN: not one line", seconds, text
    if seconds > LONGEST_SECONDS:
        return "BROKEN: too slow", seconds, text
    return _outcome(code), seconds, text


def _outcome(code: int) -> str:
    if code == 0:
        return "sound"
    if code in _SCREEN_EXITS:
        return "screen"
    return next((name for name in _ENGINE_EXITS if exit_code(name) == code), f"exit code {code}")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=600, help="how many files, drawn from all; 0 for all")
    parser.add_argument("--family", help="only this family")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()

    def wanted() -> Iterator[Case]:
        return (case for case in cases(seed=options.seed) if options.family in (None, case.family))

    # Drawn by number: all files together would take more memory than any engine.
    total = sum(1 for _ in wanted())
    drawn = set(random.Random(options.seed).sample(range(total), min(options.count or total, total)))
    with TemporaryDirectory() as folder:
        os.environ["LIANGLI_HOME"] = folder
        some = (case for number, case in enumerate(wanted()) if number in drawn)
        return _try_all(some, Path(folder) / "model.gguf", verbose=options.verbose)


def _try_all(some: Iterator[Case], path: Path, *, verbose: bool) -> int:
    outcomes: Counter[str] = Counter()
    slowest = (0.0, "")
    largest = (_largest_child_bytes(), "")
    for case in some:
        outcome, seconds, text = try_case(case, path)
        outcomes[outcome] += 1
        largest = max(largest, (_largest_child_bytes(), f"{case.family}: {case.name}"), key=lambda pair: pair[0])
        slowest = max(slowest, (seconds, f"{case.family}: {case.name}"))
        if verbose or outcome not in ("sound", "screen", "ModelLoadFailed"):
            print(f"{outcome:22} {seconds:5.1f} s  {case.family}: {case.name} | {text[-300:]}", flush=True)
    print(f"{outcomes.total()} files: {dict(outcomes.most_common())}")
    print(f"slowest {slowest[0]:.1f} s ({slowest[1]}), largest engine {largest[0] / 1e6:.0f} MB ({largest[1]})")
    return int(any(outcome.startswith("BROKEN") for outcome in outcomes))


def _largest_child_bytes() -> int:
    """Resident memory, mapped files included, of the largest child so far."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


if __name__ == "__main__":
    sys.exit(main())
