"""The window's child that asks for newer versions: `check`, or `fetch NAME`; one JSON document a line.

A process of its own, so that the window stays free of what it needs, so that a server's odd answer cannot reach the
window, and so that it also works where the service does not start, as after a return to an older version.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import msgspec

from app import paths, words
from app.settings import load_settings
from app.updates.address import update_address
from app.updates.check import check
from app.updates.fetching import fetch
from app.updates.values import Failed, Line
from models_catalog.signed import keys


def main(arguments: Sequence[str]) -> int:
    """Ends with 0; an error is the last line."""
    try:
        settings = load_settings(paths.settings_file())
        paths.prepare_data_folder()
        found = check(update_address(settings), keys.shipped_keys(), state_file=paths.update_check_file())
        _write(found)
        if arguments[0] == "fetch":
            proxies = settings.download_proxies
            _write(fetch(found, paths.updates_folder(), name=arguments[1], progress=_write, proxies=proxies))
    except BrokenPipeError:  # the window is gone
        return 1
    except Exception as error:
        body = words.error_body(error)
        _write(Failed(code=body.code, fields=body.fields))
    return 0


def _write(line: Line) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
