"""Where everything lives: the data folder, what is in it, and the runtime file by which faces find the service."""

from __future__ import annotations

import errno
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from app.errors import AppError, DataFolderUnusable, PortableFolderUnusable
from resources.atomic_file import write_atomically
from resources.own_program import is_frozen

HOME_VARIABLE = "LIANGLI_HOME"
# Beside the installed program: this file, or the folder itself, says that everything is to be kept in the folder.
PORTABLE_MARK, PORTABLE_FOLDER = "portable", "data"
# In the data folder: the user's own entries of the model catalogue, *.toml files.
FAMILIES = "families"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeInfo:
    """How to reach the running service. base_url has no trailing slash; pid may belong to a service that is gone."""

    base_url: str
    token: str
    pid: int


def data_folder() -> Path:
    """The user's data folder, absolute: $LIANGLI_HOME, else the portable program's own, else the platform's place for
    user data. May not exist yet.
    """
    chosen = os.environ.get(HOME_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    if portable := portable_folder():
        return portable
    from platformdirs import user_data_path

    return user_data_path("liangli", appauthor=False)


def portable_folder() -> Path | None:
    """The data folder beside the installed program, if it is to keep everything there; None otherwise."""
    if not is_frozen():
        return None
    beside = Path(sys.executable).resolve().parent
    folder = beside / PORTABLE_FOLDER
    return folder if folder.is_dir() or (beside / PORTABLE_MARK).exists() else None


def models_folder() -> Path:
    """Where model files are unless the user chose another folder (`app.local_models.models_folder` knows)."""
    return data_folder() / "models"


def added_models_file() -> Path:
    """The user's choices about model files outside the models folder: which to use, which not to show."""
    return data_folder() / "added_models.json"


def model_index_file() -> Path:
    """What was learned about model files, SQLite; may be deleted at any time."""
    return data_folder() / "models.sqlite3"


def library_move_file() -> Path:
    """How far a move of the models folder is, while there is one."""
    return data_folder() / "library_move.json"


def planning_folder() -> Path:
    """What was measured and learned for plans: calibration, speeds of answers, plan data of remote models."""
    return data_folder() / "planning"


def families_folder() -> Path:
    """The user's own entries of the model catalogue, *.toml files; may not exist."""
    return data_folder() / FAMILIES


def logs_folder() -> Path:
    """Log files of the service, its engines and the window."""
    return data_folder() / "logs"


def update_check_file() -> Path:
    """When newer versions of the program were looked for last, and what was seen."""
    return data_folder() / "update_check.json"


def updates_folder() -> Path:
    """Downloaded newer versions of the program, for the user to install; may not exist."""
    return data_folder() / "updates"


def chats_file() -> Path:
    """The SQLite database of all chats."""
    return data_folder() / "chats.sqlite3"


def settings_file() -> Path:
    """The user's settings, TOML, may be edited by hand."""
    return data_folder() / "settings.toml"


def runtime_file() -> Path:
    """Address and token of the running service; readable by this user only."""
    return data_folder() / "runtime.json"


def lock_file() -> Path:
    """Held by the one service of this user while it runs."""
    return data_folder() / "service.lock"


def input_history_file() -> Path:
    """What was typed in the terminal chat, for the arrow keys."""
    return data_folder() / "chat_history"


def prepare_data_folder(root: Path | None = None) -> Path:
    """Create the data folder (`root` is it if it is known already) and the folders in it, closed to other users.

    Raises DataFolderUnusable, PortableFolderUnusable.
    """
    root = root or data_folder()
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (models_folder(), planning_folder(), logs_folder()):
            (root / folder.name).mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise _unusable(root, error.strerror or str(error)) from error
    if not os.access(root, os.W_OK | os.X_OK):
        raise _unusable(root, os.strerror(errno.EACCES))
    return root


def _unusable(root: Path, reason: str) -> AppError:
    if root == portable_folder():
        return PortableFolderUnusable(path=str(root), reason=reason)
    return DataFolderUnusable(path=str(root), reason=reason)


def write_runtime(info: RuntimeInfo) -> None:
    """Tell the faces of this user where the service is. Raises DataFolderUnusable."""
    path = runtime_file()
    try:
        write_atomically(path, json.dumps(asdict(info)).encode())
    except OSError as error:
        raise DataFolderUnusable(path=str(path), reason=error.strerror or str(error)) from error


def read_runtime() -> RuntimeInfo | None:
    """What the last service wrote, or None when there is nothing readable. Says nothing about whether it still runs."""
    try:
        raw = json.loads(runtime_file().read_bytes())
        return RuntimeInfo(base_url=str(raw["base_url"]), token=str(raw["token"]), pid=int(raw["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove_runtime(pid: int) -> None:
    """Remove the runtime file when it is the one that the service `pid` wrote; another service's file stays."""
    info = read_runtime()
    if info is not None and info.pid == pid:
        runtime_file().unlink(missing_ok=True)
