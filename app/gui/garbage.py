"""Collects Python's cyclic garbage in the Qt thread only.

The collector runs in whichever thread happens to allocate. Cycles here hold widgets (a dialog and the lambda that one
of its buttons calls), and a widget destroyed in a background thread takes the program down.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

CHECK_MILLISECONDS = 1_000


class QtThreadCollector(QObject):
    """Made and kept by the application; automatic collection is off from then on, in every thread."""

    def __init__(self) -> None:
        super().__init__()
        gc.disable()
        self._timer = QTimer(self, interval=CHECK_MILLISECONDS)
        self._timer.timeout.connect(self.check)
        self._timer.start()

    def check(self) -> None:
        """Collect the generations that the collector would have collected by itself."""
        for generation in (2, 1, 0):
            if gc.get_count()[generation] > gc.get_threshold()[generation]:
                gc.collect(generation)
                return
