"""The card for measuring this computer's speed: what it is for, how far it is, and a way to stop it."""

from __future__ import annotations

import time

from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout

from app import words
from app.gui.look import Look
from app.gui.parts.basics import plain_label, push_button
from app.gui.plans.hardware_watch import HardwareWatch

DATE_FORMAT = "%Y-%m-%d"


class CalibrationCard(QFrame):
    """Follows the watch by itself."""

    def __init__(self, look: Look, watch: HardwareWatch) -> None:
        super().__init__()
        self.setObjectName("card")
        self._look, self._watch = look, watch
        self._title = plain_label("", 14, 600)
        self._text = plain_label("", 13, shade=2, wrap=True)
        self.button = push_button("", 500)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1_000)
        words_column = QVBoxLayout()
        words_column.setSpacing(4)
        words_column.addWidget(self._title)
        words_column.addWidget(self._text)
        row = QHBoxLayout()
        row.setSpacing(14)
        row.addLayout(words_column, 1)
        row.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 13)
        column.setSpacing(9)
        column.addLayout(row)
        column.addWidget(self.bar)
        self.button.clicked.connect(self._press)
        watch.calibration_changed.connect(self._show)
        watch.view_changed.connect(self._show)
        look.changed.connect(self._show)
        self._show()

    @property
    def _running(self) -> bool:
        return self._watch.calibration.state == "running"

    def _press(self) -> None:
        if self._running:
            self._watch.cancel()
        else:
            self._watch.measure()

    def _show(self) -> None:
        say, status, running = self._look.say, self._watch.calibration, self._running
        view = self._watch.view
        measured_at = view.calibrated_at if view is not None else None
        self._title.setText(say("calibration.title"))
        self._text.setText(self._sentence(measured_at))
        again = measured_at is not None or status.state == "done"
        self.button.setText(
            say("calibration.cancel" if running else "calibration.again" if again else "calibration.go")
        )
        self.button.setAccessibleName(f"{self.button.text()} {self._title.text()}")
        self.bar.setVisible(running)
        self.bar.setValue(round(1_000 * status.fraction))
        self.bar.setAccessibleName(self._title.text())

    def _sentence(self, measured_at: float | None) -> str:
        say, status = self._look.say, self._watch.calibration
        if status.state == "running":
            return say("calibration.running", percent=round(100 * status.fraction))
        if status.state == "failed":
            detail = words.describe(status.error.code, status.error.fields, self._look.language) if status.error else ""
            return say("calibration.failed", detail=detail)
        if status.state == "cancelled" and measured_at is None:
            return say("calibration.cancelled")
        if measured_at is not None:
            return say("calibration.done", date=time.strftime(DATE_FORMAT, time.localtime(measured_at)))
        return say("calibration.text")
