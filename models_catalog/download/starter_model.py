"""A starter model as what is downloaded: its one file, from every place that the catalogue names."""

from __future__ import annotations

from collections.abc import Sequence

from models_catalog.download.values import FileToFetch, ModelToFetch
from models_catalog.sources.addresses import Addresses
from models_catalog.sources.locate import source_of
from models_catalog.starter import SourceEntry, Starter


def starter_model(
    starter: Starter, addresses: Addresses, *, sources: Sequence[SourceEntry] | None = None
) -> ModelToFetch:
    """Nobody is asked for it: size and hash are the catalogue's. sources: None for all of the starter's."""
    file = FileToFetch(
        place=(starter.publisher, starter.repository, starter.file),
        sources=tuple(
            source_of(starter, entry, addresses) for entry in (starter.sources if sources is None else sources)
        ),
        size_bytes=starter.size_bytes,
        sha256=starter.sha256,
    )
    return ModelToFetch(name=f"{starter.repository} {starter.quantization}", files=(file,))
