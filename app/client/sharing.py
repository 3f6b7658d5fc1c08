"""Models between computers of the local network."""

from __future__ import annotations

from app.client.requests import Requests
from app.values import ShareStatus


class SharingClient(Requests):
    """Whether this computer shares is the setting lan_share; `share_status` makes the service look at it at once."""

    def share_status(self) -> ShareStatus:
        return self._ask("GET", "/share", ShareStatus)

    def renew_share_code(self) -> ShareStatus:
        """Another code for this computer; the former opens nothing any more."""
        return self._ask("POST", "/share/code", ShareStatus)

    def add_share_peer(self, address: str, code: str) -> ShareStatus:
        """Ask another computer for the files of every download, if it accepts the code now."""
        return self._ask("POST", "/share/peers", ShareStatus, json={"address": address, "code": code})

    def remove_share_peer(self, address: str) -> ShareStatus:
        return self._ask("POST", "/share/peers/remove", ShareStatus, json={"address": address})
