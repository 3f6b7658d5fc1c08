"""What the checks make of a computer."""

from __future__ import annotations

import hashlib
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.client import discover
from app.selftest import engine, network, storage, system, window
from app.selftest.tiny_model import write_tiny_model
from app.selftest.values import Finding, Surroundings
from inference import engine_report
from inference.engine_report import Device, EngineReport, Variant
from models_catalog.gguf.header import read_header
from models_catalog.gguf.screen import screen
from tests.app.selftest.test_report import surroundings

CPU = Device(name="CPU", description="a processor", type="CPU", free_bytes=1, total_bytes=2)


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    (tmp_path / "scratch").mkdir()
    return surroundings(tmp_path)


def test_the_database_finds_chinese(around: Surroundings) -> None:
    assert storage.database(around).verdict == "ok"


def test_folders_that_can_be_written_are_left_as_they_were(around: Surroundings, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    found = storage.folders(around)
    assert found.verdict in ("ok", "warning")
    assert found.facts["folders"]["data"]["exists"] is False
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_where_a_folder_should_be_is_told(around: Surroundings) -> None:
    around.data_folder.write_bytes(b"")
    found = storage.folders(around)
    assert (found.verdict, found.seen) == ("failed", ("folders_bad",))
    assert any(str(around.data_folder) in one for one in found.facts["unusable"])


def test_a_clock_that_stands_wrong_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert storage.clock().verdict == "ok"
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert storage.clock().seen == ("clock_wrong",)


def test_the_versions() -> None:
    facts = system.versions().facts
    assert facts["system"]
    assert facts["installed"] is False


def _with_port(around: Surroundings, port: int) -> Surroundings:
    around.data_folder.mkdir(exist_ok=True)
    (around.data_folder / "settings.toml").write_text(f"port = {port}\n")
    return around


def test_a_port_that_is_free_or_taken(around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1]
        monkeypatch.setattr(network, "_owner", lambda _: "nginx")
        found = network.port(_with_port(around, number))
        assert (found.verdict, found.seen, found.facts["owner"]) == ("warning", ("port_taken",), "nginx")

        class OurService:
            base_url = f"http://127.0.0.1:{number}"

            def close(self) -> None: ...

        monkeypatch.setattr(discover, "find_service", lambda *_: OurService())
        assert network.port(around).seen == ("port_ours",)
    assert network.port(around).seen == ("port_free",)


@pytest.mark.parametrize(
    ("environment", "seen", "told"),
    [
        ({}, "proxies_none", {}),
        ({"HTTPS_PROXY": "http://me:secret@proxy.corp.example:3128"}, "proxies", {"https_proxy": "http://…:3128"}),
        ({"all_proxy": "http://exa mple:x"}, "proxies_wrong", {"all_proxy": "?"}),
        ({"http_proxy": "ftp://localhost:1"}, "proxies_wrong", {"http_proxy": "?"}),
        ({"http_proxy": "127.0.0.1:1"}, "proxies_silent", {"http_proxy": "http://127.0.0.1:1"}),
    ],
)
def test_proxies(environment: dict[str, str], seen: str, told: dict[str, str], around: Surroundings) -> None:
    found = network.proxies(replace(around, environment=environment))
    assert (found.seen, found.facts["proxies"]) == ((seen,), told)
    assert "secret" not in str(found)
    assert "corp" not in str(found)


@pytest.mark.parametrize(
    ("variables", "plugins", "platform", "seen"),
    [
        ({"QT_IM_MODULE": "ibus"}, ["compose", "ibus"], "xcb", "input"),
        ({"QT_IM_MODULE": "fcitx", "QT_IM_MODULES": "wayland;fcitx;ibus"}, ["compose", "ibus"], "xcb", "input"),
        ({"QT_IM_MODULE": "scim"}, ["compose", "ibus"], "xcb", "input_not_there"),
        ({"QT_IM_MODULE": "ibus", "XMODIFIERS": "@im=fcitx"}, ["ibus"], "xcb", "input_two"),
        ({}, ["compose", "ibus"], "xcb", "input_none"),
        ({}, ["compose", "ibus"], "wayland", "input_plugins"),
        ({}, ["compose"], "xcb", "input_no_plugins"),
        ({}, [], "windows", "input_system"),
    ],
)
def test_input_methods(variables: dict[str, str], plugins: list[str], platform: str, seen: str) -> None:
    said = {"variables": variables, "plugins": plugins}
    assert window.judge_input(said, platform, is_chinese=True).seen == (seen,)


def painted(around: Surroundings, said: dict[str, Any] | None) -> window.Painted:
    result = window.Painted(around, {})
    result.__dict__["said"] = said
    return result


def _run(family: str, missing: int = 0) -> dict[str, Any]:
    return {"family": family, "glyphs": 4, "missing": missing, "chinese": not missing}


@pytest.mark.parametrize(
    ("runs", "seen"),
    [
        ([_run("Noto Sans CJK SC")], "fonts"),
        ([_run("Noto Sans CJK JP")], "fonts_other"),
        ([_run("DejaVu Sans", missing=4)], "fonts_none"),
        ([], "fonts_none"),
    ],
)
def test_fonts(runs: list[dict[str, Any]], seen: str, around: Surroundings) -> None:
    assert painted(around, {"fonts": {"interface": runs}}).fonts().seen == (seen,)


def test_a_window_that_cannot_be_opened_is_told_once(around: Surroundings) -> None:
    broken = painted(around, None)
    assert broken.window().verdict == "failed"
    assert broken.fonts().verdict == broken.input_methods().verdict == "warning"


def test_a_window_in_which_nothing_is_painted(around: Surroundings) -> None:
    said = {"painted": False, "platform": "xcb", "online": True, "first_paint_seconds": 1.0, "screenshot_problem": ""}
    assert painted(around, said).window().seen == ("window_empty",)
    assert painted(around, said | {"painted": True}).window().seen == ("window", "window_with_service")
    assert painted(around, said | {"painted": True, "screenshot_problem": "x"}).window().verdict == "failed"


@pytest.mark.parametrize(
    ("report", "verdict", "seen"),
    [
        (EngineReport(devices=(CPU,)), "ok", ("engine_built_in",)),
        (EngineReport(devices=(CPU,), cpu_variant="zen4", failed=("libggml-vulkan.so",)), "warning", None),
        (EngineReport(ending="illegal_instruction"), "failed", ("engine_illegal_instruction",)),
        (EngineReport(unsound="two_copies", copies=("a", "b")), "failed", ("engine_two_copies",)),
        (EngineReport(), "failed", ("engine_no_device",)),
        (
            EngineReport(devices=(CPU,), cpu_variant="x64", variants=(Variant(name="zen4", score=9),)),
            "ok",
            ("engine_variant", "engine_other_variant"),
        ),
    ],
)
def test_the_engine(
    report: EngineReport,
    verdict: str,
    seen: tuple[str, ...] | None,
    around: Surroundings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_report, "ask_engine", lambda *_, **__: report)
    found = engine.back_ends(around)
    assert found.verdict == verdict
    assert seen is None or found.seen == seen


def test_the_tiny_model_is_sound_and_the_same_each_time(tmp_path: Path) -> None:
    first, second = tmp_path / "1.gguf", tmp_path / "2.gguf"
    write_tiny_model(first)
    write_tiny_model(second)
    assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()
    assert screen(read_header(first)).chat_template is not None


def test_a_real_engine_answers_with_it(around: Surroundings) -> None:
    found: Finding = engine.answer(around)
    assert found.verdict == "ok", found
    assert found.facts["tokens"] == 8
