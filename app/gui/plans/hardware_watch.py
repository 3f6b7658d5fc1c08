"""What the page knows about this computer: its parts, the figures of the moment, and the measuring of its speed."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.gui.session import Session
from app.plan_values import CalibrationStatus, HardwareView, LiveView

LIVE_MILLISECONDS = 1_000


class HardwareWatch(QObject):
    """Lives in the Qt thread. Asks only between `start` and `stop`; one question at a time."""

    view_changed = Signal()
    live_changed = Signal()
    calibration_changed = Signal()
    calibrated = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.view: HardwareView | None = None
        self.live: LiveView | None = None
        self.calibration = CalibrationStatus(state="none")
        self.trouble: Exception | None = None
        self._asking = False
        self._timer = QTimer(self, interval=LIVE_MILLISECONDS)
        self._timer.timeout.connect(self._ask_live)
        session.link.happened.connect(self._on_happening)
        session.link_changed.connect(self._on_link)

    def start(self) -> None:
        """The page is on the screen."""
        self._timer.start()
        self._asking = False
        self.refresh()
        self._ask_live()

    def stop(self) -> None:
        """The page is not to be seen."""
        self._timer.stop()

    def refresh(self) -> None:
        """All parts anew."""

        def done(view: HardwareView) -> None:
            self.view, self.trouble = view, None
            self.view_changed.emit()

        def failed(error: Exception) -> None:
            self.trouble = error
            self.view_changed.emit()

        if self._session.online:
            self._session.link.ask(lambda client: client.hardware(), done, failed)
            self._session.link.ask(lambda client: client.calibration(), self._note, failed=lambda _: None)

    def measure(self) -> None:
        """Begin to measure this computer's speed."""
        self._note(CalibrationStatus(state="running"))

        def failed(error: Exception) -> None:
            self.calibration = CalibrationStatus(state="failed")
            self.trouble = error
            self.calibration_changed.emit()

        self._session.link.ask(lambda client: client.calibrate(), self._note, failed)

    def cancel(self) -> None:
        """Stop measuring."""
        self._session.link.ask(lambda client: client.cancel_calibration(), failed=lambda _: None)

    def _on_link(self) -> None:
        if self._session.online and self._timer.isActive():
            self.refresh()

    def _on_happening(self, happening: object) -> None:
        if isinstance(happening, CalibrationStatus):
            self._note(happening)

    def _ask_live(self) -> None:
        if self._asking or not self._session.online:
            return
        self._asking = True

        def done(live: LiveView) -> None:
            self._asking = False
            self.live = live
            self.live_changed.emit()

        def failed(error: Exception) -> None:
            self._asking = False

        self._session.link.ask(lambda client: client.hardware_live(), done, failed)

    def _note(self, status: CalibrationStatus) -> None:
        """Events may be faster than the answer to a call: progress never goes back."""
        if status.state == self.calibration.state == "running" and status.fraction < self.calibration.fraction:
            return
        done = status.state == "done" and self.calibration.state == "running"
        self.calibration = status
        self.calibration_changed.emit()
        if done:
            self.refresh()
            self.calibrated.emit()
