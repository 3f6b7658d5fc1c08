"""The command line of `liangli bench`, its texts and its prompts."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

import app.cli.bench.parts
from app.cli.bench.command import PARTS, run
from app.cli.bench.ground import environment, liangli_command
from app.cli.bench.peer import peer_options
from app.cli.bench.prompts import load_prompts
from app.cli.bench.quiet import ForeignLoad
from app.cli.parser import build_parser
from inference.values import LoadPlan
from resources.wording import text

PARTS_FOLDER = Path(app.cli.bench.parts.__file__).parent


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["speed"], "there is no part"),
        (["equal"], "--peer"),
        (["--peer", "/no/such/llama-server"], "no such file"),
        (["start", "--rounds", "0"], "at least 1"),
    ],
)
def test_wrong_use_is_said_in_words(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    args = build_parser("en").parse_args(["bench", *arguments])
    args.language = "en"
    assert run(args) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("part", PARTS)
def test_every_part_has_a_module_and_a_title(part: str) -> None:
    assert find_spec(f"app.cli.bench.parts.{part}") is not None
    assert text(f"bench.part.{part}", "zh")


def test_every_figure_and_remark_has_its_words() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in PARTS_FOLDER.parent.rglob("*.py"))
    remarks = set(re.findall(r'Remark\(\s*name="(\w+)"', sources))
    # All other names with a part before them are figures; those made of pieces are known by their table alone.
    figures = set(re.findall(rf'"((?:{"|".join(PARTS)})_[a-z_]+)"', sources)) - remarks - {"service_pid"}
    assert "start_cold" in figures and "not_quiet" in remarks
    for kind, names in (("figure", figures), ("remark", remarks)):
        for name in names:
            assert text(f"bench.{kind}.{name}", "en"), name


def test_the_prompts_are_forty_and_eight() -> None:
    prompts = load_prompts()
    assert len(set(prompts.equal)) == 40
    assert len(prompts.streams) == 8
    assert {template.format(round=1) for template in prompts.streams}.isdisjoint(
        template.format(round=2) for template in prompts.streams
    )


def test_the_peer_is_told_the_whole_plan() -> None:
    plan = LoadPlan(
        model_path="/m.gguf",
        context_tokens=4096,
        sequences=16,
        batch_tokens=512,
        decode_threads=3,
        batch_threads=4,
        memory_map=False,
    )
    options = " ".join(peer_options(plan, slots=8))
    for part in ("-m /m.gguf", "-c 4096", "-t 3", "-tb 4", "-np 8", "-kvu", "-fa on", "-lm none"):
        assert part in options


def test_the_measured_service_has_a_data_folder_of_its_own(tmp_path: Path) -> None:
    assert environment(tmp_path)["LIANGLI_HOME"] == str(tmp_path)
    assert liangli_command("run")[-3:] == ["-m", "app", "run"]


def test_other_programs_are_remarked_only_when_they_disturb() -> None:
    load = ForeignLoad()
    load.samples = [0.02, 0.1]
    assert load.remarks() == ()
    load.samples = [0.02, 0.9, 0.4]
    (remark,) = load.remarks()
    assert remark.fields == {"median_cores": 0.4, "most_cores": 0.9}
