"""Routes of the admin API for loaded models."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.planning.wish import checked, kv_type
from app.service.api.checked_body import CheckedBody
from app.service.api.replies import json_reply
from app.service.engines.engines import Engines
from inference.errors import ChatProfileUnknown
from inference.planning.values import Wish
from inference.text.profiles import all_profiles, find_profile


class LoadBody(CheckedBody):
    """POST /engines/load: a model and what of its plan is fixed; the planner chooses the rest.

    context_tokens: for one conversation. kv_type: for keys and values alike, unless one of them is named.
    chat_profile: a built-in one in the place of the file's own template; "": the file's own; null: as in the settings.
    exactly: a model that is loaded with other numbers fixed is loaded anew, also when nothing is fixed now.
    """

    model: str = ""
    context_tokens: int | None = None
    parallel: int | None = None
    kv_type: str | None = None
    kv_type_k: str | None = None
    kv_type_v: str | None = None
    flash_attention: bool | None = None
    swa_full: bool | None = None
    batch_tokens: int | None = None
    gpu_layers: int | None = None
    decode_threads: int | None = None
    memory_map: bool | None = None
    chat_profile: str | None = None
    exactly: bool = False

    def wish(self) -> Wish:
        """What the planner has to keep. Raises WishInvalid."""
        both = kv_type("kv_type", self.kv_type)
        return checked(
            Wish(
                context_tokens=self.context_tokens,
                parallel=self.parallel,
                kv_type_k=kv_type("kv_type_k", self.kv_type_k) or both,
                kv_type_v=kv_type("kv_type_v", self.kv_type_v) or both,
                flash_attention=self.flash_attention,
                swa_full=self.swa_full,
                batch_tokens=self.batch_tokens,
                gpu_layers=self.gpu_layers,
                decode_threads=self.decode_threads,
                memory_map=self.memory_map,
            )
        )


class UnloadBody(CheckedBody):
    """POST /engines/unload"""

    model: str = ""


def engines_routes(engines: Engines) -> APIRouter:
    """Everything under /engines."""
    router = APIRouter()

    @router.post("/engines/load")
    async def load(body: LoadBody) -> Response:
        wish, profile = body.wish(), body.chat_profile
        if profile and find_profile(profile) is None:
            raise ChatProfileUnknown(name=profile, known=[known.name for known in all_profiles()])
        return json_reply(await engines.load(body.model, wish, exactly=body.exactly, chat_profile=profile))

    @router.post("/engines/unload")
    async def unload(body: UnloadBody) -> Response:
        await engines.unload(body.model)
        return Response(status_code=204)

    return router
