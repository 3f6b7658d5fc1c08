"""How the service is doing, for its status route."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

import app
from app.service.engines.engines import Engines
from app.values import ServiceStatus
from hardware_probe.probe import probe_memory


def service_status(*, base_url: str, data_folder: Path, engines: Engines) -> ServiceStatus:
    """Figures of this moment; takes about a millisecond."""
    memory = probe_memory()
    return ServiceStatus(
        version=app.VERSION,
        pid=os.getpid(),
        base_url=base_url,
        data_folder=str(data_folder),
        engines=engines.statuses(),
        total_memory_bytes=memory.total_bytes,
        available_memory_bytes=memory.available_bytes,
        service_memory_bytes=psutil.Process().memory_info().rss,
    )
