"""The service's admin API as typed Python calls, one method per route, for the window and the terminal alike."""

from __future__ import annotations

from typing import Any, Final

from app.client.catalogue import CatalogueClient
from app.client.chats import APPEND, AppendHere, ChatsClient, Exchange
from app.client.downloads import DownloadsClient
from app.client.engines import EnginesClient
from app.client.library import LibraryClient
from app.client.requests import ANSWER_SECONDS
from app.client.sharing import SharingClient
from app.client.streams import CompletionChunk, StreamsClient, Usage
from app.values import ServiceStatus

__all__ = ["APPEND", "AppendHere", "CompletionChunk", "Exchange", "ServiceClient", "Usage"]

# A window that closes waits for this answer: a hanging service must not keep it open.
SHUTDOWN_SECONDS: Final = 5.0


class ServiceClient(
    ChatsClient, LibraryClient, DownloadsClient, CatalogueClient, EnginesClient, StreamsClient, SharingClient
):
    """Speaks to one running service; may be used from several threads.

    Every method raises ServiceUnreachable when nothing answers, Unauthorized for a wrong token, and RemoteError with
    the service's own error code and fields for everything that it refuses.
    """

    def status(self, *, timeout_seconds: float = ANSWER_SECONDS) -> ServiceStatus:
        return self._ask("GET", "/status", ServiceStatus, timeout_seconds=timeout_seconds)

    def shutdown(self) -> None:
        """Ask the service to end; it answers before it does."""
        self._send("POST", "/shutdown", timeout_seconds=SHUTDOWN_SECONDS)

    def settings(self) -> dict[str, Any]:
        return self._ask("GET", "/settings", dict[str, Any])

    def update_settings(self, **changes: Any) -> dict[str, Any]:
        """Change some settings; returns all of them."""
        return self._ask("PATCH", "/settings", dict[str, Any], json=changes)
