"""The log file of a process: rotating, in the data folder, without anything a user or a model wrote."""

from __future__ import annotations

import os
from pathlib import Path

DEBUG_VARIABLE = "LIANGLI_DEBUG"
FILE_BYTES = 1_000_000
KEPT_FILES = 3
_FORMAT = "%(asctime)s %(levelname)s %(name)s [%(process)d] %(message)s"


def debugging() -> bool:
    """Whether the user asked for tracebacks and detailed logs (LIANGLI_DEBUG=1)."""
    return os.environ.get(DEBUG_VARIABLE, "0") not in ("", "0")


def log_to_file(folder: Path, name: str) -> Path:
    """Send this process's log records to `folder/name.log` and return that path; the folder must exist.

    At most 4 MB are kept. Callers log events, sizes and ids, never prompts, answers or file contents; the libraries
    that would log whole requests are silenced below warnings. Calling it again replaces the earlier file.
    """
    import logging
    import logging.handlers  # needs sockets, which would slow down every command that logs nothing

    path = folder / f"{name}.log"
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=FILE_BYTES, backupCount=KEPT_FILES, encoding="utf-8", errors="backslashreplace", delay=False
    )
    path.chmod(0o600)
    handler.setFormatter(logging.Formatter(_FORMAT))
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one, logging.handlers.RotatingFileHandler)]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if debugging() else logging.INFO)
    for library in ("httpx", "httpcore", "uvicorn.access", "asyncio", "markdown_it"):
        logging.getLogger(library).setLevel(logging.WARNING)
    return path
