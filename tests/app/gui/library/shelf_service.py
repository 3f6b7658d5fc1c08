"""A service with models in several places, in the test's own process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from app.errors import RemoteError
from app.values import (
    ErrorBody,
    ImportReport,
    LibraryWork,
    LibraryWorkKind,
    LocalModel,
    ModelRemoval,
    TemplateFinding,
    TemplateReport,
)
from tests.app.gui.fake_service import MODEL, FakeService

FOLDER = "/data/models"
HERE = replace(
    MODEL,
    path=f"{FOLDER}/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/q.gguf",
    origin="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
)
ADDED = replace(
    MODEL,
    id="glm",
    name="GLM-4-9B-Chat",
    place="added",
    path="/usb/glm-4-9b.gguf",
    size_bytes=6_250_000_000,
    licence="",
)
MISSING = replace(ADDED, id="yi", name="Yi-1.5-9B", missing=True, path="/usb/yi.gguf")
OLLAMA = replace(
    MODEL,
    id="qwen3:8b",
    name="Qwen3 8B",
    place="ollama",
    path="/home/u/.ollama/models/blobs/sha256-1d96",
    origin="qwen3:8b",
    maybe_duplicates=("other",),
)
BROKEN = replace(
    MODEL,
    id="broken",
    name="baichuan-old",
    place="lm-studio",
    problem=ErrorBody(code="ModelDamaged", fields={"path": "/lm/baichuan.gguf"}),
)
ALL = (HERE, ADDED, MISSING, OLLAMA, BROKEN)
GOOD_REPORT = TemplateReport(
    model=HERE.id,
    severity="note",
    usable=True,
    tools="hermes",
    thinking=None,
    chat_profile=None,
    findings=(TemplateFinding(key="tools_known", severity="note", fields={"dialect": "hermes"}),),
)
BAD_REPORT = TemplateReport(
    model=ADDED.id,
    severity="broken",
    usable=False,
    tools=None,
    thinking=None,
    chat_profile="chatglm4",
    findings=(
        TemplateFinding(key="missing", severity="broken", fields={}),
        TemplateFinding(key="of_a_newer_service", severity="warning", fields={"detail": "something"}),
    ),
)


def work(kind: LibraryWorkKind, model: str = "", **fields: Any) -> LibraryWork:
    """Some work that is half done."""
    known: dict[str, Any] = {
        "key": f"{kind} {model}".strip(),
        "kind": kind,
        "model": model,
        "state": "running",
        "done_bytes": 245_700_032,
        "total_bytes": 491_400_064,
    }
    return LibraryWork(**known | fields)


class ShelfService(FakeService):
    """Begins work when it is asked to; the test says how it goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.local_models = list(ALL)
        self.kept_settings: dict[str, Any] = {"models_folder": FOLDER}
        self.works: list[LibraryWork] = []
        self.reports = {HERE.id: GOOD_REPORT, ADDED.id: BAD_REPORT}
        self.refused_import: RemoteError | None = None

    def settings(self) -> dict[str, Any]:
        return super().settings() | self.kept_settings

    def update_settings(self, **changes: Any) -> dict[str, Any]:
        self.kept_settings |= changes
        self.send_event("settings", {})
        return super().update_settings(**changes)

    def library_works(self) -> list[LibraryWork]:
        return list(self.works)

    def cancel_library_work(self, key: str) -> None:
        self._note("cancel_work", key)

    def verify_model(self, model: str) -> LibraryWork:
        return self._begin("verify", model, model)

    def compare_models(self) -> LibraryWork:
        return self._begin("compare", None)

    def copy_model(self, path: str) -> LibraryWork:
        self._note("copy", path)
        return work("copy", key=f"copy {path}", done_bytes=0, total_bytes=0)

    def move_library(self, folder: str) -> LibraryWork:
        return self._begin("move", folder)

    def model_removal(self, model: str) -> ModelRemoval:
        self._note("removal", model)
        known = next(one for one in self.local_models if one.id == model)
        if known.place != "library":
            return ModelRemoval(paths=(), freed_bytes=0)
        return ModelRemoval(paths=(known.path,), freed_bytes=known.size_bytes)

    def remove_model(self, model: str) -> ModelRemoval:
        removal = self.model_removal(model)
        self._note("remove", model)
        self.local_models = [one for one in self.local_models if one.id != model]
        self.send_event("models", {})
        return removal

    def import_model(self, path: str) -> LocalModel:
        self._note("import", path)
        if self.refused_import is not None:
            raise self.refused_import
        model = replace(MODEL, id=Path(path).stem, name=Path(path).stem, place="added", path=path)
        self.local_models.append(model)
        return model

    def import_folder(self, path: str) -> ImportReport:
        self._note("import_folder", path)
        refused = ErrorBody(code="ModelDamaged", fields={"path": f"{path}/bad.gguf"})
        return ImportReport(models=(), refused=(refused,))

    def template_report(self, model: str) -> TemplateReport:
        self._note("template", model)
        return self.reports[model]

    def chat_profiles(self) -> list[str]:
        return ["chatml", "chatglm4"]

    def unload_engine(self, model: str) -> None:
        self._note("unload", model)

    def _begin(self, kind: LibraryWorkKind, what: str | None, model: str = "") -> LibraryWork:
        self._note(kind, what)
        begun = work(kind, model, done_bytes=0, total_bytes=0)
        self.works = [one for one in self.works if one.key != begun.key] + [begun]
        return begun
