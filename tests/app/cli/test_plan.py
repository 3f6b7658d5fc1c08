from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli.parser import build_parser
from app.cli.plan import run
from app.errors import CardUnknown, WishInvalid
from app.values import Language
from tests.tiny_models import write_tiny_llama


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIANGLI_HOME", str(tmp_path / "home"))
    return write_tiny_llama(tmp_path / "m.gguf", context=2048)


def plan(*arguments: str, language: Language = "en") -> int:
    args = build_parser(language).parse_args(["plan", *arguments])
    args.language = language
    return run(args)


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "It fits, with room to spare."), ("zh", "放得下，还有余量。")]
)
def test_a_file_is_planned_in_words(
    model: Path, language: Language, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan(str(model), "--ctx", "512", language=language) == 0
    printed = capsys.readouterr().out
    assert sentence in printed and "512" in printed


def test_json_has_the_promised_fields(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan(str(model), "--json", "--ctx", "512", "--parallel", "2", "--kv", "f16") == 0
    (quantization,) = json.loads(capsys.readouterr().out)["quantizations"]
    found = quantization["plan"]
    assert {
        "context",
        "parallel",
        "ubatch",
        "batch",
        "kv_type_k",
        "kv_type_v",
        "flash_attention",
        "swa_full",
        "outputs_max",
        "gpu_layers",
        "load_mode",
        "threads",
        "speed",
        "verdict",
        "reasons",
        "total_bytes",
    } <= set(found)
    parts = {"name", "weights_bytes", "state_bytes", "compute_bytes", "other_bytes", "budget_bytes"}
    assert all(parts <= set(device) for device in found["devices"])
    assert (found["context"], found["parallel"]) == (512, 2)


def test_another_computer_is_said_to_be_one(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan(str(model), "--gpu", "RTX 4060 8GB", "--ram", "16G") == 0
    assert "A computer with NVIDIA GeForce RTX 4060 8 GB + " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "error"),
    [(("--gpu", "RTX 99"), CardUnknown), (("--ram", "lots"), WishInvalid), (("--ctx", "0"), WishInvalid)],
)
def test_what_cannot_be_planned_is_refused(model: Path, arguments: tuple[str, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        plan(str(model), *arguments)
