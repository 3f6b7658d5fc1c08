"""Routes of the admin API for the models on this computer."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Response

from app.errors import BadRequest
from app.service.api.checked_body import CheckedBody
from app.service.api.replies import json_reply
from app.service.engines.engines import Engines
from app.service.events import EventBus
from app.service.library import LocalLibrary
from app.service.library_works import LibraryWorks


class ImportBody(CheckedBody):
    """POST /models/import, /models/import/folder and /models/import/copy"""

    path: str

    def absolute(self) -> Path:
        """Raises BadRequest."""
        path = Path(self.path)
        if not path.is_absolute() or "\0" in self.path:
            raise BadRequest(field="path", problem="must be an absolute path")
        return path


class KeyBody(CheckedBody):
    """POST /library/cancel: names some work."""

    key: str


class MoveBody(CheckedBody):
    """POST /library/move"""

    folder: str


def library_routes(library: LocalLibrary, works: LibraryWorks, engines: Engines, events: EventBus) -> APIRouter:
    """Everything under /models and /library."""
    router = APIRouter()

    @router.get("/models")
    async def models() -> Response:
        return json_reply(await library.models())

    @router.post("/models/import")
    async def import_file(body: ImportBody) -> Response:
        model = await library.add(body.absolute())
        events.publish("models", {})
        return json_reply(model)

    @router.post("/models/import/folder")
    async def import_folder(body: ImportBody) -> Response:
        report = await library.add_folder(body.absolute())
        events.publish("models", {})
        return json_reply(report)

    @router.post("/models/import/copy")
    async def import_copy(body: ImportBody) -> Response:
        return json_reply(works.copy_in(body.absolute()), 202)

    @router.get("/models/{model_id}/removal")
    async def removal(model_id: str) -> Response:
        return json_reply(await library.removal(model_id))

    @router.delete("/models/{model_id}")
    async def remove(model_id: str) -> Response:
        works.check_not_moving()
        await engines.release(model_id)
        removed = await library.remove(model_id)
        events.publish("models", {})
        return json_reply(removed)

    @router.post("/models/{model_id}/verify")
    async def verify(model_id: str) -> Response:
        return json_reply(works.verify((await library.find(model_id)).id), 202)

    @router.post("/library/compare")
    async def compare() -> Response:
        return json_reply(works.compare(), 202)

    @router.post("/library/move")
    async def move(body: MoveBody) -> Response:
        return json_reply(await works.move(Path(body.folder)), 202)

    @router.get("/library/work")
    async def all_work() -> Response:
        return json_reply(works.statuses())

    @router.post("/library/cancel")
    async def cancel(body: KeyBody) -> Response:
        await works.cancel(body.key)
        return Response(status_code=204)

    return router
