"""What children are given: by the settings, by what the user set himself, and by what went wrong before."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.engine_choice import verdicts
from app.engine_choice.choice import EngineChoice
from app.engine_choice.environment import own_variables, set_variables
from app.settings import Settings
from inference.engine_packs.store import Fitting, PackStore, this_system
from inference.engine_report import EngineReport
from tests.inference.engine_packs.archives import manifest_bytes, pack

SOUND = EngineReport(loaded=("libggml-vulkan.so",))
CRASHED, HUNG, ILLEGAL = (EngineReport(ending=one) for one in ("failed", "hangs", "illegal_instruction"))


@dataclass
class Computer:
    """An engine's folder, a data folder, and children that answer one after the other as they are told to."""

    engine: Path
    home: Path
    answers: list[EngineReport] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.environment = {"LIANGLI_ENGINE": str(self.engine)}

    def choice(self, settings: Settings | None = None) -> EngineChoice:
        choice = EngineChoice(self.home, environment=self.environment, ask=self._ask)
        choice.apply(settings or Settings())
        return choice

    def _ask(self, environment: Mapping[str, str]) -> EngineReport:
        self.asked.append(dict(environment))
        return self.answers.pop(0)

    def add(self, name: str, **facts: str) -> Path:
        archive = pack(
            self.home.parent / f"{name}.tar.xz", {f"libggml-{name}.so": b"x"}, name=name, system=this_system()
        )
        return PackStore(self.home).add(archive, Fitting(system=this_system(), ggml="0.25.3")).folder

    @property
    def cards(self) -> bool:
        return "LIANGLI_BACK_ENDS" not in self.environment


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Computer:
    libraries = tmp_path / "engine" / "llama_cpp" / "lib"
    libraries.mkdir(parents=True)
    for name in ("base.so.0", "cpu-x64.so", "cpu-zen4.so"):
        (libraries / f"libggml-{name}").touch()
    manifest = manifest_bytes(
        {"a": b""}, kind="engine", name="llama-cpp-python", version="0.3.36", system=this_system()
    )
    (tmp_path / "engine" / "manifest.json").write_bytes(manifest)
    monkeypatch.setattr(verdicts, "_LINUX_DRIVERS", (str(tmp_path / "driver"),))
    (tmp_path / "driver").write_text("580.1")
    return Computer(tmp_path / "engine", tmp_path / "home")


@pytest.fixture
def vulkan(computer: Computer) -> Computer:
    (computer.engine / "llama_cpp" / "lib" / "libggml-vulkan.so").touch()
    return computer


def test_without_a_back_end_for_cards_nothing_is_tried(computer: Computer) -> None:
    choice = computer.choice()
    assert not choice.must_try and computer.cards and choice.issues() == ()
    choice.try_cards()
    assert computer.asked == []


def test_cards_are_tried_in_a_child_before_they_are_used_and_only_once(vulkan: Computer) -> None:
    vulkan.answers = [SOUND]
    choice = vulkan.choice()
    assert choice.must_try and not vulkan.cards, "until it is known, no card"
    choice.try_cards()
    assert "LIANGLI_BACK_ENDS" not in vulkan.asked[0]
    assert vulkan.cards and not choice.must_try
    assert not vulkan.choice().must_try and vulkan.cards, "remembered"


@pytest.mark.parametrize(("answer", "advice"), [(CRASHED, "cards_failed"), (HUNG, "cards_hangs")])
def test_a_driver_that_ends_the_child_is_not_touched_again(vulkan: Computer, answer: EngineReport, advice: str) -> None:
    vulkan.answers = [answer]
    vulkan.choice().try_cards()
    choice = vulkan.choice()
    assert choice.cards_off and not choice.must_try and not vulkan.cards
    assert [issue.advice for issue in choice.issues()] == [advice]
    choice.forget()
    assert choice.must_try and choice.issues() == ()


@pytest.mark.parametrize("changes", ["driver", "engine", "pack", "variable"])
def test_what_failed_is_tried_again_when_something_is_new(vulkan: Computer, changes: str) -> None:
    vulkan.answers = [CRASHED]
    vulkan.choice().try_cards()
    match changes:
        case "driver":
            (vulkan.home.parent / "driver").write_text("590.2")
        case "engine":
            (vulkan.engine / "llama_cpp" / "lib" / "libggml-vulkan.so").write_bytes(b"newer")
        case "pack":
            vulkan.add("cuda")
        case "variable":
            vulkan.environment["VK_ICD_FILENAMES"] = "/other.json"
    assert vulkan.choice().must_try


def test_cards_that_the_user_does_not_want_are_not_tried(vulkan: Computer) -> None:
    choice = vulkan.choice(Settings(engine_packs="cpu"))
    assert not choice.must_try and not vulkan.cards and not choice.cards_off


def test_a_child_that_ended_over_cards_makes_them_doubtful(vulkan: Computer) -> None:
    vulkan.answers = [SOUND, CRASHED]
    choice = vulkan.choice()
    choice.try_cards()
    choice.doubt_cards()
    assert choice.must_try and not vulkan.cards
    choice.try_cards()
    assert choice.cards_off


def test_an_unknown_instruction_leaves_the_plainest_variant(computer: Computer) -> None:
    choice = computer.choice(Settings(cpu_variant="zen4"))
    assert computer.environment["LIANGLI_CPU_VARIANT"] == "zen4"
    assert choice.processor_refused() and not choice.processor_refused(), "once: it would not help again"
    assert computer.environment["LIANGLI_CPU_VARIANT"] == "safe"
    again = computer.choice(Settings(cpu_variant="zen4"))
    assert again.plain_only and [issue.advice for issue in again.issues()] == ["plain_variant"]
    (computer.engine / "llama_cpp" / "lib" / "libggml-cpu-x64.so").write_bytes(b"newer")
    assert not computer.choice().plain_only and "LIANGLI_CPU_VARIANT" not in computer.environment


def test_an_unknown_instruction_while_cards_are_tried(vulkan: Computer) -> None:
    vulkan.answers = [ILLEGAL, SOUND]
    choice = vulkan.choice()
    choice.try_cards()
    assert choice.plain_only and not choice.cards_off and vulkan.cards
    assert vulkan.asked[1]["LIANGLI_CPU_VARIANT"] == "safe"


def test_packs_that_fit_are_taken(computer: Computer) -> None:
    cuda, rocm = computer.add("cuda"), computer.add("rocm")
    computer.answers = [SOUND] * 3
    computer.choice().try_cards()
    assert computer.environment["LIANGLI_ENGINE_PACKS"] == f"{cuda}{os.pathsep}{rocm}"
    computer.choice(Settings(engine_packs="rocm gone")).try_cards()
    assert computer.environment["LIANGLI_ENGINE_PACKS"] == str(rocm)
    (computer.engine / "manifest.json").unlink()
    computer.choice()
    assert "LIANGLI_ENGINE_PACKS" not in computer.environment, "an engine of an unknown ggml takes none"


def test_an_added_engine_is_taken_and_one_that_is_gone_is_not(computer: Computer) -> None:
    files = {"llama_cpp/__init__.py": b""}
    archive = pack(
        computer.home.parent / "e.tar.xz",
        files,
        kind="engine",
        name="llama-cpp-python",
        version="0.3.36",
        system=this_system(),
    )
    added = PackStore(computer.home).add(archive, Fitting(system=this_system(), ggml=""))
    computer.environment.clear()
    computer.choice(Settings(engine=added.name))
    assert computer.environment["LIANGLI_ENGINE"] == str(added.folder)
    PackStore(computer.home).remove(added.name)
    computer.choice(Settings(engine=added.name))
    assert "LIANGLI_ENGINE" not in computer.environment


def test_what_the_user_set_comes_first_and_survives_children() -> None:
    environment = {"LIANGLI_CPU_VARIANT": "x64"}
    assert set_variables(environment, {"LIANGLI_CPU_VARIANT": "zen4", "LIANGLI_BACK_ENDS": "cpu"})
    assert environment["LIANGLI_CPU_VARIANT"] == "x64" and environment["LIANGLI_BACK_ENDS"] == "cpu"
    child = dict(environment)
    assert own_variables(child) == {"LIANGLI_CPU_VARIANT": "x64"}
    assert set_variables(child, {}) and not set_variables(child, {})
    assert "LIANGLI_BACK_ENDS" not in child and child["LIANGLI_CPU_VARIANT"] == "x64"


def test_a_spoilt_memory_is_no_memory(vulkan: Computer) -> None:
    vulkan.home.mkdir()
    (vulkan.home / "engine_verdicts.json").write_bytes(b"{")
    assert vulkan.choice().must_try
