"""ModelScope: `/models/{repository}/resolve/{revision}/{file}` redirects to a signed address that soon expires."""

from __future__ import annotations

from urllib.parse import quote

from models_catalog.sources.addresses import Addresses
from models_catalog.sources.byte_source import WholeFile
from models_catalog.starter import ModelScopeEntry, Starter

NAME = "ModelScope"


def locate(starter: Starter, entry: ModelScopeEntry, addresses: Addresses) -> WholeFile:
    """The file's address on ModelScope. It is asked anew for each request, so an expired signature never matters."""
    url = f"{addresses.modelscope}/models/{entry.repository}/resolve/{quote(entry.revision)}/{quote(starter.file)}"
    return WholeFile(name=NAME, url=url, headers=addresses.modelscope_headers)
