"""Where the service keeps model files, as the window can tell."""

from __future__ import annotations

import os
from pathlib import Path

from app.gui.session import Session

FOLDER_VARIABLE = "LIANGLI_MODELS_DIR"
IN_DATA_FOLDER = "models"


def models_folder(session: Session) -> Path | None:
    """The models folder; None while the service has not told. It may not be there."""
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen).expanduser().absolute()
    if chosen := str(session.settings.get("models_folder", "")):
        return Path(chosen)
    return Path(session.status.data_folder) / IN_DATA_FOLDER if session.status else None
