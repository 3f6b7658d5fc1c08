"""Where the installed program begins: a child of its own, or what the user asked for."""

import os
import sys

from inference.engine_folder import use_engine_folder
from resources.own_program import run_as_child

# A program without a terminal has no output on Windows; what it writes goes nowhere then.
if sys.stdout is None:
    sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
if sys.stderr is None:
    sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
# Whoever asks for the engine's version finds its metadata there.
use_engine_folder()
if not run_as_child():
    from app.main import main

    sys.exit(main())
