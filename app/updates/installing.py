"""What the user is told to do with a downloaded version."""

from __future__ import annotations

import shlex
import subprocess
import sys

from app.updates.values import Fetched
from app.values import Language
from resources import wording
from resources.wording import text


def how_to_install(fetched: Fetched, language: Language) -> str:
    """What to do with the file, in one line; a command can be copied as it stands."""
    quoted = subprocess.list2cmdline([fetched.path]) if sys.platform == "win32" else shlex.quote(fetched.path)
    try:
        return text(f"update.install.{fetched.kind}", language, quoted=quoted)
    except wording.MissingText:
        return text("update.install.other", language)
