"""The models on this computer, and work on their files."""

from __future__ import annotations

from urllib.parse import quote

from app.client.requests import LOAD_SECONDS, Requests
from app.values import ImportReport, LibraryWork, LocalModel, ModelRemoval, TemplateReport


class LibraryClient(Requests):
    """Models that are here: imported, looked at, verified, moved, removed."""

    def models(self) -> list[LocalModel]:
        return self._ask("GET", "/models", list[LocalModel])

    def import_model(self, path: str) -> LocalModel:
        """Add a GGUF file by its absolute path on this computer."""
        return self._ask("POST", "/models/import", LocalModel, json={"path": path}, timeout_seconds=LOAD_SECONDS)

    def import_folder(self, path: str) -> ImportReport:
        """Use all models in a folder where they lie; absolute path."""
        return self._ask(
            "POST", "/models/import/folder", ImportReport, json={"path": path}, timeout_seconds=LOAD_SECONDS
        )

    def copy_model(self, path: str) -> LibraryWork:
        """Begin to copy a model's files into the models folder; reported by "library_work" events."""
        return self._ask("POST", "/models/import/copy", LibraryWork, json={"path": path})

    def model_removal(self, model: str) -> ModelRemoval:
        """What removing the model with this id would delete and free."""
        return self._ask("GET", f"{_at(model)}/removal", ModelRemoval)

    def remove_model(self, model: str) -> ModelRemoval:
        """Delete a model of the models folder; take one from elsewhere off the list."""
        return self._ask("DELETE", f"{_at(model)}", ModelRemoval, timeout_seconds=LOAD_SECONDS)

    def verify_model(self, model: str) -> LibraryWork:
        """Begin to read and judge a model's files; reported by "library_work" events."""
        return self._ask("POST", f"{_at(model)}/verify", LibraryWork)

    def compare_models(self) -> LibraryWork:
        """Begin to compare models of equal size; reported by "library_work" events."""
        return self._ask("POST", "/library/compare", LibraryWork)

    def move_library(self, folder: str) -> LibraryWork:
        """Begin to move the models folder; absolute path. Reported by "library_work" events."""
        return self._ask("POST", "/library/move", LibraryWork, json={"folder": folder})

    def library_works(self) -> list[LibraryWork]:
        """What is being done with model files, and what was."""
        return self._ask("GET", "/library/work", list[LibraryWork])

    def cancel_library_work(self, key: str) -> None:
        self._send("POST", "/library/cancel", json={"key": key}, timeout_seconds=LOAD_SECONDS)

    def template_report(self, model: str) -> TemplateReport:
        """What is to be said of a model's own chat template; the first time it takes a second or two."""
        return self._ask("GET", f"{_at(model)}/template", TemplateReport)

    def chat_profiles(self) -> list[str]:
        """Names of the built-in templates that can take the place of a model's own."""
        return self._ask("GET", "/chat-profiles", list[str])


def _at(model: str) -> str:
    return f"/models/{quote(model, safe='')}"
