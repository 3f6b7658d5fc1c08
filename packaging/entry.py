"""Where the installed program begins: a child of its own, or what the user asked for."""

import sys

from inference.engine_folder import use_engine_folder
from resources.own_program import run_as_child

# Whoever asks for the engine's version finds its metadata there.
use_engine_folder()
if not run_as_child():
    from app.main import main

    sys.exit(main())
