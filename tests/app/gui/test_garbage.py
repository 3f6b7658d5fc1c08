"""Garbage is collected in the Qt thread."""

from __future__ import annotations

import gc
import weakref

from PySide6.QtWidgets import QApplication

from app.gui.garbage import QtThreadCollector


class Node:
    def __init__(self) -> None:
        self.me = self


def test_cycles_are_collected_only_by_the_check(qapp: QApplication) -> None:
    collector = QtThreadCollector()
    assert not gc.isenabled()
    gone = weakref.ref(Node())
    held = [Node() for _ in range(gc.get_threshold()[0] + 10)]
    assert gone() is not None
    collector.check()
    assert gone() is None
    assert held
