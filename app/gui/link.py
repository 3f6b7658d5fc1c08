"""The one crossing between threads and Qt: calls to the service and its event stream run in threads, results arrive
in the Qt thread as signals and callbacks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal

from app.client.events import Bye, read_event
from app.client.http import ServiceClient
from app.errors import AppError, ServiceUnreachable

T = TypeVar("T")

LOG = logging.getLogger(__name__)
RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Starting:
    """The service is being looked for or started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Online:
    """The service answers and its events arrive."""

    base_url: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The connection broke; it is being made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The service was stopped by somebody; it is started again when the user asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The service could not be started; it is tried again when the user asks for it."""

    error: AppError


LinkState = Starting | Online | Lost | Ended | Failed


class ServiceLink(QObject):
    """Keeps the connection. `connect` finds or starts the service and is called in a background thread."""

    state_changed = Signal(object)
    happened = Signal(object)
    trouble = Signal(object)
    _arrived = Signal(object)

    def __init__(self, connect: Callable[[], ServiceClient]) -> None:
        super().__init__()
        self._connect = connect
        self._client: ServiceClient | None = None
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        self._wanted = threading.Event()
        # A bound slot, not a free function: only then Qt knows in which thread it has to run.
        self._arrived.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def open(self) -> None:
        """Begin to connect; returns at once."""
        self._start_thread(self._watch)

    def retry(self) -> None:
        """Try again after Ended or Failed."""
        self._wanted.set()

    def close(self) -> None:
        """Nothing is delivered after this."""
        self._closing.set()
        self._wanted.set()

    def wait_ended(self, seconds: float) -> None:
        """After `close`: wait for the threads. While one runs it holds this object, which must not die in it."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def ask(
        self,
        work: Callable[[ServiceClient], T],
        done: Callable[[T], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Run `work` in a thread, then `done` or `failed` in the Qt thread; without `failed`, `trouble` is emitted."""
        client = self._client
        on_failure = failed or self.trouble.emit

        def run() -> None:
            try:
                if client is None:
                    raise ServiceUnreachable(address="")
                result = work(client)
            except Exception as error:  # whatever it was, the user is told and the window lives on
                if not isinstance(error, AppError):
                    LOG.exception("a call to the service failed")
                arrived_error = error
                self._deliver(lambda: on_failure(arrived_error))
            else:
                if done is not None:
                    self._deliver(lambda: done(result))

        self._start_thread(run)

    def _start_thread(self, work: Callable[[], None]) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        self._threads.append(threading.Thread(target=work, name="service link", daemon=True))
        self._threads[-1].start()

    def _run(self, arrival: Callable[[], object]) -> None:
        if not self._closing.is_set():
            arrival()

    def _deliver(self, arrival: Callable[[], object]) -> None:
        if not self._closing.is_set():
            self._arrived.emit(arrival)

    def _tell(self, state: LinkState) -> None:
        self._deliver(lambda: self.state_changed.emit(state))

    def _watch(self) -> None:
        """Connect, follow the events until the stream ends, and begin again."""
        self._tell(Starting())
        while not self._closing.is_set():
            try:
                client = self._connect()
            except Exception as error:
                if not isinstance(error, AppError):
                    LOG.exception("the service could not be reached")
                    error = ServiceUnreachable(address="")
                self._tell(Failed(error=error))
                self._wait_to_be_wanted()
                continue
            if self._follow(client):
                self._tell(Ended())
                self._wait_to_be_wanted()
            else:
                self._tell(Lost())
                self._closing.wait(RETRY_SECONDS)

    def _follow(self, client: ServiceClient) -> bool:
        """Pass events on until the stream ends; True when the service said that it ends."""
        bye = False
        try:
            events = client.events()
            self._client = client
            self._tell(Online(base_url=client.base_url, token=client.token))
            for event in events:
                if self._closing.is_set():
                    return True
                happening = read_event(event)
                bye = bye or isinstance(happening, Bye)
                if happening is not None:
                    self._deliver(lambda happening=happening: self.happened.emit(happening))  # type: ignore[misc]
        except AppError:
            LOG.info("the event stream broke")
        finally:
            self._client = None
        return bye

    def _wait_to_be_wanted(self) -> None:
        self._wanted.clear()
        if self._closing.is_set():
            return
        self._wanted.wait()
        if not self._closing.is_set():
            self._tell(Starting())
