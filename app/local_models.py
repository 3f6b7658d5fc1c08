"""The library of this user, as the service and the commands that need none open it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from app import paths
from app.errors import DataFolderUnusable
from app.settings import Settings, load_settings
from models_catalog.gguf.screen import screen
from models_catalog.library.elsewhere.programs import places_of
from models_catalog.library.elsewhere.surroundings import this_computer
from models_catalog.library.library import LibraryFiles, ModelLibrary
from models_catalog.library.recent import recent_header

FOLDER_VARIABLE = "LIANGLI_MODELS_DIR"


def models_folder(settings: Settings) -> Path:
    """Where model files are kept: $LIANGLI_MODELS_DIR, else the setting, else in the data folder. May not be there."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(settings.models_folder) if settings.models_folder else paths.models_folder()


def prepare_models_folder(settings: Settings) -> Path:
    """The models folder, made if it is new.

    One that was chosen by the setting is not made: it was there once, and may be on a disk that is unplugged now.
    Raises DataFolderUnusable.
    """
    folder = models_folder(settings)
    if os.environ.get(FOLDER_VARIABLE) or not settings.models_folder:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise DataFolderUnusable(path=str(folder), reason=error.strerror or str(error)) from error
    return folder


def open_library(
    settings: Callable[[], Settings],
    screen_file: Callable[[Path], object] = lambda path: screen(recent_header(path)),
) -> ModelLibrary:
    """The library in the data folder. settings: asked at every listing whose models are to be found.

    screen_file: see ModelLibrary.
    """
    return ModelLibrary(
        models_folder(settings()),
        LibraryFiles(
            index=paths.model_index_file(), choices=paths.added_models_file(), journal=paths.library_move_file()
        ),
        lambda: places_of(found_programs(settings()), this_computer()),
        screen_file=screen_file,
    )


def found_programs(settings: Settings) -> tuple[str, ...]:
    """The programs whose models are listed too."""
    wanted = {
        "ollama": settings.find_ollama,
        "lm-studio": settings.find_lm_studio,
        "jan": settings.find_jan,
        "huggingface": settings.find_huggingface,
        "modelscope": settings.find_modelscope,
    }
    return tuple(program for program, found in wanted.items() if found)


def kept_library() -> ModelLibrary:
    """The library for a command that runs without the service. Raises SettingInvalid, DataFolderUnusable."""
    settings = load_settings(paths.settings_file())
    return open_library(lambda: settings)
