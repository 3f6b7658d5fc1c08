"""The catalogue of open models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from app.client.requests import Requests

# Imported where they are used: a command that asks for none of them does not make these classes.
if TYPE_CHECKING:
    from app.catalogue_values import CatalogueDetail, CatalogueFit, CatalogueFound, CatalogueQuery, CatalogueUpdate


class CatalogueClient(Requests):
    """Which models there are, and how they would run here."""

    def catalogue(self, query: CatalogueQuery) -> CatalogueFound:
        """The models that answer to a query, the best match first."""
        from app.catalogue_values import CatalogueFound

        return self._ask("POST", "/catalogue/search", CatalogueFound, json=msgspec.to_builtins(query))

    def catalogue_model(self, model: str) -> CatalogueDetail:
        """Everything about the model with this id of the catalogue."""
        from app.catalogue_values import CatalogueDetail

        return self._ask("GET", f"/catalogue/models/{quote(model, safe='')}", CatalogueDetail)

    def catalogue_fits(self, models: Sequence[str]) -> list[CatalogueFit]:
        """How these models would run here, as far as it is known; the others follow as "catalogue_fit" events.

        What was asked for before, and is not named now, is no longer worked on.
        """
        from app.catalogue_values import CatalogueFit

        return self._ask("POST", "/catalogue/fits", list[CatalogueFit], json={"models": list(models)})

    def catalogue_update(self) -> CatalogueUpdate:
        """Whether the catalogue renews itself, and how that went."""
        from app.catalogue_values import CatalogueUpdate

        return self._ask("GET", "/catalogue/update", CatalogueUpdate)

    def check_catalogue(self) -> CatalogueUpdate:
        """Begin to look for a newer catalogue; a "catalogue" event follows when there is one."""
        from app.catalogue_values import CatalogueUpdate

        return self._ask("POST", "/catalogue/update", CatalogueUpdate)
