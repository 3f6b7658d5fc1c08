"""Whether a source whose connection broke is asked again at once."""

from __future__ import annotations

from models_catalog.sources.faults import SourceCut
from models_catalog.transfer.patience import Patience

_VAIN_ATTEMPTS = 2


class Reconnects:
    """Counts connections that broke without having brought much."""

    def __init__(self, patience: Patience) -> None:
        """Much is `patience.stall_bytes`."""
        self._enough_bytes = patience.stall_bytes
        self._vain = 0

    def after(self, cut: SourceCut, moved_bytes: int) -> None:
        """Returns if asking again is worth it, else raises the cut."""
        self._vain = 0 if moved_bytes >= self._enough_bytes else self._vain + 1
        if self._vain > _VAIN_ATTEMPTS:
            raise cut
