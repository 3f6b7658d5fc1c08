"""search and show: the catalogue in the terminal, in both languages and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli import search
from app.cli.catalogue_text import context, parameters
from app.main import main
from models_catalog.families.kept_index import KeptIndex
from models_catalog.families.values import Ability, State


def test_a_search(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "qianwen", "8b", "--lang", "zh"]) == 0
    written = capsys.readouterr()
    header, first, *_ = written.out.splitlines()
    assert header.split() == ["模型", "名称", "参数", "上下文", "能力", "商用", "状态"]
    assert first.split() == ["qwen3-8b", "通义千问", "Qwen3-8B", "8.2B", "40K", "对话、思考、工具", "可商用", "可用"]
    assert "liangli show" in written.err
    assert main(["search", "bge-m3"]) == 0
    first = capsys.readouterr().out.splitlines()[1]
    assert first.split() == ["bge-m3", "567M", "8K", "embedding", "yes", "not", "supported"]


def test_the_choices_are_those_of_the_catalogue() -> None:
    assert (*Ability,) == search.ABILITIES and (*State,) == search.STATES


def test_conditions(capsys: pytest.CaptureFixture[str]) -> None:
    conditions = ["--ability", "vision", "--ability", "tools", "--max-params", "8B", "--licence", "apache"]
    assert main(["search", *conditions, "--vendor", "alibaba", "--state", "ready", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found and all({"vision", "tools"} <= set(model["abilities"]) for model in found)
    assert all(model["total_parameters"] <= 8e9 and model["licence"]["id"] == "apache-2.0" for model in found)


def test_what_nobody_has_seen_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "glm-4.6v"]) == 0
    written = capsys.readouterr()
    assert "glm-4.6v-flash" not in written.out and "1 more whose sources nobody has seen yet" in written.err
    assert main(["search", "glm-4.6v", "--all"]) == 0
    assert "glm-4.6v-flash" in capsys.readouterr().out


def test_nothing_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "nosuchmodelanywhere"]) == 0
    written = capsys.readouterr()
    assert written.out == "" and "Nothing was found" in written.err
    assert main(["search", "nosuchmodelanywhere", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_size_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["search", "--max-params", "big", "--lang", "zh"])
    assert ended.value.code == 2
    assert "'big' 不是有效的 size" in capsys.readouterr().err


def test_a_model_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "Qwen3", "30B", "A3B"]) == 0
    shown = capsys.readouterr().out
    assert "30.5B, of which each token uses 3.3B" in shown
    assert "Apache 2.0 (commercial use allowed)" in shown
    assert "while thinking: temperature 0.6, top_p 0.95, top_k 20, min_p 0" in shown
    assert "ModelScope: Qwen/Qwen3-30B-A3B-GGUF" in shown
    assert "liangli plan qwen3-30b-a3b" in shown


def test_a_model_is_shown_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "chatglm2-6b", "--lang", "zh"]) == 0
    shown = capsys.readouterr().out
    assert "请用 chatglm3-6b" in shown and "商用前要填写登记表" in shown
    assert "liangli plan" not in shown
    assert main(["show", "baichuan2-7b-chat", "--lang", "zh"]) == 0
    assert "用词元 195 和 196 标记用户和模型" in capsys.readouterr().out
    assert main(["show", "bge-large-zh-v1.5", "--lang", "zh"]) == 0
    assert "查询前要加：为这个句子生成表示以用于检索相关文章：" in capsys.readouterr().out


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_model_can_be_shown(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    from app.cli.catalogue_facts import facts

    for family in KeptIndex().get().index.families:
        for model in family.models:
            lines = facts(model, family, "zh" if language == "zh" else "en")
            assert lines[0][0] and all(value for _, value in lines)


def test_a_model_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "baichuan2-7b-chat", "--json"]) == 0
    model = json.loads(capsys.readouterr().out)
    assert model["profile"]["template"] == {
        "kind": "token_ids",
        "name": "baichuan",
        "user": 195,
        "assistant": 196,
    }
    assert main(["show", "qwen3-8b", "--json"]) == 0
    model = json.loads(capsys.readouterr().out)
    assert model["sources"][0]["huggingface"]["name"] == "Qwen/Qwen3-8B-GGUF"
    assert [one["mode"] for one in model["sampling"]] == ["thinking", "answering"]
    assert model["state"] == "ready" and model["name"]["zh"] == "通义千问 Qwen3-8B"


def test_a_name_that_is_nobodys(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "qwen3-9b"]) == 93
    assert 'no model called "qwen3-9b"' in capsys.readouterr().err


def test_own_files(quiet_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = quiet_home / "families"
    folder.mkdir(parents=True)
    (folder / "broken.toml").write_text('id = "x"', encoding="utf-8")
    (folder / "mine.toml").write_text(
        """
id = "mine"
name = { zh = "自己的", en = "Mine" }
vendor = { zh = "我", en = "me" }
about = { zh = "自己训练的。", en = "My own." }
[[models]]
id = "mine-1b"
name = { zh = "自己的 1B", en = "Mine 1B" }
total_parameters = 1_000_000_000
licence = "mit"
abilities = ["chat"]
architecture = "llama"
profile = "chatml"
sources = [{ modelscope = "me/mine-GGUF" }]
confirmed = false
""",
        encoding="utf-8",
    )
    assert main(["search", "mine-1b"]) == 0
    written = capsys.readouterr()
    assert written.out.splitlines()[1].startswith("mine-1b")
    assert "broken.toml cannot be used" in written.err and "missing required field" in written.err


@pytest.mark.parametrize(
    ("count", "shown"),
    [(8_200_000_000, "8.2B"), (24_000_000, "24M"), (671_000_000_000, "671B"), (2_400_000_000_000, "2.4T"), (7, "7")],
)
def test_parameters(count: int, shown: str) -> None:
    assert parameters(count) == shown


@pytest.mark.parametrize(
    ("tokens", "shown"),
    [(40_960, "40K"), (131_072, "128K"), (1_048_576, "1M"), (512, "512"), (None, "-")],
)
def test_contexts(tokens: int | None, shown: str) -> None:
    assert context(tokens) == shown
