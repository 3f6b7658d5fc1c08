"""What the doctor said of templates, kept on disk: each template is examined once by a version of the program."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from app import VERSION
from app.values import LocalModel
from resources.atomic_file import write_atomically

if TYPE_CHECKING:
    from inference.text.doctor.subject import Subject
    from inference.text.doctor.values import Diagnosis

log = logging.getLogger(__name__)

_MOST_KEPT = 4_096


class _Kept(msgspec.Struct):
    """reports: by hash of the subject. seen: by path, the file's state and the hash of its subject."""

    version: str
    reports: dict[str, msgspec.Raw] = {}
    seen: dict[str, tuple[int, float, str]] = {}


class TemplateReports:
    """Blocking, but quick; for one thread at a time. A file that cannot be read or written only costs time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept: _Kept | None = None

    def of_model(self, model: LocalModel) -> Diagnosis | None:
        """Of a file in the very state in which it was examined."""
        seen = self._read().seen.get(model.path)
        if seen is None or seen[:2] != (model.size_bytes, model.added_at):
            return None
        return self._diagnosis(seen[2])

    def of_subject(self, subject: Subject) -> Diagnosis | None:
        """Of the same template, in whatever file."""
        return self._diagnosis(_hash(subject))

    def keep(self, model: LocalModel, subject: Subject, diagnosis: Diagnosis) -> None:
        """The oldest are forgotten where there are too many."""
        kept, key = self._read(), _hash(subject)
        kept.reports[key] = msgspec.Raw(msgspec.json.encode(diagnosis))
        kept.seen.pop(model.path, None)
        kept.seen[model.path] = (model.size_bytes, model.added_at, key)
        while len(kept.seen) > _MOST_KEPT:
            del kept.seen[next(iter(kept.seen))]
        used = {seen[2] for seen in kept.seen.values()}
        kept.reports = {name: report for name, report in kept.reports.items() if name in used}
        try:
            write_atomically(self._file, msgspec.json.encode(kept))
        except OSError as error:
            log.warning("reports of templates cannot be kept: %s", error)

    def _diagnosis(self, key: str) -> Diagnosis | None:
        report = self._read().reports.get(key)
        if report is None:
            return None
        from inference.text.doctor.values import Diagnosis

        try:
            return msgspec.json.decode(report, type=Diagnosis)
        except msgspec.MsgspecError:
            return None

    def _read(self) -> _Kept:
        if self._kept is None:
            try:
                self._kept = msgspec.json.decode(self._file.read_bytes(), type=_Kept)
            except (OSError, msgspec.MsgspecError):
                self._kept = _Kept(version=VERSION)
            if self._kept.version != VERSION:
                self._kept = _Kept(version=VERSION)
        return self._kept


def _hash(subject: Subject) -> str:
    return hashlib.sha256(msgspec.json.encode(subject)).hexdigest()
