"""Fetches the 0.5B starter model into the user's data folder, for the tests that need it. Exit code 75: no network."""

from __future__ import annotations

import os
import sys
import time

from app.paths import models_folder, prepare_data_folder
from app.words import describe_error, exit_code, shown_bytes
from models_catalog.download.model_download import download
from models_catalog.download.starter_model import starter_model
from models_catalog.download.values import DownloadProgress
from models_catalog.errors import CatalogError, NoSourceWorked
from models_catalog.sources.addresses import Addresses
from models_catalog.starter import starters

NOT_RUN = 75
REPORT_SECONDS = 10.0


class Report:
    """One line every ten seconds."""

    def __init__(self) -> None:
        self._next = time.monotonic()

    def __call__(self, progress: DownloadProgress) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + REPORT_SECONDS
            step, received, total = progress.state, progress.received_bytes, progress.total_bytes
            sys.stdout.write(f"{step}: {shown_bytes(received)} of {shown_bytes(total)}\n")


def main() -> int:
    prepare_data_folder()
    model = min(starters(), key=lambda starter: starter.size_bytes)
    try:
        wanted = starter_model(model, Addresses.from_environment(os.environ))
        (path,) = download(wanted, models_folder(), progress=Report())
    except NoSourceWorked as error:
        sys.stdout.write(f"THE STARTER TESTS ARE NOT RUN: {describe_error(error, 'en')}\n")
        return NOT_RUN
    except CatalogError as error:
        sys.stdout.write(f"{describe_error(error, 'en')}\n")
        return exit_code(type(error).__name__)
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
