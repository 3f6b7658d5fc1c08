"""ls, rm, import, verify and mv against the real service, in this process, with real files."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from app.client.http import ServiceClient
from app.main import main
from app.service.shelf import LocalShelf
from models_catalog.library.elsewhere.programs import places_of
from models_catalog.library.elsewhere.surroundings import Surroundings
from models_catalog.library.library import LibraryFiles, ModelLibrary
from tests.app.service.fakes import TOKEN, FakeWorld, running_service
from tests.models_catalog.library.conftest import put
from tests.models_catalog.library.trees import ollama_pull


class World(FakeWorld):
    """Engines are scripted, files are real."""

    def __init__(self, shelf: LocalShelf) -> None:
        super().__init__()
        self.real_shelf = shelf

    def outside(self):  # type: ignore[no-untyped-def]
        from dataclasses import replace

        return replace(super().outside(), shelf=self.real_shelf)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "模型 夹"
    put(folder / "Qwen" / "Tiny-GGUF" / "tiny-q8_0.gguf", seed=1)
    return folder


@pytest.fixture
def service(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceClient]:
    monkeypatch.delenv("LIANGLI_MODELS_DIR", raising=False)
    (tmp_path / "data").mkdir()
    files = LibraryFiles(
        index=tmp_path / "data" / "i.sqlite3",
        choices=tmp_path / "data" / "a.json",
        journal=tmp_path / "data" / "m.json",
    )
    surroundings = Surroundings(environment={}, home=tmp_path / "user", system="linux")
    shelf = LocalShelf(ModelLibrary(folder, files, lambda: places_of(("ollama",), surroundings)))
    ready = threading.Event()
    address: list[str] = []
    stopping: list[Callable[[], object]] = []

    async def serve() -> None:
        async with running_service(tmp_path / "data", World(shelf)) as running:
            stop = asyncio.Event()
            loop = asyncio.get_running_loop()
            stopping.append(partial(loop.call_soon_threadsafe, stop.set))
            address.append(running.base_url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    monkeypatch.setattr("app.cli.library_work.POLL_SECONDS", 0.01)
    monkeypatch.setattr(
        "app.client.discover.connect_or_start",
        lambda folder, language, *_, **__: ServiceClient(address[0], TOKEN, language),
    )
    with ServiceClient(address[0], TOKEN) as client:
        yield client
    stopping[0]()
    thread.join(10)


def at_terminal(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("app.cli.starter.can_ask", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer + "\n"))


def test_ls_says_where_models_come_from(
    service: ServiceClient, tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    content = (folder / "Qwen" / "Tiny-GGUF" / "tiny-q8_0.gguf").read_bytes()
    ollama_pull(tmp_path / "user" / ".ollama" / "models", "library/qwen3:8b", content)
    usb = put(tmp_path / "usb" / "other.gguf", seed=2)
    assert main(["import", str(usb)]) == 0
    usb.rename(tmp_path / "away.gguf")
    capsys.readouterr()
    assert main(["ls", "--lang", "zh"]) == 0
    out, err = capsys.readouterr()
    assert "Qwen/Tiny-GGUF" in out and "Ollama: qwen3:8b" in out and "自行添加" in out
    assert "现在找不到了" in err and "可能重复" in err
    assert main(["ls", "--duplicates"]) == 0
    assert "qwen3-8b, tiny-q8_0 are copies of the same model" in capsys.readouterr().err
    assert main(["ls", "--json"]) == 0
    listed = {model["id"]: model for model in json.loads(capsys.readouterr().out)}
    assert listed["other"]["missing"] and listed["qwen3-8b"]["duplicates"] == ["tiny-q8_0"]


def test_rm_asks_and_says_what_it_frees(
    service: ServiceClient, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "Qwen" / "Tiny-GGUF" / "tiny-q8_0.gguf"
    assert main(["rm", "tiny"]) == 1
    assert "--yes" in capsys.readouterr().err and path.exists()
    at_terminal(monkeypatch, "n")
    assert main(["rm", "tiny"]) == 1 and path.exists()
    assert str(path) in capsys.readouterr().err
    at_terminal(monkeypatch, "y")
    assert main(["rm", "tiny"]) == 0 and not path.exists()
    assert "freed" in capsys.readouterr().err
    assert main(["rm", "tiny", "--yes"]) == 8


def test_rm_of_other_programs_models_keeps_their_files(
    service: ServiceClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blob = ollama_pull(tmp_path / "user" / ".ollama" / "models", "library/q:1b", put(tmp_path / "x.gguf").read_bytes())
    assert main(["rm", "q:1b", "--yes", "--lang", "zh"]) == 0
    assert "不再列出" in capsys.readouterr().err and blob.exists()
    assert [model.id for model in service.models()] == ["tiny-q8_0"]


def test_rm_unloads_an_idle_model_and_the_service_alone_does_not(
    service: ServiceClient, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from app.errors import RemoteError

    service.load_engine("tiny-q8_0")
    with pytest.raises(RemoteError) as refused:
        service.remove_model("tiny-q8_0")
    assert (refused.value.code, refused.value.http_status) == ("ModelInUse", 409)
    assert main(["rm", "tiny-q8_0", "--yes"]) == 0
    assert service.models() == [] and service.status().engines == ()


def test_a_name_that_two_models_have_removes_neither(service: ServiceClient, folder: Path) -> None:
    put(folder / "b" / "c" / "tiny-q8_0.gguf", seed=3)
    assert main(["rm", "tiny", "--yes"]) == 8
    assert len(service.models()) == 2


def test_import_of_a_folder_and_of_copies(
    service: ServiceClient, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usb = tmp_path / "U 盘"
    put(usb / "a" / "one.gguf", seed=4)
    put(usb / "two.gguf", seed=5)
    (usb / "bad.gguf").write_text("<html>" + " " * 100)
    assert main(["import", str(usb)]) == 0
    err = capsys.readouterr().err
    assert "Added one" in err and "Added two" in err and "Left out" in err
    assert main(["import", "--copy", str(usb)]) == 0
    assert {model.place for model in service.models()} == {"library"}
    assert (folder / "local" / "one" / "one.gguf").read_bytes() == (usb / "a" / "one.gguf").read_bytes()
    shutil.rmtree(usb)
    assert not any(model.missing for model in service.models()) and len(service.models()) == 3
    (tmp_path / "empty").mkdir()
    assert main(["import", str(tmp_path / "empty")]) == 75
    assert main(["import", str(tmp_path / "nowhere.gguf")]) == 30
    assert main(["import", "--copy", str(tmp_path / "nowhere.gguf")]) == 30


def test_verify(service: ServiceClient, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "Qwen" / "Tiny-GGUF" / "tiny-q8_0.gguf"
    assert main(["verify", "tiny"]) == 0
    assert main(["verify", "tiny"]) == 0
    assert "the same bytes" in capsys.readouterr().err
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= 0xFF
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert main(["verify", "tiny", "--lang", "zh"]) == 71
    assert "已损坏" in capsys.readouterr().err


def test_mv(service: ServiceClient, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mv", str(folder / "inside")]) == 74
    assert "inside" in capsys.readouterr().err
    service.load_engine("tiny-q8_0")
    assert main(["mv", str(tmp_path / "新 盘")]) == 10
    service.unload_engine("tiny-q8_0")
    assert main(["mv", str(tmp_path / "新 盘")]) == 0
    (model,) = service.models()
    assert Path(model.path).is_relative_to(tmp_path / "新 盘") and Path(model.path).exists()
    assert not folder.exists() and service.settings()["models_folder"] == str(tmp_path / "新 盘")


def test_mv_does_not_fight_the_environment(
    service: ServiceClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIANGLI_MODELS_DIR", str(tmp_path))
    assert main(["mv", str(tmp_path / "b")]) == 74
    assert "LIANGLI_MODELS_DIR" in capsys.readouterr().err
