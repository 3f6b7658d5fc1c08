"""Where newer versions of the program and of its catalogue are, if anybody said so."""

from __future__ import annotations

import os
from collections.abc import Mapping

from app.settings import Settings

ADDRESS_VARIABLE = "LIANGLI_UPDATE_URL"
CATALOGUE_VARIABLE = "LIANGLI_CATALOGUE_URL"


def update_address(settings: Settings, environment: Mapping[str, str] = os.environ) -> str:
    """The address of the signed index; "" where this build knows none."""
    return environment.get(ADDRESS_VARIABLE, "").strip() or settings.update_url


def catalogue_address(settings: Settings, environment: Mapping[str, str] = os.environ) -> str:
    """The address of the catalogue's signed index; "" where this build knows none."""
    return environment.get(CATALOGUE_VARIABLE, "").strip() or settings.catalogue_url
