"""The list of models in words."""

from __future__ import annotations

from dataclasses import replace

from app.gui.library.importing import model_paths, report_words
from app.gui.library.rows import Heading, ModelRow, Row, rows_of
from app.gui.library.work_view import ended_words, running_words
from app.values import ErrorBody, ImportReport, LocalModel
from tests.app.gui.fake_service import ENGINE
from tests.app.gui.library.shelf_service import ADDED, ALL, HERE, work


def rows(models: tuple[LocalModel, ...] = ALL, wanted: str = "") -> tuple[Row, ...]:
    return rows_of(models, wanted=wanted, engines={HERE.id: ENGINE}, works=(), language="zh")


def test_models_are_grouped_by_their_place() -> None:
    shown = [row.title if isinstance(row, Heading) else row.model.id for row in rows()]
    assert shown == ["模型文件夹", HERE.id, "自行添加", "glm", "yi", "Ollama", "qwen3:8b", "LM Studio", "broken"]
    added = rows()[2]
    assert isinstance(added, Heading) and added.note == "2 个 · 12.5 GB"


def test_each_says_what_is_to_be_known() -> None:
    said = {row.model.id: row for row in rows() if isinstance(row, ModelRow)}
    assert (said[HERE.id].tone, said[HERE.id].badge) == ("good", "已加载")
    assert said[HERE.id].facts == "Q4_K_M · 491 MB · qwen2 · apache-2.0"
    assert (said["yi"].tone, said["yi"].badge) == ("warn", "磁盘未接上")
    assert (said["broken"].tone, said["broken"].badge) == ("bad", "不可用") and "已损坏" in said["broken"].note
    assert said["qwen3:8b"].note == "和 other 一样大，还没比较过"
    assert "磁盘未接上" in said["yi"].spoken


def test_copies_are_told() -> None:
    copy = replace(ADDED, duplicates=("a", "b", "c"))
    row = rows((copy,))[1]
    assert isinstance(row, ModelRow) and row.note == "和 a 等 3 个模型 是同一个文件" and row.badge == "重复"


def test_work_takes_the_place_of_the_state() -> None:
    shown = rows_of(ALL, wanted="", engines={}, works=(work("verify", HERE.id),), language="zh")
    row = shown[1]
    assert isinstance(row, ModelRow) and row.badge == "正在校验 50%"


def test_every_word_is_looked_for() -> None:
    assert [row.model.id for row in rows(wanted="QWEN coder") if isinstance(row, ModelRow)] == [HERE.id]
    assert rows(wanted="nothing like it") == ()
    assert len(rows(wanted="  ")) == len(rows())


def test_work_in_words() -> None:
    assert running_words(work("verify"), "zh") == "正在校验：246 MB / 491 MB"
    assert running_words(work("move", total_bytes=0), "en") == "Moving the library"
    done = work("verify", HERE.id, state="done", verdict="matches")
    assert ended_words(done, HERE, "zh") == ("good", f"{HERE.name} 完好：与官方发布的内容一致。")
    assert ended_words(work("move", state="cancelled"), None, "zh")[0] == "plain"
    left = work("move", state="done", left=tuple(f"/old/{number}" for number in range(7)))
    assert "还有 7 个文件" in ended_words(left, None, "zh")[1] and "/old/5" not in ended_words(left, None, "zh")[1]
    full = ErrorBody(code="DiskTooSmall", fields={"needed_bytes": 5e9, "free_bytes": 1e9, "path": "/d"})
    assert ended_words(work("copy", state="failed", error=full), None, "zh")[1].startswith("磁盘空间不足")
    assert ended_words(work("copy", "new", state="done"), None, "en") == ("good", "Copied into the models folder: new")


def test_an_import_says_what_was_left_out() -> None:
    bad = ErrorBody(code="ModelDamaged", fields={"path": "/a.gguf"})
    assert report_words(ImportReport(models=(HERE,), refused=()), "zh") == ("good", f"已添加：{HERE.name}")
    tone, sentence = report_words(ImportReport(models=ALL, refused=(bad,) * 5), "zh")
    assert tone == "warn" and sentence.splitlines()[0] == "已添加 5 个模型。"
    assert len(sentence.splitlines()) == 5 and "还有 2 个" in sentence
    assert report_words(ImportReport(models=(), refused=(bad,)), "en")[0] == "bad"


def test_only_what_may_hold_models_is_imported(tmp_path: object) -> None:
    assert model_paths(("/a/b.GGUF", "/a/notes.txt", str(tmp_path))) == ("/a/b.GGUF", str(tmp_path))
