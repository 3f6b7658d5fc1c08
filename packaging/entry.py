"""Where the installed program begins: a child of its own, or what the user asked for."""

import sys

from resources.own_program import run_as_child

if not run_as_child():
    from app.main import main

    sys.exit(main())
