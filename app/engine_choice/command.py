"""For commands that start children of their own, without the service."""

from __future__ import annotations

from app import paths
from app.engine_choice.choice import EngineChoice
from app.settings import load_settings


def choose_engine() -> EngineChoice:
    """Let this process's children take what the settings say; cards that must be tried are tried first.

    Raises SettingInvalid, DataFolderUnusable.
    """
    choice = EngineChoice(paths.data_folder())
    choice.apply(load_settings(paths.settings_file()))
    choice.try_cards()
    return choice
