"""Routes of the admin API for the catalogue: what models there are, and how they would run here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from app.catalogue_values import CatalogueQuery
from app.service.api.checked_body import CheckedBody, CheckedFields, checked_dataclass, of_fields
from app.service.api.replies import json_reply
from app.service.catalogue import Catalogue

# As many as there are models, many times over.
_MOST_FITS = 4_096


@checked_dataclass
class SearchBody(CheckedFields, CatalogueQuery):
    """POST /catalogue/search: see app.catalogue_values.CatalogueQuery."""


class FitsBody(CheckedBody):
    """POST /catalogue/fits: ids of the catalogue, those that are needed first."""

    models: Annotated[tuple[str, ...], Field(max_length=_MOST_FITS)]


def catalogue_routes(catalogue: Catalogue) -> APIRouter:
    """Everything under /catalogue."""
    router = APIRouter(prefix="/catalogue")

    @router.post("/search")
    async def search(body: SearchBody) -> Response:
        return json_reply(await catalogue.search(of_fields(CatalogueQuery, body)))

    @router.get("/models/{model_id}")
    async def model(model_id: str) -> Response:
        return json_reply(await catalogue.detail(model_id))

    @router.post("/fits")
    async def fits(body: FitsBody) -> Response:
        return json_reply(await catalogue.fits(body.models))

    @router.get("/update")
    async def update() -> Response:
        return json_reply(await catalogue.update())

    @router.post("/update")
    async def begin_update() -> Response:
        return json_reply(await catalogue.begin_update(), 202)

    return router
