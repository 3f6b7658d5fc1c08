"""This computer as the service shows it: parts, figures of the moment, and the measuring of its speed."""

from __future__ import annotations

import asyncio
import contextlib

from app.plan_values import CalibrationStatus, HardwareView, LiveView
from app.planning.desk import PlanDesk
from app.planning.hardware_view import hardware_view, live_view
from app.service.events import EventBus
from app.words import error_body
from hardware_probe.monitor import Monitor

# A display that was closed without a word: the monitor's child is worth no memory any more.
_MONITOR_IDLE_SECONDS = 15.0


class Hardware:
    """For the service's loop only."""

    def __init__(self, desk: PlanDesk, events: EventBus) -> None:
        self._desk, self._events = desk, events
        self._monitor: Monitor | None = None
        self._sampling = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._status = CalibrationStatus(state="none")
        self._calibrating: asyncio.Task[None] | None = None

    async def view(self) -> HardwareView:
        """All parts."""
        profile = await self._desk.hardware(fresh=True)
        return hardware_view(profile, calibrated_at=self._desk.calibrated_at())

    async def live(self) -> LiveView:
        """Memory, load and free memory of the cards, now. For a display that asks once a second."""
        profile = await self._desk.hardware()
        async with self._sampling:
            if self._idle is not None:
                self._idle.cancel()
            monitor = self._monitor = self._monitor or Monitor(profile.accelerators)
            figures = await asyncio.to_thread(monitor.sample)
            self._idle = asyncio.get_running_loop().call_later(_MONITOR_IDLE_SECONDS, self._close_monitor)
        return live_view(figures, profile)

    def calibration(self) -> CalibrationStatus:
        """How far the measuring is."""
        return self._status

    def calibrate(self) -> CalibrationStatus:
        """Begin to measure; events tell how it goes. Does nothing when it runs already."""
        if self._calibrating is None or self._calibrating.done():
            self._tell(CalibrationStatus(state="running"))
            self._calibrating = asyncio.create_task(self._calibrate(), name="calibration")
        return self._status

    async def cancel_calibration(self) -> None:
        """Stop measuring; what was known before stays."""
        if self._calibrating is not None and not self._calibrating.done():
            self._calibrating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._calibrating

    async def close(self) -> None:
        """End the measuring and the monitor."""
        await self.cancel_calibration()
        if self._idle is not None:
            self._idle.cancel()
        self._close_monitor()

    async def _calibrate(self) -> None:
        try:
            await self._desk.calibrate(lambda done: self._tell(CalibrationStatus(state="running", fraction=done)))
        except asyncio.CancelledError:
            self._tell(CalibrationStatus(state="cancelled"))
            raise
        except Exception as error:
            self._tell(CalibrationStatus(state="failed", error=error_body(error)))
        else:
            self._tell(CalibrationStatus(state="done", fraction=1.0))

    def _tell(self, status: CalibrationStatus) -> None:
        self._status = status
        self._events.publish("calibration", status)

    def _close_monitor(self) -> None:
        monitor, self._monitor = self._monitor, None
        if monitor is not None:
            monitor.close()
