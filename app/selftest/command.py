"""Makes all checks, writes the report and leaves nothing behind."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import app
from app import paths
from app.cli.display import display_answers
from app.cli.screen import harmless, print_json
from app.errors import AppError
from app.selftest import engine, network, report, service, storage, system, window
from app.selftest.course import make_checks
from app.selftest.values import Check, Result, Surroundings
from app.settings import load_settings
from app.values import Language
from resources.wording import text

FAILED = 1
# Ten seconds are usual. Every check has a limit of its own; this is for a computer on which everything hangs.
WHOLE_SECONDS = 45.0
_QUICK_SECONDS = 3.0


def run(language: Language, *, as_json: bool, screenshot: Path | None) -> int:
    """Print each check as it is made, or all of them as JSON; returns 1 if one failed, else 0."""
    begun = time.monotonic()
    _choose_engine()
    with tempfile.TemporaryDirectory(prefix="liangli-selftest-", ignore_cleanup_errors=True) as scratch:
        surroundings = Surroundings(
            environment=dict(os.environ),
            language=language,
            data_folder=paths.data_folder(),
            scratch=Path(scratch),
            has_display=display_answers(os.environ) and os.environ.get("QT_QPA_PLATFORM") != "offscreen",
            screenshot=screenshot,
        )
        privacy = report.Privacy(surroundings)
        results: list[Result] = []
        if not as_json:
            print(text("selftest.begin", language, version=app.VERSION), flush=True)
        trial = service.TrialService(surroundings)
        try:
            with suppress(OSError):  # tried, and told, once more when its turn comes
                trial.launch()
            for result in make_checks(_checks(surroundings, trial), language, limit_seconds=WHOLE_SECONDS):
                results.append(result)
                if not as_json:
                    print(harmless(report.line(result, language, privacy)), flush=True)
        finally:
            trial.close()
    seconds = time.monotonic() - begun
    if as_json:
        print_json(report.as_json(results, language, privacy, seconds))
    else:
        print(report.last_line(results, language, seconds))
    return FAILED if report.worst(results) == "failed" else 0


def _checks(surroundings: Surroundings, trial: service.TrialService) -> list[Check]:
    painted = window.Painted(surroundings, trial.environment)
    quick = {
        "versions": system.versions,
        "clock": storage.clock,
        "folders": lambda: storage.folders(surroundings),
        "database": lambda: storage.database(surroundings),
        "port": lambda: network.port(surroundings),
        "proxies": lambda: network.proxies(surroundings),
    }
    slow = {
        "engine": (lambda: engine.back_ends(surroundings), engine.REPORT_SECONDS + 1),
        "answer": (lambda: engine.answer(surroundings), engine.ANSWER_SECONDS + 1),
        "service": (trial.look, service.START_SECONDS + 1),
        # Once on the display and, where that does not work, once without.
        "window": (painted.window, 2 * window.LIMIT_SECONDS),
        "fonts": (painted.fonts, _QUICK_SECONDS),
        "input": (painted.input_methods, _QUICK_SECONDS),
    }
    return [
        *(Check(name=name, look=look, limit_seconds=_QUICK_SECONDS) for name, look in quick.items()),
        *(Check(name=name, look=look, limit_seconds=limit) for name, (look, limit) in slow.items()),
    ]


def _choose_engine() -> None:
    """Let children take the engine of the user's settings; no card is tried for it, which would be kept in mind."""
    from app.engine_choice.choice import EngineChoice

    folder = paths.data_folder()
    with suppress(AppError, OSError):
        EngineChoice(folder).apply(load_settings(folder / paths.settings_file().name))
