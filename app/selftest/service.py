"""A service of the test's own, in a folder of its own: the user's service and data are left alone."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import app
from app import paths
from app.selftest.values import Finding, Surroundings
from resources.own_program import module_command

START_SECONDS = 12.0
_END_SECONDS = 3.0
# It must not look for, read or show the user's models.
_SETTINGS = "".join(f"find_{name} = false\n" for name in ("ollama", "lm_studio", "jan", "huggingface", "modelscope"))
_MODELS_VARIABLE = "LIANGLI_MODELS_DIR"


class TrialService:
    """Launched by `launch`, waited for by `look`, then used by the window; ended by `close` in any case."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self.folder = surroundings.scratch / "data"
        self._log = surroundings.scratch / "service.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._launched = 0.0

    @property
    def environment(self) -> dict[str, str]:
        """For whoever is to meet this service instead of the user's."""
        kept = {name: value for name, value in self._surroundings.environment.items() if name != _MODELS_VARIABLE}
        return kept | {paths.HOME_VARIABLE: str(self.folder)}

    def launch(self) -> None:
        """Start it; returns at once. Raises OSError."""
        self.folder.mkdir(mode=0o700)
        (self.folder / paths.settings_file().name).write_text(_SETTINGS, encoding="utf-8")
        self._launched = time.time()
        with self._log.open("wb") as file:
            self._process = subprocess.Popen(
                [*module_command("app"), "serve", "--no-daemon", "--port", "0"],
                cwd=Path(app.__file__).parents[1],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )

    def look(self) -> Finding:
        """Wait until it tells its state. Raises OSError where it could not be launched."""
        from app.client.discover import find_service

        if self._process is None:
            self.launch()
        assert self._process is not None
        begun = time.monotonic()
        while time.monotonic() - begun < START_SECONDS:
            if (client := find_service(self.folder, self._surroundings.language)) is not None:
                client.close()
                return Finding(seen=("service",), facts={"start_seconds": round(self._ready() - self._launched, 3)})
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        facts = {"reason": _last_line(self._log), "code": self._process.poll()}
        return Finding(verdict="failed", seen=("service_bad",), facts=facts)

    def _ready(self) -> float:
        """When it wrote where it is to be found: other checks were made meanwhile."""
        return (self.folder / paths.runtime_file().name).stat().st_mtime

    def close(self) -> None:
        """End it, kindly at first, and wait until it is gone."""
        if self._process is None:
            return
        if sys.platform == "win32":
            self._shut_down()
        else:
            self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
            return
        self._process.kill()
        self._process.wait()

    def _shut_down(self) -> None:
        from app.client.discover import find_service
        from app.errors import AppError

        with contextlib.suppress(AppError):
            if (client := find_service(self.folder)) is not None:
                client.shutdown()
                client.close()


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1][:400] if lines else ""
