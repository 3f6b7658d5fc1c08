"""The window, painted in a child: a display that does not work, or a broken plugin of Qt, ends the whole process."""

from __future__ import annotations

import json
import subprocess
import time
from functools import cached_property
from pathlib import Path
from typing import Any

import app
from app.selftest.values import Finding, Surroundings
from resources.own_program import module_command

LIMIT_SECONDS = 8.0
_OFFSCREEN = "offscreen"
# Slower than this the first paint is not what people call at once.
_SLOW_SECONDS = 3.0
_JAPANESE_AND_OTHERS = (" JP", " KR", " TC", " HK")


class Painted:
    """What the child said, asked once for all three checks."""

    def __init__(self, surroundings: Surroundings, environment: dict[str, str]) -> None:
        self._surroundings = surroundings
        self._environment = environment
        self._problem = ""

    @cached_property
    def said(self) -> dict[str, Any] | None:
        """On the display if there is one, without it where that fails; None where Qt does not run at all."""
        wanted = self._environment.get("QT_QPA_PLATFORM") or ("" if self._surroundings.has_display else _OFFSCREEN)
        said = self._ask(wanted)
        if said is None and wanted != _OFFSCREEN:
            problem, said = self._problem, self._ask(_OFFSCREEN)
            self._problem = problem
        return said

    def window(self) -> Finding:
        """It is painted, how soon, and on what."""
        said = self.said
        if said is None:
            return Finding(verdict="failed", seen=("window_bad",), facts={"reason": self._problem})
        facts = {name: value for name, value in said.items() if name not in ("fonts", "input")}
        if self._problem:
            return Finding(verdict="failed", seen=("window_only_offscreen",), facts=facts | {"reason": self._problem})
        if not said["painted"]:
            return Finding(verdict="failed", seen=("window_empty",), facts=facts)
        seen = ["window" if said["platform"] != _OFFSCREEN else "window_offscreen"]
        seen += ["window_with_service" if said["online"] else "window_alone"]
        if said["screenshot_problem"]:
            return Finding(verdict="failed", seen=(*seen, "screenshot_bad"), facts=facts)
        slow = said["first_paint_seconds"] > _SLOW_SECONDS
        seen += ["window_slow"] * slow
        return Finding(verdict="warning" if slow else "ok", seen=tuple(seen), facts=facts)

    def fonts(self) -> Finding:
        """Chinese is drawn with real characters, in their Chinese shapes."""
        if self.said is None:
            return Finding(verdict="warning", seen=("window_needed",))
        drawn: dict[str, list[dict[str, Any]]] = self.said["fonts"]
        families = sorted({one["family"] for runs in drawn.values() for one in runs if one["chinese"]})
        facts = {"fonts": drawn, "families": families}
        if not families or any(one["missing"] for runs in drawn.values() for one in runs):
            return Finding(verdict="failed", seen=("fonts_none",), facts=facts)
        if other := [family for family in families if family.endswith(_JAPANESE_AND_OTHERS)]:
            return Finding(verdict="warning", seen=("fonts_other",), facts=facts | {"other": other})
        return Finding(seen=("fonts",), facts=facts)

    def input_methods(self) -> Finding:
        """Chinese can be typed: the plugins are there, and the variables name one of them."""
        if self.said is None:
            return Finding(verdict="warning", seen=("window_needed",))
        return judge_input(self.said["input"], self.said["platform"], self._surroundings.language == "zh")

    def _ask(self, platform: str) -> dict[str, Any] | None:
        screenshot = str(self._surroundings.screenshot.absolute()) if self._surroundings.screenshot else ""
        environment = self._environment | ({"QT_QPA_PLATFORM": platform} if platform else {})
        arguments = (self._surroundings.language, repr(time.time()), screenshot)
        try:
            done = subprocess.run(
                [*module_command("app.gui.painting"), *arguments],
                cwd=Path(app.__file__).parents[1],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=LIMIT_SECONDS,
                check=False,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except subprocess.TimeoutExpired:
            self._problem = "timeout"
            return None
        try:
            said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
            return said
        except (ValueError, IndexError):
            lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
            telling = [line for line in lines if "plugin" in line.lower() or "error" in line.lower()] or lines
            self._problem = telling[0][:400] if telling else f"exit code {done.returncode}"
            return None


def judge_input(said: dict[str, Any], platform: str, is_chinese: bool) -> Finding:
    """said: {"variables": …, "plugins": […]} as the window's program has them."""
    plugins, variables = said["plugins"], said["variables"]
    wanted = [name for name in (variables.get("QT_IM_MODULES") or variables.get("QT_IM_MODULE", "")).split(";") if name]
    facts = {**said, "wanted": wanted}
    if platform not in ("xcb", "wayland", _OFFSCREEN):  # Windows and macOS have it built in
        return Finding(seen=("input_system",), facts=facts)
    if "ibus" not in plugins:
        return Finding(verdict="failed", seen=("input_no_plugins",), facts=facts)
    if wanted and not any(name in (*plugins, "wayland", "xim") for name in wanted):
        return Finding(verdict="warning", seen=("input_not_there",), facts=facts)
    named = variables.get("XMODIFIERS", "").removeprefix("@im=")
    if wanted and named and named not in (*wanted, "none"):
        return Finding(verdict="warning", seen=("input_two",), facts=facts | {"named": named})
    if not wanted and platform == "xcb":
        return Finding(verdict="warning" if is_chinese else "ok", seen=("input_none",), facts=facts)
    return Finding(seen=("input",) if wanted else ("input_plugins",), facts=facts)
