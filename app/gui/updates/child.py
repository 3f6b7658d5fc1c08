"""The child that asks for newer versions, as seen from the window; see app.updates.child."""

from __future__ import annotations

from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, QProcess, Signal

import app
from app.updates.values import Failed, Line
from resources.own_program import module_command

MODULE = "app.updates.child"
_KILL_MILLISECONDS = 2000


class UpdateChild(QObject):
    """One child at a time. `said`: each Line as it comes; after an end without one that closes it, a Failed."""

    said = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._last: Line | None = None

    def start(self, *arguments: str) -> None:
        """Ends a child that runs, and begins another."""
        self.stop()
        process = self._process = QProcess(self)
        self._last = None
        process.setWorkingDirectory(str(Path(app.__file__).parents[1]))
        process.setStandardErrorFile(QProcess.nullDevice())
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._finished)
        process.errorOccurred.connect(self._not_started)
        program, *before = module_command(MODULE)
        process.start(program, [*before, *arguments])

    def stop(self) -> None:
        """Nothing is said any more; what was downloaded so far is kept for the next time."""
        process, self._process = self._process, None
        if process is not None:
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(_KILL_MILLISECONDS)
            process.deleteLater()

    def _read(self) -> None:
        process = self._process
        while process is not None and process is self._process and process.canReadLine():
            try:
                line: Line = msgspec.json.decode(process.readLine().data(), type=Line)
            except msgspec.MsgspecError:
                continue
            self._last = line
            self.said.emit(line)

    def _not_started(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end(None)

    def _finished(self) -> None:
        self._read()
        self._end(self._last)

    def _end(self, last: Line | None) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        if last is None:
            self.said.emit(Failed(code="", fields={}))
