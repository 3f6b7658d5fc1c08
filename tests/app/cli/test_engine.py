"""`liangli engine`: what it shows, and what it writes. A report stands in for the engine's child."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app import paths
from app.main import main
from app.settings import load_settings
from inference.engine_packs.store import this_system
from inference.engine_report import Device, EngineReport, Variant
from tests.app.cli.fake_service import FakeService
from tests.inference.engine_packs.archives import manifest_bytes, pack

GIB = 1 << 30
REPORT = EngineReport(
    ggml="0.25.3",
    separate=True,
    cpu_variant="haswell",
    variants=(Variant(name="haswell", score=64), Variant(name="x64", score=1), Variant(name="zen4", score=0)),
    loaded=("libggml-vulkan.so",),
    failed=("libggml-cuda.so",),
    devices=(Device(name="CPU", description="EPYC", type="CPU", free_bytes=GIB, total_bytes=GIB),),
)
FIXED = EngineReport(ggml="0.25.3", devices=REPORT.devices)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An engine's folder with its manifest; its report is REPORT."""
    folder = tmp_path / "engine"
    (folder / "llama_cpp" / "lib").mkdir(parents=True)
    (folder / "llama_cpp" / "lib" / "libggml-cpu-x64.so").write_bytes(b"code")
    files = {"llama_cpp/lib/libggml-cpu-x64.so": b"code"}
    facts = {"kind": "engine", "name": "llama-cpp-python", "version": "0.3.36", "system": this_system()}
    (folder / "manifest.json").write_bytes(manifest_bytes(files, **facts))
    # Through the environment of the process, which is as it was after the test.
    for name in ("BACK_ENDS", "ENGINE_PACKS", "CPU_VARIANT", "CHOSEN"):
        monkeypatch.setenv(f"LIANGLI_{name}", "")
    monkeypatch.setenv("LIANGLI_ENGINE", str(folder))
    monkeypatch.setattr("app.cli.engine.ask_engine", lambda: REPORT)
    monkeypatch.setattr("app.engine_choice.choice.EngineChoice.try_cards", lambda self: None)
    return folder


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["engine", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_all_that_is_known_is_shown(engine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["engine", "--lang", "zh"]) == 0
    said = capsys.readouterr().out
    assert "haswell （最快）" in said and "haswell、x64" in said and "zen4" in said
    assert "CPU、Vulkan" in said and "没能载入：libggml-cuda.so" in said
    found = _json(capsys, "list")
    assert found["cpu_variant"] == "haswell" and found["variants"][2] == {"name": "zen4", "score": 0}
    assert found["settings"] == {"engine": "", "engine_packs": "auto", "cpu_variant": "auto"}


def test_a_pack_is_added_chosen_and_removed(engine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = pack(
        tmp_path / "p.tar.xz", {"libggml-cuda.so": b"x"}, name="cuda", system=this_system(), needs=["driver"]
    )
    assert main(["engine", "add", str(archive)]) == 0
    assert "Added the pack cuda" in capsys.readouterr().err
    (one,) = _json(capsys, "list")["added"]
    assert one["name"] == "cuda" and one["fits"] and one["in_use"]
    assert main(["engine", "select", "cpu"]) == 0
    assert not _json(capsys)["added"][0]["in_use"]
    assert main(["engine", "select", "cuda"]) == 0
    assert load_settings(paths.settings_file()).engine_packs == "cuda"
    capsys.readouterr()
    assert main(["engine"]) == 0
    assert "in use" in (said := capsys.readouterr().out) and "needs driver" in said
    assert main(["engine", "remove", "cuda"]) == 0
    assert load_settings(paths.settings_file()).engine_packs == "auto"
    assert _json(capsys)["added"] == []


@pytest.mark.parametrize(
    ("facts", "code", "said"),
    [
        ({"ggml": "0.25.4"}, 101, "exactly the engine's version. (file: 0.25.4) (expected: 0.25.3)"),
        ({"system": "plan9-mips"}, 101, "another system"),
        ({"kind": "engine", "version": "0.4.0"}, 101, "does not fit this version of Liangli"),
    ],
)
def test_what_does_not_fit_is_said(
    engine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], facts: dict[str, str], code: int, said: str
) -> None:
    archive = pack(tmp_path / "p.tar.xz", {"a.so": b"x"}, **{"system": this_system(), **facts})
    assert main(["engine", "add", str(archive)]) == code
    assert said in capsys.readouterr().err


def test_addresses_unknown_names_and_missing_files(engine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["engine", "add", "https://example.org/p.tar.xz"]) == 101
    assert main(["engine", "add", "no such file"]) == 101
    assert main(["engine", "remove", "vulkan"]) == 102
    assert main(["engine", "select", "vulkan"]) == 102
    assert "download it first" in capsys.readouterr().err


def test_a_variant_is_chosen_by_name_or_the_plainest(engine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["engine", "variant"]) == 0
    assert capsys.readouterr().out == "haswell\n"
    for variant in ("x64", "safe", "auto"):
        assert main(["engine", "variant", variant]) == 0
        assert load_settings(paths.settings_file()).cpu_variant == variant
    assert main(["engine", "variant", "zen4"]) == 6, "it does not run here"
    assert "auto | safe | haswell | x64" in capsys.readouterr().err


def test_an_engine_with_one_variant(
    engine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("app.cli.engine.ask_engine", lambda: FIXED)
    assert main(["engine", "variant", "safe"]) == 0
    assert "one variant only" in capsys.readouterr().err


def test_the_check_finds_damage_and_an_engine_that_cannot_work(
    engine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["engine", "check"]) == 0
    assert "in order" in capsys.readouterr().err
    monkeypatch.setattr("app.cli.engine.ask_engine", lambda: EngineReport(unsound="two_copies"))
    assert main(["engine", "check"]) == 100
    assert "loaded twice" in capsys.readouterr().err
    (engine / "llama_cpp" / "lib" / "libggml-cpu-x64.so").write_bytes(b"worm")
    assert main(["engine", "check"]) == 104
    assert "libggml-cpu-x64.so" in capsys.readouterr().err


def test_a_running_service_is_told(engine: Path, service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr("app.client.http.ServiceClient.update_settings", lambda self, **changes: told.append(changes))
    assert main(["engine", "variant", "x64"]) == 0
    assert told == [{"cpu_variant": "x64"}]
